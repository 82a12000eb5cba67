//! File formats, and the places of files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Error, Result};

/// A file format, for reading and for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header line.
    Csv,
    /// Tab-separated values with a header line.
    Tsv,
    /// A NumPy array.
    Npy,
    /// Arrow IPC: the file format (Feather 2) and the stream format.
    Ipc,
    /// One JSON object per line.
    Ndjson,
}

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

    /// The format that the first bytes of a file show. Text formats cannot be told from them.
    pub(crate) fn sniff(head: &[u8]) -> Option<Self> {
        let signatures: [(&[u8], Format); 4] = [
            (b"PAR1", Format::Parquet),
            (b"ARROW1", Format::Ipc),
            (b"\xff\xff\xff\xff", Format::Ipc),
            (b"\x93NUMPY", Format::Npy),
        ];
        signatures.into_iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, format)| format)
    }

    /// Whether files of this format are text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv | Format::Ndjson)
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Reads one of the names `parquet`, `csv`, `tsv`, `npy`, `arrow`, `feather`, `ipc`, `ndjson`, `jsonl`.
    fn from_str(name: &str) -> Result<Self> {
        Self::from_extension(&name.to_ascii_lowercase()).ok_or_else(|| Error::UnknownFormat { name: name.to_owned() })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Parquet => "parquet",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Npy => "npy",
            Format::Ipc => "arrow",
            Format::Ndjson => "ndjson",
        })
    }
}

/// Where a table is read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file. A pipe or device is read once, into a temporary file.
    Path(PathBuf),
    /// Standard input, read once, into a temporary file.
    Stdin,
}

impl From<&str> for Location {
    /// `-` is standard input; anything else is a path.
    fn from(text: &str) -> Self {
        if text == "-" { Location::Stdin } else { Location::Path(PathBuf::from(text)) }
    }
}

impl FromStr for Location {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Location::from(text))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => write!(f, "{}", path.display()),
            Location::Stdin => f.write_str("standard input"),
        }
    }
}

/// Where a table is written to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A file, which is replaced when the table is complete. A target that is not a regular file (a device, a pipe) is written
    /// directly.
    Path(PathBuf),
    /// Standard output.
    Stdout,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Path(path) => write!(f, "{}", path.display()),
            Target::Stdout => f.write_str("standard output"),
        }
    }
}

/// The path as messages show it.
pub(crate) fn quoted(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// The directory that holds a file. For a bare name it is the current directory.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
