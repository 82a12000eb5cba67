//! Entropy and cross entropy.
//!
//! −Σ p̂ ln p̂ in \[0, ln n\] and −Σ p̂ ln q̂ in \[0, ∞\], as (1/Q) Σ a·h with h = −ln(w/W) of a weight
//! in its total. Where w is more than half of W, h = 2·atanh((W − w)/(W + w)), so that an almost
//! one-hot row keeps its digits. Source: C. E. Shannon, 1948.

use fearless_simd::{Select, Simd, SimdBase};

use super::lanes::{Lanes, Real, keep, logarithm, reduce_ratio, splat};
use super::term::{Contrast, TwoPart};

/// −ln(w/W), 0 for an empty bin.
#[inline(always)]
fn surprise<S: Simd, T: Real>(simd: S, w: Lanes<S, T>, w_low: Lanes<S, T>, total: TwoPart<Lanes<S, T>>) -> Lanes<S, T> {
    let zero = splat::<S, T>(simd, 0.0);
    let high = total.high;
    let rest = (high - w) + (total.low - w_low);
    let most = rest.simd_lt(w);
    let (exponent, t) = reduce_ratio::<S, T>(simd, high, w);
    let exponent = most.select(zero, exponent);
    let t = most.select(rest.max(zero) / (high + w), t);
    keep::<S, T>(simd, w.simd_gt(zero), logarithm::<S, T>(simd, exponent, t))
}

/// a·(−ln q̂).
#[inline(always)]
pub(crate) fn cross_entropy_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.a * surprise::<S, T>(c.simd, c.q, c.q_low, c.q_total)
}

/// a·(−ln p̂).
#[inline(always)]
pub(crate) fn entropy_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.a * surprise::<S, T>(c.simd, c.p, c.p_low, c.p_total)
}
