//! The contrast of a bin, and the blocks of bins that terms are summed over.
//!
//! With both sides on one scale (a = p·r, r = Q/P, so Σa = Σq = Q) every divergence between p and q is (1/Q) Σ s·F(z) with s =
//! a + q and z = (a − q)/(a + q); see `docs/NUMERICS.md`, "The contrast form". The kernel makes one [`Contrast`] per bin. A
//! [`Term`](super::term::Term) is the function `s·F` of one measure.

use fearless_simd::{Simd, SimdBase, SimdFloat, SimdMask};

use super::change::{Change, Changed};
use super::lanes::{LaneMask, Lanes, Real, splat};
use super::log_ratio::LogRatio;

/// A number as an unevaluated sum of two parts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TwoPart<T> {
    pub(crate) high: T,
    pub(crate) low: T,
}

/// One side of a vector of bins: the weight after the zero policy, and the total of its row in the same unit.
#[derive(Clone, Copy)]
pub(crate) struct Side<S: Simd, T: Real> {
    pub(crate) weight: TwoPart<Lanes<S, T>>,
    pub(crate) total: TwoPart<Lanes<S, T>>,
}

/// One vector of bins as two sides, for the terms of entropies.
#[derive(Clone, Copy)]
pub(crate) struct Weights<S: Simd, T: Real> {
    pub(crate) simd: S,
    pub(crate) p: Side<S, T>,
    pub(crate) q: Side<S, T>,
    /// p scaled to the total of q.
    pub(crate) a: Lanes<S, T>,
}

impl<S: Simd, T: Real> Weights<S, T> {
    /// Takes weights without a change.
    #[inline(always)]
    pub(crate) fn plain(simd: S, x: Lanes<S, T>, y: Lanes<S, T>, scale: Scale<S, T>) -> Self {
        Self::on_one_scale(simd, x * scale.ratio.high, y, scale.q_total)
    }

    /// Takes weights that the policy changes.
    #[inline(always)]
    pub(crate) fn changed(simd: S, (x, y, added): Changed<S, T>, scale: Scale<S, T>) -> Self {
        Self::on_one_scale(simd, x.mul_add(scale.ratio.high, added.a), y + added.q, scale.q_total)
    }

    /// Both sides on the scale of q, so that one total serves both.
    #[inline(always)]
    fn on_one_scale(simd: S, a: Lanes<S, T>, q: Lanes<S, T>, total: Lanes<S, T>) -> Self {
        let low = splat::<S, T>(simd, 0.0);
        let total = TwoPart { high: total, low };
        let side = |weight| Side { weight: TwoPart { high: weight, low }, total };
        Self { simd, p: side(a), q: side(q), a }
    }
}

/// One vector of bins, with both sides on the scale of q.
#[derive(Clone, Copy)]
pub(crate) struct Contrast<S: Simd, T: Real> {
    pub(crate) simd: S,
    /// p scaled to the total of q.
    pub(crate) a: Lanes<S, T>,
    /// The weight of q.
    pub(crate) q: Lanes<S, T>,
    /// a − q, without cancellation.
    pub(crate) u: Lanes<S, T>,
    /// a + q, or a tiny positive number if both are 0.
    pub(crate) s: Lanes<S, T>,
    /// u/s, and 0 for a bin that is empty on both sides. Only set if a term of the call needs it.
    pub(crate) z: Lanes<S, T>,
    /// ln(a/q) in parts. Only set if a term of the call needs it.
    pub(crate) ratio: LogRatio<S, T>,
}

impl<S: Simd, T: Real> Contrast<S, T> {
    /// Takes a, q and their difference.
    #[inline(always)]
    pub(crate) fn new(simd: S, a: Lanes<S, T>, q: Lanes<S, T>, u: Lanes<S, T>, needs: Needs) -> Self {
        // An empty bin gets a tiny number: no quotient is 0/0, and no sum changes.
        let nothing = Lanes::<S, T>::splat(simd, T::NOTHING);
        let s = a.max(nothing) + q.max(nothing);
        let z = if needs.z { u / s } else { s };
        let ratio = if needs.log { LogRatio::new(simd, [a, q, u]) } else { LogRatio::none(simd) };
        Self { simd, a, q, u, s, z, ratio }
    }

    /// Takes weights without a change.
    #[inline(always)]
    pub(crate) fn plain(simd: S, x: Lanes<S, T>, y: Lanes<S, T>, scale: Scale<S, T>, needs: Needs) -> Self {
        let TwoPart { high, low } = scale.ratio;
        let u = x.mul_add(low, x.mul_sub_precise(high, y));
        let a = if needs.second_part { x.mul_add(high, x * low) } else { x * high };
        Self::new(simd, a, y, u, needs)
    }

    /// Takes weights that the policy changes.
    #[inline(always)]
    pub(crate) fn changed(simd: S, (x, y, added): Changed<S, T>, scale: Scale<S, T>, needs: Needs) -> Self {
        let TwoPart { high, low } = scale.ratio;
        let u = added.difference(x, y, scale.ratio);
        let less = if needs.second_part { x.mul_add(low, added.a) } else { added.a };
        Self::new(simd, x.mul_add(high, less), y + added.q, u, needs)
    }

    #[inline(always)]
    pub(crate) fn sides(&self) -> [Lanes<S, T>; 3] {
        [self.a, self.q, self.u]
    }

    /// ln(a/q), and some finite number where a side has no weight.
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

/// The totals of a row as its bins need them. All lanes of a row hold the same values.
#[derive(Clone, Copy)]
pub(crate) struct Scale<S: Simd, T: Real> {
    /// r = Q/P in two parts.
    pub(crate) ratio: TwoPart<Lanes<S, T>>,
    /// Σq.
    pub(crate) q_total: Lanes<S, T>,
    /// What the policy changes.
    pub(crate) change: Option<Change<S, T>>,
}

/// The weights of p and of q in a block, and the scale of their row.
pub(crate) struct Block<'a, S: Simd, T: Real> {
    pub(crate) p: &'a [T],
    pub(crate) q: &'a [T],
    pub(crate) scale: Scale<S, T>,
    /// The lanes of the last vector that are not padding.
    pub(crate) inside: LaneMask<S, T>,
}

impl<'a, S: Simd, T: Real> Block<'a, S, T> {
    /// The lanes of a vector of this block that are not padding.
    #[inline(always)]
    pub(crate) fn inside(&self, simd: S, vector: usize) -> LaneMask<S, T> {
        let last = (vector + 1) * Lanes::<S, T>::LEN == self.p.len();
        if last { self.inside } else { LaneMask::<S, T>::splat(simd, true) }
    }
}

/// Blocks of whole vectors, with as many of p as of q. Their sums are wanted one after the other.
pub(crate) trait Blocks<'a, S: Simd, T: Real> {
    /// The next block.
    fn next(&mut self) -> Option<Block<'a, S, T>>;
    /// Called with the number of each vector of a block as it is read.
    fn at(&self, vector: usize);
    /// Takes the sums of the block, one per term.
    fn put(&mut self, sums: &[Lanes<S, T>]);
}

/// What only some terms use. It is made only if a term of the call needs it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    pub(crate) log: bool,
    pub(crate) z: bool,
    /// The two sides themselves.
    pub(crate) weights: bool,
    /// Makes a itself, not only its difference from q, with both parts of the ratio.
    pub(crate) second_part: bool,
}

impl Needs {
    /// What either of the two needs.
    #[inline(always)]
    pub(crate) fn and(self, other: Needs) -> Self {
        Self {
            log: self.log | other.log,
            z: self.z | other.z,
            weights: self.weights | other.weights,
            second_part: self.second_part | other.second_part,
        }
    }
}

/// The most terms that are summed in one pass over a row.
pub(crate) const SET: usize = 4;

/// Vectors of a block. Terms are summed over a block in the kernel's precision, then added to a 64-bit sum.
pub(crate) const BLOCK: usize = 16;
