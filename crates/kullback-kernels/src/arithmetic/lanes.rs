//! The arithmetic of terms, over the lanes of a SIMD vector of 32- or 64-bit floats.
//!
//! It is the twin of `shaders/lib/series.wgsl`. Everything is generic over the instruction set `S` and the element `T`. What
//! depends on the precision (lengths of series, split constants) is in [`Real`].

use fearless_simd::{
    Bytes, ExtractToken, Select, Simd, SimdBase, SimdFloat, SimdFloatElement, SimdInt, SimdNarrow, SimdWiden,
};

use super::coefficients;
use super::two_part::{TwoPart, two_sum};
use super::wide_lanes::{WideLanes, add_neighbours};

/// A native vector of `T` on the instruction set `S`.
pub type Lanes<S, T> = <T as SimdFloatElement>::Native<S>;
/// The mask of such a vector.
pub type LaneMask<S, T> = <Lanes<S, T> as SimdBase<S>>::Mask;
pub type Bits<S, T> = <Lanes<S, T> as SimdFloat<S>>::Bits;

/// 32- or 64-bit floats: what the kernels need to know of a precision.
pub trait Real: SimdFloatElement + Copy + 'static {
    /// 2·(atanh(t)/t − 1)/t² as a polynomial in t², |t| ≤ 1/3.
    const ATANH_TAIL: &'static [Self];
    /// ¼[(1+z)ln(1+z) + (1−z)ln(1−z)]/z² as a polynomial in z², |z| ≤ 11/16.
    const JENSEN_SHANNON: &'static [Self];
    /// ln(59/32 + v) as a polynomial in v, |v| ≤ 5/32.
    const LN_ONE_PLUS: &'static [Self];
    /// 1/2!, 1/3!, …: (eʸ − 1 − y)/y² for −1 ≤ y ≤ 2.
    const EXP_TAIL: &'static [Self];
    /// Bits of the stored mantissa.
    const MANTISSA: u32;
    /// 1.0 as bits.
    const ONE_BITS: Self::Bits;
    /// One binade, as a difference of bits.
    const BINADE: Self::Bits;
    /// The bits of the mantissa.
    const MANTISSA_MASK: Self::Bits;
    /// The bits of a difference that are a multiple of two binades.
    const TWO_BINADES_MASK: Self::Bits;
    /// ln 2 over the bits of a binade.
    const LN_2_PER_BIT: Self;
    /// Replaces an empty bin in a quotient or a logarithm. It is below every weight that is trusted, and normal even when
    /// halved.
    const NOTHING: Self;
    /// 1.5·2^MANTISSA. Adding it rounds to an integer and leaves the integer in the low bits.
    const ROUNDING: Self;
    /// The first of two parts of ln 2. Its product with any exponent is exact.
    const LN_2_HIGH: Self;
    /// The second part of ln 2.
    const LN_2_LOW: Self;
    /// Scaled weights below this (and above 0) are not trusted in this precision.
    const TINY: Self;
    /// The least amount of a policy, in the unit of its row, whose two parts keep all their digits. There is none in 64 bits:
    /// rows are brought near 1 first, and what counts beside that is not subnormal.
    const LEAST_AMOUNT: f64;
    /// Whether subnormal weights reach the terms. In 32 bits they are rescued.
    const HAS_SUBNORMALS: bool;
    /// A total is used unchanged if its exponent is at most this, either way.
    const MAX_TOTAL_EXPONENT: i32;
    /// The largest power of two, as an exponent, by which a term is scaled in one step.
    const MAX_EXPONENT: Self;

    /// Signed bits as floats.
    fn integers<S: Simd>(bits: Bits<S, Self>) -> Lanes<S, Self>;
    /// Adds a vector to running lane sums. These hold (nearly) twice the digits of a 64-bit float for 64-bit lanes, and the
    /// digits of a 64-bit float for 32-bit lanes.
    fn accumulate<S: Simd>(sums: &mut WideLanes<S>, x: Lanes<S, Self>);
    /// Adds a vector to running lane sums of 64 bits.
    fn widen<S: Simd>(sums: &mut WideLanes<S>, x: Lanes<S, Self>);
    /// Running sums of 64 bits, lane by lane, in two parts.
    fn narrow<S: Simd>(simd: S, sums: WideLanes<S>) -> TwoPart<Lanes<S, Self>>;
    /// The divisor for [`Real::divided`], made once for many sums.
    fn divisor<S: Simd>(simd: S, total: TwoPart<Lanes<S, Self>>) -> WideLanes<S>;
    /// Sums divided by totals, in 64 bits, so that the quotient is not rounded again.
    fn divided<S: Simd>(sums: Lanes<S, Self>, divisor: WideLanes<S>) -> WideLanes<S>;
    /// Adds the lanes of vector i into lane i, for as many vectors as lanes. Neighbours are added until one lane of each vector
    /// is left. Of 32-bit lanes the last four are added at once, because each level rounds a sum with one large part again.
    fn add_lanes<S: Simd>(vectors: &mut [Lanes<S, Self>]) -> TwoPart<Lanes<S, Self>>;
    /// The leading bits of a factor. Its product with an exponent (at most 12 bits) is exact.
    fn leading(value: f64) -> f64;
    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
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

impl Real for f32 {
    const ATANH_TAIL: &'static [f32] = coefficients::ATANH_TAIL_32;
    const JENSEN_SHANNON: &'static [f32] = coefficients::JENSEN_SHANNON_32;
    const LN_ONE_PLUS: &'static [f32] = coefficients::LN_ONE_PLUS_32;
    const EXP_TAIL: &'static [f32] = &narrow(reciprocal_factorials::<12>());
    const MANTISSA: u32 = 23;
    const ONE_BITS: u32 = 0x3f80_0000;
    const BINADE: u32 = 1 << 23;
    const MANTISSA_MASK: u32 = (1 << 23) - 1;
    const TWO_BINADES_MASK: u32 = 0xff00_0000;
    const LN_2_PER_BIT: f32 = std::f32::consts::LN_2 / 8_388_608.0;
    const NOTHING: f32 = 7.703_72e-34; // 2⁻¹¹⁰
    const ROUNDING: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // 2⁻⁹⁶: far above the subnormals, and its square is still normal in the sums.
    const HAS_SUBNORMALS: bool = false;
    const TINY: f32 = 1.262_177_4e-29;
    const LEAST_AMOUNT: f64 = 1.972_152_263_052_529_5e-31; // 2⁻¹⁰²
    const MAX_TOTAL_EXPONENT: i32 = 90;
    const MAX_EXPONENT: f32 = 126.0;

    #[inline(always)]
    fn integers<S: Simd>(bits: Bits<S, f32>) -> S::f32s {
        bits.bitcast::<S::i32s>().to_float()
    }
    #[inline(always)]
    fn accumulate<S: Simd>(sums: &mut WideLanes<S>, x: S::f32s) {
        let (first, second) = x.widen();
        sums.first += first;
        sums.second += second;
    }
    #[inline(always)]
    fn widen<S: Simd>(sums: &mut WideLanes<S>, x: S::f32s) {
        Self::accumulate(sums, x);
    }
    #[inline(always)]
    fn narrow<S: Simd>(_simd: S, sums: WideLanes<S>) -> TwoPart<S::f32s> {
        let high: S::f32s = sums.first.narrow(sums.second);
        let (first, second) = high.widen();
        TwoPart { high, low: (sums.first - first).narrow(sums.second - second) }
    }
    /// The reciprocal: of 24 digits, and of twice as many after one step of Newton's iteration.
    #[inline(always)]
    fn divisor<S: Simd>(simd: S, total: TwoPart<S::f32s>) -> WideLanes<S> {
        let (first, second) = (S::f32s::splat(simd, 1.0) / total.high).widen();
        let (mut first_total, mut second_total) = total.high.widen();
        let (first_low, second_low) = total.low.widen();
        (first_total, second_total) = (first_total + first_low, second_total + second_low);
        let two = S::f64s::splat(simd, 2.0);
        WideLanes { first: first * (two - first * first_total), second: second * (two - second * second_total) }
    }
    #[inline(always)]
    fn divided<S: Simd>(sums: S::f32s, divisor: WideLanes<S>) -> WideLanes<S> {
        let (first, second) = sums.widen();
        WideLanes { first: first * divisor.first, second: second * divisor.second }
    }
    #[inline(always)]
    fn add_lanes<S: Simd>(vectors: &mut [S::f32s]) -> TwoPart<S::f32s> {
        let quarter = vectors.len() / 4;
        match *add_neighbours::<S, S::f32s>(vectors, quarter) {
            [a, b, c, d] => {
                let ((a, b), (c, d)) = (a.deinterleave(b), c.deinterleave(d));
                let ((a, c), (b, d)) = (a.deinterleave(c), b.deinterleave(d));
                let (first, second) = (two_sum(a, b), two_sum(c, d));
                let all = two_sum(first.high, second.high);
                let low = all.low + (first.low + second.low);
                TwoPart { high: all.high + low, low: S::f32s::splat(low.token(), 0.0) }
            }
            [a, b] => {
                let (a, b) = a.deinterleave(b);
                two_sum(a, b)
            }
            ref one => TwoPart { high: one[0], low: S::f32s::splat(one[0].token(), 0.0) },
        }
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
    const ATANH_TAIL: &'static [f64] = coefficients::ATANH_TAIL_64;
    const JENSEN_SHANNON: &'static [f64] = coefficients::JENSEN_SHANNON_64;
    const LN_ONE_PLUS: &'static [f64] = coefficients::LN_ONE_PLUS_64;
    const EXP_TAIL: &'static [f64] = &reciprocal_factorials::<22>();
    const MANTISSA: u32 = 52;
    const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
    const BINADE: u64 = 1 << 52;
    const MANTISSA_MASK: u64 = (1 << 52) - 1;
    const TWO_BINADES_MASK: u64 = 0xffe0_0000_0000_0000;
    const LN_2_PER_BIT: f64 = std::f64::consts::LN_2 / 4_503_599_627_370_496.0;
    const NOTHING: f64 = f64::MIN_POSITIVE * 4.0; // 2⁻¹⁰²⁰
    const ROUNDING: f64 = 6_755_399_441_055_744.0;
    // fdlibm's split: the low 20 bits of the first part are zero.
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Just above the subnormals: a weight that is a smaller share has lost some or all digits.
    const TINY: f64 = f64::MIN_POSITIVE * 8.0;
    const LEAST_AMOUNT: f64 = 0.0;
    const HAS_SUBNORMALS: bool = true;
    const MAX_TOTAL_EXPONENT: i32 = 900;
    const MAX_EXPONENT: f64 = 1022.0;

    #[inline(always)]
    fn integers<S: Simd>(bits: Bits<S, f64>) -> S::f64s {
        bits.bitcast::<S::i64s>().to_float()
    }
    #[inline(always)]
    fn accumulate<S: Simd>(sums: &mut WideLanes<S>, x: S::f64s) {
        let TwoPart { high, low } = two_sum(sums.first, x);
        sums.first = high;
        sums.second += low;
    }
    #[inline(always)]
    fn widen<S: Simd>(sums: &mut WideLanes<S>, x: S::f64s) {
        sums.first += x;
    }
    #[inline(always)]
    fn narrow<S: Simd>(simd: S, sums: WideLanes<S>) -> TwoPart<S::f64s> {
        TwoPart { high: sums.first, low: S::f64s::splat(simd, 0.0) }
    }
    #[inline(always)]
    fn divisor<S: Simd>(simd: S, total: TwoPart<S::f64s>) -> WideLanes<S> {
        WideLanes { first: total.high, second: S::f64s::splat(simd, 0.0) }
    }
    #[inline(always)]
    fn divided<S: Simd>(sums: S::f64s, divisor: WideLanes<S>) -> WideLanes<S> {
        WideLanes { first: sums / divisor.first, second: divisor.second }
    }
    #[inline(always)]
    fn add_lanes<S: Simd>(vectors: &mut [S::f64s]) -> TwoPart<S::f64s> {
        let high = add_neighbours::<S, S::f64s>(vectors, 1)[0];
        TwoPart { high, low: S::f64s::splat(high.token(), 0.0) }
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
pub fn splat<S: Simd, T: Real>(simd: S, value: f64) -> Lanes<S, T> {
    Lanes::<S, T>::splat(simd, T::from_f64(value))
}

/// `x` where `mask`, else 0.
#[inline(always)]
pub fn keep<S: Simd, T: Real>(simd: S, mask: LaneMask<S, T>, x: Lanes<S, T>) -> Lanes<S, T> {
    mask.select(x, splat::<S, T>(simd, 0.0))
}

/// c₀ + c₁x + c₂x² + …, by Horner's rule.
#[inline(always)]
pub fn polynomial<S: Simd, T: Real>(simd: S, x: Lanes<S, T>, coefficients: &[T]) -> Lanes<S, T> {
    let mut sum = Lanes::<S, T>::splat(simd, coefficients[coefficients.len() - 1]);
    for &c in coefficients[..coefficients.len() - 1].iter().rev() {
        sum = sum.mul_add(x, Lanes::<S, T>::splat(simd, c));
    }
    sum
}
