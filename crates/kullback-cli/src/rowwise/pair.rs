//! `BatchPair`: rows of P beside the rows of Q that they meet.

use kullback::{RowPair, Rows};
use kullback_arrow::Batch;

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
}

impl RowPair for BatchPair {
    fn p(&self) -> Rows<'_> {
        self.p.rows()
    }

    fn q(&self) -> Rows<'_> {
        self.q.rows()
    }
}
