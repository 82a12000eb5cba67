//! Total variation: ½ Σ|p̂ − q̂| = (1/Q) Σ ½|u|, in \[0, 1\]. It is of first order in u, so u must be exact.

use fearless_simd::{Simd, SimdBase};

use super::facts::{MeasureFacts, Precision, TermFacts};
use super::form::{Form, Inner};
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};

/// s·F(z), F(z) = ½|z|.
#[inline(always)]
pub(super) fn tv_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.splat(0.5) * c.u.abs()
}

pub(super) fn tv_form() -> Form {
    Form::of(0.0, Inner::Distance, 0.5)
}

pub(super) const TV: TermFacts = TermFacts { precision: Precision::FirstOrder, ..TermFacts::of("tv_term") };

pub(super) fn tv() -> MeasureFacts {
    MeasureFacts { is_symmetric: true, ..MeasureFacts::bounded(Term::Tv, 1.0) }
}
