//! The oracle: every measure by its textbook definition, one row at a time, in scalar arithmetic with twice the digits of a
//! 64-bit float (about 31). It shares no helper with the kernels it judges.
//!
//! Its own error is about 1e-30 of the terms it adds. So even Σ p̂ ln(p̂/q̂) of rows that differ by 1e-9 keeps more digits than
//! the contract asks for. The logarithms of a row are computed once for all measures.

pub(crate) mod parts;
mod real;

use std::cell::OnceCell;

use self::real::{DoubleDouble, real};
use crate::contract::LEAST_SHARE;
use crate::output::RowStatus;
use kullback_kernels::measures::Divergence;
use kullback_kernels::unit::Unit;
use kullback_kernels::weights::{Rows, Weights};
use kullback_kernels::zeros::Zeros;

fn sum(terms: impl Iterator<Item = DoubleDouble>) -> DoubleDouble {
    terms.fold(real(0.0), |total, x| total + x)
}

/// The stored weights of one row. `None` if one is invalid.
fn weights(rows: &Rows<'_>, row: usize) -> Option<Vec<DoubleDouble>> {
    let at = row * rows.row_stride();
    let whole = |x: i128| real(x as f64) + real((x - x as f64 as i128) as f64);
    let exact = |bin: usize| match rows.weights() {
        Weights::U64(w) => whole(i128::from(w[at + bin])),
        Weights::I64(w) => whole(i128::from(w[at + bin])),
        other => real(other.get(at + bin).unwrap_or(f64::NAN)),
    };
    let row: Vec<DoubleDouble> = (0..rows.bins()).map(exact).collect();
    row.iter().all(|x| x.hi >= 0.0 && x.hi <= f64::MAX).then_some(row)
}

/// The shares of a row with `added` on every weight, and whether a weight has too small a share. The row is scaled by a power
/// of two first, so that no sum leaves the range of a float.
fn shares(row: &[DoubleDouble], added: f64) -> (Vec<DoubleDouble>, bool) {
    let largest = row.iter().fold(added, |most, x| most.max(x.hi));
    let n = if largest > 0.0 { -largest.log2() as i32 } else { 0 };
    let scaled: Vec<DoubleDouble> = row.iter().map(|x| x.times_two_to(n) + real(added).times_two_to(n)).collect();
    let shares = normalise(&scaled);
    let has_weight = |x: &DoubleDouble| x.is_positive() || added > 0.0;
    let vanishes = row.iter().zip(&shares).any(|(x, share)| has_weight(x) && share.hi < LEAST_SHARE);
    (shares, vanishes)
}

fn normalise(row: &[DoubleDouble]) -> Vec<DoubleDouble> {
    let total = sum(row.iter().copied());
    row.iter().map(|&x| x / total).collect()
}

/// One side under `epsilon`. `None` if a bin would become zero or negative.
fn epsilon_side(w: &[DoubleDouble], other: &[DoubleDouble], epsilon: DoubleDouble) -> Option<Vec<DoubleDouble>> {
    let missing = w.iter().zip(other).filter(|(x, y)| !x.is_positive() && y.is_positive()).count() as f64;
    let present = w.iter().filter(|x| x.is_positive()).count() as f64;
    let bin = |(&x, &y): (&DoubleDouble, &DoubleDouble)| match (x.is_positive(), y.is_positive()) {
        (true, _) => Some(x - real(missing) * epsilon / real(present)).filter(|x| x.is_positive()),
        (false, true) => Some(epsilon),
        (false, false) => Some(real(0.0)),
    };
    w.iter().zip(other).map(bin).collect()
}

/// N/(N + M) and M/(N + M) of the stored totals; ½ if both are 0. Both, because one may be so small that 1 minus it is 1. The
/// totals are divided by the largest weight first, so that no sum leaves the range of a float.
fn pooled(p: &[DoubleDouble], q: &[DoubleDouble]) -> [DoubleDouble; 2] {
    let largest = p.iter().chain(q).fold(0.0_f64, |most, x| most.max(x.hi));
    if largest == 0.0 {
        return [real(0.5); 2];
    }
    let n = -largest.log2() as i32;
    let total = |row: &[DoubleDouble]| sum(row.iter().map(|x| x.times_two_to(n)));
    let (p, q) = (total(p), total(q));
    [p / (p + q), q / (p + q)]
}

/// A pair of rows after the zero policy.
struct PairShares {
    p: SideShares,
    q: SideShares,
    /// N/(N + M) and M/(N + M) of the totals before the policy.
    pooled: [DoubleDouble; 2],
}

/// The pair after the zero policy, or the status that replaces the values.
fn prepare(zeros: Zeros, mut p: Vec<DoubleDouble>, mut q: Vec<DoubleDouble>) -> Result<PairShares, RowStatus> {
    let added = if let Zeros::Additive(amount) = zeros { amount } else { 0.0 };
    let empty = |row: &[DoubleDouble]| added == 0.0 && !row.iter().any(|x| x.is_positive());
    if empty(&p) || empty(&q) {
        return Err(RowStatus::Empty);
    }
    if zeros == Zeros::Skip {
        // The bins that stay keep their places.
        for (a, b) in p.iter_mut().zip(&mut q).filter(|(a, b)| !(a.is_positive() && b.is_positive())) {
            (*a, *b) = (real(0.0), real(0.0));
        }
        if empty(&p) {
            return Err(RowStatus::Empty);
        }
    }
    let pooled = pooled(&p, &q);
    let ((p, p_vanishes), (q, q_vanishes)) = (shares(&p, added), shares(&q, added));
    let n = real(p.len() as f64);
    let (p, q) = match zeros {
        Zeros::Exact | Zeros::Skip | Zeros::Additive(_) => (p, q),
        Zeros::Mix(share) => {
            let mix = |x: &DoubleDouble| (real(1.0) - real(share)) * *x + real(share) / n;
            (p.iter().map(mix).collect(), q.iter().map(mix).collect())
        }
        Zeros::Floor(least) => {
            let floor = |x: &DoubleDouble| if *x < real(least) { real(least) } else { *x };
            let (p, q): (Vec<DoubleDouble>, Vec<DoubleDouble>) =
                (p.iter().map(floor).collect(), q.iter().map(floor).collect());
            (normalise(&p), normalise(&q))
        }
        Zeros::Epsilon(e) => match (epsilon_side(&p, &q, real(e)), epsilon_side(&q, &p, real(e))) {
            (Some(p), Some(q)) => (p, q),
            _ => return Err(RowStatus::Invalid),
        },
    };
    // A weight may vanish if the policy puts something in its place.
    let puts = matches!(zeros, Zeros::Mix(_) | Zeros::Floor(_));
    let too_small = |row: &[DoubleDouble]| row.iter().any(|x| x.is_positive() && x.hi < LEAST_SHARE);
    if (!puts && (p_vanishes || q_vanishes)) || too_small(&p) || too_small(&q) {
        return Err(RowStatus::Invalid);
    }
    Ok(PairShares { p: SideShares::new(p), q: SideShares::new(q), pooled })
}

/// The shares of one side, and their logarithms once a measure asks for them.
struct SideShares {
    shares: Vec<DoubleDouble>,
    logs: OnceCell<Vec<DoubleDouble>>,
}

impl SideShares {
    fn new(shares: Vec<DoubleDouble>) -> Self {
        Self { shares, logs: OnceCell::new() }
    }

    /// ln p̂ of each bin. A bin without weight gets 0, which no measure uses.
    fn logs(&self) -> &[DoubleDouble] {
        let log = |x: &DoubleDouble| if x.is_positive() { x.ln() } else { real(0.0) };
        self.logs.get_or_init(|| self.shares.iter().map(log).collect())
    }

    fn has(&self, bin: usize) -> bool {
        self.shares[bin].is_positive()
    }

    /// Whether some bin has weight here alone.
    fn exceeds(&self, other: &SideShares) -> bool {
        (0..self.shares.len()).any(|bin| self.has(bin) && !other.has(bin))
    }

    /// Σ over the bins with weight.
    fn sum(&self, term: impl Fn(usize) -> DoubleDouble) -> DoubleDouble {
        sum((0..self.shares.len()).filter(|&bin| self.has(bin)).map(term))
    }

    /// own·p̂ + rest·q̂.
    fn mixed(&self, [own, rest]: [DoubleDouble; 2], other: &SideShares) -> SideShares {
        let pairs = self.shares.iter().zip(&other.shares);
        SideShares::new(pairs.map(|(&a, &b)| own * a + rest * b).collect())
    }
}

fn kl(p: &SideShares, q: &SideShares) -> Option<DoubleDouble> {
    (!p.exceeds(q)).then(|| p.sum(|bin| p.shares[bin] * (p.logs()[bin] - q.logs()[bin])))
}

fn chi2(p: &SideShares, q: &SideShares) -> Option<DoubleDouble> {
    let off = |bin: usize| p.shares[bin] - q.shares[bin];
    (!p.exceeds(q)).then(|| q.sum(|bin| off(bin) * off(bin) / q.shares[bin]))
}

/// ln p̂ᴬ q̂¹⁻ᴬ of each bin of the common support.
fn log_powers(p: &SideShares, q: &SideShares, order: f64) -> Vec<DoubleDouble> {
    let common = (0..p.shares.len()).filter(|&bin| p.has(bin) && q.has(bin));
    common.map(|bin| real(order) * p.logs()[bin] + (real(1.0) - real(order)) * q.logs()[bin]).collect()
}

/// Σ p̂ᴬ q̂¹⁻ᴬ over the common support.
fn power_sum(p: &SideShares, q: &SideShares, order: f64) -> Option<DoubleDouble> {
    if (order > 1.0 && p.exceeds(q)) || (order < 0.0 && q.exceeds(p)) {
        return None;
    }
    Some(sum(log_powers(p, q, order).into_iter().map(DoubleDouble::exp)))
}

/// Its logarithm, computed through the largest addend so that no sum overflows. `None` if it is ±∞.
fn log_power_sum(p: &SideShares, q: &SideShares, order: f64) -> Option<DoubleDouble> {
    if order > 1.0 && p.exceeds(q) {
        return None;
    }
    let logs = log_powers(p, q, order);
    let largest = logs.iter().copied().reduce(|x, y| if y > x { y } else { x })?;
    Some(largest + sum(logs.iter().map(|&y| (y - largest).exp())).ln())
}

/// (Σ p̂ᴬ q̂¹⁻ᴬ − 1) divided by `divisor`, through the logarithm if the sum alone leaves the range of a float.
fn divided_power_sum(p: &SideShares, q: &SideShares, order: f64, divisor: DoubleDouble) -> Option<DoubleDouble> {
    let sum = power_sum(p, q, order)?;
    if sum.hi.is_finite() {
        return Some((sum - real(1.0)) / divisor);
    }
    Some((log_power_sum(p, q, order)? - divisor.abs().ln()).exp())
}

/// ln max p̂/q̂.
fn largest_log_ratio(p: &SideShares, q: &SideShares) -> Option<DoubleDouble> {
    let ratios = (0..p.shares.len()).filter(|&bin| p.has(bin)).map(|bin| p.shares[bin] / q.shares[bin]);
    (!p.exceeds(q)).then(|| ratios.fold(real(0.0), |x, y| if y > x { y } else { x }).ln())
}

/// A·KL(p̂‖m̂) + B·KL(q̂‖m̂), m̂ = A·p̂ + B·q̂.
fn skewed(p: &SideShares, q: &SideShares, [a, b]: [DoubleDouble; 2]) -> DoubleDouble {
    let middle = p.mixed([a, b], q);
    // A bin that a side has is in the middle too, unless its part there is below every float. Then it adds nothing.
    let to_middle = |side: &SideShares| {
        let seen = (0..side.shares.len()).filter(|&bin| side.has(bin) && middle.has(bin));
        sum(seen.map(|bin| side.shares[bin] * (side.logs()[bin] - middle.logs()[bin])))
    };
    a * to_middle(p) + b * to_middle(q)
}

/// F − G after each bin.
fn cumulated(p: &SideShares, q: &SideShares) -> Vec<DoubleDouble> {
    let mut off = real(0.0);
    let after = |(&a, &b): (&DoubleDouble, &DoubleDouble)| {
        off = off + a - b;
        off
    };
    p.shares.iter().zip(&q.shares).map(after).collect()
}

/// ∫|F − G| from each bin to the next, or over it, from F − G after each bin.
fn w1_parts(after: &[DoubleDouble], positions: &[f64]) -> Vec<DoubleDouble> {
    let bins = after.len();
    let width = |bin: usize| match positions.get(bin..bin + 2) {
        Some(ends) => real(ends[1]) - real(ends[0]),
        None => real(1.0),
    };
    if positions.len() <= bins {
        // Nothing lies after the last centre.
        let part = |bin: usize| if bin + 1 == bins { real(0.0) } else { after[bin].abs() * width(bin) };
        return (0..bins).map(part).collect();
    }
    let within = |bin: usize| {
        let (first, last) = (if bin == 0 { real(0.0) } else { after[bin - 1] }, after[bin]);
        let ends = first.abs() + last.abs();
        let crosses = first.is_positive() != last.is_positive();
        match (ends.is_positive(), crosses) {
            (false, _) => real(0.0),
            (true, false) => ends * real(0.5) * width(bin),
            (true, true) => (first * first + last * last) / (real(2.0) * ends) * width(bin),
        }
    };
    (0..bins).map(within).collect()
}

/// The measure in nats; `None` is +∞.
fn measure(which: Divergence, pair: &PairShares, positions: &[f64]) -> Option<DoubleDouble> {
    let PairShares { p, q, pooled } = pair;
    let pairs = || p.shares.iter().copied().zip(q.shares.iter().copied());
    let (one, half) = (real(1.0), real(0.5));
    // Otherwise the logarithm of a sum that should be 1 would leave 1e-33.
    if p.shares == q.shares && !matches!(which, Divergence::CrossEntropy | Divergence::Entropy) {
        return Some(real(0.0));
    }
    match which {
        Divergence::Kl | Divergence::Renyi(1.0) | Divergence::Tsallis(1.0) => kl(p, q),
        Divergence::ReverseKl => kl(q, p),
        Divergence::Jeffreys => Some(kl(p, q)? + kl(q, p)?),
        Divergence::Js | Divergence::JsDistance => {
            let middle = p.mixed([half, half], q);
            Some((kl(p, &middle)? + kl(q, &middle)?) * half)
        }
        Divergence::LinK => kl(p, &p.mixed([half, half], q)),
        Divergence::SkewJs(weight) => Some(skewed(p, q, [real(weight), one - real(weight)])),
        Divergence::PooledJs => Some(skewed(p, q, *pooled)),
        Divergence::Hellinger => {
            let square = |x: DoubleDouble| x * x;
            Some((sum(pairs().map(|(a, b)| square(a.sqrt() - b.sqrt()))) * half).sqrt())
        }
        Divergence::Bhattacharyya => {
            let affinity = sum(pairs().map(|(a, b)| a.sqrt() * b.sqrt()));
            affinity.is_positive().then(|| -affinity.ln())
        }
        Divergence::Tv => Some(sum(pairs().map(|(a, b)| (a - b).abs())) * half),
        Divergence::Chi2 => chi2(p, q),
        Divergence::NeymanChi2 => chi2(q, p),
        Divergence::Triangular => {
            let any = pairs().filter(|(a, b)| (*a + *b).is_positive());
            Some(sum(any.map(|(a, b)| (a - b) * (a - b) / (a + b))))
        }
        Divergence::Renyi(f64::INFINITY) => largest_log_ratio(p, q),
        Divergence::Renyi(order) => Some(log_power_sum(p, q, order)? / (real(order) - one)),
        Divergence::Tsallis(order) => divided_power_sum(p, q, order, real(order) - one),
        Divergence::Alpha(order) => divided_power_sum(p, q, order, real(order) * (real(order) - one)),
        Divergence::CrossEntropy => (!p.exceeds(q)).then(|| -p.sum(|bin| p.shares[bin] * q.logs()[bin])),
        Divergence::W1 => Some(sum(w1_parts(&cumulated(p, q), positions).into_iter())),
        Divergence::Ks => {
            Some(cumulated(p, q).into_iter().map(DoubleDouble::abs).fold(real(0.0), |x, y| if y > x { y } else { x }))
        }
        Divergence::Entropy => Some(-p.sum(|bin| p.shares[bin] * p.logs()[bin])),
    }
}

fn base_of(unit: Unit) -> f64 {
    match unit {
        Unit::Nats => std::f64::consts::E,
        Unit::Bits => 2.0,
        Unit::Bans => 10.0,
        Unit::Base(base) => base,
    }
}

/// The value in the unit.
fn value(which: Divergence, pair: &PairShares, unit: Unit, positions: &[f64]) -> f64 {
    let base = real(base_of(unit));
    let in_unit = |x: DoubleDouble| if which.has_unit() && unit != Unit::Nats { x / base.ln() } else { x };
    match measure(which, pair, positions).map(in_unit) {
        None => f64::INFINITY,
        Some(x) if which == Divergence::JsDistance => x.sqrt().to_f64(),
        Some(x) => x.to_f64(),
    }
}

/// The values of one pair of rows, one per measure, and its status. NaN stands for no value.
pub(crate) fn row(
    measures: &[Divergence],
    (p, p_row): (&Rows<'_>, usize),
    (q, q_row): (&Rows<'_>, usize),
    zeros: Zeros,
    unit: Unit,
    positions: &[f64],
) -> (Vec<f64>, RowStatus) {
    let none = |status| (vec![f64::NAN; measures.len()], status);
    let (Some(p), Some(q)) = (weights(p, p_row), weights(q, q_row)) else {
        return none(RowStatus::Invalid);
    };
    match prepare(zeros, p, q) {
        Err(status) => none(status),
        Ok(pair) => {
            let values: Vec<f64> = measures.iter().map(|&m| value(m, &pair, unit, positions)).collect();
            let infinite = values.iter().any(|v| v.is_infinite());
            (values, if infinite { RowStatus::Infinite } else { RowStatus::Ok })
        }
    }
}
