//! Hellinger and Bhattacharyya, from the affinity BC = Σ√(p̂q̂).
//!
//! 1 − BC = (1/Q) Σ s·F(z), F(z) = ½z²/(1 + √(1−z²)), so s·F = ½u²/(s + 2√(aq)). `hellinger` is its root, in \[0, 1\].
//! `bhattacharyya` is −ln BC. It is computed from 1 − BC if that is at most ½, else from BC itself. Source: A. Bhattacharyya,
//! *On a measure of divergence between two statistical populations*, 1943.

use fearless_simd::{Simd, SimdFloat};

use super::facts::{Infinite, MeasureFacts, Precision, TermFacts};
use super::finish::Finisher;
use super::form::{Form, Inner, Operand};
use super::term::Term;
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

pub(super) const DEFICIT: TermFacts = TermFacts {
    // √(aq) has an error of at most 2⁻⁷⁵ where the product is subnormal, and a term has no larger one. This is 2²³ times that.
    least_sum: f64::EPSILON,
    // Σ√(aq) grows by the root of the factor.
    rescaled: Some(|sum, off, total| {
        let root = (1.0 + off).sqrt();
        root * sum - total * (off / (root + 1.0)).powi(2) / (2.0 * root)
    }),
    ..TermFacts::of("hellinger_deficit_term")
};

pub(super) const AFFINITY_FACTS: TermFacts =
    TermFacts { precision: Precision::Positive, ..TermFacts::of("affinity_term") };

pub(super) fn hellinger() -> MeasureFacts {
    MeasureFacts { is_symmetric: true, ..MeasureFacts::root_of(Term::HellingerDeficit, 1.0) }
}

pub(super) fn bhattacharyya() -> MeasureFacts {
    MeasureFacts {
        terms: (Term::HellingerDeficit, Some(Term::Affinity)),
        finisher: Finisher::Logarithm { sign: 1.0, factor: 1.0, ln_base: 1.0 },
        infinite: Infinite::Disjoint,
        has_unit: true,
        is_symmetric: true,
    }
}
