//! A summary of a column in bounded memory: count, mean ± standard error, quantiles, statuses.

use std::collections::BTreeMap;

use crate::output::RowStatus;

/// The quantiles a summary reports.
pub const QUANTILES: [f64; 11] = [0.0, 0.001, 0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0];

/// Values kept before the quantiles become approximate: 4,194,304, which is 32 MiB.
pub const EXACT_QUANTILES_UP_TO: usize = 1 << 22;

/// Bits of the mantissa that a bucket of the approximate quantiles drops: 36 leaves 16, so that a
/// reported quantile is within 2⁻¹⁶ (1.5e-5) of a value of that rank.
const BUCKET_SHIFT: u32 = 36;

/// Collects the values of one measure, any number of them, in at most 32 MiB and a table of buckets.
#[derive(Clone, Debug, Default)]
pub struct SummaryBuilder {
    statuses: [u64; 4],
    rows: u64,
    count: u64,
    infinite: u64,
    mean: f64,
    squares: f64,
    minimum: f64,
    maximum: f64,
    values: Vec<f64>,
    buckets: BTreeMap<u64, u64>,
}

/// What [`SummaryBuilder`] found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows seen.
    pub rows: u64,
    /// Rows with a finite value: those the mean and the quantiles speak of.
    pub finite: u64,
    /// Rows of which this measure is infinite.
    pub infinite: u64,
    /// Rows by status, in the order of [`RowStatus::ALL`].
    pub statuses: [u64; 4],
    /// Mean of the finite values; NaN without any.
    pub mean: f64,
    /// Standard error of that mean; NaN with fewer than two values.
    pub standard_error: f64,
    /// A value for each of [`QUANTILES`] (linear between ranks); NaN without any value.
    pub quantiles: [f64; 11],
    /// Whether the quantiles are exact; if not, each is within 1.6e-5 of a value of its rank.
    pub exact: bool,
}

impl SummaryBuilder {
    /// Adds rows: values as in [`Columns`](crate::Columns), one status a row.
    pub fn extend(&mut self, values: &[f64], status: &[RowStatus]) {
        for (&value, &status) in values.iter().zip(status) {
            self.push(value, status);
        }
    }

    fn push(&mut self, value: f64, status: RowStatus) {
        self.rows += 1;
        self.statuses[status as usize] += 1;
        if !status.has_value() || value.is_nan() {
            return;
        }
        if value.is_infinite() {
            self.infinite += 1;
            return;
        }
        self.count += 1;
        // Welford's update: no large sum that a small variance would drown in.
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
        if self.count == 1 {
            (self.minimum, self.maximum) = (value, value);
        } else {
            (self.minimum, self.maximum) = (self.minimum.min(value), self.maximum.max(value));
        }
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
        let variance = self.squares / (self.count as f64 - 1.0);
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
                    // The middle of the bucket, never outside what was seen.
                    let middle = f64::from_bits((bucket << BUCKET_SHIFT) | (1 << (BUCKET_SHIFT - 1)));
                    return middle.clamp(self.minimum, self.maximum);
                }
            }
            self.maximum
        };
        let quantile = |q: f64| {
            if self.count == 0 {
                return f64::NAN;
            }
            let last = self.count - 1;
            if q <= 0.0 {
                return self.minimum;
            }
            if q >= 1.0 {
                return self.maximum;
            }
            let position = q * last as f64;
            let rank = position.floor() as u64;
            let (low, high) = (at_rank(rank), at_rank((rank + 1).min(last)));
            low + (high - low) * (position - rank as f64)
        };
        Summary {
            rows: self.rows,
            finite: self.count,
            infinite: self.infinite,
            statuses: self.statuses,
            mean: if self.count == 0 { f64::NAN } else { self.mean },
            standard_error: if self.count < 2 { f64::NAN } else { (variance / self.count as f64).sqrt() },
            quantiles: QUANTILES.map(quantile),
            exact: self.buckets.is_empty(),
        }
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
}
