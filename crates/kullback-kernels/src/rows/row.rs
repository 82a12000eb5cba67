//! The row kernel: two passes over one row of p and one row of q.
//!
//! The first pass finds totals, supports and invalid weights. From the totals come the constants of the zero policy and the
//! ratio r = Q/P, in two parts. The second pass makes the contrast of each bin and then sums the terms over the bins. Here u =
//! fma(p, r_high, −q) + p·r_low, and nothing that matters cancels, whatever the two totals are.
//!
//! Sums run over blocks of vectors, then over blocks, always in the same order. So a row gives the same bits wherever it lies
//! and whichever thread computes it.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask};

use super::accumulate::{Accumulate, Accumulators, ContrastBlock, LogSum};
use super::policy::{Constants, SideConstants};
use super::totals::{RowWeights, first_pass, floored_total, load};
use crate::arithmetic::contrast::{BLOCK, BothSides, Contrast, Needs, SideLanes};
use crate::arithmetic::lanes::{LaneMask, Lanes, Real, splat};
use crate::arithmetic::pooled::Pooled;
use crate::arithmetic::powers::power_of_two;
use crate::arithmetic::two_part::TwoPart;
use crate::measures::Term;
use crate::measures::deficit_of;
use crate::measures::finish::Support;
use crate::measures::order::Order;
use crate::measures::scan::Scan;
use crate::row_sums::RowFlags;
use crate::zeros::Zeros;

/// A 32-bit row whose totals are not in a power-of-two ratio is computed again if its triangular discrimination is below this:
/// u is good to 2⁻⁴⁷ of the weights, which is 2e-7 of the value here.
const NARROW_LEAST: f64 = 1e-12;

/// The part of a call that all rows share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub terms: &'a [Term],
    pub zeros: Zeros,
    pub needs: Needs,
    /// Of the bins, for terms that depend on their order.
    pub positions: &'a [f64],
}

/// A weight in two parts.
type WeightParts<S, T> = (Lanes<S, T>, Lanes<S, T>);

/// The weights of one side after the policy.
#[inline(always)]
fn apply<S: Simd, T: Real>(
    simd: S,
    zeros: Zeros,
    constants: &Constants<T>,
    (x, low): WeightParts<S, T>,
    present: LaneMask<S, T>,
    other: LaneMask<S, T>,
    inside: LaneMask<S, T>,
) -> WeightParts<S, T> {
    let v = |value: T| Lanes::<S, T>::splat(simd, value);
    let zero = splat::<S, T>(simd, 0.0);
    let fill = (v(constants.fill.high), v(constants.fill.low));
    let added = || {
        // A two-sum, so that a small amount added to a large weight keeps its digits.
        let add = v(constants.add.high);
        let sum = x + add;
        let back = sum - x;
        let rest = (x - (sum - back)) + (add - back) + v(constants.add.low) + low;
        // If most of a weight is lost, the second part may be as large as the first, and the first must not be used alone.
        let high = sum + rest;
        (high, rest - (high - sum))
    };
    let choose = |mask: LaneMask<S, T>, yes: WeightParts<S, T>, no: WeightParts<S, T>| {
        (mask.select(yes.0, no.0), mask.select(yes.1, no.1))
    };
    let nothing = (zero, zero);
    match zeros {
        Zeros::Exact => (x, low),
        Zeros::Skip => choose(present & other, (x, low), nothing),
        Zeros::Additive(_) | Zeros::Mix(_) => choose(inside, added(), nothing),
        Zeros::Epsilon(_) => choose(present, added(), choose(other, fill, nothing)),
        Zeros::Floor(_) => {
            // Where a weight equals the threshold in its first part, the second parts decide.
            let kept = x.simd_gt(fill.0) | (x.simd_eq(fill.0) & low.simd_ge(fill.1));
            choose(kept, (x, low), choose(inside, fill, nothing))
        }
    }
}

/// Writes the sums of one row into `out`, one per term, each divided by Q. Returns what it found.
///
/// `out` is meaningless if the flags say that the row is empty, invalid or to be rescued.
#[expect(clippy::too_many_lines, reason = "the steps from weights to sums in their order, each with its way out")]
#[inline(always)]
pub(super) fn row<S: Simd, T: Real>(
    simd: S,
    task: &Task<'_>,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    sums: &mut Accumulators<S, T>,
    out: &mut [f64],
) -> RowFlags {
    let bins = p.high.len();
    let found = first_pass::<S, T>(simd, task.zeros, p, q);
    let mut flags = found.flags;
    if flags & (RowFlags::INVALID_P | RowFlags::INVALID_Q) != 0 {
        return RowFlags(flags);
    }
    let mut p_side = SideConstants::new(task.zeros, &found.p, bins);
    let mut q_side = SideConstants::new(task.zeros, &found.q, bins);
    let keeps_empty = matches!(task.zeros, Zeros::Additive(_));
    if !keeps_empty && (found.p.total.high == 0.0 || found.q.total.high == 0.0) {
        return RowFlags(flags | RowFlags::EMPTY);
    }
    if !p_side.is_held::<T>(task.zeros, &found.p) || !q_side.is_held::<T>(task.zeros, &found.q) {
        return RowFlags(flags | RowFlags::RESCUE);
    }
    if matches!(task.zeros, Zeros::Floor(_)) {
        p_side.total = floored_total::<S, T>(simd, p, p_side.fill);
        q_side.total = floored_total::<S, T>(simd, q, q_side.fill);
    }
    if !matches!(task.zeros, Zeros::Exact) {
        // The policy fills or drops every bin that would make a value infinite.
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
    let p_scale = power_of_two(-p_exponent);
    let constants = PassConstants {
        scale: T::from_f64(scale),
        p_scale: T::from_f64(p_scale),
        p_total: p_side.total.scaled(p_scale).split(),
        ratio_high: ratio.high,
        ratio_low: ratio.low,
        p: Constants::from(p_side),
        q: Constants::from(q_side),
    };
    if task.needs.pooled {
        sums.block.pooled = Pooled::of_stored(simd, found.p.stored(), found.q.stored());
        if !sums.block.pooled.are_held(simd).all_true() {
            return RowFlags(flags | RowFlags::RESCUE);
        }
    }
    let plain = matches!(task.zeros, Zeros::Exact) && p.low.is_none() && q.low.is_none();
    // A row whose terms all go by the order of the bins is walked over once.
    let mut trouble = if task.terms.iter().all(|term| term.is_scan()) {
        0
    } else if plain {
        second_pass::<S, T, true>(simd, task, p, q, &constants, &mut sums.block, &mut sums.totals)
    } else {
        second_pass::<S, T, false>(simd, task, p, q, &constants, &mut sums.block, &mut sums.totals)
    };
    let total = q_side.total.high;
    for (value, sum) in out.iter_mut().zip(&sums.totals.0) {
        // A sum that overflowed has no meaningful low part.
        *value = if sum.high.is_finite() { (sum.high + sum.low) / total } else { sum.high };
    }
    if size_of::<T>() == 8 {
        for i in 0..task.terms.len() {
            let has_overflowed = |order: Order| {
                task.terms.iter().zip(&*out).any(|(t, sum)| *t == deficit_of(order).0 && !sum.is_finite())
            };
            if let Term::LogPowerSum(order) = task.terms[i]
                && (order.a == f64::INFINITY || has_overflowed(order))
            {
                out[i] = log_power_sum::<S, T>(simd, task, order, p, q, &constants, total);
            }
        }
        if task.terms.iter().any(|term| term.is_scan()) {
            let mut scan = Scan::new(task.terms, task.positions, bins);
            trouble |= only_contrasts::<S, T>(simd, task, Term::W1, p, q, &constants, &mut scan);
            scan.write(total, out);
        }
    }
    flags |= trouble;
    if size_of::<T>() == 4 {
        let yardstick = sums.totals.0[task.terms.len()].high / total;
        let power_of_two = ratio.high.to_f64().to_bits() << 12 == 0 && ratio.low.to_f64() == 0.0;
        let exact = plain && power_of_two;
        let is_lost =
            |value: f64, term: &Term| term.is_lost(value) || (value > 0.0 && value * total < term.least_sum::<T>(bins));
        let lost = out.iter().zip(task.terms).any(|(value, term)| is_lost(*value, term));
        if (!exact && yardstick < NARROW_LEAST) || lost {
            flags |= RowFlags::RESCUE;
        }
    }
    RowFlags(flags)
}

/// ln Σ p̂ᴬ q̂¹⁻ᴬ of a sum beyond the range of a float; for order ∞, ln max p̂/q̂. This is rare, and only the logarithm needs
/// it.
#[inline(never)]
fn log_power_sum<S: Simd, T: Real>(
    simd: S,
    task: &Task<'_>,
    order: Order,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    constants: &PassConstants<T>,
    total: f64,
) -> f64 {
    let mut sum = LogSum::new(order);
    only_contrasts::<S, T>(simd, task, Term::Kl, p, q, constants, &mut sum);
    sum.value(total)
}

/// The second pass for what takes the contrasts and sums no term: with all that the contrast of `term` has. Returns the flags that
/// the pass does.
#[inline(never)]
fn only_contrasts<S: Simd, T: Real>(
    simd: S,
    task: &Task<'_>,
    term: Term,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    constants: &PassConstants<T>,
    into: &mut impl Accumulate<S, T>,
) -> u32 {
    let task = Task { terms: &[term], needs: term.needs(), ..*task };
    second_pass::<S, T, false>(simd, &task, p, q, constants, &mut ContrastBlock::new(simd), into)
}

/// The binary exponent of a total, if the kernel can work with it.
#[inline(always)]
fn exponent<T: Real>(total: f64) -> Option<i32> {
    let exponent = ((total.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    (exponent.abs() <= T::MAX_TOTAL_EXPONENT).then_some(exponent)
}

/// The constants of the second pass.
struct PassConstants<T> {
    /// `scale` brings the total of q near 1, and `p_scale` that of p. `p_total` is the scaled total of p.
    scale: T,
    p_scale: T,
    p_total: TwoPart<T>,
    ratio_high: T,
    ratio_low: T,
    p: Constants<T>,
    q: Constants<T>,
}

/// Sums the terms. Returns the flags of a row that a policy or the precision cannot handle.
#[expect(clippy::too_many_lines, reason = "one loop over the blocks of a row, whose constants the registers hold")]
#[inline(always)]
fn second_pass<S: Simd, T: Real, const PLAIN: bool>(
    simd: S,
    task: &Task<'_>,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
    prepared: &PassConstants<T>,
    block: &mut ContrastBlock<S, T>,
    sums: &mut impl Accumulate<S, T>,
) -> u32 {
    let v = |value: T| Lanes::<S, T>::splat(simd, value);
    let lanes_of = |total: TwoPart<T>| TwoPart { high: v(total.high), low: v(total.low) };
    let zero = splat::<S, T>(simd, 0.0);
    let (scale, ratio_high, ratio_low) = (v(prepared.scale), v(prepared.ratio_high), v(prepared.ratio_low));
    // A part of the total, which both sides share.
    let tiny = v(T::TINY) * v(prepared.q.total.high);
    let none = zero.simd_lt(zero);
    let mut small = none;
    let mut impossible = none;
    let mut close = none;
    block.contrasts.clear();
    block.weights.clear();
    sums.begin();
    let width = Lanes::<S, T>::LEN;
    let mut at = 0;
    while at < p.high.len() {
        let mut x = load::<S, T>(simd, p.high, at);
        let weight = load::<S, T>(simd, q.high, at);
        // These look at the weight itself: a bin has weight even if the scale makes its weight vanish.
        let (has_x, has_y) = (x.simd_gt(zero), weight.simd_gt(zero));
        let mut y = weight * scale;
        let (mut x_low, mut y_low) = (zero, zero);
        let (mut leaves_x, mut leaves_y) = (has_x, has_y);
        if !PLAIN {
            x_low = p.low.map_or(zero, |low| load::<S, T>(simd, low, at));
            y_low = q.low.map_or(zero, |low| load::<S, T>(simd, low, at) * scale);
            let left = p.high.len() - at;
            let inside = if left >= width { !none } else { LaneMask::<S, T>::from_bitmask(simd, (1u64 << left) - 1) };
            (leaves_x, leaves_y) = match task.zeros {
                Zeros::Exact => (has_x, has_y),
                Zeros::Epsilon(_) => (has_x | has_y, has_x | has_y),
                Zeros::Skip => (has_x & has_y, has_x & has_y),
                Zeros::Additive(_) | Zeros::Mix(_) | Zeros::Floor(_) => (inside, inside),
            };
            let before = (x, y);
            (x, x_low) = apply(simd, task.zeros, &prepared.p, (x, x_low), has_x, has_y, inside);
            (y, y_low) = apply(simd, task.zeros, &prepared.q, (y, y_low), has_y, has_x, inside);
            if matches!(task.zeros, Zeros::Epsilon(_)) {
                // Where a bin loses (almost) all its weight, the last digits decide whether any is left.
                let almost = splat::<S, T>(simd, 1.0 / 65536.0);
                impossible |= (has_x & (x + x_low).simd_le(zero)) | (has_y & (y + y_low).simd_le(zero));
                close |= (has_x & x.simd_le(before.0 * almost)) | (has_y & y.simd_le(before.1 * almost));
            }
        }
        let cross = if PLAIN { x * ratio_low } else { x.mul_add(ratio_low, x_low * ratio_high) };
        let a = x.mul_add(ratio_high, cross);
        let u = x.mul_sub_precise(ratio_high, y) + if PLAIN { cross } else { cross - y_low };
        // Where the policy leaves weight, there must be some.
        small |= (leaves_x & a.simd_lt(tiny)) | (leaves_y & y.simd_lt(tiny));
        block.contrasts.push(Contrast::new(simd, a, y, u, Needs { z: true, ..task.needs }));
        if task.needs.weights {
            let side = |high, low, total| SideLanes { weight: TwoPart { high, low }, total: lanes_of(total) };
            // If the total is small, a weight that counts may be subnormal, and a subnormal has no exponent to read.
            let p_scale = v(prepared.p_scale);
            let (p, q) = (side(x * p_scale, x_low * p_scale, prepared.p_total), side(y, y_low, prepared.q.total));
            block.weights.push(BothSides { simd, p, q, a });
        }
        at += width;
        if block.contrasts.len() == BLOCK || at >= p.high.len() {
            sums.add(simd, task.terms, block);
            block.contrasts.clear();
            block.weights.clear();
        }
    }
    let narrow = size_of::<T>() == 4;
    if small.any_true() || (narrow && close.any_true()) {
        RowFlags::RESCUE
    } else if impossible.any_true() {
        RowFlags::POLICY
    } else {
        0
    }
}
