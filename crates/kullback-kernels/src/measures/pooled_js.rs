//! Jensen–Shannon with the totals of the two rows as weights: A = N/(N + M), B = M/(N + M) with N = Σp and M = Σq. So m̂ is the
//! distribution of both rows taken together. 2·(N + M) times the value in nats is the statistic of the G-test of homogeneity.
//!
//! The term is that of `skew_js` with a weight per row. No other definition depends on the scale of the rows. The totals are
//! those of the stored weights, whatever a zero policy adds to them; under `skip`, those of the bins that stay. Source: R. R. Sokal
//! and F. J. Rohlf, *Biometry*, 1981, chapter 17.

use fearless_simd::Simd;

use super::facts::{MeasureFacts, TermFacts};
use super::skew_js::skewed;
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};
use crate::arithmetic::pooled::Pooled;

/// A·[a·ln(a/m) − a + m] + B·[q·ln(q/m) − q + m], m = A·a + B·q.
#[inline(always)]
pub(super) fn pooled_js_term<S: Simd, T: Real>(c: &Contrast<S, T>, pooled: Pooled<S, T>) -> Lanes<S, T> {
    skewed(c, pooled.p, pooled.q)
}

pub(super) const POOLED_JS: TermFacts = TermFacts { pooled: true, ..TermFacts::of("pooled_js_term") };

pub(super) fn pooled_js() -> MeasureFacts {
    MeasureFacts { has_unit: true, is_symmetric: true, ..MeasureFacts::bounded(Term::PooledJs, std::f64::consts::LN_2) }
}
