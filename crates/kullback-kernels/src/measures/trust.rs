//! What kernels need for a term, and how far its sum may be trusted.

use super::facts::Precision;
use super::term::Term;
use crate::arithmetic::contrast::Needs;
use crate::arithmetic::lanes::Real;

/// Below this, an entropy or cross entropy of a 32-bit kernel may have lost digits that count. The surprise of an almost full
/// bin comes from the rest of the total, and the total is only known to about 46 bits.
pub const LEAST_SURPRISE: f64 = 1e-6;

impl Term {
    /// The factor c for which the sum is at least c·(1 − BC), for terms that cost more than 1 − BC.
    pub fn least_of_deficit(self) -> Option<f64> {
        self.kind().facts().least_of_deficit
    }

    /// What the term uses of a contrast.
    #[inline(always)]
    pub const fn needs(self) -> Needs {
        let facts = self.kind().facts();
        let weights = matches!(facts.precision, Precision::Surprise);
        let second_part = facts.second_part || self.amplifies_totals();
        Needs { log: facts.log, z: facts.z, weights, second_part, pooled: facts.pooled }
    }

    /// Whether an error of r = Q/P shows in the sum: the sum is of first order in the difference of the rows, or a large
    /// exponent amplifies the error.
    pub fn asks_refined(self) -> bool {
        self.precision() == Precision::FirstOrder || self.order().is_some_and(|order| order.exponent().abs() > 1.5)
    }

    /// Whether errors of totals count more than once. The sum over Q goes with 1/(PʲQᵏ), j + k = 1. Both exponents are at most
    /// 1, except for these terms.
    #[inline(always)]
    pub const fn amplifies_totals(self) -> bool {
        match self.order() {
            Some(order) => !(order.a >= 0.0 && order.a <= 1.0),
            None => self.kind().facts().amplifies_totals,
        }
    }

    /// Whether it depends on the order of the bins. Only the kernel that takes any row finds it, in 64 bits.
    pub fn is_scan(self) -> bool {
        self.kind().facts().scan
    }

    /// Whether 32-bit kernels hold the contract for it.
    pub fn is_narrow(self) -> bool {
        self.order().is_none_or(self.kind().facts().narrow)
    }

    /// Whether an error ε of a total moves the sum by ε² or by ε of itself. An exponent would amplify the error.
    pub fn is_of_second_order(self) -> bool {
        self.order().is_none() && matches!(self.precision(), Precision::SecondOrder | Precision::Positive)
    }

    pub const fn precision(self) -> Precision {
        self.kind().facts().precision
    }

    /// The smallest sum that the error of the totals and of r = Q/P cannot have spoilt. Plain, these have an error of at most ε
    /// ≈ 2⁻²² (2⁻⁵¹ in 64 bits), an entropy has the same, and a sum of second order has ε². Refined, each u is good to 2⁻⁴⁷
    /// (2⁻¹⁰⁴) of its weights.
    pub fn trusted_from<T: Real>(self, refined: bool) -> f64 {
        let narrow = size_of::<T>() == 4;
        match (self.precision(), refined, narrow) {
            (Precision::Logarithm, ..) if self.order().is_some_and(|order| order.a == f64::INFINITY) => f64::INFINITY,
            (Precision::Positive | Precision::Logarithm, ..) => 0.0,
            (Precision::Surprise, _, true) => 0.5,
            (Precision::Surprise, _, false) => 1e-2,
            (Precision::FirstOrder, false, _) => f64::INFINITY,
            (Precision::FirstOrder, true, true) => 1e-6,
            (Precision::FirstOrder, true, false) => 0.0,
            (Precision::SecondOrder, false, true) => 1e-6 * self.size(),
            (Precision::SecondOrder, false, false) => 1e-16 * self.size(),
            (Precision::SecondOrder, true, true) => 1e-12 * self.size(),
            (Precision::SecondOrder, true, false) => 0.0,
        }
    }

    /// How small a sum of second order may be beside the others. A power sum is AB/2 of them.
    fn size(self) -> f64 {
        self.order().map_or(1.0, |order| (order.a * order.b).abs().min(1.0))
    }

    /// The smallest sum to trust where a policy gives missing bins parts of a total that is not known to the last digit. The
    /// unit is what the policy gives, as a share of the total.
    ///
    /// If a bin gets c, with an error of ε·c, a sum Σ u²/s moves by 2ε·Σ|u|c/s ≤ 2ε·√(Σ u²/s · Σ c²/s). The last factor is at
    /// most twice what is given, because no bin pays more than half of its weight. So a sum of at least 2·(2ε/δ)² is good to δ,
    /// a fifth of the contract. A sum of first order is good from 2ε/δ on.
    pub fn trusted_from_given<T: Real>(self) -> f64 {
        let off = if size_of::<T>() == 4 { 2f64.powi(-22) / 2e-7 } else { 2f64.powi(-51) / 2e-13 };
        match self.precision() {
            Precision::Positive | Precision::Logarithm | Precision::Surprise => 0.0,
            Precision::FirstOrder => 2.0 * off,
            Precision::SecondOrder => 8.0 * off * off * self.size(),
        }
    }

    /// The least sum over `bins` bins, before it is divided by Q, in which the loss by subnormal numbers does not show.
    pub fn least_sum<T: Real>(self, bins: usize) -> f64 {
        if size_of::<T>() == 4 { bins as f64 * self.kind().facts().least_sum } else { 0.0 }
    }

    /// Whether a row whose ratio Q/P is a power of two is summed without an error of the totals.
    pub fn is_exact_at_powers_of_two(self) -> bool {
        // The largest logarithm is no sum at all.
        self.precision() != Precision::Surprise && self.trusted_from::<f64>(true) < f64::INFINITY
    }

    /// The sum at the ratio r·(1 + off) from the sum at r, for terms where the totals alone connect the two. `q_total` is Σq,
    /// which is Σa at the new ratio. An error ε of the totals makes an error of ε·off·`q_total`.
    pub fn rescaled(self, sum: f64, off: f64, q_total: f64) -> Option<f64> {
        Some(self.kind().facts().rescaled?(sum, off, q_total))
    }

    /// Whether a sum of this size from a 32-bit kernel may have lost digits that count.
    pub fn is_lost(self, sum: f64) -> bool {
        !sum.is_finite() || (self.precision() == Precision::Surprise && sum > 0.0 && sum < LEAST_SURPRISE)
    }
}
