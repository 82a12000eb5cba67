//! What the kernels and the engine ask of a measure.

use super::facts::Infinite;
use super::finish::{Finisher, Support};
use super::table::Divergence;
use super::term::Term;
use crate::unit::Unit;

/// What the kernels and the engine know of a measure.
pub trait Definition: Copy {
    /// The one or two sums that the value needs.
    fn terms(self) -> (Term, Option<Term>);
    /// The rows on which the definition is +∞.
    fn infinite(self) -> Infinite;
    /// Whether the definition is +∞ on rows with this support.
    fn is_infinite(self, support: Support) -> bool {
        self.infinite().on(support)
    }
    /// Turns the sums of [`Definition::terms`] into values in `unit`; prepared once per call.
    fn finisher(self, unit: Unit) -> Finisher;
}

impl Definition for Divergence {
    fn terms(self) -> (Term, Option<Term>) {
        self.facts().terms
    }

    fn infinite(self) -> Infinite {
        self.facts().infinite
    }

    fn finisher(self, unit: Unit) -> Finisher {
        let facts = self.facts();
        facts.finisher.in_unit(if facts.has_unit { unit.ln_base() } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinite_exactly_when_the_definition_is() {
        let (common, p, q) = (Support::COMMON, Support::ONLY_P, Support::ONLY_Q);
        let both = Support::from_bits(common.bits() | p.bits() | q.bits());
        let disjoint = Support::from_bits(p.bits() | q.bits());
        assert!(Divergence::Kl.is_infinite(both) && !Divergence::Kl.is_infinite(q));
        assert!(Divergence::ReverseKl.is_infinite(q) && !Divergence::ReverseKl.is_infinite(p));
        assert!(!Divergence::Renyi(0.5).is_infinite(both) && Divergence::Renyi(0.5).is_infinite(disjoint));
        assert!(Divergence::Renyi(2.0).is_infinite(p) && !Divergence::Renyi(2.0).is_infinite(q));
        assert!(Divergence::Alpha(-1.0).is_infinite(q) && !Divergence::Alpha(-1.0).is_infinite(p));
        assert!(!Divergence::Js.is_infinite(disjoint));
        assert!(Divergence::Bhattacharyya.is_infinite(disjoint));
    }
}
