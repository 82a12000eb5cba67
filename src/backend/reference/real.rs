//! The oracle's numbers: 31 digits as an unevaluated sum of two 64-bit floats, with the five operations and two functions that
//! the definitions use. They are written for clarity and shared with nothing.
//!
//! Source of the algorithms: Y. Hida, X. S. Li and D. H. Bailey, *Library for double-double and quad-double arithmetic*, 2007.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `hi + lo`, with |lo| at most half a unit in the last place of hi.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Real {
    pub(super) hi: f64,
    lo: f64,
}

/// ln 2 to 32 digits.
const LN_2: Real = Real { hi: std::f64::consts::LN_2, lo: 2.319_046_813_846_299_6e-17 };

pub(super) const fn real(hi: f64) -> Real {
    Real { hi, lo: 0.0 }
}

fn two_sum(a: f64, b: f64) -> Real {
    let hi = a + b;
    let v = hi - a;
    Real { hi, lo: (a - (hi - v)) + (b - v) }
}

fn two_product(a: f64, b: f64) -> Real {
    let hi = a * b;
    Real { hi, lo: a.mul_add(b, -hi) }
}

impl Add for Real {
    type Output = Real;
    fn add(self, b: Real) -> Real {
        let s = two_sum(self.hi, b.hi);
        let t = two_sum(self.lo, b.lo);
        let s = two_sum(s.hi, s.lo + t.hi);
        two_sum(s.hi, s.lo + t.lo)
    }
}

impl Neg for Real {
    type Output = Real;
    fn neg(self) -> Real {
        Real { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for Real {
    type Output = Real;
    fn sub(self, b: Real) -> Real {
        self + -b
    }
}

impl Mul for Real {
    type Output = Real;
    fn mul(self, b: Real) -> Real {
        let p = two_product(self.hi, b.hi);
        two_sum(p.hi, p.lo + (self.hi * b.lo + self.lo * b.hi))
    }
}

impl Div for Real {
    type Output = Real;
    fn div(self, b: Real) -> Real {
        let first = real(self.hi / b.hi);
        let rest = self - first * b;
        let second = real(rest.hi / b.hi);
        let rest = rest - second * b;
        first + second + real(rest.hi / b.hi)
    }
}

impl Real {
    /// Zero rows and bins are recognised by this.
    pub(super) fn is_positive(self) -> bool {
        self.hi > 0.0
    }

    /// The nearest 64-bit float. A result below zero comes from rounding and becomes zero.
    pub(super) fn to_f64(self) -> f64 {
        if self.hi.is_finite() { (self.hi + self.lo).max(0.0) } else { f64::INFINITY }
    }

    /// Times 2ⁿ, exactly. It takes two steps because 2ⁿ alone may not be a float.
    pub(super) fn times_two_to(self, n: i32) -> Real {
        let scale = |x: f64| x * 2f64.powi(n / 2) * 2f64.powi(n - n / 2);
        Real { hi: scale(self.hi), lo: scale(self.lo) }
    }

    pub(super) fn abs(self) -> Real {
        if self.hi < 0.0 { -self } else { self }
    }

    /// One step of Newton's iteration from the 64-bit root.
    pub(super) fn sqrt(self) -> Real {
        if !self.is_positive() {
            return real(0.0);
        }
        let x = real(self.hi.sqrt());
        (x + self / x) * real(0.5)
    }

    /// k·ln 2 + 2·atanh((m − 1)/(m + 1)), self = m·2ᵏ, by the power series.
    pub(super) fn ln(self) -> Real {
        let k = self.hi.log2().round();
        let m = self.times_two_to(-k as i32);
        let t = (m - real(1.0)) / (m + real(1.0));
        let square = t * t;
        // 1/(2n + 1) to 31 digits: the quotient, and the rest it leaves.
        let odd = |n: i32| {
            let (d, hi) = (f64::from(2 * n + 1), 1.0 / f64::from(2 * n + 1));
            Real { hi, lo: (-hi).mul_add(d, 1.0) / d }
        };
        let series = (0..22).rev().fold(real(0.0), |s, n| s * square + odd(n));
        LN_2 * real(k) + real(2.0) * t * series
    }

    /// 2ᵏ·(e^{r/256})²⁵⁶ by the power series.
    pub(super) fn exp(self) -> Real {
        // Outside the range of a float the series below means nothing.
        if self.hi.abs() > 740.0 {
            return real(if self.hi < 0.0 { 0.0 } else { f64::INFINITY });
        }
        let k = (self.hi / LN_2.hi).round();
        let r = (self - LN_2 * real(k)) * real(1.0 / 256.0);
        let power = (1..14).rev().fold(real(1.0), |s, n| real(1.0) + s * r / real(f64::from(n)));
        (0..8).fold(power, |x, _| x * x).times_two_to(k as i32)
    }
}
