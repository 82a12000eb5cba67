//! Entropy and cross entropy.
//!
//! −Σ p̂ ln p̂ in \[0, ln n\] and −Σ p̂ ln q̂ in \[0, ∞\], computed as (1/Q) Σ a·h with h = −ln(w/W) for a weight w in its
//! total W. If w is more than half of W, h = 2·atanh((W − w)/(W + w)), so that an almost one-hot row keeps its digits. Source:
//! C. E. Shannon, 1948.

use fearless_simd::{Select, Simd, SimdBase};

use super::facts::{Infinite, MeasureFacts, Precision, TermFacts};
use super::form::{Form, Inner, Operand};
use super::term::Term;
use crate::arithmetic::contrast::{BothSides, SideLanes};
use crate::arithmetic::lanes::{Lanes, Real, keep, splat};
use crate::arithmetic::log_ratio::{logarithm, reduce_ratio};
use crate::arithmetic::two_part::TwoPart;

/// −ln(w/W), and 0 for an empty bin.
#[inline(always)]
fn surprise<S: Simd, T: Real>(simd: S, side: &SideLanes<S, T>) -> Lanes<S, T> {
    let zero = splat::<S, T>(simd, 0.0);
    let TwoPart { high: w, low: w_low } = side.weight;
    let TwoPart { high: total, low: total_low } = side.total;
    let rest = (total - w) + (total_low - w_low);
    let most = rest.simd_lt(w);
    let (exponent, t) = reduce_ratio::<S, T>(simd, total, w);
    let exponent = most.select(zero, exponent);
    let t = most.select(rest.max(zero) / (total + w), t);
    keep::<S, T>(simd, w.simd_gt(zero), logarithm::<S, T>(simd, exponent, t))
}

/// a·(−ln q̂).
#[inline(always)]
pub(super) fn cross_entropy_term<S: Simd, T: Real>(w: &BothSides<S, T>) -> Lanes<S, T> {
    w.a * surprise::<S, T>(w.simd, &w.q)
}

/// a·(−ln p̂).
#[inline(always)]
pub(super) fn entropy_term<S: Simd, T: Real>(w: &BothSides<S, T>) -> Lanes<S, T> {
    w.a * surprise::<S, T>(w.simd, &w.p)
}

/// −⟨p̂, ln q̂⟩.
pub(super) fn cross_entropy_form() -> Form {
    Form::of(0.0, Inner::Product(Operand::Share, Operand::Log), -1.0)
}

/// H(p̂).
pub(super) fn entropy_form() -> Form {
    Form { p_entropy: 1.0, ..Form::default() }
}

pub(super) const CROSS_ENTROPY: TermFacts =
    TermFacts { precision: Precision::Surprise, ..TermFacts::of("cross_entropy_term") };

pub(super) const ENTROPY: TermFacts = TermFacts { precision: Precision::Surprise, ..TermFacts::of("entropy_term") };

pub(super) fn cross_entropy() -> MeasureFacts {
    MeasureFacts { has_unit: true, infinite: Infinite::OnlyP, ..MeasureFacts::sum_of(Term::CrossEntropy) }
}

pub(super) fn entropy() -> MeasureFacts {
    MeasureFacts { has_unit: true, ..MeasureFacts::sum_of(Term::Entropy) }
}
