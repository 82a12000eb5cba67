//! Lin's K: KL(p̂‖m̂) with m̂ = (p̂ + q̂)/2, in \[0, ln 2\].
//!
//! With m = (a + q)/2 it is (1/Q) Σ [a·ln(a/m) − a + m]: the term of `kl` with m in place of q. a − m is u/2, so that nothing
//! cancels. Source: J. Lin, *Divergence measures based on the Shannon entropy*, 1991.

use fearless_simd::Simd;

use super::facts::{MeasureFacts, TermFacts};
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};
use crate::arithmetic::log_ratio::excess;

/// s·F(z), F(z) = ½[(1+z)·ln(1+z) − z].
#[inline(always)]
pub(super) fn lin_k_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    let half = c.splat(0.5);
    excess::<S, T>(c.simd, [c.a, half * c.s, half * c.u])
}

pub(super) const LIN_K: TermFacts = TermFacts::of("lin_k_term");

pub(super) fn lin_k() -> MeasureFacts {
    MeasureFacts { has_unit: true, ..MeasureFacts::bounded(Term::LinK, std::f64::consts::LN_2) }
}
