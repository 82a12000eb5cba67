//! The arithmetic that terms are made of, over the lanes of a SIMD vector of 32- or 64-bit floats.
//!
//! The twin of `shaders/lib/series.wgsl`. Everything is generic over the instruction set `S` and the
//! element `T`; what depends on the precision (lengths of series, split constants) is in [`Real`].

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdFloatElement, SimdWiden};

/// A native vector of `T` on the instruction set `S`.
pub(crate) type Lanes<S, T> = <T as SimdFloatElement>::Native<S>;
/// The mask of such a vector.
pub(crate) type LaneMask<S, T> = <Lanes<S, T> as SimdBase<S>>::Mask;
type Bits<S, T> = <Lanes<S, T> as SimdFloat<S>>::Bits;

/// 32- or 64-bit floats: what the kernels need to know of a precision.
pub(crate) trait Real: SimdFloatElement + Copy + 'static {
    /// 1/3, 1/5, …: (atanh(t)/t − 1)/t² for |t| ≤ 1/3, to half a unit in the last place.
    const ATANH_TAIL: &'static [Self];
    /// 1/(k(2k−1)) for k = 1, 2, …: the Jensen–Shannon series for |z| ≤ 1/2.
    const JENSEN_SHANNON: &'static [Self];
    /// 1/2!, 1/3!, …: (eʸ − 1 − y)/y² for |y| ≤ 1.
    const EXP_TAIL: &'static [Self];
    /// Bits of the stored mantissa.
    const MANTISSA: u32;
    /// 1.0 as bits.
    const ONE_BITS: Self::Bits;
    /// Half a binade plus the offset that makes a difference of exponents positive.
    const RATIO_OFFSET: Self::Bits;
    /// That offset alone.
    const EXPONENT_OFFSET: Self::Bits;
    /// 2^MANTISSA as bits: an integer or-ed into its mantissa is that integer added to it.
    const INTEGER_BITS: Self::Bits;
    /// 2^MANTISSA plus the exponent offset in units of the exponent.
    const INTEGER_OFFSET: Self;
    /// 1.5·2^MANTISSA: adding it rounds to an integer and leaves that in the low bits.
    const ROUNDING: Self;
    /// ln 2 in two parts; the first times any exponent is exact.
    const LN_2_HIGH: Self;
    /// What is left of ln 2.
    const LN_2_LOW: Self;
    /// Scaled weights below this (and above 0) are not trusted to this precision.
    const TINY: Self;
    /// Whether subnormal weights reach the terms (in 32 bits they are rescued).
    const HAS_SUBNORMALS: bool;
    /// Totals are used as they are when their exponent is at most this, either way.
    const MAX_TOTAL_EXPONENT: i32;
    /// Largest power of two, as an exponent, that a term is scaled by at once.
    const MAX_EXPONENT: Self;

    /// Adds a vector to running lane sums that hold (nearly) twice the digits of a 64-bit float for
    /// 64-bit lanes, and a 64-bit float's digits for 32-bit lanes.
    fn accumulate<S: Simd>(sums: &mut WideLanes<S>, x: Lanes<S, Self>);
    /// The leading bits of a factor: times an exponent (at most 12 bits) the product is exact.
    fn leading(value: f64) -> f64;
    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
}

/// Running sums of weights; see [`Real::accumulate`].
#[derive(Clone, Copy)]
pub(crate) struct WideLanes<S: Simd> {
    pub(crate) first: S::f64s,
    pub(crate) second: S::f64s,
}

impl<S: Simd> WideLanes<S> {
    /// All zero.
    #[inline(always)]
    pub(crate) fn zero(simd: S) -> Self {
        let zero = S::f64s::splat(simd, 0.0);
        Self { first: zero, second: zero }
    }
}

const fn odd_reciprocals<const N: usize>() -> [f64; N] {
    let mut out = [0.0; N];
    let mut k = 0;
    while k < N {
        out[k] = 1.0 / (2 * k + 3) as f64;
        k += 1;
    }
    out
}

const fn jensen_shannon<const N: usize>() -> [f64; N] {
    let mut out = [0.0; N];
    let mut k = 0;
    while k < N {
        out[k] = 1.0 / ((k + 1) * (2 * k + 1)) as f64;
        k += 1;
    }
    out
}

const fn reciprocal_factorials<const N: usize>() -> [f64; N] {
    let mut out = [0.0; N];
    let mut factorial = 2.0;
    let mut k = 0;
    while k < N {
        out[k] = 1.0 / factorial;
        factorial *= (k + 3) as f64;
        k += 1;
    }
    out
}

const fn narrow<const N: usize>(wide: [f64; N]) -> [f32; N] {
    let mut out = [0.0; N];
    let mut k = 0;
    while k < N {
        out[k] = wide[k] as f32;
        k += 1;
    }
    out
}

// The lengths make the first term left out smaller than half a unit in the last place of the sum:
// (1/9)^N/(2N+3) for atanh, (1/4)^N/((N+1)(2N+1)) for Jensen–Shannon, 2/(N+2)! for the exponential.
impl Real for f32 {
    const ATANH_TAIL: &'static [f32] = &narrow(odd_reciprocals::<7>());
    const JENSEN_SHANNON: &'static [f32] = &narrow(jensen_shannon::<10>());
    const EXP_TAIL: &'static [f32] = &narrow(reciprocal_factorials::<10>());
    const MANTISSA: u32 = 23;
    const ONE_BITS: u32 = 0x3f80_0000;
    const RATIO_OFFSET: u32 = 0x8040_0000;
    const EXPONENT_OFFSET: u32 = 0x8000_0000;
    const INTEGER_BITS: u32 = 0x4b00_0000;
    const INTEGER_OFFSET: f32 = 8_388_608.0 + 256.0;
    const ROUNDING: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // 2⁻⁹⁶: far above the subnormals, and a² of it is still normal in the sums.
    const HAS_SUBNORMALS: bool = false;
    const TINY: f32 = 1.262_177_4e-29;
    const MAX_TOTAL_EXPONENT: i32 = 90;
    const MAX_EXPONENT: f32 = 126.0;

    #[inline(always)]
    fn accumulate<S: Simd>(sums: &mut WideLanes<S>, x: S::f32s) {
        let (first, second) = x.widen();
        sums.first += first;
        sums.second += second;
    }
    #[inline(always)]
    fn leading(value: f64) -> f64 {
        f64::from_bits(value.to_bits() & !((1 << 41) - 1))
    }
    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const ATANH_TAIL: &'static [f64] = &odd_reciprocals::<17>();
    const JENSEN_SHANNON: &'static [f64] = &jensen_shannon::<25>();
    const EXP_TAIL: &'static [f64] = &reciprocal_factorials::<18>();
    const MANTISSA: u32 = 52;
    const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
    const RATIO_OFFSET: u64 = 0x8008_0000_0000_0000;
    const EXPONENT_OFFSET: u64 = 0x8000_0000_0000_0000;
    const INTEGER_BITS: u64 = 0x4330_0000_0000_0000;
    const INTEGER_OFFSET: f64 = 4_503_599_627_370_496.0 + 2048.0;
    const ROUNDING: f64 = 6_755_399_441_055_744.0;
    // fdlibm's split: the low 20 bits of the first part are zero.
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // The smallest normal value: what is less of its total has lost digits or all.
    const TINY: f64 = f64::MIN_POSITIVE;
    const HAS_SUBNORMALS: bool = true;
    const MAX_TOTAL_EXPONENT: i32 = 900;
    const MAX_EXPONENT: f64 = 1022.0;

    #[inline(always)]
    fn accumulate<S: Simd>(sums: &mut WideLanes<S>, x: S::f64s) {
        // Knuth's two-sum: `second` takes what `first` rounds away.
        let sum = sums.first + x;
        let back = sum - sums.first;
        sums.second += (sums.first - (sum - back)) + (x - back);
        sums.first = sum;
    }
    #[inline(always)]
    fn leading(value: f64) -> f64 {
        f64::from_bits(value.to_bits() & !((1 << 14) - 1))
    }
    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// A vector with the same value in every lane.
#[inline(always)]
pub(crate) fn splat<S: Simd, T: Real>(simd: S, value: f64) -> Lanes<S, T> {
    Lanes::<S, T>::splat(simd, T::from_f64(value))
}

/// `x` where `mask`, else 0.
#[inline(always)]
pub(crate) fn keep<S: Simd, T: Real>(simd: S, mask: LaneMask<S, T>, x: Lanes<S, T>) -> Lanes<S, T> {
    mask.select(x, splat::<S, T>(simd, 0.0))
}

/// c₀ + c₁x + c₂x² + …, by Horner's rule.
#[inline(always)]
pub(crate) fn polynomial<S: Simd, T: Real>(simd: S, x: Lanes<S, T>, coefficients: &[T]) -> Lanes<S, T> {
    let mut sum = Lanes::<S, T>::splat(simd, coefficients[coefficients.len() - 1]);
    for &c in coefficients[..coefficients.len() - 1].iter().rev() {
        sum = sum.mul_add(x, Lanes::<S, T>::splat(simd, c));
    }
    sum
}

/// ln(a/q) = k·ln 2 + 2·atanh(t), with the parts that terms reuse.
#[derive(Clone, Copy)]
pub(crate) struct LogRatio<S: Simd, T: Real> {
    /// The power of two nearest to a/q.
    pub(crate) exponent: Lanes<S, T>,
    /// 2·atanh(t): what is left of the logarithm.
    pub(crate) rest: Lanes<S, T>,
    /// (atanh(t)/t − 1)/t².
    pub(crate) tail: Lanes<S, T>,
}

impl<S: Simd, T: Real> LogRatio<S, T> {
    /// From `t`, `|t| ≤ 1/3`, and the exponent.
    #[inline(always)]
    pub(crate) fn from_parts(simd: S, exponent: Lanes<S, T>, t: Lanes<S, T>) -> Self {
        let w = t * t;
        let tail = polynomial::<S, T>(simd, w, T::ATANH_TAIL);
        let twice = t + t;
        Self { exponent, rest: (twice * w).mul_add(tail, twice), tail }
    }

    /// The logarithm.
    #[inline(always)]
    pub(crate) fn value(self, simd: S) -> Lanes<S, T> {
        let low = self.exponent.mul_add(Lanes::<S, T>::splat(simd, T::LN_2_LOW), self.rest);
        self.exponent.mul_add(Lanes::<S, T>::splat(simd, T::LN_2_HIGH), low)
    }
}

/// The exponent k nearest to log₂(a/q) and t = (a − q·2ᵏ)/(a + q·2ᵏ), |t| ≤ 0.21, for positive
/// `a`, `q`. The numerator is exact: the two are within a factor of 1.5 of each other.
/// Lanes with another value are garbage, never a trap.
#[inline(always)]
pub(crate) fn reduce_ratio<S: Simd, T: Real>(simd: S, a: Lanes<S, T>, q: Lanes<S, T>) -> (Lanes<S, T>, Lanes<S, T>) {
    if T::HAS_SUBNORMALS {
        // A subnormal has no exponent to read: it is lifted first, and the exponent told so.
        let least = splat::<S, T>(simd, f64::MIN_POSITIVE);
        let (lift, lifted, zero) =
            (splat::<S, T>(simd, LIFT), splat::<S, T>(simd, LIFT_EXPONENT), splat::<S, T>(simd, 0.0));
        let (low_a, low_q) = (a.simd_lt(least), q.simd_lt(least));
        let (exponent, t) = reduce_normal_ratio::<S, T>(simd, low_a.select(a * lift, a), low_q.select(q * lift, q));
        return (exponent - low_a.select(lifted, zero) + low_q.select(lifted, zero), t);
    }
    reduce_normal_ratio::<S, T>(simd, a, q)
}

/// 2¹⁰⁰.
const LIFT: f64 = 1_267_650_600_228_229_401_496_703_205_376.0;
const LIFT_EXPONENT: f64 = 100.0;

/// [`reduce_ratio`] of normal values.
#[inline(always)]
fn reduce_normal_ratio<S: Simd, T: Real>(simd: S, a: Lanes<S, T>, q: Lanes<S, T>) -> (Lanes<S, T>, Lanes<S, T>) {
    let splat_bits = |bits| Bits::<S, T>::splat(simd, bits);
    let steps = ((a.to_bits() - q.to_bits()) + splat_bits(T::RATIO_OFFSET)) >> T::MANTISSA;
    let exponent =
        Lanes::<S, T>::from_bits(steps | splat_bits(T::INTEGER_BITS)) - Lanes::<S, T>::splat(simd, T::INTEGER_OFFSET);
    let scaled = Lanes::<S, T>::from_bits(q.to_bits() + ((steps << T::MANTISSA) + splat_bits(T::EXPONENT_OFFSET)));
    (exponent, (a - scaled) / (a + scaled))
}

/// ln(a/q) for positive normal values.
#[inline(always)]
pub(crate) fn log_ratio<S: Simd, T: Real>(simd: S, a: Lanes<S, T>, q: Lanes<S, T>) -> Lanes<S, T> {
    let (exponent, t) = reduce_ratio::<S, T>(simd, a, q);
    LogRatio::<S, T>::from_parts(simd, exponent, t).value(simd)
}

/// eʸ − 1 − y for |y| ≤ 1, relative to its own size.
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

/// base·2ⁿ·eˣ for an integer n and a moderate x, in two scalings so that only the result, never a
/// factor, can overflow or vanish.
#[inline(always)]
pub(crate) fn scaled_exp<S: Simd, T: Real>(simd: S, base: Lanes<S, T>, n: Lanes<S, T>, x: Lanes<S, T>) -> Lanes<S, T> {
    let v = |value: f64| splat::<S, T>(simd, value);
    let whole = (x * v(std::f64::consts::LOG2_E)).round_ties_even();
    let rest = whole
        .mul_add(-Lanes::<S, T>::splat(simd, T::LN_2_LOW), whole.mul_add(-Lanes::<S, T>::splat(simd, T::LN_2_HIGH), x));
    let exp = v(1.0) + (rest + exp_remainder::<S, T>(simd, rest));
    let limit = Lanes::<S, T>::splat(simd, T::MAX_EXPONENT);
    let n = (n + whole).min(limit + limit).max(-(limit + limit));
    let half = (n * v(0.5)).round_ties_even();
    base * power_of_two::<S, T>(simd, half) * exp * power_of_two::<S, T>(simd, n - half)
}
