//! The oracle's numbers: 31 digits as an unevaluated sum of two 64-bit floats, with the five operations and two functions that
//! the definitions use. They are written for clarity and shared with nothing.
//!
//! Source of the algorithms: Y. Hida, X. S. Li and D. H. Bailey, *Library for double-double and quad-double arithmetic*, 2007.

use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::LazyLock;

/// `hi + lo`, with |lo| at most half a unit in the last place of hi.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct DoubleDouble {
    pub(super) hi: f64,
    lo: f64,
}

/// ln 2 to 32 digits.
const LN_2: DoubleDouble = DoubleDouble { hi: std::f64::consts::LN_2, lo: 2.319_046_813_846_299_6e-17 };

pub(super) const fn real(hi: f64) -> DoubleDouble {
    DoubleDouble { hi, lo: 0.0 }
}

fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    let v = hi - a;
    DoubleDouble { hi, lo: (a - (hi - v)) + (b - v) }
}

fn two_product(a: f64, b: f64) -> DoubleDouble {
    let hi = a * b;
    DoubleDouble { hi, lo: a.mul_add(b, -hi) }
}

impl Add for DoubleDouble {
    type Output = DoubleDouble;
    fn add(self, b: DoubleDouble) -> DoubleDouble {
        let s = two_sum(self.hi, b.hi);
        let t = two_sum(self.lo, b.lo);
        let s = two_sum(s.hi, s.lo + t.hi);
        two_sum(s.hi, s.lo + t.lo)
    }
}

impl Neg for DoubleDouble {
    type Output = DoubleDouble;
    fn neg(self) -> DoubleDouble {
        DoubleDouble { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for DoubleDouble {
    type Output = DoubleDouble;
    fn sub(self, b: DoubleDouble) -> DoubleDouble {
        self + -b
    }
}

impl Mul for DoubleDouble {
    type Output = DoubleDouble;
    fn mul(self, b: DoubleDouble) -> DoubleDouble {
        let p = two_product(self.hi, b.hi);
        two_sum(p.hi, p.lo + (self.hi * b.lo + self.lo * b.hi))
    }
}

impl Div for DoubleDouble {
    type Output = DoubleDouble;
    fn div(self, b: DoubleDouble) -> DoubleDouble {
        let first = real(self.hi / b.hi);
        let rest = self - first * b;
        let second = real(rest.hi / b.hi);
        let rest = rest - second * b;
        first + second + real(rest.hi / b.hi)
    }
}

/// The table of logarithms has this many numbers per unit.
const STEPS: f64 = 64.0;
/// ln(n/[`STEPS`]) for the n that a number between √½ and √2 is near to.
static LOGARITHMS: LazyLock<Vec<DoubleDouble>> = LazyLock::new(|| {
    let one = real(1.0);
    let logarithm = |n: u8| {
        let c = real(f64::from(n) / STEPS);
        two_atanh((c - one) / (c + one), &INVERSE_ODDS, 22)
    };
    (0..=91).map(|n| if n < 45 { real(f64::NAN) } else { logarithm(n) }).collect()
});

/// eʲ⸍⁶⁴ for j + [`MIDDLE`] = 0, 1, …, by (e^{j/64/256})²⁵⁶.
static EXPONENTIALS: LazyLock<Vec<DoubleDouble>> = LazyLock::new(|| {
    let exponential = |j: u8| {
        let r = real((f64::from(j) - MIDDLE) / STEPS / 256.0);
        (0..8).fold(series(&INVERSE_FACTORIALS, r, 14), |x, _| x * x)
    };
    (0..=46).map(exponential).collect()
});
/// The place of e⁰ among [`EXPONENTIALS`]. Half of ln 2 is within 23 steps of it.
const MIDDLE: f64 = 23.0;

/// 1/n! for n = 0, 1, …
static INVERSE_FACTORIALS: LazyLock<Vec<DoubleDouble>> = LazyLock::new(|| {
    let factorial = |n: u8| (1..=n).fold(1.0, |product, k| product * f64::from(k));
    (0..14).map(|n| real(1.0) / real(factorial(n))).collect()
});

/// 1/(2n + 1).
static INVERSE_ODDS: LazyLock<Vec<DoubleDouble>> =
    LazyLock::new(|| (0..22_u8).map(|n| real(1.0) / real(f64::from(2 * n + 1))).collect());

/// c₀ + c₁x + c₂x² + …. Terms after the first `exact` are below 2⁻⁵³ of the sum, so 16 of their digits are enough.
fn series(coefficients: &[DoubleDouble], x: DoubleDouble, exact: usize) -> DoubleDouble {
    let (first, rest) = coefficients.split_at(exact);
    let rest = rest.iter().rev().fold(0.0, |s, c| s * x.hi + c.hi);
    first.iter().rev().fold(real(rest), |s, &c| s * x + c)
}

/// 2·atanh(t) by its power series, where `odds` is 1, ⅓, ⅕, ….
fn two_atanh(t: DoubleDouble, odds: &[DoubleDouble], exact: usize) -> DoubleDouble {
    real(2.0) * t * series(odds, t * t, exact)
}

impl DoubleDouble {
    /// Zero rows and bins are recognised by this.
    pub(super) fn is_positive(self) -> bool {
        self.hi > 0.0
    }

    /// The nearest 64-bit float. A result below zero comes from rounding and becomes zero.
    pub(super) fn to_f64(self) -> f64 {
        self.to_signed_f64().max(0.0)
    }

    /// The nearest 64-bit float of a number that may be below zero. +∞ stands for what is too large.
    pub(super) fn to_signed_f64(self) -> f64 {
        if self.hi.is_finite() { self.hi + self.lo } else { f64::INFINITY }
    }

    /// Times 2ⁿ, exactly. It takes two steps because 2ⁿ alone may not be a float.
    pub(super) fn times_two_to(self, n: i32) -> DoubleDouble {
        let scale = |x: f64| x * 2f64.powi(n / 2) * 2f64.powi(n - n / 2);
        DoubleDouble { hi: scale(self.hi), lo: scale(self.lo) }
    }

    pub(super) fn abs(self) -> DoubleDouble {
        if self.hi < 0.0 { -self } else { self }
    }

    /// One step of Newton's iteration from the 64-bit root.
    pub(super) fn sqrt(self) -> DoubleDouble {
        if !self.is_positive() {
            return real(0.0);
        }
        let x = real(self.hi.sqrt());
        (x + self / x) * real(0.5)
    }

    /// k·ln 2 + ln c + 2·atanh((m − c)/(m + c)), self = m·2ᵏ, by the power series. c is the nearest number to m whose logarithm
    /// is in a table, so |(m − c)/(m + c)| < 1/180, and its square to the fourth is below 2⁻⁵³.
    pub(super) fn ln(self) -> DoubleDouble {
        let k = self.hi.log2().round();
        let m = self.times_two_to(-k as i32);
        let nearest = (m.hi * STEPS).round();
        let c = real(nearest / STEPS);
        LN_2 * real(k) + LOGARITHMS[nearest as usize] + two_atanh((m - c) / (m + c), &INVERSE_ODDS[..9], 4)
    }

    /// 2ᵏ·eʲ⸍⁶⁴·eʳ by the power series. e^{j/64} is in a table and |r| ≤ 1/128, so r⁶/6! is below 2⁻⁵³.
    pub(super) fn exp(self) -> DoubleDouble {
        // Outside the range of a float the series below means nothing.
        if self.hi.abs() > 740.0 {
            return real(if self.hi < 0.0 { 0.0 } else { f64::INFINITY });
        }
        let k = (self.hi / LN_2.hi).round();
        let rest = self - LN_2 * real(k);
        let j = (rest.hi * STEPS).round();
        let power = series(&INVERSE_FACTORIALS[..13], rest - real(j / STEPS), 6);
        (EXPONENTIALS[(j + MIDDLE) as usize] * power).times_two_to(k as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// |a − b| as a part of b.
    fn off(a: DoubleDouble, b: DoubleDouble) -> f64 {
        ((a - b) / b).hi.abs()
    }

    #[test]
    fn the_logarithm_and_the_exponential_have_thirty_digits() {
        let mut x = real(1.0) / real(3.0);
        for _ in 0..2000 {
            x = x * real(1.01) + real(1e-3);
            // By the series over the whole range, without the table.
            let k = x.hi.log2().round();
            let m = x.times_two_to(-k as i32);
            let plain = LN_2 * real(k) + two_atanh((m - real(1.0)) / (m + real(1.0)), &INVERSE_ODDS, 22);
            assert!((x.ln() - plain).hi.abs() < 1e-31 * (1.0 + plain.hi.abs()), "{x:?}");
            assert!(off(x.ln().exp(), x) < 1e-29, "{x:?}");
        }
        // ln 10 and e to 32 digits.
        let ln_10 = DoubleDouble { hi: std::f64::consts::LN_10, lo: -2.170_756_223_382_249_4e-16 };
        assert!(off(real(10.0).ln(), ln_10) < 1e-31, "{:?}", real(10.0).ln());
        let e = DoubleDouble { hi: std::f64::consts::E, lo: 1.445_646_891_729_250_2e-16 };
        assert!(off(real(1.0).exp(), e) < 1e-29, "{:?}", real(1.0).exp());
    }
}
