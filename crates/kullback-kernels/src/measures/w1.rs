//! The Wasserstein distance of order 1 between two distributions on a line, ∫|F − G|.
//!
//! F and G are the cumulated rows. With one position per bin, the weight of a bin lies at its position. With one position more,
//! the positions are edges and the weight is spread evenly between two of them; F − G is then a straight line within a bin.
//! Source: S. S. Vallender, *Calculation of the Wasserstein distance between probability distributions on the line*, 1974.

use super::facts::{MeasureFacts, TermFacts};
use super::step::Step;
use super::term::Term;
use crate::arithmetic::double::Double;

/// Adds the integral of Q·|F − G| over the way to the next position, or over the bin.
#[inline]
pub(super) fn w1_step(total: Double, step: &Step) -> Double {
    let Step { before, after, width, within } = *step;
    let (first, last) = (before.abs(), after.abs());
    let mean = if !within {
        last
    } else if first + last == 0.0 {
        0.0
    } else if (before < 0.0) == (after < 0.0) {
        0.5 * (first + last)
    } else {
        // The line crosses 0 within the bin: two triangles.
        (first * first + last * last) / (2.0 * (first + last))
    };
    total.plus(mean * width)
}

pub(super) const W1: TermFacts = TermFacts::scan("w1");

pub(super) fn w1() -> MeasureFacts {
    MeasureFacts { is_symmetric: true, ..MeasureFacts::sum_of(Term::W1) }
}
