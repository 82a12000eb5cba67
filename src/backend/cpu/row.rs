//! The row kernel: two passes over one row of p and one of q.
//!
//! The first finds totals, supports and invalid weights. From the totals come the constants of the
//! zero policy and the ratio r = Q/P, in two parts. The second makes the contrast of each bin and
//! sums the terms. With u = fma(p, r_high, −q) + p·r_low nothing cancels that matters, whatever the
//! two totals are.
//!
//! Sums run over blocks of vectors, then over blocks, always in the same order: a row gives the
//! same bits wherever it lies and whoever computes it.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask};

use super::double::Double;
use super::policy::{Constants, Side};
use super::totals::{RowWeights, first_pass, floored_total, load};
use crate::backend::RowFlags;
use crate::divergence::Zeros;
use crate::divergence::contrast::{self, BLOCK, Contrast, Needs, TwoPart, Weights};
use crate::divergence::finish::Support;
use crate::divergence::lanes::{LaneMask, Lanes, Real, splat};
use crate::divergence::term::{Order, Term};

/// Below this triangular discrimination a 32-bit row whose totals are not in a power-of-two ratio is
/// computed again: u is good to 2⁻⁴⁷ of the weights, which is 2e-7 of the value here.
const NARROW_LEAST: f64 = 1e-12;

/// The part of a call that every row shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) zeros: Zeros,
    pub(crate) needs: Needs,
}

/// Accumulators, kept between rows so that a row allocates nothing.
pub(crate) struct Sums<S: Simd, T: Real> {
    block: Vec<Contrast<S, T>>,
    /// Empty, unless a term needs them.
    weights: Vec<Weights<S, T>>,
    total: Vec<Double>,
}

impl<S: Simd, T: Real> Sums<S, T> {
    /// One accumulator a term, and one for the yardstick.
    pub(crate) fn new(terms: usize) -> Self {
        Self { block: Vec::with_capacity(BLOCK), weights: Vec::new(), total: vec![Double::default(); terms + 1] }
    }

    /// Adds the block to the totals and empties it. A function of its own, compiled once for all that call it.
    fn flush(&mut self, simd: S, terms: &[Term]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let zero = splat::<S, T>(simd, 0.0);
                let Some((yardstick, totals)) = self.total.split_last_mut() else { return };
                for (total, term) in totals.iter_mut().zip(terms) {
                    *total = total.plus(term.sum(&self.block, &self.weights, zero).reduce_sum().to_f64());
                }
                *yardstick = yardstick.plus(Term::Triangular.sum(&self.block, &[], zero).reduce_sum().to_f64());
            },
        );
        self.block.clear();
        self.weights.clear();
    }
}

/// A weight in two parts.
type Pair<S, T> = (Lanes<S, T>, Lanes<S, T>);

/// One side's weights after the policy.
#[inline(always)]
fn apply<S: Simd, T: Real>(
    simd: S,
    zeros: Zeros,
    constants: &Constants<T>,
    (x, low): Pair<S, T>,
    present: LaneMask<S, T>,
    other: LaneMask<S, T>,
    inside: LaneMask<S, T>,
) -> Pair<S, T> {
    let v = |value: T| Lanes::<S, T>::splat(simd, value);
    let zero = splat::<S, T>(simd, 0.0);
    let fill = (v(constants.fill.high), v(constants.fill.low));
    let added = || {
        // Two-sum: a small amount added to a large weight keeps its digits.
        let add = v(constants.add.high);
        let sum = x + add;
        let back = sum - x;
        (sum, (x - (sum - back)) + (add - back) + v(constants.add.low) + low)
    };
    let choose =
        |mask: LaneMask<S, T>, yes: Pair<S, T>, no: Pair<S, T>| (mask.select(yes.0, no.0), mask.select(yes.1, no.1));
    let nothing = (zero, zero);
    match zeros {
        Zeros::Exact => (x, low),
        Zeros::Skip => choose(present & other, (x, low), nothing),
        Zeros::Additive(_) | Zeros::Mix(_) => choose(inside, added(), nothing),
        Zeros::Epsilon(_) => choose(present, added(), choose(other, fill, nothing)),
        Zeros::Floor(_) => choose(x.simd_ge(fill.0), (x, low), choose(inside, fill, nothing)),
    }
}

/// The sums of one row into `out`, one a term, each divided by Q; and what was found.
///
/// `out` is meaningless when the flags say that the row is empty, invalid or to be rescued.
#[inline(always)]
pub(crate) fn row<S: Simd, T: Real>(
    simd: S,
    task: &Task<'_>,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    sums: &mut Sums<S, T>,
    out: &mut [f64],
) -> RowFlags {
    let bins = p.high.len();
    let found = first_pass::<S, T>(simd, task.zeros, p, q);
    let mut flags = found.flags;
    if flags & (RowFlags::INVALID_P | RowFlags::INVALID_Q) != 0 {
        return RowFlags(flags);
    }
    let mut p_side = Side::new(task.zeros, &found.p, bins);
    let mut q_side = Side::new(task.zeros, &found.q, bins);
    let keeps_empty = matches!(task.zeros, Zeros::Additive(_));
    if !keeps_empty && (found.p.total.high == 0.0 || found.q.total.high == 0.0) {
        return RowFlags(flags | RowFlags::EMPTY);
    }
    if matches!(task.zeros, Zeros::Floor(_)) {
        p_side.total = floored_total::<S, T>(simd, p, p_side.fill);
        q_side.total = floored_total::<S, T>(simd, q, q_side.fill);
    }
    if !matches!(task.zeros, Zeros::Exact) {
        // The policy fills every bin that would make a value infinite, or drops it.
        flags = (flags & !7) | Support::COMMON.bits();
    }
    let (Some(p_exponent), Some(q_exponent)) = (exponent::<T>(p_side.total.high), exponent::<T>(q_side.total.high))
    else {
        return RowFlags(flags | RowFlags::RESCUE);
    };
    debug_assert!(p_exponent.abs() <= T::MAX_TOTAL_EXPONENT);
    let scale = power_of_two(-q_exponent);
    let q_side = q_side.scaled(scale);
    let ratio = (q_side.total / p_side.total).split::<T>();
    let constants = Prepared {
        scale: T::from_f64(scale),
        ratio_high: ratio.high,
        ratio_low: ratio.low,
        p: Constants::from(p_side),
        q: Constants::from(q_side),
    };
    let plain = matches!(task.zeros, Zeros::Exact) && p.low.is_none() && q.low.is_none();
    let trouble = if plain {
        second_pass::<S, T, true>(simd, task, p, q, &constants, sums)
    } else {
        second_pass::<S, T, false>(simd, task, p, q, &constants, sums)
    };
    let total = q_side.total.high;
    for (value, sum) in out.iter_mut().zip(&sums.total) {
        // A sum that overflowed has no low part to speak of.
        *value = if sum.high.is_finite() { (sum.high + sum.low) / total } else { sum.high };
    }
    if size_of::<T>() == 8 {
        for i in 0..task.terms.len() {
            if let Term::LogPowerSum(order) = task.terms[i]
                && task.terms.iter().zip(&*out).any(|(t, sum)| *t == Term::PowerDeficit(order) && sum.is_infinite())
            {
                out[i] = log_power_sum::<S, T>(simd, task, order, p, q, &constants, total);
            }
        }
    }
    flags |= trouble;
    if size_of::<T>() == 4 {
        let yardstick = sums.total[task.terms.len()].high / total;
        let power_of_two = ratio.high.to_f64().to_bits() << 12 == 0 && ratio.low.to_f64() == 0.0;
        let exact = plain && power_of_two;
        let lost = out.iter().zip(task.terms).any(|(value, term)| term.is_lost(*value));
        if (!exact && yardstick < NARROW_LEAST) || lost {
            flags |= RowFlags::RESCUE;
        }
    }
    RowFlags(flags)
}

/// ln Σ p̂ᴬ q̂¹⁻ᴬ of a sum beyond the range of a float: the sum is divided by larger and larger powers of
/// two until it is in range. Rare, and never needed but for the logarithm.
#[inline(never)]
fn log_power_sum<S: Simd, T: Real>(
    simd: S,
    task: &Task<'_>,
    order: Order,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    constants: &Prepared<T>,
    total: f64,
) -> f64 {
    /// Less than the span of a float, so that no sum is stepped over.
    const STEP: f64 = 900.0;
    let mut sums = Sums::<S, T>::new(1);
    let largest = order.exponent().abs() * 2200.0 + 2200.0;
    let mut halvings = STEP;
    while halvings <= largest {
        let terms = [Term::PowerSum(Order { halvings, ..order })];
        let task = Task { terms: &terms, needs: terms[0].needs(), ..*task };
        second_pass::<S, T, false>(simd, &task, p, q, constants, &mut sums);
        let sum = sums.total[0].high;
        if sum.is_finite() {
            return (sum / total).ln() + halvings * std::f64::consts::LN_2;
        }
        halvings += STEP;
    }
    f64::INFINITY
}

/// The binary exponent of a total, if it is in the range the kernel works in.
#[inline(always)]
fn exponent<T: Real>(total: f64) -> Option<i32> {
    let exponent = ((total.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    (exponent.abs() <= T::MAX_TOTAL_EXPONENT).then_some(exponent)
}

/// 2ⁿ for |n| ≤ 1022.
#[inline(always)]
pub(crate) fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// The constants of the second pass.
struct Prepared<T> {
    scale: T,
    ratio_high: T,
    ratio_low: T,
    p: Constants<T>,
    q: Constants<T>,
}

/// Sums the terms; returns the flags of rows that a policy or the precision cannot do.
#[inline(always)]
fn second_pass<S: Simd, T: Real, const PLAIN: bool>(
    simd: S,
    task: &Task<'_>,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    prepared: &Prepared<T>,
    sums: &mut Sums<S, T>,
) -> u32 {
    let v = |value: T| Lanes::<S, T>::splat(simd, value);
    let lanes_of = |total: TwoPart<T>| TwoPart { high: v(total.high), low: v(total.low) };
    let zero = splat::<S, T>(simd, 0.0);
    let (scale, ratio_high, ratio_low) = (v(prepared.scale), v(prepared.ratio_high), v(prepared.ratio_low));
    let tiny = v(T::TINY);
    let none = zero.simd_lt(zero);
    let mut small = none;
    let mut impossible = none;
    let mut close = none;
    sums.block.clear();
    sums.weights.clear();
    sums.total.fill(Double::default());
    let width = Lanes::<S, T>::LEN;
    let mut at = 0;
    while at < p.high.len() {
        let mut x = load::<S, T>(simd, p.high, at);
        let weight = load::<S, T>(simd, q.high, at);
        // Of the weight itself: what the scale makes nothing of is a bin with weight all the same.
        let (has_x, has_y) = (x.simd_gt(zero), weight.simd_gt(zero));
        let mut y = weight * scale;
        let kept_as_it_is = match task.zeros {
            Zeros::Exact | Zeros::Epsilon(_) => has_y,
            Zeros::Skip => has_y & has_x,
            Zeros::Additive(_) | Zeros::Mix(_) | Zeros::Floor(_) => none,
        };
        small |= kept_as_it_is & y.simd_lt(tiny);
        let (mut x_low, mut y_low) = (zero, zero);
        if !PLAIN {
            x_low = p.low.map_or(zero, |low| load::<S, T>(simd, low, at));
            y_low = q.low.map_or(zero, |low| load::<S, T>(simd, low, at) * scale);
            let left = p.high.len() - at;
            let inside = if left >= width { !none } else { LaneMask::<S, T>::from_bitmask(simd, (1u64 << left) - 1) };
            let before = (x, y);
            (x, x_low) = apply(simd, task.zeros, &prepared.p, (x, x_low), has_x, has_y, inside);
            (y, y_low) = apply(simd, task.zeros, &prepared.q, (y, y_low), has_y, has_x, inside);
            if matches!(task.zeros, Zeros::Epsilon(_)) {
                // A bin that loses (almost) all it has: the last digits decide whether any is left.
                let almost = splat::<S, T>(simd, 1.0 / 65536.0);
                impossible |= (has_x & (x + x_low).simd_le(zero)) | (has_y & (y + y_low).simd_le(zero));
                close |= (has_x & x.simd_le(before.0 * almost)) | (has_y & y.simd_le(before.1 * almost));
            }
        }
        let cross = if PLAIN { x * ratio_low } else { x.mul_add(ratio_low, x_low * ratio_high) };
        let a = x.mul_add(ratio_high, cross);
        let u = x.mul_sub_precise(ratio_high, y) + if PLAIN { cross } else { cross - y_low };
        small |= (x.simd_gt(zero) & a.simd_lt(tiny)) | (y.simd_gt(zero) & y.simd_lt(tiny));
        sums.block.push(Contrast::new(simd, a, y, u, Needs { z: true, ..task.needs }));
        if task.needs.weights {
            let side = |high, low, total| contrast::Side { weight: TwoPart { high, low }, total: lanes_of(total) };
            let (p, q) = (side(x, x_low, prepared.p.total), side(y, y_low, prepared.q.total));
            sums.weights.push(Weights { simd, p, q, a });
        }
        at += width;
        if sums.block.len() == BLOCK {
            sums.flush(simd, task.terms);
        }
    }
    sums.flush(simd, task.terms);
    let narrow = size_of::<T>() == 4;
    if small.any_true() || (narrow && close.any_true()) {
        RowFlags::RESCUE
    } else if impossible.any_true() {
        RowFlags::POLICY
    } else {
        0
    }
}
