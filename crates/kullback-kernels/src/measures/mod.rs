//! What is computed: the measures. `table.rs` is the one table that names them.
//!
//! Every measure is a finish (`finish.rs`) over one or two sums of a [`Term`]. A term is one small function of the
//! [contrast](crate::arithmetic::contrast::Contrast) of a bin. It is written once here over a SIMD vector and once in `shaders/measures/` under
//! the same file name.

mod chi2;
pub mod definition;
mod entropy;
pub mod facts;
pub mod finish;
pub mod form;
pub mod hellinger;
mod jeffreys;
mod js;
mod kl;
mod ks;
mod lin_k;
pub mod order;
mod pooled_js;
mod power;
pub mod scan;
mod skew_js;
mod step;
mod sum;
mod table;
mod term;
mod triangular;
pub mod trust;
mod tv;
mod w1;

use std::fmt;
use std::str::FromStr;

use facts::Precision;
pub(crate) use power::deficit_of;
pub use table::Divergence;
pub use term::{Term, TermKind};

use crate::error::{Error, Result};
use crate::names::nearest;

impl Divergence {
    /// The name of every measure, with `:A` where it takes an order.
    pub fn names() -> impl Iterator<Item = String> {
        let of_measures = Divergence::named().filter(|(name, measure)| measure.name().0 == *name);
        let of_families = Divergence::families().map(|(name, _)| format!("{name}:A"));
        of_measures.map(|(name, _)| name.to_owned()).chain(of_families)
    }

    /// Checks the order of the families that have one.
    ///
    /// # Errors
    /// [`Error::Order`].
    pub fn validate(self) -> Result<Self> {
        match (self.allowed(), self.name()) {
            ((false, expected), (measure, Some(order))) => Err(Error::Order { measure, order, expected }),
            _ => Ok(self),
        }
    }

    /// Whether the value is divided by the logarithm of the unit's base.
    #[must_use]
    pub fn has_unit(self) -> bool {
        self.facts().has_unit
    }

    /// Whether the value stays the same if p and q are exchanged.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        self.facts().is_symmetric
    }

    /// Whether the value is of first order in the difference of the rows. Then it has half the digits that a second-order value
    /// has on proportional rows after rounding, and the contract allows 1e-12 there.
    #[must_use]
    pub fn is_first_order(self) -> bool {
        let facts = self.facts();
        facts.finisher.is_root() || facts.terms.0.precision() == Precision::FirstOrder
    }

    /// Whether every sum that it needs is of second order in the difference of the rows, and none has an order. If all measures of a
    /// call are so, devices may take a shorter way.
    #[must_use]
    pub fn is_of_second_order(self) -> bool {
        let (first, second) = self.facts().terms;
        [Some(first), second].into_iter().flatten().all(Term::is_of_second_order)
    }

    /// Whether it depends on the order of the bins.
    #[must_use]
    pub fn is_of_ordered_bins(self) -> bool {
        let (first, second) = self.facts().terms;
        [Some(first), second].into_iter().flatten().any(Term::is_scan)
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            (name, Some(order)) => write!(f, "{name}:{order}"),
            (name, None) => f.write_str(name),
        }
    }
}

impl FromStr for Divergence {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some((_, named)) = Divergence::named().find(|(name, _)| *name == text) {
            return Ok(named);
        }
        if let Some((family, order)) = text.split_once(':')
            && let Some((_, make)) = Divergence::families().find(|(name, _)| *name == family)
            && let Ok(order) = order.parse::<f64>()
        {
            return make(order).validate();
        }
        let names = Divergence::named().map(|(name, _)| name.to_owned());
        // An order that each family takes.
        let families = Divergence::families().map(|(name, make)| {
            let order = [2.0, 0.25].into_iter().find(|order| make(*order).validate().is_ok());
            format!("{name}:{}", order.unwrap_or_default())
        });
        Err(Error::UnknownDivergence { name: text.to_owned(), nearest: nearest(text, names.chain(families)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zeros::Zeros;

    #[test]
    fn names_round_trip() {
        for (name, divergence) in Divergence::named() {
            let parsed: Divergence = name.parse().expect(name);
            assert_eq!(parsed, divergence);
            assert_eq!(parsed.to_string().parse::<Divergence>(), Ok(divergence));
        }
        assert_eq!("renyi:2".parse(), Ok(Divergence::Renyi(2.0)));
        assert_eq!(Divergence::Alpha(-0.5).to_string(), "alpha:-0.5");
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_one() {
        let error = "jsdistance".parse::<Divergence>().expect_err("a misspelt name");
        assert_eq!(error.to_string(), "unknown measure `jsdistance`; did you mean `js_distance`?");
        let cut_short = "eps:1".parse::<Zeros>().expect_err("not a policy");
        assert_eq!(cut_short.to_string(), "unknown zero policy `eps:1`; did you mean `epsilon:1e-3`?");
        assert!(matches!("renyi:-1".parse::<Divergence>(), Err(Error::Order { .. })));
        assert!(matches!("alpha:1".parse::<Divergence>(), Err(Error::Order { .. })));
        let error = "skewjs:0.1".parse::<Divergence>().expect_err("a misspelt family");
        assert_eq!(error.to_string(), "unknown measure `skewjs:0.1`; did you mean `skew_js:0.25`?");
    }

    #[test]
    fn families_refuse_orders_that_they_do_not_take() {
        for bad in [
            "renyi:-1",
            "renyi:1e101",
            "tsallis:0",
            "tsallis:inf",
            "alpha:1",
            "alpha:0",
            "alpha:1e-13",
            "skew_js:0",
            "skew_js:1",
        ] {
            assert!(matches!(bad.parse::<Divergence>(), Err(Error::Order { .. })), "{bad}");
        }
        for bad in ["renyi:nan", "tsallis:nan", "alpha:nan", "skew_js:nan"] {
            assert!(matches!(bad.parse::<Divergence>(), Err(Error::Order { .. })), "{bad}");
        }
        for good in ["renyi:0", "renyi:inf", "tsallis:1e100", "alpha:-1e100", "skew_js:1e-12", "skew_js:0.5"] {
            assert!(good.parse::<Divergence>().is_ok(), "{good}");
        }
    }
}
