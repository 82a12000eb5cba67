//! Jensen–Shannon.
//!
//! ½KL(p̂‖m̂) + ½KL(q̂‖m̂) = (1/Q) Σ s·F(z), F(z) = ¼[(1+z)ln(1+z) + (1−z)ln(1−z)], in \[0, ln 2\]. For |z| ≤ 11/16 it is a
//! polynomial in z². Elsewhere, with lo the smaller of a and q, s·F = ½[s·ln(1+|z|) − lo·|ln(a/q)|]. This
//! difference loses at most a factor of about two. Source: J. Lin, *Divergence measures based on the Shannon entropy*, 1991.

use std::f64::consts::LN_2;

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::facts::{MeasureFacts, TermFacts};
use super::form::{Form, Inner};
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::lanes::{Lanes, Real, polynomial};

/// s·F(z).
#[inline(always)]
pub(super) fn js_term<S: Simd, T: Real>(c: &Contrast<S, T>) -> Lanes<S, T> {
    let w = c.z * c.z;
    let near = c.u * c.z * polynomial::<S, T>(c.simd, w, T::JENSEN_SHANNON);
    let log_high = polynomial::<S, T>(c.simd, c.z.abs() - c.splat(27.0 / 32.0), T::LN_ONE_PLUS);
    let far = c.splat(0.5) * c.s.mul_add(log_high, -(c.a.min(c.q) * c.log_ratio().abs()));
    w.simd_le(c.splat(121.0 / 256.0)).select(near, far)
}

/// ln 2 − ½H(p̂) − ½H(q̂) − ½ Σ (p̂ + q̂) ln(p̂ + q̂), since Σ (p̂ + q̂) = 2.
pub(super) fn js_form() -> Form {
    Form::of(LN_2, Inner::EntropyOfSum, -0.5).with_entropies(-0.5, -0.5)
}

/// F(z) divided by the F(z) of 1 − BC falls from 1 at z = 0 to ln 2 at |z| = 1.
pub(super) const LEAST_OF_DEFICIT: f64 = LN_2;

pub(super) const JS: TermFacts =
    TermFacts { z: true, least_of_deficit: Some(LEAST_OF_DEFICIT), ..TermFacts::with_log("js_term") };

pub(super) fn js() -> MeasureFacts {
    MeasureFacts { has_unit: true, is_symmetric: true, ..MeasureFacts::bounded(Term::Js, LN_2) }
}

pub(super) fn js_distance() -> MeasureFacts {
    MeasureFacts { has_unit: true, is_symmetric: true, ..MeasureFacts::root_of(Term::Js, LN_2) }
}
