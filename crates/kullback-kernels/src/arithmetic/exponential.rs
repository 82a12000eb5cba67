//! Exponentials over the lanes of a SIMD vector: the rest of one beside 1 + y, and one with a separate power of two.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::lanes::{Bits, Lanes, Real, polynomial, splat};

/// eʸ − 1 − y for −1 ≤ y ≤ 2, with an error relative to its own size.
#[inline(always)]
pub(crate) fn exp_remainder<S: Simd, T: Real>(simd: S, y: Lanes<S, T>) -> Lanes<S, T> {
    y * y * polynomial::<S, T>(simd, y, T::EXP_TAIL)
}

/// 2ⁿ for integers −MAX_EXPONENT ≤ n ≤ MAX_EXPONENT.
#[inline(always)]
fn power_of_two<S: Simd, T: Real>(simd: S, n: Lanes<S, T>) -> Lanes<S, T> {
    let bits = (n + Lanes::<S, T>::splat(simd, T::ROUNDING)).to_bits() << T::MANTISSA;
    Lanes::<S, T>::from_bits(bits + Bits::<S, T>::splat(simd, T::ONE_BITS))
}

/// Beyond every exponent of a float, and far below the size at which the split of ln 2 fails.
const MOST_EXPONENT: f64 = 4096.0;

/// base·2ⁿ·eˣ for an integer n. x is moderate unless the result overflows or vanishes. It scales in two steps, so that only the
/// result, never a factor, can do so.
#[inline(always)]
pub(crate) fn scaled_exp<S: Simd, T: Real>(simd: S, base: Lanes<S, T>, n: Lanes<S, T>, x: Lanes<S, T>) -> Lanes<S, T> {
    let v = |value: f64| splat::<S, T>(simd, value);
    // Beyond this, only the sign of x counts: 2ⁿ is the larger factor, or it is 1.
    let x = x.min(v(MOST_EXPONENT)).max(v(-MOST_EXPONENT));
    let whole = (x * v(std::f64::consts::LOG2_E)).round_ties_even();
    let rest = whole
        .mul_add(-Lanes::<S, T>::splat(simd, T::LN_2_LOW), whole.mul_add(-Lanes::<S, T>::splat(simd, T::LN_2_HIGH), x));
    let exp = v(1.0) + (rest + exp_remainder::<S, T>(simd, rest));
    let limit = Lanes::<S, T>::splat(simd, T::MAX_EXPONENT);
    let n = (n + whole).min(limit + limit).max(-(limit + limit));
    let half = (n * v(0.5)).round_ties_even();
    base * power_of_two::<S, T>(simd, half) * exp * power_of_two::<S, T>(simd, n - half)
}
