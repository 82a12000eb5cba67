//! The contrast of a bin, and the blocks of bins that terms are summed over.
//!
//! With both sides on one scale (a = p·r, r = Q/P, so Σa = Σq = Q) every divergence between p and q is (1/Q) Σ s·F(z) with s =
//! a + q and z = (a − q)/(a + q); see `docs/NUMERICS.md`, "The contrast form". The kernel makes one [`Contrast`] per bin. A
//! [`Term`](crate::measures::Term) is the function `s·F` of one measure.

use fearless_simd::{Simd, SimdBase, SimdFloat, SimdMask};

use super::change::{Change, Changed};
use super::lanes::{LaneMask, Lanes, Real, splat};
use super::log_ratio::LogRatio;
use super::pooled::Pooled;
use super::two_part::TwoPart;

/// One side of a vector of bins: the weight after the zero policy, and the total of its row in the same unit.
#[derive(Clone, Copy)]
pub struct SideLanes<S: Simd, T: Real> {
    pub weight: TwoPart<Lanes<S, T>>,
    pub total: TwoPart<Lanes<S, T>>,
}

/// One vector of bins as two sides, for the terms of entropies.
#[derive(Clone, Copy)]
pub struct BothSides<S: Simd, T: Real> {
    pub simd: S,
    pub p: SideLanes<S, T>,
    pub q: SideLanes<S, T>,
    /// p scaled to the total of q.
    pub a: Lanes<S, T>,
}

impl<S: Simd, T: Real> BothSides<S, T> {
    /// Takes weights without a change.
    #[inline(always)]
    pub fn plain(simd: S, x: Lanes<S, T>, y: Lanes<S, T>, scale: Scale<S, T>) -> Self {
        Self::on_one_scale(simd, x * scale.ratio.high, y, scale.q_total)
    }

    /// Takes weights that the policy changes.
    #[inline(always)]
    pub fn changed(simd: S, (x, y, added): Changed<S, T>, scale: Scale<S, T>) -> Self {
        Self::on_one_scale(simd, x.mul_add(scale.ratio.high, added.a), y + added.q, scale.q_total)
    }

    /// Both sides on the scale of q, so that one total serves both.
    #[inline(always)]
    fn on_one_scale(simd: S, a: Lanes<S, T>, q: Lanes<S, T>, total: Lanes<S, T>) -> Self {
        let low = splat::<S, T>(simd, 0.0);
        let total = TwoPart { high: total, low };
        let side = |weight| SideLanes { weight: TwoPart { high: weight, low }, total };
        Self { simd, p: side(a), q: side(q), a }
    }
}

/// One vector of bins, with both sides on the scale of q.
#[derive(Clone, Copy)]
pub struct Contrast<S: Simd, T: Real> {
    pub simd: S,
    /// p scaled to the total of q.
    pub a: Lanes<S, T>,
    /// The weight of q.
    pub q: Lanes<S, T>,
    /// a − q, without cancellation.
    pub u: Lanes<S, T>,
    /// a + q, or a tiny positive number if both are 0.
    pub s: Lanes<S, T>,
    /// u/s, and 0 for a bin that is empty on both sides. Only set if a term of the call needs it.
    pub z: Lanes<S, T>,
    /// ln(a/q) in parts. Only set if a term of the call needs it.
    pub ratio: LogRatio<S, T>,
}

impl<S: Simd, T: Real> Contrast<S, T> {
    /// Takes a, q and their difference.
    #[inline(always)]
    pub fn new(simd: S, a: Lanes<S, T>, q: Lanes<S, T>, u: Lanes<S, T>, needs: Needs) -> Self {
        // An empty bin gets a tiny number: no quotient is 0/0, and no sum changes.
        let nothing = Lanes::<S, T>::splat(simd, T::NOTHING);
        let s = a.max(nothing) + q.max(nothing);
        let z = if needs.z { u / s } else { s };
        let ratio = if needs.log { LogRatio::new(simd, [a, q, u]) } else { LogRatio::none(simd) };
        Self { simd, a, q, u, s, z, ratio }
    }

    /// Takes weights without a change.
    #[inline(always)]
    pub fn plain(simd: S, x: Lanes<S, T>, y: Lanes<S, T>, scale: Scale<S, T>, needs: Needs) -> Self {
        let TwoPart { high, low } = scale.ratio;
        let u = x.mul_add(low, x.mul_sub_precise(high, y));
        let a = if needs.second_part { x.mul_add(high, x * low) } else { x * high };
        Self::new(simd, a, y, u, needs)
    }

    /// Takes weights that the policy changes.
    #[inline(always)]
    pub fn changed(simd: S, (x, y, added): Changed<S, T>, scale: Scale<S, T>, needs: Needs) -> Self {
        let TwoPart { high, low } = scale.ratio;
        let u = added.difference(x, y, scale.ratio);
        let less = if needs.second_part { x.mul_add(low, added.a) } else { added.a };
        Self::new(simd, x.mul_add(high, less), y + added.q, u, needs)
    }

    #[inline(always)]
    pub fn sides(&self) -> [Lanes<S, T>; 3] {
        [self.a, self.q, self.u]
    }

    /// ln(a/q), and some finite number where a side has no weight.
    #[inline(always)]
    pub fn log_ratio(&self) -> Lanes<S, T> {
        self.ratio.value(self.simd)
    }

    /// The bins with weight on both sides.
    #[inline(always)]
    pub fn both(&self) -> LaneMask<S, T> {
        self.a_positive() & self.q_positive()
    }

    /// The bins in which p has weight.
    #[inline(always)]
    pub fn a_positive(&self) -> LaneMask<S, T> {
        self.a.simd_gt(self.splat(0.0))
    }

    /// The bins in which q has weight.
    #[inline(always)]
    pub fn q_positive(&self) -> LaneMask<S, T> {
        self.q.simd_gt(self.splat(0.0))
    }

    /// A vector with the same value in every lane.
    #[inline(always)]
    pub fn splat(&self, value: f64) -> Lanes<S, T> {
        splat::<S, T>(self.simd, value)
    }
}

/// The totals of a row as its bins need them. All lanes of a row hold the same values.
#[derive(Clone, Copy)]
pub struct Scale<S: Simd, T: Real> {
    /// r = Q/P in two parts.
    pub ratio: TwoPart<Lanes<S, T>>,
    /// Σq.
    pub q_total: Lanes<S, T>,
    /// The totals as stored, as parts of their sum. Only set if a term of the call needs it.
    pub pooled: Pooled<S, T>,
    /// What the policy changes.
    pub change: Option<Change<S, T>>,
}

/// The weights of p and of q in a block, and the scale of their row.
pub struct Block<'a, S: Simd, T: Real> {
    pub p: &'a [T],
    pub q: &'a [T],
    pub scale: Scale<S, T>,
    /// The lanes of the last vector that are not padding.
    pub inside: LaneMask<S, T>,
}

impl<'a, S: Simd, T: Real> Block<'a, S, T> {
    /// The lanes of a vector of this block that are not padding.
    #[inline(always)]
    pub fn inside(&self, simd: S, vector: usize) -> LaneMask<S, T> {
        let last = (vector + 1) * Lanes::<S, T>::LEN == self.p.len();
        if last { self.inside } else { LaneMask::<S, T>::splat(simd, true) }
    }
}

/// Blocks of whole vectors, with as many of p as of q. Their sums are wanted one after the other.
pub trait Blocks<'a, S: Simd, T: Real> {
    /// The next block.
    fn next(&mut self) -> Option<Block<'a, S, T>>;
    /// Called with the number of each vector of a block as it is read.
    fn at(&self, vector: usize);
    /// Takes the sums of the block, one per term.
    fn put(&mut self, sums: &[Lanes<S, T>]);
}

/// What only some terms use. It is made only if a term of the call needs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    pub log: bool,
    pub z: bool,
    /// The two sides themselves.
    pub weights: bool,
    /// Makes a itself, not only its difference from q, with both parts of the ratio.
    pub second_part: bool,
    /// The pooled totals of the row.
    pub pooled: bool,
}

impl Needs {
    /// What either of the two needs.
    #[inline(always)]
    pub fn and(self, other: Needs) -> Self {
        Self {
            log: self.log | other.log,
            z: self.z | other.z,
            weights: self.weights | other.weights,
            second_part: self.second_part | other.second_part,
            pooled: self.pooled | other.pooled,
        }
    }
}

/// The most terms that are summed in one pass over a row.
pub(crate) const SET: usize = 4;

/// Vectors of a block. Terms are summed over a block in the kernel's precision, then added to a 64-bit sum.
pub(crate) const BLOCK: usize = 16;
