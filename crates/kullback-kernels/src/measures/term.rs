//! The terms that are summed over the bins. Each is one function of the [contrast](crate::arithmetic::contrast).

use fearless_simd::{Simd, SimdBase};

use super::form::Form;
use super::order::Order;
use super::{chi2, entropy, hellinger, jeffreys, js, kl, power, triangular, tv};
use crate::arithmetic::contrast::{BLOCK, Block, Blocks, Contrast, Needs, SET, Weights};
use crate::arithmetic::lane_sums::LaneSum;
use crate::arithmetic::lanes::{Lanes, Real, splat};

/// Expands to `$go!(argument function, term)` or `$go!(argument function, term, order)` with what belongs to a term: a function
/// of the contrast, or of the weights.
macro_rules! with_function_of {
    ($term:expr, $go:ident) => {
        match $term {
            Term::Kl => $go!(contrast kl::kl_term, Term::Kl),
            Term::ReverseKl => $go!(contrast kl::reverse_kl_term, Term::ReverseKl),
            Term::Jeffreys => $go!(contrast jeffreys::jeffreys_term, Term::Jeffreys),
            Term::Js => $go!(contrast js::js_term, Term::Js),
            Term::HellingerDeficit => $go!(contrast hellinger::hellinger_deficit_term, Term::HellingerDeficit),
            Term::Affinity => $go!(contrast hellinger::affinity_term, Term::Affinity),
            Term::Tv => $go!(contrast tv::tv_term, Term::Tv),
            Term::Chi2 => $go!(contrast chi2::chi2_term, Term::Chi2),
            Term::NeymanChi2 => $go!(contrast chi2::neyman_chi2_term, Term::NeymanChi2),
            Term::Triangular => $go!(contrast triangular::triangular_term, Term::Triangular),
            Term::PowerDeficit(order) => $go!(contrast power::power_deficit_term, Term::PowerDeficit(order), order),
            Term::PowerSum(order) => $go!(contrast power::power_sum_term, Term::PowerSum(order), order),
            Term::LogPowerSum(order) => $go!(contrast power::log_power_sum_term, Term::LogPowerSum(order), order),
            Term::CrossEntropy => $go!(weights entropy::cross_entropy_term, Term::CrossEntropy),
            Term::Entropy => $go!(weights entropy::entropy_term, Term::Entropy),
        }
    };
}

/// Below this, an entropy or cross entropy of a 32-bit kernel may have lost digits that count. The surprise of an almost full
/// bin comes from the rest of the total, and the total is only known to about 46 bits.
pub const LEAST_SURPRISE: f64 = 1e-6;

/// What is summed over the bins: one function of the contrast per term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term {
    Kl,
    ReverseKl,
    Jeffreys,
    Js,
    /// 1 − BC.
    HellingerDeficit,
    /// BC itself, which `bhattacharyya` needs when it is small.
    Affinity,
    Tv,
    Chi2,
    NeymanChi2,
    Triangular,
    /// 1 − Σ p̂ᴬ q̂¹⁻ᴬ.
    PowerDeficit(Order),
    /// Σ p̂ᴬ q̂¹⁻ᴬ itself, which `renyi` needs when it is small.
    PowerSum(Order),
    /// ln Σ p̂ᴬ q̂¹⁻ᴬ where the sum itself leaves the range of a 64-bit float. The kernel that takes any row finds it then;
    /// else it is 0. For order ∞ it is ln max p̂/q̂, which only that kernel finds.
    LogPowerSum(Order),
    CrossEntropy,
    Entropy,
}

/// A vector of each side.
type Both<S, T> = (Lanes<S, T>, Lanes<S, T>);

/// The vectors of two sides, by their numbers. Written without the adapters of slices: in a function as large as the kernels,
/// a compiler leaves some of these as calls.
#[inline(always)]
fn vectors<'a, S: Simd + 'a, T: Real>(
    simd: S,
    p: &'a [T],
    q: &'a [T],
) -> impl Iterator<Item = (usize, Both<S, T>)> + 'a {
    let lanes = Lanes::<S, T>::LEN;
    let vector = move |side: &[T], i: usize| Lanes::<S, T>::from_slice(simd, &side[i * lanes..(i + 1) * lanes]);
    (0..p.len().min(q.len()) / lanes).map(move |i| (i, (vector(p, i), vector(q, i))))
}

impl Term {
    /// The term of 1 − Σ p̂ᴬ q̂ᴮ. At A = ½, 2 and −1 there is one in which nothing cancels.
    pub fn deficit_of(order: Order) -> Term {
        match order.a {
            0.5 => Term::HellingerDeficit,
            2.0 => Term::Chi2,
            -1.0 => Term::NeymanChi2,
            _ => Term::PowerDeficit(order),
        }
    }

    /// The factor of that term: χ² is Σ − 1.
    pub fn sign_of_deficit(order: Order) -> f64 {
        if matches!(Term::deficit_of(order), Term::Chi2 | Term::NeymanChi2) { -1.0 } else { 1.0 }
    }

    /// The term for all pairs of many rows.
    pub fn form(self) -> Form {
        match self {
            Term::Kl => kl::kl_form(),
            Term::ReverseKl => kl::reverse_kl_form(),
            Term::Jeffreys => jeffreys::jeffreys_form(),
            Term::Js => js::js_form(),
            Term::HellingerDeficit => hellinger::hellinger_deficit_form(),
            Term::Affinity => hellinger::affinity_form(),
            Term::Tv => tv::tv_form(),
            Term::Chi2 => chi2::chi2_form(),
            Term::NeymanChi2 => chi2::neyman_chi2_form(),
            Term::Triangular => triangular::triangular_form(),
            Term::PowerDeficit(order) => power::power_deficit_form(order),
            Term::PowerSum(order) => power::power_sum_form(order),
            Term::LogPowerSum(order) => power::log_power_sum_form(order),
            Term::CrossEntropy => entropy::cross_entropy_form(),
            Term::Entropy => entropy::entropy_form(),
        }
    }

    /// The factor c for which the sum is at least c·(1 − BC), for terms that cost more than 1 − BC.
    pub fn least_of_deficit(self) -> Option<f64> {
        match self {
            Term::Js => Some(js::LEAST_OF_DEFICIT),
            Term::Triangular => Some(triangular::LEAST_OF_DEFICIT),
            _ => None,
        }
    }

    /// What the term uses of a contrast.
    #[inline(always)]
    pub const fn needs(self) -> Needs {
        let log = matches!(
            self,
            Term::Kl | Term::ReverseKl | Term::Jeffreys | Term::Js | Term::PowerDeficit(_) | Term::PowerSum(_)
        );
        let weights = matches!(self, Term::Entropy | Term::CrossEntropy);
        let second_part = self.amplifies_totals() || matches!(self, Term::PowerDeficit(_));
        Needs { log, z: matches!(self, Term::Js | Term::Triangular), weights, second_part }
    }

    /// Whether an error of r = Q/P shows in the sum: the sum is of first order in the difference of the rows, or a large
    /// exponent amplifies the error.
    pub fn asks_refined(self) -> bool {
        matches!(self, Term::Tv) || self.order().is_some_and(|order| order.exponent().abs() > 1.5)
    }

    /// Whether errors of totals count more than once. The sum over Q goes with 1/(PʲQᵏ), j + k = 1. Both exponents are at most
    /// 1, except for these terms.
    pub const fn amplifies_totals(self) -> bool {
        match self {
            Term::Chi2 | Term::NeymanChi2 => true,
            Term::PowerDeficit(order) | Term::PowerSum(order) | Term::LogPowerSum(order) => {
                !(order.a >= 0.0 && order.a <= 1.0)
            }
            _ => false,
        }
    }

    /// The smallest sum that the error of the totals and of r = Q/P cannot have spoilt. Plain, these have an error of at most ε
    /// ≈ 2⁻²² (2⁻⁵¹ in 64 bits), an entropy has the same, and a sum of second order has ε². Refined, each u is good to 2⁻⁴⁷
    /// (2⁻¹⁰⁴) of its weights.
    pub fn trusted_from<T: Real>(self, refined: bool) -> f64 {
        let narrow = size_of::<T>() == 4;
        match self {
            Term::LogPowerSum(order) if order.a == f64::INFINITY => f64::INFINITY,
            Term::Affinity | Term::PowerSum(_) | Term::LogPowerSum(_) => 0.0,
            Term::Entropy | Term::CrossEntropy => {
                if narrow {
                    0.5
                } else {
                    1e-2
                }
            }
            Term::Tv => match (refined, narrow) {
                (false, _) => f64::INFINITY,
                (true, true) => 1e-6,
                (true, false) => 0.0,
            },
            second_order => {
                let scale = second_order.size();
                let least = match (refined, narrow) {
                    (false, true) => 1e-6,
                    (false, false) => 1e-16,
                    (true, true) => 1e-12,
                    (true, false) => 0.0,
                };
                least * scale
            }
        }
    }

    /// How small a deficit may be beside the other sums of second order. A power sum is AB/2 of them.
    fn size(self) -> f64 {
        self.order().map_or(1.0, |order| (order.a * order.b).abs().min(1.0))
    }

    /// The smallest sum to trust where a policy gives missing bins parts of a total that is not known to the last digit. The
    /// unit is what the policy gives, as a share of the total.
    ///
    /// If a bin gets c, with an error of ε·c, a sum Σ u²/s moves by 2ε·Σ|u|c/s ≤ 2ε·√(Σ u²/s · Σ c²/s). The last factor is at
    /// most twice what is given, because no bin pays more than half of its weight. So a sum of at least 2·(2ε/δ)² is good to δ,
    /// a fifth of the contract. A sum of first order is good from 2ε/δ on.
    pub fn trusted_from_given<T: Real>(self) -> f64 {
        let off = if size_of::<T>() == 4 { 2f64.powi(-22) / 2e-7 } else { 2f64.powi(-51) / 2e-13 };
        match self {
            Term::Affinity | Term::PowerSum(_) | Term::LogPowerSum(_) | Term::Entropy | Term::CrossEntropy => 0.0,
            Term::Tv => 2.0 * off,
            second_order => 8.0 * off * off * second_order.size(),
        }
    }

    /// The least sum over `bins` bins, before it is divided by Q, in which the loss by subnormal numbers does not show. In 32
    /// bits √(aq) has an error of at most 2⁻⁷⁵ where the product is subnormal, and a term has no larger one. This is 2²³ times
    /// that.
    pub fn least_sum<T: Real>(self, bins: usize) -> f64 {
        match self {
            Term::HellingerDeficit if size_of::<T>() == 4 => bins as f64 * f64::EPSILON,
            _ => 0.0,
        }
    }

    /// Whether a row whose ratio Q/P is a power of two is summed without an error of the totals.
    pub fn is_exact_at_powers_of_two(self) -> bool {
        // The largest logarithm is no sum at all.
        !matches!(self, Term::Entropy | Term::CrossEntropy) && self.trusted_from::<f64>(true) < f64::INFINITY
    }

    /// The sum at the ratio r·(1 + off) from the sum at r, for terms where the totals alone connect the two. `q_total` is Σq,
    /// which is Σa at the new ratio. An error ε of the totals makes an error of ε·off·`q_total`.
    pub fn rescaled(self, sum: f64, off: f64, q_total: f64) -> Option<f64> {
        let factor = 1.0 + off;
        match self {
            // Σ a·ln(a/q) grows by the factor, and by its logarithm times Σa. Σ(q − a) was not 0 before.
            Term::Kl => Some(factor * sum + q_total * (off.ln_1p() - off)),
            Term::ReverseKl => Some(sum + q_total * (off / factor - off.ln_1p())),
            // In the same way Σa²/q grows by the square, Σq²/a shrinks, and Σ√(aq) grows by the root.
            Term::Chi2 => Some(factor * factor * sum - q_total * off * off),
            Term::NeymanChi2 => Some(sum / factor - q_total * (off / factor) * (off / factor)),
            Term::HellingerDeficit => {
                let root = factor.sqrt();
                Some(root * sum - q_total * (off / (root + 1.0)).powi(2) / (2.0 * root))
            }
            _ => None,
        }
    }

    /// Whether a sum of this size from a 32-bit kernel may have lost digits that count.
    pub fn is_lost(self, sum: f64) -> bool {
        !sum.is_finite() || (matches!(self, Term::CrossEntropy | Term::Entropy) && sum > 0.0 && sum < LEAST_SURPRISE)
    }

    /// The order of a term, if it has one.
    pub fn order(self) -> Option<Order> {
        match self {
            Term::PowerDeficit(order) | Term::PowerSum(order) | Term::LogPowerSum(order) => Some(order),
            _ => None,
        }
    }

    /// Σ s·F(z) over the bins of a block, lane by lane; `weights` is only needed by some terms.
    ///
    /// The choice of the term stands outside the loop. So each loop holds one term only; otherwise the optimiser would compute
    /// parts of all terms ahead. The loop is written out, because a function argument would be compiled without the instruction
    /// set.
    #[inline(always)]
    pub fn sum<S: Simd, T: Real>(
        self,
        block: &[Contrast<S, T>],
        weights: &[Weights<S, T>],
        zero: Lanes<S, T>,
    ) -> Lanes<S, T> {
        macro_rules! total {
            (contrast $function:path, $kind:expr $(, $order:expr)?) => {
                total!(block => $function $(, $order)?)
            };
            (weights $function:path, $kind:expr) => { total!(weights => $function) };
            ($bins:expr => $function:path $(, $order:expr)?) => {{
                let mut sum = LaneSum::<S, T>::new(zero);
                for bin in $bins {
                    sum.add($function(bin $(, $order)?));
                }
                sum.total()
            }};
        }
        with_function_of!(self, total)
    }

    /// Sums weights without a change, block by block. Each contrast is made and used at once. The choice of the term stands
    /// outside all loops here too, so that its constants are loaded once.
    #[inline(always)]
    pub fn sum_plain<'a, S: Simd, T: Real>(self, simd: S, blocks: &mut impl Blocks<'a, S, T>) {
        macro_rules! total {
            (contrast $function:path, $kind:expr $(, $order:expr)?) => {
                total!(x, y, scale => $function(&Contrast::plain(simd, x, y, scale, $kind.needs()) $(, $order)?))
            };
            (weights $function:path, $kind:expr) => {
                total!(x, y, scale => $function(&Weights::plain(simd, x, y, scale)))
            };
            ($x:ident, $y:ident, $scale:ident => $term:expr) => {
                while let Some(Block { p, q, scale: $scale, .. }) = blocks.next() {
                    let mut sum = LaneSum::<S, T>::new(splat::<S, T>(simd, 0.0));
                    for (i, ($x, $y)) in vectors::<S, T>(simd, p, q) {
                        blocks.at(i);
                        sum.add($term);
                    }
                    blocks.put(&[sum.total()]);
                }
            };
        }
        with_function_of!(self, total)
    }

    /// Sums several terms, [`SET`] at most, in one pass over the weights. The contrasts of a block, with their divisions and
    /// logarithms, are made once and stay in the nearest cache for all terms. Where r has two parts, a is made with both,
    /// so that it is p·r in the same way as in u.
    #[inline(always)]
    pub fn sum_set<'a, S: Simd, T: Real>(terms: &[Term], simd: S, two_parts: bool, blocks: &mut impl Blocks<'a, S, T>) {
        let zero = splat::<S, T>(simd, 0.0);
        let needs = Needs { second_part: two_parts, ..Needs::default() };
        let needs = terms.iter().fold(needs, |all, term| all.and(term.needs()));
        let mut contrasts = [Contrast::new(simd, zero, zero, zero, Needs::default()); BLOCK];
        let mut sums = [zero; SET];
        while let Some(block) = blocks.next() {
            let Block { p, q, scale, .. } = block;
            // There are two loops, so that weights without a change do not pay for what a policy may change.
            macro_rules! each {
                ($i:ident, $x:ident, $y:ident => $contrast:expr) => {
                    for ($i, ($x, $y)) in vectors::<S, T>(simd, p, q).take(BLOCK) {
                        blocks.at($i);
                        contrasts[$i] = $contrast;
                    }
                };
            }
            match scale.change {
                None => each!(i, x, y => Contrast::plain(simd, x, y, scale, needs)),
                Some(change) => each!(i, x, y => {
                    Contrast::changed(simd, change.apply(simd, x, y, block.inside(simd, i)), scale, needs)
                }),
            }
            let contrasts = &contrasts[..(p.len() / Lanes::<S, T>::LEN).min(BLOCK)];
            for (sum, term) in sums.iter_mut().zip(terms) {
                let mut all = LaneSum::<S, T>::new(zero);
                macro_rules! total {
                    (contrast $function:path, $kind:expr $(, $order:expr)?) => {
                        for contrast in contrasts {
                            all.add($function(contrast $(, $order)?));
                        }
                    };
                    (weights $function:path, $kind:expr) => {
                        for (i, (x, y)) in vectors::<S, T>(simd, p, q) {
                            all.add($function(&match scale.change {
                                None => Weights::plain(simd, x, y, scale),
                                Some(change) => {
                                    Weights::changed(simd, change.apply(simd, x, y, block.inside(simd, i)), scale)
                                }
                            }));
                        }
                    };
                }
                with_function_of!(*term, total);
                *sum = all.total();
            }
            blocks.put(&sums[..terms.len().min(SET)]);
        }
    }
}
