//! The power sum Σ p̂ᴬ q̂¹⁻ᴬ behind `renyi`, `tsallis` and `alpha`.
//!
//! With B = 1 − A, 1 − Σ p̂ᴬ q̂ᴮ = (1/Q) Σ [A·a + B·q − aᴬqᴮ], and every term has the sign of AB. The power is written as
//! base·eʸ, with y = A·ln(a/q) over q (A < ½) or y = −B·ln(a/q) over a. Where −1 ≤ y ≤ 2 the term is A·s·F_kl(−z) − q·φ(y), or
//! B·s·F_kl(z) − a·φ(y), with φ(y) = eʸ − 1 − y from its own series: no first-order part is left to cancel. Elsewhere A·a + B·q
//! is q + A·u or a − B·u. Sources: A. Rényi, 1961; C. Tsallis, 1988; S. Amari, 1985.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::form::{Form, Inner, Operand};
use super::kl::{kl_term, reverse_kl_term};
use super::order::Order;
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

/// Empty: a form cannot give a sum that leaves the range of a float.
pub(super) fn log_power_sum_form(_order: Order) -> Form {
    Form::default()
}
