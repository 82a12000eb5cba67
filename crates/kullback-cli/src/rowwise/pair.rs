//! `BatchPair`: rows of P beside the rows of Q that they meet.

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use kullback::{RowPair, Rows};
use kullback_arrow::Batch;

use crate::error::Result;

/// Rows of P and the rows they are compared with.
pub(crate) struct BatchPair {
    pub(crate) p: Batch,
    /// As many rows as `p`, or one row for all of them.
    pub(crate) q: Batch,
    /// The rows of `p` that are compared with nothing, in ascending order.
    pub(crate) alone: Vec<usize>,
}

impl BatchPair {
    /// The row of `q` that a row of `p` is compared with.
    pub(crate) fn q_row(&self, row: usize) -> usize {
        if self.q.len() == 1 { 0 } else { row }
    }

    /// Whether the row is null in the file, on either side.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.p.is_null(row) || self.q.is_null(self.q_row(row))
    }

    /// The names and values of the key columns of a row of P. `keys` are their positions.
    pub(crate) fn key(&self, row: usize, keys: &[usize]) -> Result<Vec<(String, String)>> {
        let (schema, options) = (self.p.keys.schema(), FormatOptions::default());
        let value = |key: &usize| -> Result<(String, String)> {
            let column = ArrayFormatter::try_new(self.p.keys.column(*key).as_ref(), &options)?;
            Ok((schema.field(*key).name().clone(), column.value(row).to_string()))
        };
        keys.iter().map(value).collect()
    }
}

impl RowPair for BatchPair {
    fn p(&self) -> Rows<'_> {
        self.p.rows()
    }

    fn q(&self) -> Rows<'_> {
        self.q.rows()
    }
}
