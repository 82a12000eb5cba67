//! Jensen–Shannon with unequal weights: A·KL(p̂‖m̂) + B·KL(q̂‖m̂), m̂ = A·p̂ + B·q̂, B = 1 − A. It lies between 0 and the
//! entropy of (A, B), which is at most ln 2.
//!
//! With m = A·a + B·q it is (1/Q) Σ A·[a·ln(a/m) − a + m] + B·[q·ln(q/m) − q + m]: the term of `kl` twice. a − m is B·u and
//! q − m is −A·u, so that nothing cancels. Source: J. Lin, *Divergence measures based on the Shannon entropy*, 1991.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::facts::{MeasureFacts, TermFacts};
use super::js::js;
use super::order::Order;
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real};
use crate::arithmetic::log_ratio::excess;

/// The term with A and B.
#[inline(always)]
pub(super) fn skew_js_term<S: Simd, T: Real>(c: &Contrast<S, T>, order: Order) -> Lanes<S, T> {
    skewed(c, c.splat(order.a), c.splat(order.b))
}

/// A·[a·ln(a/m) − a + m] + B·[q·ln(q/m) − q + m], for A and B that add up to 1.
#[inline(always)]
pub(super) fn skewed<S: Simd, T: Real>(c: &Contrast<S, T>, a_share: Lanes<S, T>, q_share: Lanes<S, T>) -> Lanes<S, T> {
    // From the nearer side: A and B as rounded may not add up to 1.
    let m = a_share.simd_lt(c.splat(0.5)).select(c.u.mul_add(a_share, c.q), c.u.mul_add(-q_share, c.a));
    let of_a = excess::<S, T>(c.simd, [c.a, m, q_share * c.u]);
    let of_q = excess::<S, T>(c.simd, [c.q, m, -(a_share * c.u)]);
    of_a.mul_add(a_share, of_q * q_share)
}

pub(super) const SKEW_JS: TermFacts = TermFacts::of("skew_js_term");

/// The least weight of a side.
const LEAST: f64 = 1e-12;

pub(super) fn allows(weight: f64) -> bool {
    (LEAST..=1.0 - LEAST).contains(&weight)
}

pub(super) fn skew_js(weight: f64) -> MeasureFacts {
    if weight == 0.5 {
        return js();
    }
    let order = Order::new(weight);
    // ln(1 − A) from A itself: 1 − A has lost the digits of a small A.
    let most = -(order.a * order.a.ln() + order.b * (-order.a).ln_1p());
    MeasureFacts { has_unit: true, ..MeasureFacts::bounded(Term::SkewJs(order), most) }
}
