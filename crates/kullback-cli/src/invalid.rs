//! Rows that cannot be computed. They are numbered as they lie in the file, and counted over the whole run.

use kullback::{Rows, Side};

use crate::error::{Error, Result};
use crate::rowwise::pair::BatchPair;

/// What is wrong with some rows.
#[derive(Debug, Default)]
pub(crate) struct Invalid {
    weights: u64,
    first: Option<Place>,
    policy: u64,
    first_policy: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    side: Side,
    row: u64,
    bin: usize,
    value: f64,
}

impl Invalid {
    /// Whether no row was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.weights == 0 && self.policy == 0
    }

    /// Notes a row that the engine calls invalid. The reason is a weight of either side, or otherwise the policy.
    pub(crate) fn note(&mut self, pair: &BatchPair, row: usize) {
        let q_row = pair.q_row(row);
        if let Some((bin, value)) = invalid_weight(&pair.p.rows(), row) {
            self.note_weight(Side::P, pair.p.file_row(row), bin, value);
        } else if let Some((bin, value)) = invalid_weight(&pair.q.rows(), q_row) {
            self.note_weight(Side::Q, pair.q.file_row(q_row), bin, value);
        } else {
            if self.policy == 0 {
                self.first_policy = pair.p.file_row(row);
            }
            self.policy += 1;
        }
    }

    /// Notes a row by its first invalid weight.
    pub(crate) fn note_weight(&mut self, side: Side, row: u64, bin: usize, value: f64) {
        self.weights += 1;
        self.first.get_or_insert(Place { side, row, bin, value });
    }

    /// The error for the noted rows, out of `rows` rows.
    pub(crate) fn refuse(&self, rows: u64, p: &str, q: &str, policy: &str) -> Result<()> {
        if let Some(Place { side, row, bin, value }) = self.first {
            let file = if side == Side::P { p } else { q }.to_owned();
            return Err(Error::InvalidWeights { count: self.weights, rows, row, side, file, bin, value });
        }
        if self.policy > 0 {
            let (policy, row, file) = (policy.to_owned(), self.first_policy, p.to_owned());
            // Only `epsilon` takes weight from bins. Any other row without an invalid weight spans too wide a range.
            if !policy.starts_with("epsilon") {
                return Err(Error::RangeTooWide { count: self.policy, rows, row, file });
            }
            return Err(Error::PolicyTooLarge { policy, count: self.policy, rows, row, file });
        }
        Ok(())
    }
}

/// The first weight of a row that is negative, NaN or infinite, and its bin.
pub(crate) fn invalid_weight(rows: &Rows<'_>, row: usize) -> Option<(usize, f64)> {
    let mut weights = (0..rows.bins()).filter_map(|bin| rows.get(row, bin).map(|value| (bin, value)));
    weights.find(|(_, value)| !(*value >= 0.0 && value.is_finite()))
}
