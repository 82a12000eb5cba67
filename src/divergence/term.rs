//! The contrast of a bin and the terms that are summed over it.
//!
//! With both sides on one scale (a = p·r, r = Q/P, so Σa = Σq = Q) every divergence between p and q
//! is (1/Q) Σ s·F(z) with s = a + q and z = (a − q)/(a + q); see `docs/NUMERICS.md`. The kernel makes
//! a [`Contrast`] once a bin; a [`Term`] is the function `s·F` of one measure.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::lanes::{LaneMask, Lanes, LogRatio, Real, splat};
use super::{chi2, entropy, hellinger, jeffreys, js, kl, power, triangular, tv};

/// One total as an unevaluated sum of two parts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TwoPart<T> {
    pub(crate) high: T,
    pub(crate) low: T,
}

/// One vector of bins, both sides on the scale of q, whose total lies in [1, 2).
#[derive(Clone, Copy)]
pub(crate) struct Contrast<S: Simd, T: Real> {
    pub(crate) simd: S,
    /// The weight of p after the zero policy in its own unit, in two parts.
    pub(crate) p: Lanes<S, T>,
    pub(crate) p_low: Lanes<S, T>,
    /// Total of p in that unit.
    pub(crate) p_total: TwoPart<Lanes<S, T>>,
    /// p scaled to the total of q.
    pub(crate) a: Lanes<S, T>,
    /// The weight of q, in two parts.
    pub(crate) q: Lanes<S, T>,
    pub(crate) q_low: Lanes<S, T>,
    pub(crate) q_total: TwoPart<Lanes<S, T>>,
    /// a − q without cancellation.
    pub(crate) u: Lanes<S, T>,
    /// a + q, at least nearly nothing.
    pub(crate) s: Lanes<S, T>,
    /// u/s, 0 for a bin that is empty on both sides; only if a term of the call needs it.
    pub(crate) z: Lanes<S, T>,
    /// ln(a/q) in parts; only if a term of the call needs it.
    pub(crate) ratio: LogRatio<S, T>,
}

impl<S: Simd, T: Real> Contrast<S, T> {
    /// From the weights and their difference.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the fields of a bin, each used once by the one caller")]
    pub(crate) fn new(
        simd: S,
        p: (Lanes<S, T>, Lanes<S, T>),
        p_total: TwoPart<Lanes<S, T>>,
        a: Lanes<S, T>,
        q: (Lanes<S, T>, Lanes<S, T>),
        q_total: TwoPart<Lanes<S, T>>,
        u: Lanes<S, T>,
        needs: Needs,
    ) -> Self {
        // An empty bin as nearly nothing: no quotient is 0/0, and no sum notices.
        let nothing = Lanes::<S, T>::splat(simd, T::NOTHING);
        let s = a.max(nothing) + q.0.max(nothing);
        let z = if needs.z { u / s } else { s };
        let ratio = if needs.log { LogRatio::new(simd, a, q.0, u) } else { LogRatio::none(simd) };
        Self { simd, p: p.0, p_low: p.1, p_total, a, q: q.0, q_low: q.1, q_total, u, s, z, ratio }
    }

    /// Of weights as they are.
    #[inline(always)]
    pub(crate) fn plain(simd: S, x: Lanes<S, T>, y: Lanes<S, T>, scale: Scale<S, T>, needs: Needs) -> Self {
        let low = splat::<S, T>(simd, 0.0);
        let total = |high| TwoPart { high, low };
        let u = x.mul_add(scale.ratio.low, x.mul_sub_precise(scale.ratio.high, y));
        let a = x * scale.ratio.high;
        Self::new(simd, (x, low), total(scale.p_total), a, (y, low), total(scale.q_total), u, needs)
    }

    /// ln(a/q); something finite where a side has no weight.
    #[inline(always)]
    pub(crate) fn log_ratio(&self) -> Lanes<S, T> {
        self.ratio.value(self.simd)
    }

    /// The bins with weight on both sides.
    #[inline(always)]
    pub(crate) fn both(&self) -> LaneMask<S, T> {
        self.a_positive() & self.q_positive()
    }

    /// The bins in which p has weight.
    #[inline(always)]
    pub(crate) fn a_positive(&self) -> LaneMask<S, T> {
        self.a.simd_gt(self.splat(0.0))
    }

    /// The bins in which q has weight.
    #[inline(always)]
    pub(crate) fn q_positive(&self) -> LaneMask<S, T> {
        self.q.simd_gt(self.splat(0.0))
    }

    /// A vector with the same value in every lane.
    #[inline(always)]
    pub(crate) fn splat(&self, value: f64) -> Lanes<S, T> {
        splat::<S, T>(self.simd, value)
    }
}

/// What a row's totals are to its bins, the same in the lanes of a row.
#[derive(Clone, Copy)]
pub(crate) struct Scale<S: Simd, T: Real> {
    /// r = Q/P in two parts.
    pub(crate) ratio: TwoPart<Lanes<S, T>>,
    pub(crate) p_total: Lanes<S, T>,
    pub(crate) q_total: Lanes<S, T>,
}

/// The weights of p and of q in a block, and what their row is to them.
pub(crate) type Block<'a, S, T> = (&'a [T], &'a [T], Scale<S, T>);

/// Blocks of whole vectors, p and q alike, whose sums are wanted one after the other.
pub(crate) trait Blocks<'a, S: Simd, T: Real> {
    /// The next block.
    fn next(&mut self) -> Option<Block<'a, S, T>>;
    /// Told the number of each vector of a block as it is read.
    fn at(&self, vector: usize);
    /// Takes the sum of the block.
    fn put(&mut self, sum: Lanes<S, T>);
}

/// The parts of a contrast that take a division, made only where a term of the call uses them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    pub(crate) log: bool,
    pub(crate) z: bool,
}

/// The order of a power sum, prepared once a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Order {
    /// A.
    pub(crate) a: f64,
    /// 1 − A.
    pub(crate) b: f64,
    /// Power of two that the sum is divided by: 0 but where it would leave the range of a float.
    pub(crate) halvings: f64,
    /// Whether âᴬ q̂¹⁻ᴬ is written as q·(a/q)ᴬ (A < ½) or as a·(a/q)^(A−1).
    pub(crate) base_is_q: bool,
}

impl Order {
    /// Prepares the order A.
    pub(crate) fn new(a: f64) -> Self {
        Self { a, b: 1.0 - a, halvings: 0.0, base_is_q: a < 0.5 }
    }

    /// The exponent of a/q in the chosen form.
    pub(crate) fn exponent(self) -> f64 {
        if self.base_is_q { self.a } else { -self.b }
    }
}

/// What is summed over the bins: one function of the contrast each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Term {
    Kl,
    ReverseKl,
    Jeffreys,
    Js,
    /// 1 − BC.
    HellingerDeficit,
    /// BC itself: what `bhattacharyya` needs when it is small.
    Affinity,
    Tv,
    Chi2,
    NeymanChi2,
    Triangular,
    /// 1 − Σ p̂ᴬ q̂¹⁻ᴬ.
    PowerDeficit(Order),
    /// Σ p̂ᴬ q̂¹⁻ᴬ itself: what `renyi` needs when it is small.
    PowerSum(Order),
    /// ln Σ p̂ᴬ q̂¹⁻ᴬ where the sum itself leaves the range of a 64-bit float: found by the kernel when
    /// that has happened, else 0.
    LogPowerSum(Order),
    CrossEntropy,
    Entropy,
}

impl Term {
    /// What the term uses of a contrast.
    #[inline(always)]
    pub(crate) const fn needs(self) -> Needs {
        let log = matches!(
            self,
            Term::Kl | Term::ReverseKl | Term::Jeffreys | Term::Js | Term::PowerDeficit(_) | Term::PowerSum(_)
        );
        Needs { log, z: matches!(self, Term::Js | Term::Triangular) }
    }

    /// Whether the sum is of first order in the difference of the rows.
    pub(crate) fn is_first_order(self) -> bool {
        matches!(self, Term::Tv)
    }

    /// The smallest sum that the error of totals and of r = Q/P cannot have spoilt. Plain, they are off by
    /// ε ≈ 2⁻²³ (2⁻⁵² in 64 bits) at worst, an entropy by as much, a sum of second order by ε². Refined, each
    /// u is good to 2⁻⁴⁷ (2⁻¹⁰⁴) of its weights.
    pub(crate) fn trusted_from<T: Real>(self, refined: bool) -> f64 {
        let narrow = size_of::<T>() == 4;
        match self {
            Term::Affinity | Term::PowerSum(_) | Term::LogPowerSum(_) => 0.0,
            Term::Entropy | Term::CrossEntropy => {
                if narrow {
                    0.5
                } else {
                    1e-3
                }
            }
            Term::Tv => match (refined, narrow) {
                (false, _) => f64::INFINITY,
                (true, true) => 1e-6,
                (true, false) => 0.0,
            },
            second_order => {
                // A power sum's deficit is AB/2 of the others.
                let scale = second_order.order().map_or(1.0, |order| (order.a * order.b).abs().min(1.0));
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

    /// Whether a row whose ratio Q/P is a power of two is summed without an error of totals.
    pub(crate) fn is_exact_at_powers_of_two(self) -> bool {
        !matches!(self, Term::Entropy | Term::CrossEntropy)
    }

    /// The sum at the ratio r·(1 + off) from the one at r, where the term is so made that the two hang
    /// together by totals alone; `q_total` is Σq, which is Σa at the new ratio. An error ε of the totals makes
    /// one of ε·off·`q_total`.
    pub(crate) fn rescaled(self, sum: f64, off: f64, q_total: f64) -> Option<f64> {
        let factor = 1.0 + off;
        match self {
            // Σ a·ln(a/q) grows by the factor, and by its logarithm times Σa; Σ(q − a) was not 0 before.
            Term::Kl => Some(factor * sum + q_total * (off.ln_1p() - off)),
            Term::ReverseKl => Some(sum + q_total * (off / factor - off.ln_1p())),
            // In the same way: Σa²/q grows by the square, Σq²/a shrinks, Σ√(aq) grows by the root.
            Term::Chi2 => Some(factor * factor * sum - q_total * off * off),
            Term::NeymanChi2 => Some(sum / factor - q_total * (off / factor) * (off / factor)),
            Term::HellingerDeficit => {
                let root = factor.sqrt();
                Some(root * sum - q_total * (off / (root + 1.0)).powi(2) / (2.0 * root))
            }
            _ => None,
        }
    }

    /// Whether a sum of this size, from a 32-bit kernel, may have lost digits that count: the
    /// surprise of an almost full bin is what the rest of its row leaves of the total, which is only
    /// known to about 46 bits of the total.
    pub(crate) fn is_lost(self, sum: f64) -> bool {
        const LEAST_SURPRISE: f64 = 1e-6;
        !sum.is_finite() || (matches!(self, Term::CrossEntropy | Term::Entropy) && sum > 0.0 && sum < LEAST_SURPRISE)
    }

    /// The order, for the terms that have one.
    pub(crate) fn order(self) -> Option<Order> {
        match self {
            Term::PowerDeficit(order) | Term::PowerSum(order) | Term::LogPowerSum(order) => Some(order),
            _ => None,
        }
    }

    /// Σ s·F(z) over the bins of a block, lane by lane.
    ///
    /// The choice of the term stands outside the loop: each loop holds one term and nothing of the
    /// others, which the optimiser would otherwise compute ahead for all of them. And the loop is
    /// written out, since a function passed along would be compiled without the instruction set.
    #[inline(always)]
    pub(crate) fn sum<S: Simd, T: Real>(self, block: &[Contrast<S, T>], zero: Lanes<S, T>) -> Lanes<S, T> {
        macro_rules! total {
            ($term:path $(, $order:expr)?) => {{
                let mut sum = zero;
                for c in block {
                    sum += $term(c $(, $order)?);
                }
                sum
            }};
        }
        match self {
            Term::Kl => total!(kl::kl_term),
            Term::ReverseKl => total!(kl::reverse_kl_term),
            Term::Jeffreys => total!(jeffreys::jeffreys_term),
            Term::Js => total!(js::js_term),
            Term::HellingerDeficit => total!(hellinger::hellinger_deficit_term),
            Term::Affinity => total!(hellinger::affinity_term),
            Term::Tv => total!(tv::tv_term),
            Term::Chi2 => total!(chi2::chi2_term),
            Term::NeymanChi2 => total!(chi2::neyman_chi2_term),
            Term::Triangular => total!(triangular::triangular_term),
            Term::PowerDeficit(order) => total!(power::power_deficit_term, order),
            Term::PowerSum(order) => total!(power::power_sum_term, order),
            Term::LogPowerSum(_) => zero,
            Term::CrossEntropy => total!(entropy::cross_entropy_term),
            Term::Entropy => total!(entropy::entropy_term),
        }
    }

    /// The same over weights as they are, block by block, each contrast made and used up at once. The
    /// choice of the term stands outside all loops here too, so that its constants are loaded once.
    #[inline(always)]
    pub(crate) fn sum_plain<'a, S: Simd, T: Real>(self, simd: S, blocks: &mut impl Blocks<'a, S, T>) {
        macro_rules! total {
            ($term:path, $kind:expr $(, $order:expr)?) => {
                while let Some((p, q, scale)) = blocks.next() {
                    let lanes = Lanes::<S, T>::LEN;
                    let mut sum = splat::<S, T>(simd, 0.0);
                    for (i, (x, y)) in p.chunks_exact(lanes).zip(q.chunks_exact(lanes)).enumerate() {
                        blocks.at(i);
                        let (x, y) = (Lanes::<S, T>::from_slice(simd, x), Lanes::<S, T>::from_slice(simd, y));
                        sum += $term(&Contrast::plain(simd, x, y, scale, $kind.needs()) $(, $order)?);
                    }
                    blocks.put(sum);
                }
            };
        }
        match self {
            Term::Kl => total!(kl::kl_term, Term::Kl),
            Term::ReverseKl => total!(kl::reverse_kl_term, Term::ReverseKl),
            Term::Jeffreys => total!(jeffreys::jeffreys_term, Term::Jeffreys),
            Term::Js => total!(js::js_term, Term::Js),
            Term::HellingerDeficit => total!(hellinger::hellinger_deficit_term, Term::HellingerDeficit),
            Term::Affinity => total!(hellinger::affinity_term, Term::Affinity),
            Term::Tv => total!(tv::tv_term, Term::Tv),
            Term::Chi2 => total!(chi2::chi2_term, Term::Chi2),
            Term::NeymanChi2 => total!(chi2::neyman_chi2_term, Term::NeymanChi2),
            Term::Triangular => total!(triangular::triangular_term, Term::Triangular),
            Term::PowerDeficit(order) => total!(power::power_deficit_term, Term::PowerDeficit(order), order),
            Term::PowerSum(order) => total!(power::power_sum_term, Term::PowerSum(order), order),
            // Asked for only where the power sum overflows, and then the other kernel has the row.
            Term::LogPowerSum(_) => {
                while blocks.next().is_some() {
                    blocks.put(splat::<S, T>(simd, 0.0));
                }
            }
            Term::CrossEntropy => total!(entropy::cross_entropy_term, Term::CrossEntropy),
            Term::Entropy => total!(entropy::entropy_term, Term::Entropy),
        }
    }
}
