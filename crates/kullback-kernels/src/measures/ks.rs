//! The Kolmogorov–Smirnov statistic: max |F − G| of the cumulated rows. It depends on the order of the bins, not on their
//! positions. Source: N. Smirnov, *Table for estimating the goodness of fit of empirical distributions*, 1948.

use super::facts::{MeasureFacts, TermFacts};
use super::step::Step;
use super::term::Term;
use crate::arithmetic::double::Double;

/// The larger of the two.
#[inline]
pub(super) fn ks_step(most: Double, step: &Step) -> Double {
    let after = step.after.abs();
    if after > most.high { Double::from(after) } else { most }
}

pub(super) const KS: TermFacts = TermFacts::scan("ks");

pub(super) fn ks() -> MeasureFacts {
    MeasureFacts { is_symmetric: true, ..MeasureFacts::bounded(Term::Ks, 1.0) }
}
