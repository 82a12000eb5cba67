//! The largest rows with their weights, for what is shown of them bin by bin. Memory holds only these.

use std::cmp::Ordering;
use std::num::NonZeroUsize;

use kullback::{RowStatus, Rows};

use super::pair::BatchPair;
use super::results::Results;
use crate::error::Result;
use crate::report::top::largest_first;

/// Rows that are shown bin by bin if the user asks for no number.
const SHOWN: usize = 6;

/// A row to look into.
pub(crate) struct LargestRow {
    /// Its number in the file P.
    pub(crate) row: u64,
    /// The names and values of its key columns.
    pub(crate) key: Vec<(String, String)>,
    /// The values of all measures.
    pub(crate) values: Vec<f64>,
    /// The weights of P and of Q.
    pub(crate) weights: [Vec<f64>; 2],
}

impl LargestRow {
    /// Its keys, or its number.
    pub(crate) fn label(&self) -> String {
        if self.key.is_empty() {
            return format!("row {}", self.row);
        }
        self.key.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// The largest rows so far, in the order of [`largest_first`].
pub(crate) struct LargestRows {
    most: usize,
    rows: Vec<LargestRow>,
}

impl LargestRows {
    /// As many rows as `--top` says, or a few.
    pub(crate) fn new(top: Option<NonZeroUsize>) -> Self {
        Self { most: Self::count(top), rows: Vec::new() }
    }

    /// How many rows are kept.
    pub(crate) fn count(top: Option<NonZeroUsize>) -> usize {
        top.map_or(SHOWN, NonZeroUsize::get)
    }

    /// Takes the rows of a batch. `keys` are the positions of the key columns of P.
    pub(crate) fn push(&mut self, pair: &BatchPair, results: &Results, keys: &[usize]) -> Result<()> {
        for (row, status) in results.status.iter().enumerate() {
            if !status.is_some_and(RowStatus::has_value) {
                continue;
            }
            let values = || results.columns.iter().map(|column| column[row]);
            // A row comes after the rows that it equals.
            let stays_before =
                |held: &LargestRow| largest_first(held.values.iter().copied(), values()) != Ordering::Greater;
            let place = self.rows.partition_point(stays_before);
            if place < self.most {
                self.rows.truncate(self.most - 1);
                let weights = [weights(&pair.p.rows(), row), weights(&pair.q.rows(), pair.q_row(row))];
                let (number, key) = (pair.p.file_row(row), pair.key(row, keys)?);
                self.rows.insert(place, LargestRow { row: number, key, values: values().collect(), weights });
            }
        }
        Ok(())
    }

    /// The rows, largest first.
    pub(crate) fn finish(self) -> Vec<LargestRow> {
        self.rows
    }
}

fn weights(rows: &Rows<'_>, row: usize) -> Vec<f64> {
    (0..rows.bins()).filter_map(|bin| rows.get(row, bin)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use kullback_arrow::Batch;

    use super::*;

    #[test]
    fn the_largest_rows_are_kept_with_their_weights() {
        let mut rows = LargestRows::new(NonZeroUsize::new(3));
        let values = [[1.0, 3.0, f64::NAN], [3.0, f64::INFINITY, 0.5], [2.0, 3.0, f64::INFINITY]];
        let seconds = [[0.0; 3], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]];
        for (values, seconds) in values.into_iter().zip(seconds) {
            let p = Batch::from_weights(vec![1_u32, 2, 3, 4, 5, 6], 2).unwrap();
            let q = Batch::from_weights(vec![7.0, 8.0], 2).unwrap();
            let status = values.map(|value: f64| match value {
                value if value.is_nan() => Some(RowStatus::Empty),
                f64::INFINITY => Some(RowStatus::Infinite),
                _ => Some(RowStatus::Ok),
            });
            let results = Results { columns: vec![values.to_vec(), seconds.to_vec()], status: status.to_vec() };
            rows.push(&BatchPair { p, q, alone: Vec::new() }, &results, &[]).unwrap();
        }
        let rows = rows.finish();
        let labels: Vec<String> = rows.iter().map(LargestRow::label).collect();
        let found: Vec<(&str, f64)> = rows.iter().zip(&labels).map(|(row, label)| (&**label, row.values[1])).collect();
        // Of the infinite rows, the one of the last batch has the larger second value; then comes the first 3.
        assert_eq!(found, [("row 2", 2.0), ("row 1", 1.0), ("row 1", 0.0)]);
        assert_eq!(rows[0].weights, [vec![5.0, 6.0], vec![7.0, 8.0]]);
        assert_eq!(rows[2].weights, [vec![3.0, 4.0], vec![7.0, 8.0]]);
    }
}
