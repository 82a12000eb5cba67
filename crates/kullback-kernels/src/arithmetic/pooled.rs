//! The totals of a pair of rows as parts of their sum.

use fearless_simd::{Select, Simd, SimdBase};

use super::lanes::{LaneMask, Lanes, Real, splat};

/// The least part that 32-bit kernels take: 2⁻²⁰.
pub const LEAST_POOLED: f64 = 1.0 / 1_048_576.0;

/// N/(N + M) and M/(N + M) of each row.
#[derive(Clone, Copy)]
pub struct Pooled<S: Simd, T: Real> {
    pub p: Lanes<S, T>,
    pub q: Lanes<S, T>,
}

impl<S: Simd, T: Real> Pooled<S, T> {
    /// Takes N and M in one unit. Two rows without weight share alike.
    #[inline(always)]
    pub fn new(simd: S, p_total: Lanes<S, T>, q_total: Lanes<S, T>) -> Self {
        let (zero, one) = (splat::<S, T>(simd, 0.0), splat::<S, T>(simd, 1.0));
        let both = p_total + q_total;
        // The larger part from the smaller: the two add up to 1, and neither loses digits.
        let less = p_total.min(q_total) / both;
        let less = both.simd_gt(zero).select(less, splat::<S, T>(simd, 0.5));
        let more = one - less;
        let p_is_less = p_total.simd_le(q_total);
        Self { p: p_is_less.select(less, more), q: p_is_less.select(more, less) }
    }

    /// A placeholder, for calls without the measure.
    #[inline(always)]
    pub fn none(simd: S) -> Self {
        let zero = splat::<S, T>(simd, 0.0);
        Self { p: zero, q: zero }
    }

    /// The same for one row. A side gives its total in its own unit, and that unit; the stored total, which is the quotient of the
    /// two, may be beyond a float.
    pub(crate) fn of_stored(simd: S, (p, p_unit): (f64, f64), (q, q_unit): (f64, f64)) -> Self {
        let v = |value: f64| splat::<S, T>(simd, value);
        if p == 0.0 && q == 0.0 {
            return Self { p: v(0.5), q: v(0.5) };
        }
        let (ratio, inverse) = ((q / p) * (p_unit / q_unit), (p / q) * (q_unit / p_unit));
        let less = |ratio: f64| ratio / (1.0 + ratio);
        if ratio <= 1.0 {
            Self { p: v(1.0 - less(ratio)), q: v(less(ratio)) }
        } else {
            Self { p: v(less(inverse)), q: v(1.0 - less(inverse)) }
        }
    }

    /// The rows whose smaller part is large enough: below it, the small terms of a side are subnormal in 32 bits.
    #[inline(always)]
    pub fn are_held(&self, simd: S) -> LaneMask<S, T> {
        let least = if size_of::<T>() == 4 { LEAST_POOLED } else { 0.0 };
        let less = self.p.min(self.q);
        less.simd_ge(splat::<S, T>(simd, least))
    }
}
