//! A zero policy as the constants of one row.
//!
//! Every policy is one rule per bin: a bin with weight becomes `weight + add`, a bin without becomes `fill`, and `floor` raises
//! what lies below a threshold to it. Only the constants differ. They are computed here, with twice the digits of a 64-bit
//! float.

use crate::arithmetic::double::Double;
use crate::arithmetic::lanes::Real;
use crate::arithmetic::two_part::TwoPart;
use crate::zeros::Zeros;

/// What the first pass over a row found on one side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SideTotals {
    /// Sum of the weights (under `skip`, of the bins that are kept).
    pub total: Double,
    /// Bins with weight, and below the bins of the union support without weight.
    pub present: usize,
    pub missing: usize,
    /// The factor by which the weights were scaled beforehand; 1 except for extreme 64-bit rows.
    pub unit: f64,
}

impl SideTotals {
    /// The total as this kernel has it, and its unit: the total of the stored weights is the first divided by the second.
    pub(crate) fn stored(&self) -> (f64, f64) {
        (self.total.high, self.unit)
    }
}

/// The constants of one side of a row, in the unit of its weights.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SideConstants {
    /// Total after the policy.
    pub total: Double,
    /// Added to a bin with weight.
    pub add: Double,
    /// Given to a bin without weight.
    pub fill: Double,
}

impl SideConstants {
    /// The constants of a policy. For `floor` the total is the one before the policy; the second pass of the kernel finds the
    /// one after it.
    pub(crate) fn new(zeros: Zeros, found: &SideTotals, bins: usize) -> Self {
        let SideTotals { total, present, missing, unit } = *found;
        let n = Double::from(bins as f64);
        match zeros {
            Zeros::Exact | Zeros::Skip => SideConstants { total, ..SideConstants::default() },
            Zeros::Additive(amount) => {
                let add = Double::from(amount).scaled(unit);
                SideConstants { total: total + add * n, add, fill: add }
            }
            Zeros::Mix(share) => {
                // (1 − L)·p̂ + L/n is proportional to p + λ·P/n with λ = L/(1 − L).
                let added = total * (Double::from(share) / Double::sum(1.0, -share));
                let add = added / n;
                SideConstants { total: total + added, add, fill: add }
            }
            Zeros::Floor(least) => {
                let threshold = total * Double::from(least);
                SideConstants { total, add: Double::default(), fill: threshold }
            }
            Zeros::Epsilon(epsilon) => {
                let fill = total * Double::from(epsilon);
                let loss = fill * Double::from(missing as f64) / Double::from(present.max(1) as f64);
                SideConstants { total, add: loss.scaled(-1.0), fill }
            }
        }
    }

    /// Whether the precision T holds the amounts of a policy that are used, to the last digit of both their parts. A smaller
    /// amount is beyond it, however large it is on the scale of the other side.
    pub(crate) fn is_held<T: Real>(&self, zeros: Zeros, found: &SideTotals) -> bool {
        let held = |amount: Double| amount.high.abs() >= T::LEAST_AMOUNT;
        match zeros {
            Zeros::Exact | Zeros::Skip => true,
            Zeros::Epsilon(_) => found.missing == 0 || (held(self.add) && held(self.fill)),
            Zeros::Additive(_) | Zeros::Mix(_) | Zeros::Floor(_) => held(self.fill),
        }
    }

    /// The same constants in another unit.
    pub(crate) fn scaled(self, power_of_two: f64) -> Self {
        SideConstants {
            total: self.total.scaled(power_of_two),
            add: self.add.scaled(power_of_two),
            fill: self.fill.scaled(power_of_two),
        }
    }
}

/// The constants of one side in the kernel's precision.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Constants<T> {
    pub total: TwoPart<T>,
    pub add: TwoPart<T>,
    pub fill: TwoPart<T>,
}

impl<T: Real> From<SideConstants> for Constants<T> {
    fn from(side: SideConstants) -> Self {
        Self { total: side.total.split(), add: side.add.split(), fill: side.fill.split() }
    }
}
