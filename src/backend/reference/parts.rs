//! What each bin adds to a measure, by its textbook definition.

use super::real::{DoubleDouble, real};
use super::{PairShares, SideShares, base_of, cumulated, prepare, w1_parts, weights};
use crate::output::RowStatus;
use kullback_kernels::measures::Divergence;
use kullback_kernels::unit::Unit;
use kullback_kernels::weights::Rows;
use kullback_kernels::zeros::Zeros;

/// p̂ ln(p̂/q̂) of a bin; `None` if it is +∞.
fn kl(p: &SideShares, q: &SideShares, bin: usize) -> Option<DoubleDouble> {
    match (p.has(bin), q.has(bin)) {
        (false, _) => Some(real(0.0)),
        (true, false) => None,
        (true, true) => Some(p.shares[bin] * (p.logs()[bin] - q.logs()[bin])),
    }
}

/// p̂ᴬ q̂¹⁻ᴬ of a bin.
fn power(p: &SideShares, q: &SideShares, order: f64, bin: usize) -> Option<DoubleDouble> {
    match (p.has(bin), q.has(bin)) {
        (true, true) => Some((real(order) * p.logs()[bin] + (real(1.0) - real(order)) * q.logs()[bin]).exp()),
        (true, false) if order > 1.0 => None,
        (false, true) if order < 0.0 => None,
        _ => Some(real(0.0)),
    }
}

/// A·p̂ ln(p̂/m̂) + B·q̂ ln(q̂/m̂), m̂ = A·p̂ + B·q̂.
fn skewed<'s>(
    p: &'s SideShares,
    q: &'s SideShares,
    [a, b]: [DoubleDouble; 2],
) -> impl Fn(usize) -> Option<DoubleDouble> + 's {
    let middle = p.mixed([a, b], q);
    // A bin whose part of the middle is below every float adds nothing.
    let part = move |side: &SideShares, bin| {
        if middle.has(bin) { kl(side, &middle, bin) } else { Some(real(0.0)) }
    };
    move |bin| Some(a * part(p, bin)? + b * part(q, bin)?)
}

/// What each bin adds. `None` in place of a bin is +∞; `None` in place of all of them says that the measure is no sum over bins.
fn terms(which: Divergence, pair: &PairShares, positions: &[f64]) -> Option<Vec<Option<DoubleDouble>>> {
    let PairShares { p, q, pooled } = pair;
    let (one, half) = (real(1.0), real(0.5));
    let halves = [half, half];
    let bins = p.shares.len();
    let square = |x: DoubleDouble| x * x;
    let of = |term: &dyn Fn(usize) -> Option<DoubleDouble>| Some((0..bins).map(term).collect());
    let shares = |bin: usize| (p.shares[bin], q.shares[bin]);
    let chi2 = |p: &SideShares, q: &SideShares, bin: usize| match (p.has(bin), q.has(bin)) {
        (true, false) => None,
        (false, false) => Some(real(0.0)),
        // The square alone may be below every float.
        (_, true) => {
            let off = p.shares[bin] - q.shares[bin];
            Some(off / q.shares[bin] * off)
        }
    };
    match which {
        Divergence::Renyi(f64::INFINITY) | Divergence::Ks => None,
        Divergence::Kl | Divergence::Renyi(1.0) | Divergence::Tsallis(1.0) => of(&|bin| kl(p, q, bin)),
        Divergence::ReverseKl => of(&|bin| kl(q, p, bin)),
        Divergence::Jeffreys => of(&|bin| Some(kl(p, q, bin)? + kl(q, p, bin)?)),
        Divergence::Js | Divergence::JsDistance => of(&skewed(p, q, halves)),
        Divergence::LinK => {
            let middle = p.mixed(halves, q);
            of(&|bin| kl(p, &middle, bin))
        }
        Divergence::SkewJs(weight) => of(&skewed(p, q, [real(weight), one - real(weight)])),
        Divergence::PooledJs => of(&skewed(p, q, *pooled)),
        Divergence::Hellinger => of(&|bin| Some(square(p.shares[bin].sqrt() - q.shares[bin].sqrt()) * half)),
        Divergence::Bhattacharyya => of(&|bin| Some(p.shares[bin].sqrt() * q.shares[bin].sqrt())),
        Divergence::Tv => of(&|bin| Some((p.shares[bin] - q.shares[bin]).abs() * half)),
        Divergence::Chi2 => of(&|bin| chi2(p, q, bin)),
        Divergence::NeymanChi2 => of(&|bin| chi2(q, p, bin)),
        Divergence::Triangular => of(&|bin| {
            let (a, b) = shares(bin);
            let both = a + b;
            Some(if both.is_positive() { (a - b) / both * (a - b) } else { both })
        }),
        Divergence::Renyi(order) => of(&|bin| power(p, q, order, bin)),
        Divergence::Tsallis(order) => of(&|bin| Some((power(p, q, order, bin)? - p.shares[bin]) / (real(order) - one))),
        Divergence::Alpha(order) => of(&|bin| {
            let (a, b) = shares(bin);
            let order_of = real(order);
            let line = order_of * a + (one - order_of) * b;
            Some((power(p, q, order, bin)? - line) / (order_of * (order_of - one)))
        }),
        Divergence::CrossEntropy => of(&|bin| match (p.has(bin), q.has(bin)) {
            (false, _) => Some(real(0.0)),
            (true, false) => None,
            (true, true) => Some(-(p.shares[bin] * q.logs()[bin])),
        }),
        Divergence::Entropy => of(&|bin| Some(-(p.shares[bin] * p.logs()[bin]))),
        Divergence::W1 => Some(w1_parts(&cumulated(p, q), positions).into_iter().map(Some).collect()),
    }
}

/// Whether what the bins add is in the unit of the value. The sum under a logarithm is not.
fn has_unit(which: Divergence) -> bool {
    match which {
        Divergence::Bhattacharyya => false,
        Divergence::Renyi(order) => order == 1.0,
        other => other.has_unit(),
    }
}

/// What each bin of a pair of rows adds. NaN stands for no value. `None` if the measure is no sum over bins.
pub(crate) fn parts(
    which: Divergence,
    (p, p_row): (&Rows<'_>, usize),
    (q, q_row): (&Rows<'_>, usize),
    zeros: Zeros,
    unit: Unit,
    positions: &[f64],
) -> Option<Vec<f64>> {
    let bins = p.bins();
    let pair = match (weights(p, p_row), weights(q, q_row)) {
        (Some(p), Some(q)) => prepare(zeros, p, q),
        _ => Err(RowStatus::Invalid),
    };
    let Ok(pair) = pair else { return Some(vec![f64::NAN; bins]) };
    let divisor = if has_unit(which) && unit != Unit::Nats { real(base_of(unit)).ln() } else { real(1.0) };
    // A part that is −0 becomes 0.
    let finish = |part: Option<DoubleDouble>| part.map_or(f64::INFINITY, |x| (x / divisor).to_signed_f64() + 0.0);
    Some(terms(which, &pair, positions)?.into_iter().map(finish).collect())
}
