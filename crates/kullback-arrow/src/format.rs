//! File formats, and what their first bytes are. Tables are written in more of them than can be read.

use std::fmt;

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

/// A format of a result table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableFormat {
    /// A format that files are read in too.
    File(Format),
    /// One JSON array of objects.
    Json,
    /// A table in GitHub's Markdown.
    Markdown,
}

impl TableFormat {
    /// Whether a table in this format is bytes that no terminal should show.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, TableFormat::File(Format::Parquet | Format::Ipc | Format::Npy))
    }
}

impl From<Format> for TableFormat {
    fn from(format: Format) -> Self {
        TableFormat::File(format)
    }
}

impl fmt::Display for TableFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableFormat::File(format) => format.fmt(f),
            TableFormat::Json => f.write_str("json"),
            TableFormat::Markdown => f.write_str("markdown"),
        }
    }
}
