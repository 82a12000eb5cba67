//! Sums over weights of any type: the total of all rows, and the total of each row.

use kullback::{OnInvalid, Rows, Side, Weights};
use kullback_arrow::Batch;

use crate::error::Result;
use crate::inputs::InputFile;
use crate::interrupt;
use crate::invalid::{Invalid, invalid_weight};
use crate::progress::ProgressDisplay;

/// The largest total that a 32-bit float, and so every device, holds exactly.
const EXACT_IN_24_BITS: f64 = (1 << 24) as f64;

/// The weights of a row.
fn weights<'a>(rows: &'a Rows<'_>, row: usize) -> impl Iterator<Item = f64> + 'a {
    (0..rows.bins()).filter_map(move |bin| rows.get(row, bin))
}

/// The rows whose weights add up to at least `total`. A row with a NaN is kept, because the engine must refuse it.
pub(crate) fn heavy_rows(rows: &Rows<'_>, total: f64) -> Vec<usize> {
    let light = |row: &usize| weights(rows, *row).sum::<f64>() < total;
    (0..rows.len()).filter(|row| !light(row)).collect()
}

/// The bin-wise sum of all rows of a file, which takes a first pass over it.
///
/// The sum is returned in 64 bits, which hold any total, so that the precision of the comparison does not depend on the size of the
/// totals. A device that the user named and that takes only 32-bit counts (`narrow`) gets 32-bit counts if they are exact.
///
/// A row with an invalid weight is an error, or is left out if such rows are to have no value.
pub(crate) fn total(p: &InputFile, on_invalid: OnInvalid, narrow: bool, progress: &ProgressDisplay) -> Result<Batch> {
    let mut sums: Vec<Sum> = Vec::new();
    let mut invalid = Invalid::default();
    let mut rows = 0;
    for batch in p.source.batches()? {
        interrupt::check()?;
        let batch = batch?;
        sums.resize(batch.bins(), Sum::default());
        rows += batch.len() as u64;
        add_rows(&batch, &mut sums, &mut invalid);
        progress.reached(batch.file_row(batch.len() - 1) + 1);
    }
    if rows == 0 {
        return Err(p.nothing_read());
    }
    if on_invalid == OnInvalid::Error {
        invalid.refuse(rows, &p.source.name(), &p.source.name(), "")?;
    }
    let totals: Vec<f64> = sums.iter().map(Sum::value).collect();
    let whole = narrow && totals.iter().all(|total| total.fract() == 0.0 && *total <= EXACT_IN_24_BITS);
    let bins = totals.len();
    Ok(if whole {
        Batch::from_weights(totals.iter().map(|total| *total as u32).collect(), bins)?
    } else {
        Batch::from_weights(totals, bins)?
    })
}

/// Adds the valid rows, and notes the others.
fn add_rows(batch: &Batch, sums: &mut [Sum], invalid: &mut Invalid) {
    let rows = batch.rows();
    for row in 0..rows.len() {
        if let Some((bin, value)) = invalid_weight(&rows, row) {
            invalid.note_weight(Side::P, batch.file_row(row), bin, value);
            continue;
        }
        let of_row = row * rows.bins()..(row + 1) * rows.bins();
        match rows.weights() {
            // A 64-bit float holds all other weights.
            Weights::U64(counts) => {
                sums.iter_mut().zip(&counts[of_row]).for_each(|(sum, w)| sum.whole += i128::from(*w))
            }
            Weights::I64(counts) => {
                sums.iter_mut().zip(&counts[of_row]).for_each(|(sum, w)| sum.whole += i128::from(*w))
            }
            _ => sums.iter_mut().zip(weights(&rows, row)).for_each(|(sum, w)| sum.add(w)),
        }
    }
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
