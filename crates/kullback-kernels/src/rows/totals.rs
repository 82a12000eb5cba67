//! The first pass over a row: totals, supports and invalid weights.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::policy::SideTotals;
use crate::arithmetic::double::Double;
use crate::arithmetic::lanes::{Lanes, Real, keep, splat};
use crate::arithmetic::two_part::TwoPart;
use crate::arithmetic::wide_lanes::WideLanes;
use crate::measures::finish::Support;
use crate::row_sums::RowFlags;
use crate::zeros::Zeros;

/// One decoded row: `high`, and for 64-bit integers above 2⁵³ what rounding left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowWeights<'a, T> {
    pub high: &'a [T],
    pub low: Option<&'a [T]>,
    /// The factor by which the weights were scaled beforehand.
    pub unit: f64,
}

/// The vector of values from `at` on, with zeros past the end of the row.
#[inline(always)]
pub(crate) fn load<S: Simd, T: Real>(simd: S, values: &[T], at: usize) -> Lanes<S, T> {
    let width = Lanes::<S, T>::LEN;
    match values.get(at..at + width) {
        Some(full) => Lanes::<S, T>::from_slice(simd, full),
        None => {
            let mut tail = splat::<S, T>(simd, 0.0);
            for (lane, value) in tail.as_mut_slice().iter_mut().zip(&values[at.min(values.len())..]) {
                *lane = *value;
            }
            tail
        }
    }
}

/// The sum of all lanes, with the digits of the running sums.
#[inline(always)]
fn reduce<S: Simd, T: Real>(sums: WideLanes<S>) -> Double {
    if size_of::<T>() == 4 {
        return Double::from((sums.first + sums.second).reduce_sum());
    }
    let mut total = Double::default();
    for &x in sums.first.as_slice().iter().chain(sums.second.as_slice()) {
        total = total + Double::from(x);
    }
    total
}

/// What the first pass finds.
pub(crate) struct PairTotals {
    pub flags: u32,
    pub p: SideTotals,
    pub q: SideTotals,
}

/// Computes totals, supports and invalid weights of a row.
#[inline(always)]
pub(crate) fn first_pass<S: Simd, T: Real>(
    simd: S,
    zeros: Zeros,
    p: &RowWeights<'_, T>,
    q: &RowWeights<'_, T>,
) -> PairTotals {
    let zero = splat::<S, T>(simd, 0.0);
    let largest = splat::<S, T>(simd, if size_of::<T>() == 4 { f64::from(f32::MAX) } else { f64::MAX });
    let none = zero.simd_lt(zero);
    let (mut valid_p, mut valid_q) = (!none, !none);
    let (mut common, mut only_p, mut only_q) = (none, none, none);
    let (mut sum_p, mut sum_q) = (WideLanes::zero(simd), WideLanes::zero(simd));
    let (mut count_p, mut count_q, mut count_any) = (0, 0, 0);
    let skip = zeros == Zeros::Skip;
    let counts = matches!(zeros, Zeros::Epsilon(_));
    let mut at = 0;
    while at < p.high.len() {
        let (x, y) = (load::<S, T>(simd, p.high, at), load::<S, T>(simd, q.high, at));
        valid_p &= x.simd_ge(zero) & x.simd_le(largest);
        valid_q &= y.simd_ge(zero) & y.simd_le(largest);
        let (has_p, has_q) = (x.simd_gt(zero), y.simd_gt(zero));
        let both = has_p & has_q;
        common |= both;
        only_p |= has_p & !has_q;
        only_q |= has_q & !has_p;
        if counts {
            count_p += has_p.to_bitmask().count_ones() as usize;
            count_q += has_q.to_bitmask().count_ones() as usize;
            count_any += (has_p | has_q).to_bitmask().count_ones() as usize;
        }
        let kept = |v: Lanes<S, T>| if skip { keep::<S, T>(simd, both, v) } else { v };
        T::accumulate(&mut sum_p, kept(x));
        T::accumulate(&mut sum_q, kept(y));
        if let Some(low) = p.low {
            T::accumulate(&mut sum_p, kept(load::<S, T>(simd, low, at)));
        }
        if let Some(low) = q.low {
            T::accumulate(&mut sum_q, kept(load::<S, T>(simd, low, at)));
        }
        at += Lanes::<S, T>::LEN;
    }
    let support = Support::default()
        .with(Support::COMMON, common.any_true())
        .with(Support::ONLY_P, only_p.any_true())
        .with(Support::ONLY_Q, only_q.any_true());
    let mut flags = support.bits();
    if !valid_p.all_true() {
        flags |= RowFlags::INVALID_P;
    }
    if !valid_q.all_true() {
        flags |= RowFlags::INVALID_Q;
    }
    let side =
        |sum, present, unit| SideTotals { total: reduce::<S, T>(sum), present, missing: count_any - present, unit };
    PairTotals { flags, p: side(sum_p, count_p, p.unit), q: side(sum_q, count_q, q.unit) }
}

/// Σ max(w, threshold) of a row: the total that `floor` leaves.
#[inline(always)]
pub(crate) fn floored_total<S: Simd, T: Real>(simd: S, row: &RowWeights<'_, T>, threshold: Double) -> Double {
    let zero = splat::<S, T>(simd, 0.0);
    let TwoPart { high, low } = threshold.split::<T>();
    let (high, low) = (Lanes::<S, T>::splat(simd, high), Lanes::<S, T>::splat(simd, low));
    let mut sum = WideLanes::zero(simd);
    let mut above = 0;
    let mut at = 0;
    while at < row.high.len() {
        let x = load::<S, T>(simd, row.high, at);
        let rest = row.low.map_or(zero, |low| load::<S, T>(simd, low, at));
        // The policy itself decides in the same way.
        let kept = (x.simd_gt(high) | (x.simd_eq(high) & rest.simd_ge(low))) & x.simd_gt(zero);
        above += kept.to_bitmask().count_ones() as usize;
        T::accumulate(&mut sum, keep::<S, T>(simd, kept, x));
        if let Some(low) = row.low {
            T::accumulate(&mut sum, keep::<S, T>(simd, kept, load::<S, T>(simd, low, at)));
        }
        at += Lanes::<S, T>::LEN;
    }
    reduce::<S, T>(sum) + threshold * Double::from((row.high.len() - above) as f64)
}
