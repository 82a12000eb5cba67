//! Kullback–Leibler, both directions.
//!
//! KL(p̂‖q̂) = (1/Q) Σ s·F(z), F(z) = ½[(1+z)·ln((1+z)/(1−z)) − 2z] ≥ 0, in \[0, ∞\]; the part −2z sums
//! to zero and makes every term non-negative. Near z = 0: F = z²·(1 + z(1+z)·R(z²)) with
//! R(w) = 1/3 + w/5 + …; elsewhere s·F = a·ln(a/q) − u, where the difference loses at most a factor
//! of four. Largest relative error of a term: 4e-7 in 32 bits, 1e-15 in 64.
//! Source: S. Kullback and R. A. Leibler, *On Information and Sufficiency*, 1951.

use fearless_simd::{Select, Simd, SimdFloat};

use super::lanes::{Lanes, Real};
use super::term::Contrast;

/// s·F(z).
#[inline(always)]
pub(crate) fn kl_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    let one = c.splat(1.0);
    let near = c.s * c.w * (c.z * (one + c.z)).mul_add(c.ratio.tail, one);
    c.near.select(near, c.a * c.log_ratio() - c.u)
}

/// s·F(−z).
#[inline(always)]
pub(crate) fn reverse_kl_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    let one = c.splat(1.0);
    let near = c.s * c.w * (c.z * (c.z - one)).mul_add(c.ratio.tail, one);
    c.near.select(near, c.u - c.q * c.log_ratio())
}
