//! The largest rows of a run. Memory holds only that many rows.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use arrow_select::interleave::interleave_record_batch;

use crate::error::Result;

/// Keeps the N rows with the largest values. Infinite values come first, ties keep the order of the rows, and a row without a value
/// is never kept.
pub(crate) struct TopRows {
    most: usize,
    column: usize,
    /// At most `most` rows in descending order, copied from their batches.
    rows: Option<RecordBatch>,
}

impl TopRows {
    /// The `most` largest rows by the float64 column at `column`.
    pub(crate) fn new(most: usize, column: usize) -> Self {
        Self { most, column, rows: None }
    }

    /// Takes the next rows.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut held = self.rows.as_ref().map_or_else(Vec::new, |rows| self.values(rows, 0));
        let floor = if held.len() == self.most { held.last().map(|(value, _)| *value) } else { None };
        let new = self.values(batch, 1);
        // A later row that equals the last row of a full list comes after it, so it is left out.
        held.extend(new.into_iter().filter(|(value, _)| floor.is_none_or(|floor| *value > floor)));
        // The sort is stable: rows already held, and earlier rows, stay before rows with equal values.
        held.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        held.truncate(self.most);
        let places: Vec<(usize, usize)> = held.into_iter().map(|(_, place)| place).collect();
        let empty = batch.slice(0, 0);
        let before = self.rows.as_ref().unwrap_or(&empty);
        let rows = interleave_record_batch(&[before, batch], &places)?;
        self.rows = Some(rows);
        Ok(())
    }

    /// The rows in descending order. `None` if no batch came.
    pub(crate) fn finish(self) -> Option<RecordBatch> {
        self.rows
    }

    /// The values of a batch, and the places of their rows.
    fn values(&self, batch: &RecordBatch, source: usize) -> Vec<(f64, (usize, usize))> {
        let Some(column) = batch.column(self.column).as_primitive_opt::<Float64Type>() else { return Vec::new() };
        let rows = (0..column.len()).filter(|row| column.is_valid(*row));
        rows.map(|row| (column.value(row), (source, row))).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use arrow_array::types::Int64Type;
    use arrow_array::{ArrayRef, Float64Array, Int64Array};
    use std::sync::Arc;

    #[test]
    fn infinite_first_ties_in_row_order_and_no_nulls() {
        let batches = [
            (vec![Some(1.0), None, Some(3.0)], vec![0, 1, 2]),
            (vec![Some(3.0), Some(f64::INFINITY), Some(0.5)], vec![3, 4, 5]),
            (vec![Some(3.0), None, Some(2.0)], vec![6, 7, 8]),
        ];
        for (most, expected) in
            [(1, vec![4]), (3, vec![4, 2, 3]), (5, vec![4, 2, 3, 6, 8]), (20, vec![4, 2, 3, 6, 8, 0, 5])]
        {
            let mut top = TopRows::new(most, 1);
            for (values, rows) in &batches {
                let rows: ArrayRef = Arc::new(Int64Array::from(rows.clone()));
                let values: ArrayRef = Arc::new(Float64Array::from(values.clone()));
                top.push(
                    &RecordBatch::try_from_iter_with_nullable([("row", rows, true), ("kl", values, true)]).unwrap(),
                )
                .unwrap();
            }
            let found = top.finish().unwrap();
            assert_eq!(found.column(0).as_primitive::<Int64Type>().values().to_vec(), expected);
        }
    }
}
