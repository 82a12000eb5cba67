//! Pearson's and Neyman's χ².
//!
//! Σ (p̂ − q̂)²/q̂ = (1/Q) Σ u²/q and Σ (p̂ − q̂)²/p̂ = (1/Q) Σ u²/a, in \[0, ∞\]. Sources: K. Pearson,
//! 1900; J. Neyman, *Contribution to the theory of the χ² test*, 1949.

use fearless_simd::Simd;

use super::form::{Form, Inner, Operand};
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real, keep};

/// s·F(z), F(z) = 2z²/(1−z).
#[inline(always)]
pub(super) fn chi2_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    keep::<S, T>(c.simd, c.q_positive(), c.u * (c.u / c.q))
}

/// s·F(z), F(z) = 2z²/(1+z).
#[inline(always)]
pub(super) fn neyman_chi2_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    keep::<S, T>(c.simd, c.a_positive(), c.u * (c.u / c.a))
}

pub(super) fn chi2_form() -> Form {
    Form::of(-1.0, Inner::Product(Operand::Power(2.0), Operand::Power(-1.0)), 1.0)
}

pub(super) fn neyman_chi2_form() -> Form {
    Form::of(-1.0, Inner::Product(Operand::Power(-1.0), Operand::Power(2.0)), 1.0)
}
