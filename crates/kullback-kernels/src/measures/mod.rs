//! What is computed: the measures, and the one table that names them.
//!
//! Every measure is a finish (`finish.rs`) over one or two sums of a [`Term`]. A term is one small function of the
//! [contrast](crate::arithmetic::contrast::Contrast) of a bin. It is written once here over a SIMD vector and once in `shaders/measures/` under
//! the same file name.

mod chi2;
mod entropy;
pub mod finish;
pub mod form;
pub mod hellinger;
mod jeffreys;
mod js;
mod kl;
pub mod order;
mod power;
pub mod term;
mod triangular;
mod tv;

use std::fmt;
use std::str::FromStr;

pub use term::Term;

use crate::error::{Error, Result};
use crate::names::nearest;

/// A measure of how far one distribution is from another.
///
/// Definitions are for the normalised rows p̂ = p/Σp and q̂ = q/Σq, in nats; `0·ln(0/x) = 0`. Every value is ≥ 0, exactly 0 for
/// equal rows, and +∞ exactly where the definition is. The name of each variant (for [`FromStr`] and [`Display`](fmt::Display))
/// stands at the start of its description.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Divergence {
    /// `kl`: Kullback–Leibler, Σ p̂ ln(p̂/q̂), in \[0, ∞\].
    Kl,
    /// `reverse_kl`: KL(q̂‖p̂), in \[0, ∞\].
    ReverseKl,
    /// `jeffreys` (alias `psi`): KL(p̂‖q̂) + KL(q̂‖p̂), the population stability index, in \[0, ∞\].
    Jeffreys,
    /// `js`: Jensen–Shannon, ½KL(p̂‖m̂) + ½KL(q̂‖m̂) with m̂ = (p̂+q̂)/2, in \[0, ln 2\].
    Js,
    /// `js_distance`: the root of `js` in the chosen unit, in \[0, √ln 2\].
    JsDistance,
    /// `hellinger`: √(1 − BC) with BC = Σ√(p̂q̂), in \[0, 1\].
    Hellinger,
    /// `bhattacharyya`: −ln BC, in \[0, ∞\].
    Bhattacharyya,
    /// `tv`: total variation, ½ Σ|p̂ − q̂|, in \[0, 1\].
    Tv,
    /// `chi2`: Pearson, Σ (p̂ − q̂)²/q̂, in \[0, ∞\].
    Chi2,
    /// `neyman_chi2`: Σ (p̂ − q̂)²/p̂, in \[0, ∞\].
    NeymanChi2,
    /// `triangular`: Σ (p̂ − q̂)²/(p̂ + q̂), in \[0, 2\].
    Triangular,
    /// `renyi:A`: ln(Σ p̂ᴬ q̂¹⁻ᴬ)/(A − 1), A ≥ 0; A = 1 means `kl`, A = ∞ (`renyi:inf`) the limit ln max p̂/q̂. In \[0, ∞\].
    Renyi(f64),
    /// `tsallis:A`: (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A − 1), A > 0; A = 1 means `kl` in nats. In \[0, ∞\].
    Tsallis(f64),
    /// `alpha:A`: (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A(A − 1)), A ∉ {0, 1}. In \[0, ∞\].
    Alpha(f64),
    /// `cross_entropy`: −Σ p̂ ln q̂, in \[0, ∞\].
    CrossEntropy,
    /// `entropy`: −Σ p̂ ln p̂, in \[0, ln n\]. The value does not depend on q.
    Entropy,
}

/// The names of the measures without an order, in the order of the documentation.
const NAMED: [(&str, Divergence); 14] = [
    ("kl", Divergence::Kl),
    ("reverse_kl", Divergence::ReverseKl),
    ("jeffreys", Divergence::Jeffreys),
    ("psi", Divergence::Jeffreys),
    ("js", Divergence::Js),
    ("js_distance", Divergence::JsDistance),
    ("hellinger", Divergence::Hellinger),
    ("bhattacharyya", Divergence::Bhattacharyya),
    ("tv", Divergence::Tv),
    ("chi2", Divergence::Chi2),
    ("neyman_chi2", Divergence::NeymanChi2),
    ("triangular", Divergence::Triangular),
    ("cross_entropy", Divergence::CrossEntropy),
    ("entropy", Divergence::Entropy),
];

/// The name of a family that takes an order after a colon, and its constructor.
type Family = (&'static str, fn(f64) -> Divergence);
const FAMILIES: [Family; 3] =
    [("renyi", Divergence::Renyi), ("tsallis", Divergence::Tsallis), ("alpha", Divergence::Alpha)];

/// The largest order. No product of two orders leaves the range of a float.
const LARGEST_ORDER: f64 = 1e100;
/// The least order of `alpha`, either way. The sum of `alpha` is divided by its order, and at 0 the limit is `reverse_kl`. An
/// order of this size is already that close to it.
const LEAST_ORDER: f64 = 1e-12;

impl Divergence {
    /// Checks the order of the families that have one.
    ///
    /// # Errors
    /// [`Error::Order`].
    pub fn validate(self) -> Result<Self> {
        let check = |ok: bool, measure, order: f64, expected| {
            let ok = ok && (order.abs() <= LARGEST_ORDER || self == Divergence::Renyi(f64::INFINITY));
            if ok { Ok(self) } else { Err(Error::Order { measure, order, expected }) }
        };
        match self {
            Divergence::Renyi(a) => check(a >= 0.0, "renyi", a, "A must lie between 0 and 1e100, or be inf"),
            Divergence::Tsallis(a) => check(a > 0.0, "tsallis", a, "A must be above 0, and at most 1e100"),
            Divergence::Alpha(a) => {
                let expected = "A must be neither 1 nor within 1e-12 of 0, and between -1e100 and 1e100";
                check(a.abs() >= LEAST_ORDER && a != 1.0, "alpha", a, expected)
            }
            _ => Ok(self),
        }
    }

    /// Whether the value is divided by the logarithm of the unit's base.
    #[must_use]
    pub fn has_unit(self) -> bool {
        !matches!(
            self,
            Divergence::Hellinger
                | Divergence::Tv
                | Divergence::Chi2
                | Divergence::NeymanChi2
                | Divergence::Triangular
                | Divergence::Tsallis(_)
                | Divergence::Alpha(_)
        )
    }

    /// Whether the value stays the same if p and q are exchanged.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        matches!(
            self,
            Divergence::Jeffreys
                | Divergence::Js
                | Divergence::JsDistance
                | Divergence::Hellinger
                | Divergence::Bhattacharyya
                | Divergence::Tv
                | Divergence::Triangular
        ) || matches!(self, Divergence::Renyi(a) | Divergence::Tsallis(a) | Divergence::Alpha(a) if a == 0.5)
    }

    /// Whether the value is of first order in the difference of the rows. Then it has half the digits that a second-order value
    /// has on proportional rows after rounding, and the contract allows 1e-12 there.
    #[must_use]
    pub fn is_first_order(self) -> bool {
        matches!(self, Divergence::Tv | Divergence::Hellinger | Divergence::JsDistance)
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Divergence::Renyi(a) => write!(f, "renyi:{a}"),
            Divergence::Tsallis(a) => write!(f, "tsallis:{a}"),
            Divergence::Alpha(a) => write!(f, "alpha:{a}"),
            named => f.write_str(NAMED.iter().find(|(_, d)| d == named).map_or("", |(name, _)| name)),
        }
    }
}

impl FromStr for Divergence {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some((_, named)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*named);
        }
        if let Some((family, order)) = text.split_once(':')
            && let Some((_, make)) = FAMILIES.iter().find(|(name, _)| *name == family)
            && let Ok(order) = order.parse::<f64>()
        {
            return make(order).validate();
        }
        let names = NAMED.iter().map(|(name, _)| (*name).to_owned());
        let families = FAMILIES.iter().map(|(name, _)| format!("{name}:2"));
        Err(Error::UnknownDivergence { name: text.to_owned(), nearest: nearest(text, names.chain(families)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zeros::Zeros;

    #[test]
    fn names_round_trip() {
        for (name, divergence) in NAMED {
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
    }
}
