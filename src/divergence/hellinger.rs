//! Hellinger and Bhattacharyya, from the affinity BC = Σ√(p̂q̂).
//!
//! 1 − BC = (1/Q) Σ s·F(z), F(z) = ½z²/(1 + √(1−z²)), so s·F = ½u²/(√a + √q)². `hellinger` is its
//! root, in \[0, 1\]; `bhattacharyya` is −ln BC, from 1 − BC where that is at most ½ and from BC
//! itself where it is not. Source: A. Bhattacharyya, *On a measure of divergence between two
//! statistical populations*, 1943.

use fearless_simd::{Simd, SimdFloat};

use super::lanes::{Lanes, Real, keep};
use super::term::Contrast;

/// s·F(z).
#[inline(always)]
pub(crate) fn hellinger_deficit_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    let root_sum = c.a.sqrt() + c.q.sqrt();
    let ratio = c.u / root_sum;
    keep::<S, T>(c.simd, c.nonempty(), c.splat(0.5) * ratio * ratio)
}

/// √(aq).
#[inline(always)]
pub(crate) fn affinity_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.a.sqrt() * c.q.sqrt()
}
