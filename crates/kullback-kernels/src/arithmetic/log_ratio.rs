//! The logarithm of the ratio of two weights, in the parts that terms use. It is the twin of `LogRatio` in
//! `shaders/lib/series.wgsl`.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::lanes::{Bits, Lanes, Real, polynomial, splat};

/// ln(a/q) = k·ln 2 + 2·atanh(t) with k even, t = (a − q·2ᵏ)/(a + q·2ᵏ) and |t| ≤ 1/3, as the parts that terms use. Where a and
/// q are within a factor of two of each other, k = 0 and t comes from their difference u, in which nothing has cancelled.
///
/// Only what is expensive is kept. The rest is computed again where it is used.
#[derive(Clone, Copy)]
pub struct LogRatio<S: Simd, T: Real> {
    /// k binades, as bits.
    steps: Bits<S, T>,
    t: Lanes<S, T>,
    /// 2·(atanh(t)/t − 1)/t².
    tail: Lanes<S, T>,
}

/// q·2ᵏ and a − q·2ᵏ.
#[inline(always)]
fn rise<S: Simd, T: Real>(simd: S, steps: Bits<S, T>, [a, q, u]: [Lanes<S, T>; 3]) -> (Lanes<S, T>, Lanes<S, T>) {
    let scaled = Lanes::<S, T>::from_bits(q.to_bits() + steps);
    (scaled, where_none::<S, T>(simd, steps, u, a - scaled))
}

/// a and q with [`Real::NOTHING`] in place of 0, and u.
#[inline(always)]
fn positive<S: Simd, T: Real>(simd: S, [a, q, u]: [Lanes<S, T>; 3]) -> [Lanes<S, T>; 3] {
    let nothing = Lanes::<S, T>::splat(simd, T::NOTHING);
    [a.max(nothing), q.max(nothing), u]
}

impl<S: Simd, T: Real> LogRatio<S, T> {
    /// Takes a and q, which may be 0 but not subnormal, and u = a − q.
    #[inline(always)]
    pub fn new(simd: S, sides: [Lanes<S, T>; 3]) -> Self {
        let sides = positive::<S, T>(simd, sides);
        let [a, q, _] = sides;
        let steps = even_steps::<S, T>(simd, a, q);
        let (scaled, rise) = rise::<S, T>(simd, steps, sides);
        let t = rise / (a + scaled);
        Self { steps, t, tail: polynomial::<S, T>(simd, t * t, T::ATANH_TAIL) }
    }

    /// A placeholder, for calls without a logarithm.
    #[inline(always)]
    pub fn none(simd: S) -> Self {
        let zero = splat::<S, T>(simd, 0.0);
        Self { steps: zero.to_bits(), t: zero, tail: zero }
    }

    /// k.
    #[inline(always)]
    pub fn exponent(&self, simd: S) -> Lanes<S, T> {
        T::integers::<S>(self.steps) * splat::<S, T>(simd, 1.0 / (1_u64 << T::MANTISSA) as f64)
    }

    /// k·ln 2.
    #[inline(always)]
    fn power(&self, simd: S) -> Lanes<S, T> {
        T::integers::<S>(self.steps) * Lanes::<S, T>::splat(simd, T::LN_2_PER_BIT)
    }

    /// 2·atanh(t): the rest of the logarithm beside the power of two.
    #[inline(always)]
    pub fn rest(&self) -> Lanes<S, T> {
        (self.t * (self.t * self.t)).mul_add(self.tail, self.t + self.t)
    }

    #[inline(always)]
    pub fn value(&self, simd: S) -> Lanes<S, T> {
        T::integers::<S>(self.steps).mul_add(Lanes::<S, T>::splat(simd, T::LN_2_PER_BIT), self.rest())
    }

    /// a·ln(a/q) − a + q ≥ 0 without cancellation, from a·2t = rise + rise·t:
    /// (q − q·2ᵏ) + a·k·ln 2 + t·(rise + a·t²·tail). Where k = 0 the first two vanish.
    #[inline(always)]
    pub fn excess(&self, simd: S, sides: [Lanes<S, T>; 3]) -> Lanes<S, T> {
        let sides = positive::<S, T>(simd, sides);
        let [a, q, _] = sides;
        let (scaled, rise) = rise::<S, T>(simd, self.steps, sides);
        // In this order the second difference is exact where the parts are largest beside their sum.
        let whole = a.mul_add(self.power(simd), -scaled) + q;
        (a * (self.t * self.t)).mul_add(self.tail, rise).mul_add(self.t, whole)
    }

    /// q·ln(q/a) − q + a ≥ 0: the same with the sides exchanged, so with a·2⁻ᵏ.
    #[inline(always)]
    pub fn reverse_excess(&self, simd: S, sides: [Lanes<S, T>; 3]) -> Lanes<S, T> {
        let [a, q, u] = positive::<S, T>(simd, sides);
        let scaled = Lanes::<S, T>::from_bits(a.to_bits() - self.steps);
        let rise = where_none::<S, T>(simd, self.steps, u, scaled - q);
        // −q·k·ln 2 − a·2⁻ᵏ + a is small beside its parts where a is a little more than 2q, or q than 2a. So the product and the
        // first difference are kept with what rounding took from them. The second difference is exact where that counts.
        let power = -self.power(simd);
        let product = q * power;
        let first = product - scaled;
        let lost = q.mul_add(power, -product) + ((product - first) - scaled);
        (rise - q * (self.t * self.t) * self.tail).mul_add(self.t, (first + a) + lost)
    }
}

/// a·ln(a/q) − a + q ≥ 0, from a, q and a − q.
#[inline(always)]
pub(crate) fn excess<S: Simd, T: Real>(simd: S, sides: [Lanes<S, T>; 3]) -> Lanes<S, T> {
    LogRatio::<S, T>::new(simd, sides).excess(simd, sides)
}

/// The even number k of binades (as bits) with 2ᵏ⁻¹ ≤ a/q < 2ᵏ⁺¹, for positive normal a and q. The bits of a float, read as an
/// integer, grow by one binade exactly where the float doubles.
#[inline(always)]
fn even_steps<S: Simd, T: Real>(simd: S, a: Lanes<S, T>, q: Lanes<S, T>) -> Bits<S, T> {
    let splat_bits = |bits| Bits::<S, T>::splat(simd, bits);
    ((a.to_bits() - q.to_bits()) + splat_bits(T::BINADE)) & splat_bits(T::TWO_BINADES_MASK)
}

/// `yes` where there are no steps, else `no`.
#[inline(always)]
fn where_none<S: Simd, T: Real>(simd: S, steps: Bits<S, T>, yes: Lanes<S, T>, no: Lanes<S, T>) -> Lanes<S, T> {
    let none = steps.simd_eq(splat::<S, T>(simd, 0.0).to_bits());
    Lanes::<S, T>::from_bits(none.select(yes.to_bits(), no.to_bits()))
}

/// The even k and t = (a − q·2ᵏ)/(a + q·2ᵏ), |t| ≤ 1/3, for positive values, subnormal ones included.
#[inline(always)]
pub(crate) fn reduce_ratio<S: Simd, T: Real>(simd: S, a: Lanes<S, T>, q: Lanes<S, T>) -> (Lanes<S, T>, Lanes<S, T>) {
    // A subnormal has no exponent to read. It is scaled up first, and the exponent is corrected.
    let v = |value: f64| splat::<S, T>(simd, value);
    let least = v(if T::HAS_SUBNORMALS { f64::MIN_POSITIVE } else { 0.0 });
    let (low_a, low_q) = (a.simd_lt(least), q.simd_lt(least));
    let (a, q) = (low_a.select(a * v(LIFT), a), low_q.select(q * v(LIFT), q));
    let steps = even_steps::<S, T>(simd, a, q);
    let scaled = Lanes::<S, T>::from_bits(q.to_bits() + steps);
    let exponent = T::integers::<S>(steps) * v(1.0 / (1_u64 << T::MANTISSA) as f64);
    let lifted = low_q.select(v(LIFT_EXPONENT), v(0.0)) - low_a.select(v(LIFT_EXPONENT), v(0.0));
    (exponent + lifted, (a - scaled) / (a + scaled))
}

/// 2¹⁰⁰.
const LIFT: f64 = 1_267_650_600_228_229_401_496_703_205_376.0;
const LIFT_EXPONENT: f64 = 100.0;

/// k·ln 2 + 2·atanh(t) for |t| ≤ 1/3.
#[inline(always)]
pub(crate) fn logarithm<S: Simd, T: Real>(simd: S, k: Lanes<S, T>, t: Lanes<S, T>) -> Lanes<S, T> {
    let w = t * t;
    let rest = (t * w).mul_add(polynomial::<S, T>(simd, w, T::ATANH_TAIL), t + t);
    k.mul_add(splat::<S, T>(simd, std::f64::consts::LN_2), rest)
}
