//! Pearson's and Neyman's χ².
//!
//! Σ (p̂ − q̂)²/q̂ = (1/Q) Σ u²/q and Σ (p̂ − q̂)²/p̂ = (1/Q) Σ u²/a, in \[0, ∞\]. Sources: K. Pearson,
//! 1900; J. Neyman, *Contribution to the theory of the χ² test*, 1949.

use fearless_simd::Simd;

use super::facts::{Infinite, MeasureFacts, TermFacts};
use super::form::{Form, Inner, Operand};
use super::term::Term;
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

// Σa²/q grows by the square of the factor, and Σq²/a shrinks by it. Σ(q − a) was not 0 before.
pub(super) const CHI2: TermFacts = TermFacts {
    amplifies_totals: true,
    rescaled: Some(|sum, off, total| (1.0 + off) * (1.0 + off) * sum - total * off * off),
    ..TermFacts::of("chi2_term")
};

pub(super) const NEYMAN_CHI2: TermFacts = TermFacts {
    amplifies_totals: true,
    rescaled: Some(|sum, off, total| sum / (1.0 + off) - total * (off / (1.0 + off)) * (off / (1.0 + off))),
    ..TermFacts::of("neyman_chi2_term")
};

pub(super) fn chi2() -> MeasureFacts {
    MeasureFacts { infinite: Infinite::OnlyP, ..MeasureFacts::sum_of(Term::Chi2) }
}

pub(super) fn neyman_chi2() -> MeasureFacts {
    MeasureFacts { infinite: Infinite::OnlyQ, ..MeasureFacts::sum_of(Term::NeymanChi2) }
}
