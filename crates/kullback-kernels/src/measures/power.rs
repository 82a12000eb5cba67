//! The power sum Σ p̂ᴬ q̂¹⁻ᴬ behind `renyi`, `tsallis` and `alpha`.
//!
//! With B = 1 − A, 1 − Σ p̂ᴬ q̂ᴮ = (1/Q) Σ [A·a + B·q − aᴬqᴮ], and every term has the sign of AB. The power is written as
//! base·eʸ, with y = A·ln(a/q) over q (A < ½) or y = −B·ln(a/q) over a. Where −1 ≤ y ≤ 2 the term is A·s·F_kl(−z) − q·φ(y), or
//! B·s·F_kl(z) − a·φ(y), with φ(y) = eʸ − 1 − y from its own series: no first-order part is left to cancel. Elsewhere A·a + B·q
//! is q + A·u or a − B·u. Sources: A. Rényi, 1961; C. Tsallis, 1988; S. Amari, 1985.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::facts::{Infinite, MeasureFacts, Precision, TermFacts};
use super::finish::Finisher;
use super::form::{Form, Inner, Operand};
use super::kl::{kl, kl_term, reverse_kl_term};
use super::order::Order;
use super::term::Term;
use crate::arithmetic::contrast::Contrast;
use crate::arithmetic::exponential::{exp_remainder, scaled_exp};
use crate::arithmetic::lanes::{Lanes, Real, keep};

/// aᴬqᴮ, and 0 where either side has no weight.
#[inline(always)]
pub(super) fn power_sum_term<S: Simd, T: Real>(c: &Contrast<S, T>, order: Order) -> Lanes<S, T> {
    let base = if order.base_is_q { c.q } else { c.a };
    // The exponent times the power of two of a/q is split exactly into an integer and a fraction. The leading part of the
    // exponent has so few digits that the product is exact.
    let exponent = order.exponent();
    let leading = T::leading(exponent);
    let power_of_two = c.ratio.exponent(c.simd);
    let product = power_of_two * c.splat(leading);
    let whole = product.round_ties_even();
    let fraction = (product - whole) + power_of_two * c.splat(exponent - leading);
    let x = fraction.mul_add(c.splat(std::f64::consts::LN_2), c.ratio.rest() * c.splat(exponent));
    keep::<S, T>(c.simd, c.both(), scaled_exp::<S, T>(c.simd, base, whole, x))
}

/// Zero. The value is needed only where the power sum overflows, and then the row is read again for it.
#[inline(always)]
pub(super) fn log_power_sum_term<S: Simd, T: Real>(c: &Contrast<S, T>, _order: Order) -> Lanes<S, T> {
    c.splat(0.0)
}

/// A·a + B·q − aᴬqᴮ.
#[inline(always)]
pub(super) fn power_deficit_term<S: Simd, T: Real>(c: &Contrast<S, T>, order: Order) -> Lanes<S, T> {
    let y = c.log_ratio() * c.splat(order.exponent());
    // A·a + B·q without the cancellation of large orders.
    let plain = if order.base_is_q { c.u.mul_add(c.splat(order.a), c.q) } else { c.u.mul_add(c.splat(-order.b), c.a) };
    let direct = plain - power_sum_term(c, order);
    let remainder = exp_remainder::<S, T>(c.simd, y);
    let small = if order.base_is_q {
        reverse_kl_term(c) * c.splat(order.a) - c.q * remainder
    } else {
        kl_term(c) * c.splat(order.b) - c.a * remainder
    };
    (c.both() & y.simd_ge(c.splat(-1.0)) & y.simd_le(c.splat(2.0))).select(small, direct)
}

/// ⟨p̂ᴬ, q̂¹⁻ᴬ⟩.
fn power_sum(order: Order) -> Inner {
    Inner::Product(Operand::Power(order.a), Operand::Power(order.b))
}

/// 1 − ⟨p̂ᴬ, q̂¹⁻ᴬ⟩.
pub(super) fn power_deficit_form(order: Order) -> Form {
    Form::of(1.0, power_sum(order), -1.0)
}

/// ⟨p̂ᴬ, q̂¹⁻ᴬ⟩.
pub(super) fn power_sum_form(order: Order) -> Form {
    Form::of(0.0, power_sum(order), 1.0)
}

/// Empty: a form cannot give a sum that leaves the range of a float. The largest ratio is no sum.
pub(super) fn log_power_sum_form(order: Order) -> Option<Form> {
    (order.a != f64::INFINITY).then(Form::default)
}

/// Whether 32-bit rounding stays well within the contract at this order. The exponent of a/q amplifies it if that exponent is
/// large. Between 0 and 1 (except ½, which is the affinity), the rest of two terms of second order amplifies it threefold.
fn is_narrow(order: Order) -> bool {
    order.exponent().abs() <= 1.0 && !(0.0 < order.a && order.a < 1.0)
}

pub(super) const DEFICIT: TermFacts =
    TermFacts { second_part: true, narrow: is_narrow, ..TermFacts::with_log("power_deficit_term") };

pub(super) const SUM: TermFacts =
    TermFacts { precision: Precision::Positive, narrow: is_narrow, ..TermFacts::with_log("power_sum_term") };

pub(super) const LOGARITHM: TermFacts =
    TermFacts { shader: None, precision: Precision::Logarithm, narrow: is_narrow, ..TermFacts::of("") };

/// The largest order. No product of two orders leaves the range of a float.
const LARGEST_ORDER: f64 = 1e100;
/// The least order of `alpha`, either way. The sum of `alpha` is divided by its order, and at 0 the limit is `reverse_kl`. An
/// order of this size is already that close to it.
const LEAST_ORDER: f64 = 1e-12;

pub(super) fn renyi_allows(order: f64) -> bool {
    (0.0..=LARGEST_ORDER).contains(&order) || order == f64::INFINITY
}

pub(super) fn tsallis_allows(order: f64) -> bool {
    order > 0.0 && order <= LARGEST_ORDER
}

pub(super) fn alpha_allows(order: f64) -> bool {
    (LEAST_ORDER..=LARGEST_ORDER).contains(&order.abs()) && order != 1.0
}

/// The term of 1 − Σ p̂ᴬ q̂ᴮ and its sign. At A = ½, 2 and −1 there is a term in which nothing cancels; χ² is Σ − 1.
pub(crate) fn deficit_of(order: Order) -> (Term, f64) {
    match order.a {
        0.5 => (Term::HellingerDeficit, 1.0),
        2.0 => (Term::Chi2, -1.0),
        -1.0 => (Term::NeymanChi2, -1.0),
        _ => (Term::PowerDeficit(order), 1.0),
    }
}

/// The power sum is infinite where a negative power meets a zero.
fn infinite(order: Order) -> Infinite {
    match order.a {
        a if a > 1.0 => Infinite::OnlyP,
        a if a < 0.0 => Infinite::OnlyQ,
        _ => Infinite::Never,
    }
}

/// (1 − Σ p̂ᴬ q̂ᴮ)/divisor.
fn divided(order: Order, divisor: f64) -> MeasureFacts {
    let (deficit, sign) = deficit_of(order);
    let second = match order.a {
        // At A = ½ the power sum is the affinity.
        0.5 => Some(Term::Affinity),
        // The sum of a large order can be larger than a float, before it is divided.
        _ if order.exponent().abs() > 1.0 => Some(Term::LogPowerSum(order)),
        _ => None,
    };
    let finisher = match deficit {
        Term::PowerDeficit(_) => Finisher::PowerSum { divisor },
        _ => Finisher::Scaled { most: f64::INFINITY, divisor: sign * divisor, root: false },
    };
    MeasureFacts {
        terms: (deficit, second),
        finisher,
        infinite: infinite(order),
        has_unit: false,
        is_symmetric: order.a == 0.5,
    }
}

pub(super) fn tsallis(order: f64) -> MeasureFacts {
    if order == 1.0 {
        return MeasureFacts { has_unit: false, ..kl() };
    }
    let order = Order::new(order);
    divided(order, order.b)
}

pub(super) fn alpha(order: f64) -> MeasureFacts {
    let order = Order::new(order);
    divided(order, order.a * order.b)
}

pub(super) fn renyi(order: f64) -> MeasureFacts {
    if order == 1.0 {
        return kl();
    }
    let order = Order::new(order);
    if order.a == f64::INFINITY {
        let largest = MeasureFacts::sum_of(Term::LogPowerSum(order));
        return MeasureFacts { infinite: Infinite::OnlyP, has_unit: true, ..largest };
    }
    let (deficit, sign) = deficit_of(order);
    // Below order 1 the sum S can be small, and 1 − (1 − S) would lose its digits. Above order 1 it can be larger than a float
    // while its logarithm is moderate.
    let second = match order.a {
        0.5 => Term::Affinity,
        a if a < 1.0 => Term::PowerSum(order),
        _ => Term::LogPowerSum(order),
    };
    MeasureFacts {
        terms: (deficit, Some(second)),
        finisher: Finisher::Logarithm { sign, factor: order.b, ln_base: 1.0 },
        infinite: if order.a < 1.0 { Infinite::Disjoint } else { Infinite::OnlyP },
        has_unit: true,
        is_symmetric: order.a == 0.5,
    }
}
