//! Sums, products and quotients with twice the digits of a 64-bit float, for the few numbers of a row (totals, their ratio, the
//! constants of a policy).
//!
//! Source of the algorithms: T. J. Dekker, *A floating-point technique for extending the available
//! precision*, 1971.

use std::ops::{Add, Div, Mul};

use crate::arithmetic::lanes::Real;
use crate::arithmetic::two_part::TwoPart;

/// An unevaluated sum of two 64-bit floats. The second is at most half a unit in the last place of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Double {
    pub high: f64,
    pub low: f64,
}

impl Double {
    /// `a + b`, exactly.
    #[inline]
    pub(crate) fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let back = high - a;
        Self { high, low: (a - (high - back)) + (b - back) }
    }

    /// Adds another term. An infinite sum stays infinite.
    #[inline]
    pub(crate) fn plus(self, term: f64) -> Self {
        let sum = Double::sum(self.high, term);
        if sum.high.is_finite() { Double { high: sum.high, low: self.low + sum.low } } else { Double::from(sum.high) }
    }

    /// Multiplies by a power of two, exactly.
    #[inline]
    pub(crate) fn scaled(self, power_of_two: f64) -> Self {
        Self { high: self.high * power_of_two, low: self.low * power_of_two }
    }

    /// Converts to two values of the kernel's precision.
    #[inline]
    pub(crate) fn split<T: Real>(self) -> TwoPart<T> {
        let high = T::from_f64(self.high);
        TwoPart { high, low: T::from_f64((self.high - high.to_f64()) + self.low) }
    }
}

impl From<f64> for Double {
    #[inline]
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Add for Double {
    type Output = Double;

    #[inline]
    fn add(self, other: Double) -> Double {
        let sum = Double::sum(self.high, other.high);
        Double::sum(sum.high, sum.low + (self.low + other.low))
    }
}

impl Mul for Double {
    type Output = Double;

    #[inline]
    fn mul(self, other: Double) -> Double {
        let high = self.high * other.high;
        let low = self.high.mul_add(other.high, -high) + (self.high * other.low + self.low * other.high);
        Double::sum(high, low)
    }
}

impl Div for Double {
    type Output = Double;

    #[inline]
    fn div(self, other: Double) -> Double {
        let high = self.high / other.high;
        let rest = (-high).mul_add(other.high, self.high) + (self.low - high * other.low);
        Double::sum(high, rest / other.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_times_three_is_one_to_a_hundred_bits() {
        let third = Double::from(1.0) / Double::from(3.0);
        let one = third + third + third;
        assert_eq!(one.high, 1.0);
        assert!(one.low.abs() < 1e-31, "{one:?}");
        let product = third * Double::from(3.0);
        assert!((product.high - 1.0 + product.low).abs() < 1e-31);
    }

    #[test]
    fn split_into_32_bit_parts_keeps_48_bits() {
        let tenth = Double::from(0.1).split::<f32>();
        assert!((f64::from(tenth.high) + f64::from(tenth.low) - 0.1).abs() < 1e-16);
    }
}
