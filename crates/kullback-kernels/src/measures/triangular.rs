//! Triangular discrimination: Σ (p̂ − q̂)²/(p̂ + q̂) = (1/Q) Σ u²/s, in \[0, 2\]. It is also the yardstick by which a kernel
//! knows whether its rounding can matter: every term of second order is near a multiple of it. Source: F. Topsøe, *Some
//! inequalities for information divergence*, 2000.

use fearless_simd::Simd;

use super::facts::{MeasureFacts, TermFacts};
use super::form::{Form, Inner};
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};

/// s·F(z), F(z) = z².
#[inline(always)]
pub(super) fn triangular_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.u * c.z
}

pub(super) fn triangular_form() -> Form {
    Form::of(0.0, Inner::Triangular, 1.0)
}

/// z² divided by ½z²/(1 + √(1−z²)) falls from 4 at z = 0 to 2 at |z| = 1.
pub(super) const LEAST_OF_DEFICIT: f64 = 2.0;

pub(super) const TRIANGULAR: TermFacts =
    TermFacts { z: true, least_of_deficit: Some(LEAST_OF_DEFICIT), ..TermFacts::of("triangular_term") };

pub(super) fn triangular() -> MeasureFacts {
    MeasureFacts { is_symmetric: true, ..MeasureFacts::bounded(Term::Triangular, 2.0) }
}
