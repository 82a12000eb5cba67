//! A logarithm without a division, for sums that need few digits of it. Its absolute error is 2.5e-11 in all.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::coefficients;
use super::lanes::{Bits, Real};

/// The largest error of [`ln`].
pub(crate) const LN_ERROR: f64 = 2.5e-11;

/// ln x of positive normal x: k·ln 2 + ln m, √½ ≤ m < √2.
#[inline(always)]
pub(crate) fn ln<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    let (first, rest) = (coefficients::LN[0], &coefficients::LN[1..]);
    let splat = |bits| Bits::<S, f64>::splat(simd, bits);
    // The bits of a float, read as an integer, grow by one binade exactly where the float doubles.
    let bits = x.to_bits();
    let binades = (bits - splat(std::f64::consts::FRAC_1_SQRT_2.to_bits())) & splat(!f64::MANTISSA_MASK);
    let m = S::f64s::from_bits(bits - binades);
    let k = f64::integers::<S>(binades);
    let mut sum = S::f64s::splat(simd, rest[rest.len() - 1]);
    for c in rest[..rest.len() - 1].iter().rev() {
        sum = sum.mul_add(m, S::f64s::splat(simd, *c));
    }
    let per_bit = S::f64s::splat(simd, f64::LN_2_PER_BIT);
    sum.mul_add(m, k.mul_add(per_bit, S::f64s::splat(simd, first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::{SimdLevel, on_level};

    #[inline(always)]
    fn errors<S: Simd>(simd: S) -> f64 {
        let values = (0..200_000).map(|i| 1e-300 * 1.007_f64.powi(i)).take_while(|x| *x < 1e300);
        let error = |x: f64| (ln(simd, S::f64s::splat(simd, x)).as_slice()[0] - x.ln()).abs();
        values.chain((0..100_000).map(|i| f64::from(i + 1) * 3e-5)).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn the_logarithm_is_as_good_as_it_says() {
        for level in SimdLevel::available().into_iter().filter_map(SimdLevel::resolve) {
            let worst = on_level!(level, simd => errors(simd));
            assert!(worst < LN_ERROR && worst > 0.1 * LN_ERROR, "{worst:e}");
        }
    }
}
