//! The largest rows of a run. Memory holds only that many rows.

use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, Float64Array, RecordBatch};
use arrow_select::interleave::interleave_record_batch;

use crate::error::Result;

/// The order of two rows by the values of their measures, largest first: by the first measure. Rows that are infinite there are
/// ordered by the next one, and so on.
pub(crate) fn largest_first(a: impl Iterator<Item = f64>, b: impl Iterator<Item = f64>) -> Ordering {
    for (a, b) in a.zip(b) {
        match b.total_cmp(&a) {
            Ordering::Equal if a == f64::INFINITY => {}
            order => return order,
        }
    }
    Ordering::Equal
}

/// Keeps the N largest rows by [`largest_first`]. Ties keep the order of the rows, and a row without a value is never kept.
pub(crate) struct TopRows {
    most: usize,
    /// The places of the float64 columns with the values of the measures, in the order in which they decide.
    columns: Range<usize>,
    /// At most `most` rows in descending order, copied from their batches.
    rows: Option<RecordBatch>,
}

impl TopRows {
    /// The `most` largest rows by the float64 columns at `columns`.
    pub(crate) fn new(most: usize, columns: Range<usize>) -> Self {
        Self { most, columns, rows: None }
    }

    /// Takes the next rows.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let empty = batch.slice(0, 0);
        let before = self.rows.as_ref().unwrap_or(&empty);
        let sources = &[self.values(before), self.values(batch)];
        let of = |(source, row): (usize, usize)| sources[source].iter().map(move |column| column.value(row));
        let places = |source: usize| {
            let has_value = move |row: &usize| sources[source].first().is_some_and(|column| column.is_valid(*row));
            (0..[before, batch][source].num_rows()).filter(has_value).map(move |row| (source, row))
        };
        let mut held: Vec<(usize, usize)> = places(0).collect();
        let floor = if held.len() == self.most { held.last().copied() } else { None };
        // A later row that equals the last row of a full list comes after it, so it is left out.
        let is_larger =
            |place: &(usize, usize)| floor.is_none_or(|floor| largest_first(of(*place), of(floor)) == Ordering::Less);
        held.extend(places(1).filter(is_larger));
        // The sort is stable: rows already held, and earlier rows, stay before rows with equal values.
        held.sort_by(|a, b| largest_first(of(*a), of(*b)));
        held.truncate(self.most);
        let rows = interleave_record_batch(&[before, batch], &held)?;
        self.rows = Some(rows);
        Ok(())
    }

    /// The rows in descending order. `None` if no batch came.
    pub(crate) fn finish(self) -> Option<RecordBatch> {
        self.rows
    }

    /// The values of the measures of a batch.
    fn values<'a>(&self, batch: &'a RecordBatch) -> Vec<&'a Float64Array> {
        let columns = batch.columns()[self.columns.clone()].iter();
        columns.filter_map(|column| column.as_primitive_opt::<Float64Type>()).collect()
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
            let mut top = TopRows::new(most, 1..2);
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

    #[test]
    fn infinite_rows_are_ordered_by_the_next_measure_and_finite_ones_are_not() {
        const INFINITE: f64 = f64::INFINITY;
        let values = [
            [INFINITE, 1.0, 0.0],
            [2.0, 0.1, 0.0],
            [INFINITE, INFINITE, 1.0],
            [2.0, 0.9, 0.0],
            [INFINITE, INFINITE, 2.0],
            [INFINITE, 1.0, 9.0],
            [INFINITE, 3.0, 0.0],
        ];
        for (at_once, most) in [(1, 7), (2, 7), (7, 7), (1, 4), (3, 4)] {
            let mut top = TopRows::new(most, 1..4);
            for (chunk, first) in values.chunks(at_once).zip((0..).step_by(at_once)) {
                let column = |at: usize| Arc::new(Float64Array::from_iter_values(chunk.iter().map(|row| row[at])));
                let rows: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + chunk.len() as i64));
                let columns: [(&str, ArrayRef); 4] =
                    [("row", rows), ("kl", column(0)), ("psi", column(1)), ("js", column(2))];
                top.push(&RecordBatch::try_from_iter(columns).unwrap()).unwrap();
            }
            let found = top.finish().unwrap();
            let expected = [4, 2, 6, 0, 5, 1, 3];
            assert_eq!(found.column(0).as_primitive::<Int64Type>().values().to_vec(), expected[..most]);
        }
    }
}
