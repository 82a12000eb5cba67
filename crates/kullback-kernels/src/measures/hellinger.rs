//! Hellinger and Bhattacharyya, from the affinity BC = Σ√(p̂q̂).
//!
//! 1 − BC = (1/Q) Σ s·F(z), F(z) = ½z²/(1 + √(1−z²)), so s·F = ½u²/(s + 2√(aq)). `hellinger` is its root, in \[0, 1\].
//! `bhattacharyya` is −ln BC. It is computed from 1 − BC if that is at most ½, else from BC itself. Source: A. Bhattacharyya,
//! *On a measure of divergence between two statistical populations*, 1943.

use fearless_simd::{Simd, SimdFloat};

use super::form::{Form, Inner, Operand};
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};

/// s·F(z).
#[inline(always)]
pub fn hellinger_deficit_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    // If the product aq vanishes, the bin does not count, or one of its sides does not.
    let root = (c.a * c.q).sqrt();
    c.splat(0.5) * c.u * (c.u / ((root + root) + c.s))
}

/// √(aq).
#[inline(always)]
pub fn affinity_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.a.sqrt() * c.q.sqrt()
}

/// ⟨√p̂, √q̂⟩ as a sum over the bins.
pub const AFFINITY: Inner = Inner::Product(Operand::Power(0.5), Operand::Power(0.5));

/// 1 − ⟨√p̂, √q̂⟩.
pub fn hellinger_deficit_form() -> Form {
    Form::of(1.0, AFFINITY, -1.0)
}

/// ⟨√p̂, √q̂⟩.
pub fn affinity_form() -> Form {
    Form::of(0.0, AFFINITY, 1.0)
}
