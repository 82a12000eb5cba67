//! Triangular discrimination: Σ (p̂ − q̂)²/(p̂ + q̂) = (1/Q) Σ u²/s, in \[0, 2\]. Also the yardstick by
//! which a kernel knows whether its rounding can matter: every term of second order is near a
//! multiple of it. Source: F. Topsøe, *Some inequalities for information divergence*, 2000.

use fearless_simd::Simd;

use super::contrast::Contrast;
use super::lanes::{Lanes, Real};

/// s·F(z), F(z) = z².
#[inline(always)]
pub(crate) fn triangular_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.u * c.z
}
