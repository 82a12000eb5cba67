//! The contract and the comparator. Tolerances live here and nowhere else.

use std::collections::BTreeMap;

use kullback::contract::{ABSOLUTE_ERROR, FIRST_ORDER_ERROR, LARGEST_VALUE, NARROW_ERROR, WIDE_ERROR};
use kullback::{Columns, Divergence, RowStatus, Rows};

/// How far a value may be from the exact value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Relative to the exact value.
    pub relative: f64,
    /// Always allowed, whatever the value is.
    pub absolute: f64,
}

impl Tolerance {
    /// What the contract promises for a measure of a pair of rows.
    #[must_use]
    pub fn of(measure: Divergence, p: &Rows<'_>, p_row: usize, q: &Rows<'_>, q_row: usize) -> Self {
        let wide = is_wide(p, p_row) || is_wide(q, q_row);
        Self {
            relative: if wide { WIDE_ERROR } else { NARROW_ERROR },
            absolute: if measure.is_first_order() { FIRST_ORDER_ERROR } else { ABSOLUTE_ERROR },
        }
    }

    /// The error of `got` relative to `want`. Returns `None` if both are the same special value, or if `got` is within the absolute
    /// allowance.
    ///
    /// # Errors
    /// A sentence, if `got` is outside the tolerance.
    pub fn check(&self, got: f64, want: f64) -> Result<Option<f64>, String> {
        if want.is_nan() || want.is_infinite() {
            let same = (want.is_nan() && got.is_nan()) || got == want;
            return if same { Ok(None) } else { Err(format!("{got:e} for {want:e}")) };
        }
        if want > LARGEST_VALUE && got == f64::INFINITY {
            return Ok(None);
        }
        if got < 0.0 || got.is_nan() {
            return Err(format!("{got:e} for {want:e}: negative or not a number"));
        }
        let error = (got - want).abs();
        let relative = error / want.abs();
        if error == 0.0 {
            Ok(Some(0.0))
        } else if error <= self.absolute {
            // Beside a value that is nearly 0, even the error of the oracle is large.
            Ok(None)
        } else if relative <= self.relative {
            Ok(Some(relative))
        } else {
            Err(format!("{got:e} for {want:e}: relative error {relative:.2e}, allowed {:.0e}", self.relative))
        }
    }
}

/// Whether the contract promises the tighter error for a row.
fn is_wide(rows: &Rows<'_>, row: usize) -> bool {
    rows.weight_type().is_wide()
        || (matches!(rows.weight_type().name(), "u32" | "i32")
            && (0..rows.bins()).any(|bin| rows.get(row, bin).is_some_and(|w| w > f64::from(1 << 24))))
}

/// The largest relative error of a measure, and where it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worst {
    /// The error.
    pub relative: f64,
    /// The name of the case.
    pub case: String,
}

/// Collects comparisons: how many values were compared, the worst error per measure, and every failure.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// How many values were compared.
    pub compared: u64,
    /// The worst error of rows promised 1e-6, by measure name.
    pub narrow: BTreeMap<String, Worst>,
    /// The worst error of rows promised 1e-12, by measure name.
    pub wide: BTreeMap<String, Worst>,
    /// One sentence per failure.
    pub failures: Vec<String>,
}

impl Check {
    /// Compares the rows of `got` with those of `want`, by row and by measure. `name(row)` names a row.
    pub fn columns(
        &mut self,
        got: &Columns,
        want: &[(Divergence, &[f64])],
        status: &[RowStatus],
        p: &Rows<'_>,
        q: &Rows<'_>,
        name: &dyn Fn(usize) -> String,
    ) {
        if got.len() != status.len() {
            self.failures.push(format!("{} rows for {}", got.len(), status.len()));
            return;
        }
        for row in 0..got.len() {
            let (p_row, q_row) = (row.min(p.len() - 1), row.min(q.len() - 1));
            let is_beyond = want.iter().any(|(_, values)| values[row] > LARGEST_VALUE);
            let may_be_infinite = is_beyond && got.status()[row] == RowStatus::Infinite && status[row] == RowStatus::Ok;
            if got.status()[row] != status[row] && !may_be_infinite {
                self.failures.push(format!("{}: status {} for {}", name(row), got.status()[row], status[row]));
            }
            for (measure, values) in want {
                let tolerance = Tolerance::of(*measure, p, p_row, q, q_row);
                let got = got.column(*measure).map_or(f64::NAN, |column| column[row]);
                self.compared += 1;
                match tolerance.check(got, values[row]) {
                    Ok(None) => {}
                    Ok(Some(relative)) => self.note(*measure, tolerance, relative, name(row)),
                    Err(what) => self.failures.push(format!("{measure} of {}: {what}", name(row))),
                }
            }
        }
    }

    fn note(&mut self, measure: Divergence, tolerance: Tolerance, relative: f64, case: String) {
        let table = if tolerance.relative < NARROW_ERROR { &mut self.wide } else { &mut self.narrow };
        let worst = table.entry(measure.to_string()).or_default();
        if relative > worst.relative {
            *worst = Worst { relative, case };
        }
    }

    /// Adds the findings of another check.
    pub fn merge(&mut self, other: Check) {
        self.compared += other.compared;
        self.failures.extend(other.failures);
        for (mine, theirs) in [(&mut self.narrow, other.narrow), (&mut self.wide, other.wide)] {
            for (measure, worst) in theirs {
                let entry = mine.entry(measure).or_default();
                if worst.relative > entry.relative {
                    *entry = worst;
                }
            }
        }
    }

    /// Panics unless something was compared and everything was within the contract.
    ///
    /// # Panics
    /// In that case, with the first failures.
    pub fn assert(&self, what: &str) {
        assert!(self.compared > 0, "{what}: nothing was compared");
        let shown: Vec<&str> = self.failures.iter().take(12).map(String::as_str).collect();
        assert!(
            self.failures.is_empty(),
            "{what}: {} of {} values outside the contract\n  {}",
            self.failures.len(),
            self.compared,
            shown.join("\n  ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Tolerance = Tolerance { relative: NARROW_ERROR, absolute: ABSOLUTE_ERROR };

    #[test]
    fn the_comparator_accepts_what_the_contract_allows() {
        assert_eq!(T.check(1.0, 1.0), Ok(Some(0.0)));
        assert!(T.check(1.000_000_9, 1.0).is_ok_and(|e| e.is_some()));
        assert_eq!(T.check(1e-25, 0.0), Ok(None));
        assert_eq!(T.check(0.0, 0.0), Ok(Some(0.0)));
        // An error of nine parts in ten million says nothing about a device if the value is nearly 0.
        assert_eq!(T.check(1.000_000_9e-18, 1e-18), Ok(None));
        assert_eq!(T.check(f64::INFINITY, f64::INFINITY), Ok(None));
        assert_eq!(T.check(f64::NAN, f64::NAN), Ok(None));
        assert_eq!(T.check(f64::INFINITY, 2.0 * LARGEST_VALUE), Ok(None));
    }

    #[test]
    fn the_comparator_refuses_everything_else() {
        for (got, want) in [
            (1.000_002, 1.0),
            (0.999_998, 1.0),
            (-1e-25, 0.0),
            (-1.0, 1.0),
            (1e-20, 0.0),
            (f64::NAN, 1.0),
            (f64::NAN, 0.0),
            (1.0, f64::NAN),
            (f64::INFINITY, 1.0),
            (f64::INFINITY, 0.9 * LARGEST_VALUE),
            (f64::NAN, 2.0 * LARGEST_VALUE),
            (1.0, f64::INFINITY),
            (f64::NAN, f64::INFINITY),
            (f64::INFINITY, f64::NAN),
            (0.0, 1e-20),
        ] {
            assert!(T.check(got, want).is_err(), "{got} for {want}");
        }
    }

    #[test]
    #[should_panic(expected = "nothing was compared")]
    fn a_check_that_compared_nothing_fails() {
        Check::default().assert("empty");
    }
}
