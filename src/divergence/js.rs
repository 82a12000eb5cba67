//! Jensen–Shannon.
//!
//! ½KL(p̂‖m̂) + ½KL(q̂‖m̂) = (1/Q) Σ s·F(z), F(z) = ¼[(1+z)ln(1+z) + (1−z)ln(1−z)], in \[0, ln 2\].
//! For |z| ≤ ½ the series ¼z²·Σ z^{2k−2}/(k(2k−1)); elsewhere
//! s·F = ½[hi·ln(2hi/s) + lo·ln(2lo/s)], where the first logarithm is 2·atanh(|u|/(3hi + lo)) and
//! the sum of the two loses at most a factor of four. Source: J. Lin, *Divergence measures based on
//! the Shannon entropy*, 1991.

use fearless_simd::{Select, Simd, SimdBase};

use super::lanes::{Lanes, LogRatio, Real, keep, log_ratio, polynomial};
use super::term::Contrast;

/// s·F(z).
#[inline(always)]
pub(crate) fn js_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    let zero = c.splat(0.0);
    let near = c.splat(0.25) * c.s * c.w * polynomial::<S, T>(c.simd, c.w, T::JENSEN_SHANNON);
    let high = c.a.max(c.q);
    let low = c.a.min(c.q);
    let has_low = low.simd_gt(zero);
    let t = c.u.abs() / (c.splat(3.0) * high + low);
    let log_high = LogRatio::<S, T>::from_parts(c.simd, zero, t).rest;
    let log_low = keep::<S, T>(c.simd, has_low, log_ratio::<S, T>(c.simd, low + low, c.s));
    let far = c.splat(0.5) * (high * log_high + low * log_low);
    c.w.simd_le(c.splat(0.25)).select(near, far)
}
