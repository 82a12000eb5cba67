//! What a column says, in bounded memory: count, mean ± standard error, quantiles, statuses, the largest values.

use std::collections::BTreeMap;

use crate::output::{RowStatus, Stats};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;

/// The quantiles that a summary reports.
pub const QUANTILES: [f64; 11] = [0.0, 0.001, 0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0];

/// The number of values that are kept before the quantiles become approximate: 4,194,304, which is 32 MiB.
pub const EXACT_QUANTILES_UP_TO: usize = 1 << 22;

/// Bits of the mantissa that a bucket of the approximate quantiles drops. 36 leaves 16, so a reported quantile is within 2⁻¹⁶
/// (1.5e-5) of a value of that rank.
const BUCKET_SHIFT: u32 = 36;

/// The summaries of a call, one per measure, in the order asked for; made by [`Engine::summary`](crate::Engine::summary).
#[derive(Clone, Debug, Default)]
pub struct Summaries {
    pub(crate) measures: Vec<Divergence>,
    pub(crate) summaries: Vec<Summary>,
    pub(crate) top: Vec<Vec<TopRow>>,
    pub(crate) stats: Stats,
}

impl Summaries {
    /// The summary of a measure.
    ///
    /// # Errors
    /// [`Error::NotComputed`] if it was not asked for.
    pub fn summary(&self, measure: Divergence) -> Result<&Summary> {
        self.position(measure).map(|i| &self.summaries[i])
    }

    /// The rows with the largest values of a measure. Infinite values come first, and equal values in the order of the rows.
    ///
    /// # Errors
    /// [`Error::NotComputed`] if it was not asked for.
    pub fn top(&self, measure: Divergence) -> Result<&[TopRow]> {
        self.position(measure).map(|i| self.top[i].as_slice())
    }

    /// The measures, in the order asked for.
    #[must_use]
    pub fn measures(&self) -> &[Divergence] {
        &self.measures
    }

    /// How the call was carried out.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    fn position(&self, measure: Divergence) -> Result<usize> {
        self.measures
            .iter()
            .position(|m| *m == measure)
            .ok_or_else(|| Error::NotComputed { measure: measure.to_string() })
    }
}

/// A row and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TopRow {
    /// The row of the result, from 0.
    pub row: u64,
    /// Its value.
    pub value: f64,
}

/// The largest values seen and their rows, and up to as many more that are not sorted out yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Largest {
    most: usize,
    rows: Vec<TopRow>,
    /// The last of the rows that were kept at the last sort.
    floor: Option<TopRow>,
}

impl Largest {
    /// Keeps at most `most` rows.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Looks at a row. Rows of equal value stay in the order of their numbers. A NaN is no value.
    pub(crate) fn push(&mut self, row: u64, value: f64) {
        let row = TopRow { row, value };
        if value.is_nan() || self.most == 0 || self.floor.is_some_and(|floor| floor.order(&row).is_lt()) {
            return;
        }
        self.rows.push(row);
        if self.rows.len() >= self.most.saturating_mul(2).max(64) {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.rows.sort_unstable_by(TopRow::order);
        self.rows.truncate(self.most);
        if self.rows.len() == self.most {
            self.floor = self.rows.last().copied();
        }
    }

    /// The rows in descending order.
    pub(crate) fn finish(mut self) -> Vec<TopRow> {
        self.sort();
        self.rows
    }
}

impl TopRow {
    /// The larger value first; of equal values the earlier row.
    fn order(&self, other: &TopRow) -> std::cmp::Ordering {
        other.value.total_cmp(&self.value).then(self.row.cmp(&other.row))
    }
}

/// Count, mean and spread of values.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    pub(crate) mean: f64,
    /// Sum of squared distances from the mean.
    pub(crate) squares: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
}

impl Moments {
    fn push(&mut self, value: f64) {
        self.merge(&Moments { count: 1, mean: value, squares: 0.0, minimum: value, maximum: value });
    }

    /// Adds the values of another. There is no large sum that would lose a small variance. Source: T. F. Chan, G. H. Golub, R.
    /// J. LeVeque, 1979.
    pub(crate) fn merge(&mut self, other: &Moments) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = *other;
            }
            return;
        }
        let (count, apart) = (self.count + other.count, other.mean - self.mean);
        let share = other.count as f64 / count as f64;
        self.squares += other.squares + apart * apart * self.count as f64 * share;
        self.mean += apart * share;
        self.count = count;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }
}

/// What a summary says, except the quantiles.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) statuses: [u64; 4],
    pub(crate) infinite: u64,
    pub(crate) moments: Moments,
}

impl Tally {
    /// Adds the rows of another.
    pub(crate) fn merge(&mut self, other: &Tally) {
        self.statuses.iter_mut().zip(other.statuses).for_each(|(mine, more)| *mine += more);
        self.infinite += other.infinite;
        self.moments.merge(&other.moments);
    }

    /// The summary. `at_rank` gives a value by its place in ascending order, from 0.
    pub(crate) fn finish(&self, exact: bool, at_rank: impl Fn(u64) -> f64) -> Summary {
        let Moments { count, mean, squares, minimum, maximum } = self.moments;
        let variance = if count < 2 { f64::NAN } else { squares / (count as f64 - 1.0) };
        let quantile = |q: f64| {
            if count == 0 {
                return f64::NAN;
            }
            if q <= 0.0 {
                return minimum;
            }
            if q >= 1.0 {
                return maximum;
            }
            let (rank, next, share) = position(q, count);
            let (low, high) = (at_rank(rank), at_rank(next));
            low + (high - low) * share
        };
        Summary {
            rows: self.statuses.iter().sum(),
            finite: count,
            infinite: self.infinite,
            statuses: self.statuses,
            mean: if count == 0 { f64::NAN } else { mean },
            variance,
            standard_error: (variance / count as f64).sqrt(),
            quantiles: QUANTILES.map(quantile),
            exact,
        }
    }
}

/// The two ranks that a quantile of so many values lies between, and its distance from the first.
fn position(q: f64, count: u64) -> (u64, u64, f64) {
    let position = q * (count - 1) as f64;
    let rank = position.floor() as u64;
    (rank, (rank + 1).min(count - 1), position - rank as f64)
}

/// The ranks that the quantiles of so many values need, beside the first and the last.
pub(crate) fn ranks(count: u64) -> impl Iterator<Item = u64> {
    let inner = QUANTILES.into_iter().filter(move |q| count > 0 && (0.0..1.0).contains(q) && *q > 0.0);
    inner.flat_map(move |q| {
        let (rank, next, _) = position(q, count);
        [rank, next]
    })
}

/// Collects the values of one measure, any number of them, in at most 32 MiB and a table of buckets.
#[derive(Clone, Debug, Default)]
pub struct SummaryBuilder {
    pub(crate) tally: Tally,
    pub(crate) values: Vec<f64>,
    buckets: BTreeMap<u64, u64>,
}

/// What a summary says about one measure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows seen.
    pub rows: u64,
    /// Rows with a finite value. The mean and the quantiles cover these.
    pub finite: u64,
    /// Rows for which this measure is infinite.
    pub infinite: u64,
    /// Rows by status, in the order of [`RowStatus::ALL`].
    pub statuses: [u64; 4],
    /// Mean of the finite values; NaN if there are none.
    pub mean: f64,
    /// Variance of the finite values, as a sample (n − 1); NaN if there are fewer than two.
    pub variance: f64,
    /// Standard error of the mean; NaN with fewer than two values.
    pub standard_error: f64,
    /// A value for each of [`QUANTILES`] (linear between ranks). The first is the least value and the last is the greatest. NaN
    /// if there are no values.
    pub quantiles: [f64; 11],
    /// Whether the quantiles are exact. If not, each is within 1.6e-5 (relative) of a value of its rank, and the first and the
    /// last are still exact.
    pub exact: bool,
}

impl SummaryBuilder {
    /// Adds rows: values as in [`Columns`](crate::Columns), one status per row.
    pub fn extend(&mut self, values: &[f64], status: &[RowStatus]) {
        for (&value, &status) in values.iter().zip(status) {
            self.push(value, status);
        }
    }

    fn push(&mut self, value: f64, status: RowStatus) {
        self.tally.statuses[status as usize] += 1;
        if !status.has_value() || value.is_nan() {
            return;
        }
        if value.is_infinite() {
            self.tally.infinite += 1;
            return;
        }
        self.tally.moments.push(value);
        if self.buckets.is_empty() && self.values.len() < EXACT_QUANTILES_UP_TO {
            self.values.push(value);
            return;
        }
        for kept in self.values.drain(..) {
            *self.buckets.entry(kept.to_bits() >> BUCKET_SHIFT).or_default() += 1;
        }
        *self.buckets.entry(value.to_bits() >> BUCKET_SHIFT).or_default() += 1;
    }

    /// The summary of all rows added.
    #[must_use]
    pub fn finish(&self) -> Summary {
        let Moments { minimum, maximum, .. } = self.tally.moments;
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let at_rank = |rank: u64| {
            if self.buckets.is_empty() {
                return sorted.get(rank as usize).copied().unwrap_or(f64::NAN);
            }
            let mut below = 0;
            for (bucket, count) in &self.buckets {
                below += count;
                if rank < below {
                    // The middle of the bucket, but never outside the values that were seen.
                    let middle = f64::from_bits((bucket << BUCKET_SHIFT) | (1 << (BUCKET_SHIFT - 1)));
                    return middle.clamp(minimum, maximum);
                }
            }
            maximum
        };
        self.tally.finish(self.buckets.is_empty(), at_rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(values: impl Iterator<Item = f64>) -> Summary {
        let mut builder = SummaryBuilder::default();
        for value in values {
            let status = if value.is_infinite() { RowStatus::Infinite } else { RowStatus::Ok };
            builder.extend(&[value], &[status]);
        }
        builder.finish()
    }

    #[test]
    fn mean_error_and_quantiles_of_a_hundred_and_one_values() {
        let s = summary((0..=100).map(f64::from).chain([f64::INFINITY]));
        assert_eq!((s.rows, s.finite, s.infinite), (102, 101, 1));
        assert_eq!(s.mean, 50.0);
        assert!((s.variance - 858.5).abs() < 1e-9);
        assert!((s.standard_error - (858.5_f64 / 101.0).sqrt()).abs() < 1e-12);
        assert_eq!(s.quantiles, [0.0, 0.1, 1.0, 5.0, 10.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0]);
        assert!(s.exact);
    }

    #[test]
    fn quantiles_stay_within_their_bound_beyond_the_exact_range() {
        let n = EXACT_QUANTILES_UP_TO + 100_000;
        let s = summary((0..n).map(|i| 1e-9 * (1.0 + i as f64)));
        assert!(!s.exact);
        for (q, got) in QUANTILES.iter().zip(s.quantiles) {
            let want = 1e-9 * (1.0 + q * (n - 1) as f64);
            assert!((got - want).abs() <= 1.6e-5 * want, "quantile {q}: {got} for {want}");
        }
    }

    #[test]
    fn rows_without_a_value_are_counted_and_left_out() {
        let mut builder = SummaryBuilder::default();
        builder.extend(&[f64::NAN, f64::NAN, 2.0], &[RowStatus::Empty, RowStatus::Invalid, RowStatus::Ok]);
        let s = builder.finish();
        assert_eq!(s.statuses, [1, 0, 1, 1]);
        assert_eq!(s.mean, 2.0);
        assert!(s.standard_error.is_nan());
    }

    #[test]
    fn moments_of_parts_are_those_of_all() {
        let values: Vec<f64> = (0..1000).map(|i| 1e6 + (f64::from(i) * 0.37).sin()).collect();
        let of = |values: &[f64]| {
            let mut moments = Moments::default();
            values.iter().for_each(|value| moments.push(*value));
            moments
        };
        let whole = of(&values);
        let mut parts = Moments::default();
        for (from, to) in [(0, 0), (0, 1), (1, 700), (700, 700), (700, 1000)] {
            parts.merge(&of(&values[from..to]));
        }
        assert_eq!((parts.count, parts.minimum, parts.maximum), (whole.count, whole.minimum, whole.maximum));
        assert!((parts.mean - whole.mean).abs() < 1e-9 && (parts.squares - whole.squares).abs() < 1e-6);
        let mean = values.iter().sum::<f64>() / 1000.0;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        assert!((whole.squares - squares).abs() < 1e-6, "{} for {squares}", whole.squares);
    }

    #[test]
    fn the_largest_are_kept_in_order_with_ties_by_row() {
        let rising = (0..1000).fold(Largest::new(3), |mut largest, row| {
            largest.push(row, row as f64);
            largest
        });
        assert_eq!(rising.finish().iter().map(|row| row.row).collect::<Vec<_>>(), [999, 998, 997]);
        let mut largest = Largest::new(4);
        for (row, value) in
            [(5, 1.0), (2, 3.0), (9, 3.0), (1, f64::NAN), (0, 0.5), (7, f64::INFINITY), (3, 3.0), (4, 3.0)]
        {
            largest.push(row, value);
        }
        let rows: Vec<u64> = largest.finish().iter().map(|row| row.row).collect();
        assert_eq!(rows, [7, 2, 3, 4]);
        let mut none = Largest::new(0);
        none.push(1, 1.0);
        assert!(none.finish().is_empty());
    }
}
