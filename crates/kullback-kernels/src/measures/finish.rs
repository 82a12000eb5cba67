//! From sums to values: which terms a measure needs, when it is infinite by definition, and the root, logarithm and unit at the
//! end.

use super::Divergence;
use super::order::Order;
use super::term::Term;
use crate::unit::Unit;

/// What the zeros of a pair say, whatever its weights: a few bits per row, found by the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Support(u32);

impl Support {
    /// A bin has weight on both sides.
    pub const COMMON: Support = Support(1);
    /// A bin has weight in p alone.
    pub const ONLY_P: Support = Support(2);
    /// A bin has weight in q alone.
    pub const ONLY_Q: Support = Support(4);

    /// Takes the low three bits.
    #[inline]
    pub const fn from_bits(bits: u32) -> Self {
        Support(bits & 7)
    }

    /// Returns the low three bits.
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Adds `other` if `when`.
    #[inline]
    pub const fn with(self, other: Support, when: bool) -> Self {
        if when { Support(self.0 | other.0) } else { self }
    }

    /// Whether all of `other` is set.
    #[inline]
    pub const fn has(self, other: Support) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What the kernels and the engine know of a measure.
pub trait Definition: Copy {
    /// The one or two sums that the value needs.
    fn terms(self) -> (Term, Option<Term>);
    /// Whether the definition is +∞ on rows with this support.
    fn is_infinite(self, support: Support) -> bool;
    /// Turns the sums of [`Definition::terms`] into values in `unit`; prepared once per call.
    fn finisher(self, unit: Unit) -> Finisher;
}

/// Replaces an order of 1 by its limit, Kullback–Leibler.
fn family(measure: Divergence) -> (Divergence, Option<Order>) {
    match measure {
        Divergence::Renyi(a) | Divergence::Tsallis(a) if a == 1.0 => (Divergence::Kl, None),
        Divergence::Renyi(a) | Divergence::Tsallis(a) | Divergence::Alpha(a) => (measure, Some(Order::new(a))),
        _ => (measure, None),
    }
}

impl Definition for Divergence {
    fn terms(self) -> (Term, Option<Term>) {
        let (family, order) = family(self);
        match (family, order) {
            // At A = ½ the power sum is the affinity.
            (_, Some(order)) if order.a == 0.5 => (Term::deficit_of(order), Some(Term::Affinity)),
            (_, Some(order)) if order.a == f64::INFINITY => (Term::LogPowerSum(order), None),
            (_, Some(order)) => {
                // Below order 1 the sum S can be small, and 1 − (1 − S) would lose its digits. Above order 1 it can be larger
                // than a float while its logarithm is moderate.
                let second = match family {
                    Divergence::Renyi(a) if a < 1.0 => Some(Term::PowerSum(order)),
                    Divergence::Renyi(_) => Some(Term::LogPowerSum(order)),
                    // The sum of a large order can be larger than a float too, before it is divided.
                    _ if order.exponent().abs() > 1.0 => Some(Term::LogPowerSum(order)),
                    _ => None,
                };
                (Term::deficit_of(order), second)
            }
            (Divergence::Kl, _) => (Term::Kl, None),
            (Divergence::ReverseKl, _) => (Term::ReverseKl, None),
            (Divergence::Jeffreys, _) => (Term::Jeffreys, None),
            (Divergence::Js | Divergence::JsDistance, _) => (Term::Js, None),
            (Divergence::Hellinger, _) => (Term::HellingerDeficit, None),
            (Divergence::Bhattacharyya, _) => (Term::HellingerDeficit, Some(Term::Affinity)),
            (Divergence::Tv, _) => (Term::Tv, None),
            (Divergence::Chi2, _) => (Term::Chi2, None),
            (Divergence::NeymanChi2, _) => (Term::NeymanChi2, None),
            (Divergence::CrossEntropy, _) => (Term::CrossEntropy, None),
            (Divergence::Entropy, _) => (Term::Entropy, None),
            (Divergence::Triangular | Divergence::Renyi(_) | Divergence::Tsallis(_) | Divergence::Alpha(_), _) => {
                (Term::Triangular, None)
            }
        }
    }

    fn is_infinite(self, support: Support) -> bool {
        let only_p = support.has(Support::ONLY_P);
        let only_q = support.has(Support::ONLY_Q);
        let (family, order) = family(self);
        match (family, order) {
            (Divergence::Renyi(_), Some(order)) if order.a < 1.0 => !support.has(Support::COMMON),
            (_, Some(order)) => (order.a > 1.0 && only_p) || (order.a < 0.0 && only_q),
            (Divergence::Kl | Divergence::Chi2 | Divergence::CrossEntropy, _) => only_p,
            (Divergence::ReverseKl | Divergence::NeymanChi2, _) => only_q,
            (Divergence::Jeffreys, _) => only_p || only_q,
            (Divergence::Bhattacharyya, _) => !support.has(Support::COMMON),
            _ => false,
        }
    }

    fn finisher(self, unit: Unit) -> Finisher {
        let (family, order) = family(self);
        let ln_base = if self.has_unit() { unit.ln_base() } else { 1.0 };
        let scaled = |most: f64, root: bool| Finisher::Scaled { most, divisor: ln_base, root };
        match (family, order) {
            (Divergence::Renyi(_), Some(order)) if order.a == f64::INFINITY => scaled(f64::INFINITY, false),
            (Divergence::Renyi(_), Some(order)) => {
                Finisher::Logarithm { sign: Term::sign_of_deficit(order), factor: order.b, ln_base }
            }
            (Divergence::Bhattacharyya, _) => Finisher::Logarithm { sign: 1.0, factor: 1.0, ln_base },
            (Divergence::Tsallis(_), Some(order)) => Finisher::divided(order, order.b),
            (Divergence::Alpha(_), Some(order)) => Finisher::divided(order, order.a * order.b),
            (Divergence::Js, _) => scaled(std::f64::consts::LN_2, false),
            (Divergence::JsDistance, _) => scaled(std::f64::consts::LN_2, true),
            (Divergence::Hellinger, _) => scaled(1.0, true),
            (Divergence::Tv, _) => scaled(1.0, false),
            (Divergence::Triangular, _) => scaled(2.0, false),
            _ => scaled(f64::INFINITY, false),
        }
    }
}

/// Turns the sums of a row, each already divided by Q, into a value.
#[derive(Clone, Copy, Debug)]
pub enum Finisher {
    /// The sum (or its root) in some unit. The last rounding may take a bounded measure a unit in the last place out of its
    /// range. It is brought back to the bound.
    Scaled { most: f64, divisor: f64, root: bool },
    /// (1 − S)/divisor. It comes from the logarithm of S if that is given and S has left the range of a float.
    PowerSum { divisor: f64 },
    /// −ln(1 − sign·sum)/factor. It comes from 1 − sum itself if that is given and small.
    Logarithm { sign: f64, factor: f64, ln_base: f64 },
}

impl Finisher {
    /// (1 − Σ p̂ᴬ q̂ᴮ)/divisor.
    fn divided(order: Order, divisor: f64) -> Self {
        match Term::deficit_of(order) {
            Term::PowerDeficit(_) => Finisher::PowerSum { divisor },
            _ => Finisher::Scaled { most: f64::INFINITY, divisor: Term::sign_of_deficit(order) * divisor, root: false },
        }
    }

    /// The largest possible value.
    #[inline]
    pub fn bound(self) -> f64 {
        match self {
            Finisher::Scaled { most, divisor, root } if root => (most / divisor).sqrt(),
            Finisher::Scaled { most, divisor, .. } if divisor > 0.0 => most / divisor,
            _ => f64::INFINITY,
        }
    }

    #[inline]
    pub fn value(self, first: f64, second: Option<f64>) -> f64 {
        let value = match self {
            Finisher::Scaled { most, divisor, root } => {
                let value = if first > most { most } else { first } / divisor;
                if root { value.sqrt() } else { value }
            }
            Finisher::PowerSum { divisor } => match second {
                Some(logarithm) if !first.is_finite() => (logarithm - divisor.abs().ln()).exp(),
                _ => first / divisor,
            },
            // The sum itself has left the range of a float, and the second sum is its logarithm.
            Finisher::Logarithm { factor, ln_base, .. } if !first.is_finite() => {
                -second.unwrap_or(f64::INFINITY) / factor / ln_base
            }
            // Below order 1 the second sum is the power sum itself.
            Finisher::Logarithm { sign, factor, ln_base } => {
                let deficit = sign * first;
                let minus_ln = match second {
                    Some(direct) if deficit > 0.5 => -direct.ln(),
                    _ => -(-deficit).ln_1p(),
                };
                minus_ln / factor / ln_base
            }
        };
        positive(value)
    }

    /// A sum above which every value is larger than `value`, if values grow with the first sum alone.
    #[inline]
    pub fn most_sum(self, value: f64) -> f64 {
        match self {
            Finisher::Scaled { divisor, root, .. } if divisor > 0.0 => {
                let sum = if root { value * value } else { value } * divisor;
                // Values are good to 1e-6.
                sum * (1.0 + 1e-5)
            }
            _ => f64::INFINITY,
        }
    }
}

/// Never negative, and no −0. A NaN stays visible.
#[inline]
pub fn positive(value: f64) -> f64 {
    if value <= 0.0 { 0.0 } else { value }
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
