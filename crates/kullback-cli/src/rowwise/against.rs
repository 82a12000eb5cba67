//! Sums over weights of any type: the totals of groups of rows, and the total of each row.

use kullback::{OnInvalid, Rows, Side, Weights};
use kullback_arrow::Batch;

use crate::error::Result;
use crate::inputs::InputFile;
use crate::invalid::{Invalid, invalid_weight};

/// The largest total that a 32-bit float, and so every device, holds exactly.
const EXACT_IN_24_BITS: f64 = (1 << 24) as f64;

/// The weights of a row.
fn weights<'a>(rows: &'a Rows<'_>, row: usize) -> impl Iterator<Item = f64> + 'a {
    (0..rows.bins()).filter_map(move |bin| rows.get(row, bin))
}

/// The sum of the weights of a row.
pub(crate) fn row_total(rows: &Rows<'_>, row: usize) -> f64 {
    weights(rows, row).sum()
}

/// The rows whose weights add up to at least `total`. A row with a NaN is kept, because the engine must refuse it.
pub(crate) fn heavy_rows(rows: &Rows<'_>, total: f64) -> Vec<usize> {
    let light = |row: &usize| row_total(rows, *row) < total;
    (0..rows.len()).filter(|row| !light(row)).collect()
}

/// The bin-wise sums of the rows of each group.
///
/// A sum is returned in 64 bits, which hold any total, so that the precision of the comparison does not depend on the size of the
/// totals. A device that the user named and that takes only 32-bit counts (`narrow`) gets 32-bit counts if they are exact.
///
/// A row with an invalid weight is an error, or is left out if such rows are to have no value.
pub(crate) struct Totals {
    on_invalid: OnInvalid,
    narrow: bool,
    /// By the numbers of the groups.
    sums: Vec<Vec<Sum>>,
    /// Rows that were added to each group.
    parts: Vec<usize>,
    invalid: Invalid,
    rows: u64,
}

impl Totals {
    pub(crate) fn new(on_invalid: OnInvalid, narrow: bool) -> Self {
        Self { on_invalid, narrow, sums: Vec::new(), parts: Vec::new(), invalid: Invalid::default(), rows: 0 }
    }

    /// Adds rows to their groups.
    pub(crate) fn add(&mut self, batch: &Batch, groups: &[usize]) {
        self.rows += batch.len() as u64;
        for (row, group) in groups.iter().enumerate() {
            self.sums.resize_with(self.sums.len().max(group + 1), Vec::new);
            self.sums[*group].resize(batch.bins(), Sum::default());
            self.parts.resize(self.sums.len(), 0);
            self.parts[*group] += usize::from(add_row(batch, row, &mut self.sums[*group], &mut self.invalid));
        }
    }

    /// Checks the rows that were added.
    pub(crate) fn check(&self, p: &InputFile) -> Result<()> {
        if self.rows == 0 {
            return Err(p.nothing_read());
        }
        if self.on_invalid == OnInvalid::Error {
            self.invalid.refuse(self.rows, &p.source.name(), &p.source.name(), "")?;
        }
        Ok(())
    }

    /// The rows of a batch whose group has no other row.
    pub(crate) fn alone(&self, groups: &[usize]) -> Vec<usize> {
        (0..groups.len()).filter(|row| self.parts[groups[*row]] < 2).collect()
    }

    /// For each row of a batch the sum of its group without the row. An invalid row is no part of its group.
    pub(crate) fn without(&self, batch: &Batch, groups: &[usize]) -> Result<Batch> {
        let rows = batch.rows();
        let mut weights = Vec::with_capacity(batch.len() * batch.bins());
        for (row, group) in groups.iter().enumerate() {
            let is_part = invalid_weight(&rows, row).is_none();
            for (bin, sum) in self.sums[*group].iter().enumerate() {
                weights.push(if is_part { sum.without(&rows, row * rows.bins() + bin) } else { sum.value() });
            }
        }
        Ok(Batch::from_weights(weights, batch.bins())?)
    }

    /// One row per group.
    pub(crate) fn finish(self) -> Result<Vec<Batch>> {
        let totals: Vec<Vec<f64>> = self.sums.iter().map(|sums| sums.iter().map(Sum::value).collect()).collect();
        let is_exact = |total: &f64| total.fract() == 0.0 && *total <= EXACT_IN_24_BITS;
        let whole = self.narrow && totals.iter().flatten().all(is_exact);
        let batch = |totals: Vec<f64>| -> Result<Batch> {
            let bins = totals.len();
            Ok(if whole {
                Batch::from_weights(totals.iter().map(|total| *total as u32).collect(), bins)?
            } else {
                Batch::from_weights(totals, bins)?
            })
        };
        totals.into_iter().map(batch).collect()
    }
}

/// Adds a row if it is valid, and notes it if it is not. Returns whether it was added.
fn add_row(batch: &Batch, row: usize, sums: &mut [Sum], invalid: &mut Invalid) -> bool {
    let rows = batch.rows();
    if let Some((bin, value)) = invalid_weight(&rows, row) {
        invalid.note_weight(Side::P, batch.file_row(row), bin, value);
        return false;
    }
    let of_row = row * rows.bins()..(row + 1) * rows.bins();
    match rows.weights() {
        // A 64-bit float holds all other weights.
        Weights::U64(counts) => sums.iter_mut().zip(&counts[of_row]).for_each(|(sum, w)| sum.whole += i128::from(*w)),
        Weights::I64(counts) => sums.iter_mut().zip(&counts[of_row]).for_each(|(sum, w)| sum.whole += i128::from(*w)),
        _ => sums.iter_mut().zip(weights(&rows, row)).for_each(|(sum, w)| sum.add(w)),
    }
    true
}

/// The sum of one bin. It is exact for 64-bit integers, and compensated (Neumaier) for other weights.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    whole: i128,
    float: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, weight: f64) {
        let sum = self.float + weight;
        let (large, small) = if self.float >= weight { (self.float, weight) } else { (weight, self.float) };
        self.lost += (large - sum) + small;
        self.float = sum;
    }

    /// The sum without one of its weights. A sum of floats keeps what rounding took, so that little is left of it if the weight is
    /// nearly all. What rounding leaves below 0 is 0.
    fn without(&self, rows: &Rows<'_>, element: usize) -> f64 {
        match rows.weights() {
            Weights::U64(counts) => (self.whole - i128::from(counts[element])) as f64,
            Weights::I64(counts) => (self.whole - i128::from(counts[element])) as f64,
            other => ((self.float - other.get(element).unwrap_or(f64::NAN)) + self.lost).max(0.0),
        }
    }

    fn value(&self) -> f64 {
        self.whole as f64 + (self.float + self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_sum_keeps_what_a_plain_one_loses() {
        let mut sum = Sum::default();
        sum.add(1e16);
        (0..1000).for_each(|_| sum.add(1.0));
        assert_eq!(sum.value(), 1e16 + 1000.0);
    }

    #[test]
    fn light_rows_are_dropped_and_nan_is_kept() {
        let weights = [1.0, 2.0, 3.0, 4.0, f64::NAN, 0.0];
        let rows = Rows::new(&weights, 2);
        assert_eq!(rows.map(|rows| heavy_rows(&rows, 7.0)), Ok(vec![1, 2]));
    }
}
