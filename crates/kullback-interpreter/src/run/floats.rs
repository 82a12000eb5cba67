//! Float arithmetic of a device.

use super::integers::each;
use crate::device::Device;
use crate::hash::mix;
use crate::program::{Kind, Op};

const MAGNITUDE: u32 = 0x7fff_ffff;
const INFINITE: u32 = 0x7f80_0000;

/// What a subnormal number becomes.
trait Flush: Copy {
    fn flush(bits: u32) -> f32;
}

/// The number stays.
#[derive(Clone, Copy)]
struct Keep;

/// The number becomes 0. This 0 keeps the sign, or has none.
#[derive(Clone, Copy)]
struct ToZero<const KEEPS_SIGN: bool>;

impl Flush for Keep {
    fn flush(bits: u32) -> f32 {
        f32::from_bits(bits)
    }
}

impl<const KEEPS_SIGN: bool> Flush for ToZero<KEEPS_SIGN> {
    fn flush(bits: u32) -> f32 {
        let is_zero = bits & INFINITE == 0;
        let zero = if KEEPS_SIGN { bits & !MAGNITUDE } else { 0 };
        // A number that is already 0 keeps its sign.
        let zero = if bits & MAGNITUDE == 0 { bits } else { zero };
        f32::from_bits(if is_zero { zero } else { bits })
    }
}

/// How a device computes with floats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floats {
    flushes: Option<bool>,
    flushes_extremes: bool,
    flushes_comparisons: bool,
    fuses: bool,
    division_ulp: f64,
    rough_sqrt: bool,
    assumes_finite: bool,
}

impl Floats {
    pub(super) fn new(device: &Device) -> Self {
        Self {
            flushes: device.flush.then(|| device.keeps_sign()),
            flushes_extremes: device.flushes_extremes(),
            flushes_comparisons: device.flushes_comparisons(),
            fuses: device.fuse,
            division_ulp: f64::from(device.division_ulp),
            rough_sqrt: device.rough_sqrt,
            assumes_finite: device.assumes_finite,
        }
    }

    /// Computes a step on all lanes.
    pub(super) fn compute(&self, op: &Op, to: &mut [u32], of: [&[u32]; 3]) {
        let flushes = match op.kind {
            Kind::MinF | Kind::MaxF => self.flushes_extremes,
            Kind::EqualF | Kind::NotEqualF | Kind::LessF | Kind::LessEqualF => self.flushes_comparisons,
            _ => true,
        };
        match self.flushes.filter(|_| flushes) {
            None => self.with::<Keep>(op, to, of),
            Some(false) => self.with::<ToZero<false>>(op, to, of),
            Some(true) => self.with::<ToZero<true>>(op, to, of),
        }
    }

    fn with<F: Flush>(&self, op: &Op, to: &mut [u32], of: [&[u32]; 3]) {
        let key = op.key;
        match op.kind {
            Kind::NegateF => return each(to, of, |[a]| a ^ !MAGNITUDE),
            Kind::AbsF => return each(to, of, |[a]| a & MAGNITUDE),
            Kind::EqualF => return self.compare::<F>(key, to, of, |a, b| a == b),
            Kind::NotEqualF => return self.compare::<F>(key, to, of, |a, b| a != b),
            Kind::LessF => return self.compare::<F>(key, to, of, |a, b| a < b),
            Kind::LessEqualF => return self.compare::<F>(key, to, of, |a, b| a <= b),
            Kind::MinF => return self.extreme::<F>(key, to, of, |a, b| if b < a || a.is_nan() { b } else { a }),
            Kind::MaxF => return self.extreme::<F>(key, to, of, |a, b| if a < b || a.is_nan() { b } else { a }),
            // WGSL rounds towards 0, and clamps to the nearest integer that a float can hold.
            Kind::IOfFloat => return each(to, of, |[a]| (F::flush(a).min(2_147_483_520.0) as i32).cast_unsigned()),
            Kind::UOfFloat => return each(to, of, |[a]| F::flush(a).min(4_294_967_040.0) as u32),
            Kind::FloatOfI => return each(to, of, |[a]| (a.cast_signed() as f32).to_bits()),
            Kind::FloatOfU => return each(to, of, |[a]| (a as f32).to_bits()),
            Kind::AddF => arithmetic::<F, 2>(to, of, |[a, b]| a + b),
            Kind::SubtractF => arithmetic::<F, 2>(to, of, |[a, b]| a - b),
            Kind::MultiplyF => arithmetic::<F, 2>(to, of, |[a, b]| a * b),
            Kind::DivideF if self.division_ulp > 0.0 => {
                arithmetic::<F, 2>(to, of, |[a, b]| quotient(a, b, self.division_ulp, key));
            }
            Kind::DivideF => arithmetic::<F, 2>(to, of, |[a, b]| a / b),
            Kind::FloorF => arithmetic::<F, 1>(to, of, |[a]| a.floor()),
            Kind::CeilF => arithmetic::<F, 1>(to, of, |[a]| a.ceil()),
            Kind::RoundF => arithmetic::<F, 1>(to, of, |[a]| a.round_ties_even()),
            Kind::TruncateF => arithmetic::<F, 1>(to, of, |[a]| a.trunc()),
            Kind::SignF => arithmetic::<F, 1>(to, of, |[a]| if a == 0.0 { 0.0 } else { a.signum() }),
            Kind::SqrtF if self.rough_sqrt => {
                arithmetic::<F, 1>(to, of, |[a]| near(f64::from(a).sqrt(), 4.5, of_operands(key, [a.to_bits(), 0, 0])));
            }
            Kind::SqrtF => arithmetic::<F, 1>(to, of, |[a]| a.sqrt()),
            Kind::InverseSqrtF => {
                let ulp = if self.rough_sqrt { 2.0 } else { 0.5 };
                let near = |a: f32| near(1.0 / f64::from(a).sqrt(), ulp, of_operands(key, [a.to_bits(), 0, 0]));
                arithmetic::<F, 1>(to, of, |[a]| near(a));
            }
            Kind::Fused { minus_product, minus_addend } => {
                let sign = |is_minus: bool| if is_minus { !MAGNITUDE } else { 0 };
                let (product, addend) = (sign(minus_product), sign(minus_addend));
                let flip = |x: f32, sign: u32| f32::from_bits(x.to_bits() ^ sign);
                arithmetic::<F, 3>(to, of, |[a, b, c]| flip(a, product).mul_add(b, flip(c, addend)));
            }
            Kind::FmaF if self.fuses => arithmetic::<F, 3>(to, of, |[a, b, c]| a.mul_add(b, c)),
            Kind::FmaF => arithmetic::<F, 3>(to, of, |[a, b, c]| F::flush((a * b).to_bits()) + c),
            _ => return,
        }
        if self.assumes_finite {
            let is_finite = to.iter().fold(true, |all, word| all & (word & INFINITE != INFINITE));
            if !is_finite {
                for (i, word) in to.iter_mut().enumerate().filter(|(_, word)| **word & INFINITE == INFINITE) {
                    *word = anything(*word, of_operands(key, of.map(|words| words[i])));
                }
            }
        }
    }

    fn compare<F: Flush>(&self, key: u64, to: &mut [u32], of: [&[u32]; 3], f: impl Fn(f32, f32) -> bool) {
        let assumes_finite = self.assumes_finite;
        each(to, of, |[a, b]| {
            let (x, y) = (F::flush(a), F::flush(b));
            let is = if assumes_finite && (x.is_nan() || y.is_nan()) {
                of_operands(key, [a, b, 0]) & 1 == 1
            } else {
                f(x, y)
            };
            u32::from(is).wrapping_neg()
        });
    }

    fn extreme<F: Flush>(&self, key: u64, to: &mut [u32], of: [&[u32]; 3], f: impl Fn(f32, f32) -> f32) {
        let assumes_finite = self.assumes_finite;
        each(to, of, |[a, b]| {
            let (x, y) = (F::flush(a), F::flush(b));
            if assumes_finite && (x.is_nan() || y.is_nan()) {
                return if of_operands(key, [a, b, 0]) & 1 == 1 { a } else { b };
            }
            f(x, y).to_bits()
        });
    }
}

/// An operation on floats, with subnormal operands and results flushed.
fn arithmetic<F: Flush, const N: usize>(to: &mut [u32], of: [&[u32]; 3], f: impl Fn([f32; N]) -> f32) {
    each(to, of, |words: [u32; N]| F::flush(f(words.map(F::flush)).to_bits()).to_bits());
}

/// The number that decides the choices of an instruction with these operands.
fn of_operands(key: u64, [a, b, c]: [u32; 3]) -> u64 {
    mix(mix(key, (u64::from(a) << 32) | u64::from(b)), u64::from(c))
}

/// One of the words that may replace an infinite or undefined result.
fn anything(word: u32, hash: u64) -> u32 {
    match hash % 4 {
        0 => 0,
        1 => ((hash >> 32) as u32 & 0x80ff_ffff) | 0x7e00_0000,
        _ => word,
    }
}

/// A quotient with an error of at most `ulp` units in the last place.
fn quotient(a: f32, b: f32, ulp: f64, key: u64) -> f32 {
    let exact = a / b;
    if a == 0.0 || !exact.is_finite() {
        return exact;
    }
    let hash = of_operands(key, [a.to_bits(), b.to_bits(), 0]);
    let size = b.abs();
    if size > 8.507_059e37 && hash & 7 == 0 {
        return 0.0_f32.copysign(exact);
    }
    if size < f32::MIN_POSITIVE && hash & 7 == 0 {
        return f32::INFINITY.copysign(exact);
    }
    near(f64::from(a) / f64::from(b), ulp, hash)
}

/// A float at most `ulp` units in the last place from a number. One in three is the nearest float, and some are as far away as
/// allowed.
pub(super) fn near(exact: f64, ulp: f64, hash: u64) -> f32 {
    let nearest = exact as f32;
    let slack = ulp - 0.5;
    if slack <= 0.0 || nearest == 0.0 || !nearest.is_finite() {
        return nearest;
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    let unit = 2.0_f64.powi(exponent.max(-126) - 23);
    let share = (hash >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
    let off = match hash % 6 {
        0 | 1 => return nearest,
        2 => slack,
        3 => -slack,
        _ => share * slack,
    };
    let moved = (exact + off * unit) as f32;
    // Above a power of two the floats are further apart.
    if (f64::from(moved) - exact).abs() <= ulp * unit { moved } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_within_bounds_and_not_always_the_nearest() {
        let mut others = 0;
        for i in 0..10_000_u32 {
            let exact = 1.0 + f64::from(i) / 5003.0;
            let value = near(exact, 2.5, mix(7, u64::from(i)));
            let unit = 2.0_f64.powi(exact.log2().floor() as i32 - 23);
            assert!((f64::from(value) - exact).abs() <= 2.5 * unit, "{i}");
            others += u32::from(value != exact as f32);
        }
        assert!(others > 3000, "{others}");
    }

    #[test]
    fn flushing_keeps_the_sign_or_not_and_zeros_as_they_are() {
        let tiny = f32::from_bits(0x8000_0001);
        assert_eq!(ToZero::<true>::flush(tiny.to_bits()).to_bits(), 0x8000_0000);
        assert_eq!(ToZero::<false>::flush(tiny.to_bits()).to_bits(), 0);
        assert_eq!(ToZero::<false>::flush((-0.0_f32).to_bits()).to_bits(), 0x8000_0000);
        assert_eq!(ToZero::<false>::flush(1.0_f32.to_bits()), 1.0);
        assert_eq!(Keep::flush(1), f32::from_bits(1));
    }
}
