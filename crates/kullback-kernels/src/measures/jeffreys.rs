//! Jeffreys' divergence, also known as the population stability index.
//!
//! KL(p̂‖q̂) + KL(q̂‖p̂) = (1/Q) Σ s·F(z), F(z) = z·ln((1+z)/(1−z)), so s·F = u·ln(a/q). Nothing cancels. In \[0, ∞\]. Source:
//! H. Jeffreys, *An invariant form for the prior probability in estimation problems*, 1946.

use fearless_simd::Simd;

use super::facts::{Infinite, MeasureFacts, TermFacts};
use super::form::Form;
use super::kl::{kl_form, reverse_kl_form};
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};

/// s·F(z).
#[inline(always)]
pub(super) fn jeffreys_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    c.u * c.log_ratio()
}

/// The sum of both directions.
pub(super) fn jeffreys_form() -> Form {
    kl_form().and(reverse_kl_form())
}

pub(super) const JEFFREYS: TermFacts = TermFacts::with_log("jeffreys_term");

pub(super) fn jeffreys() -> MeasureFacts {
    MeasureFacts {
        has_unit: true,
        is_symmetric: true,
        infinite: Infinite::Either,
        ..MeasureFacts::sum_of(Term::Jeffreys)
    }
}
