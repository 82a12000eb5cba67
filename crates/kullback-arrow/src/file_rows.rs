//! Where the rows of a batch lie in their file.

use arrow_array::UInt64Array;

/// The place of each row.
#[derive(Clone, Debug)]
pub(crate) enum FileRows {
    /// `count` rows, one after the other.
    From { first: u64, count: usize },
    /// The rows that a filter left.
    Listed(UInt64Array),
}

impl FileRows {
    pub(crate) fn len(&self) -> usize {
        match self {
            FileRows::From { count, .. } => *count,
            FileRows::Listed(rows) => rows.len(),
        }
    }

    /// The place of a row; 0 for a row that is not there.
    pub(crate) fn value(&self, row: usize) -> u64 {
        match self {
            FileRows::From { first, count } if row < *count => first + row as u64,
            FileRows::From { .. } => 0,
            FileRows::Listed(rows) => rows.values().get(row).copied().unwrap_or(0),
        }
    }

    /// The places of all rows, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.len()).map(|row| self.value(row))
    }

    /// The places of `count` rows from `start` on. All of them must be there.
    pub(crate) fn slice(&self, start: usize, count: usize) -> Self {
        match self {
            FileRows::From { first, .. } => FileRows::From { first: first + start as u64, count },
            FileRows::Listed(rows) => FileRows::Listed(rows.slice(start, count)),
        }
    }
}

impl From<UInt64Array> for FileRows {
    fn from(rows: UInt64Array) -> Self {
        FileRows::Listed(rows)
    }
}
