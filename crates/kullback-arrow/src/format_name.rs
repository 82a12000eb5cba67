//! The format that a name says: the name of a file, or that of the format itself.

use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::format::{Format, TableFormat};
use crate::location::quoted;

impl Format {
    /// The format that a file name says.
    ///
    /// # Errors
    /// [`Error::NoFormat`] when the extension is none of `.parquet`, `.pq`, `.csv`, `.tsv`, `.npy`, `.arrow`, `.feather`, `.ipc`,
    /// `.ndjson`, `.jsonl` (in any case).
    pub fn from_path(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        Self::from_extension(&extension.to_ascii_lowercase()).ok_or_else(|| Error::NoFormat { file: quoted(path) })
    }

    fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "parquet" | "pq" => Format::Parquet,
            "csv" => Format::Csv,
            "tsv" => Format::Tsv,
            "npy" => Format::Npy,
            "arrow" | "feather" | "ipc" => Format::Ipc,
            "ndjson" | "jsonl" => Format::Ndjson,
            _ => return None,
        })
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Reads one of the names `parquet`, `csv`, `tsv`, `npy`, `arrow`, `feather`, `ipc`, `ndjson`, `jsonl`.
    fn from_str(name: &str) -> Result<Self> {
        Self::from_extension(&name.to_ascii_lowercase()).ok_or_else(|| Error::UnknownFormat { name: name.to_owned() })
    }
}

impl TableFormat {
    /// The format that a file name says.
    ///
    /// # Errors
    /// [`Error::NoTableFormat`] when the extension is neither `.json`, `.md`, `.markdown` nor one that [`Format::from_path`] knows.
    pub fn from_path(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match Self::written_only(&extension.to_ascii_lowercase()) {
            Some(format) => Ok(format),
            None => {
                Format::from_path(path).map(TableFormat::File).map_err(|_| Error::NoTableFormat { file: quoted(path) })
            }
        }
    }

    fn written_only(name: &str) -> Option<Self> {
        match name {
            "json" => Some(TableFormat::Json),
            "md" | "markdown" => Some(TableFormat::Markdown),
            _ => None,
        }
    }
}

impl FromStr for TableFormat {
    type Err = Error;

    /// Reads one of the names `json`, `markdown`, `md`, or a name of a [`Format`].
    fn from_str(name: &str) -> Result<Self> {
        match Self::written_only(&name.to_ascii_lowercase()) {
            Some(format) => Ok(format),
            None => {
                name.parse().map(TableFormat::File).map_err(|_| Error::UnknownTableFormat { name: name.to_owned() })
            }
        }
    }
}
