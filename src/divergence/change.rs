//! What a zero policy changes of the weights of a row, beside them.
//!
//! Nothing is added to a weight as such, which would cost the digits of the smaller of the two: weights stay or
//! are left out, and what comes in addition are constants of the row, so that only sides and differences of a bin
//! are rounded.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::contrast::TwoPart;
use super::lanes::{LaneMask, Lanes, Real, keep, splat};

/// What comes in addition to the weights of a bin, on the scale of q.
#[derive(Clone, Copy)]
pub(crate) struct Added<S: Simd, T: Real> {
    pub(crate) a: Lanes<S, T>,
    pub(crate) q: Lanes<S, T>,
    /// a's less q's.
    pub(crate) u: TwoPart<Lanes<S, T>>,
}

/// The weights that stay, and what comes in addition to them.
pub(crate) type Changed<S, T> = (Lanes<S, T>, Lanes<S, T>, Added<S, T>);

/// What a zero policy makes of the bins of a row, the same in the lanes of a row.
#[derive(Clone, Copy)]
pub(crate) enum Change<S: Simd, T: Real> {
    /// Every bin gets something.
    Every(Added<S, T>),
    /// A bin that only one side has is filled on the other, and the bins that a side has pay for it.
    Missing {
        fill: Lanes<S, T>,
        /// What a bin of p, and of q, gets: nothing or less.
        p: Lanes<S, T>,
        q: Lanes<S, T>,
        /// p's part less q's, of a bin that both have, that p alone and that q alone has.
        both: TwoPart<Lanes<S, T>>,
        only_p: TwoPart<Lanes<S, T>>,
        only_q: TwoPart<Lanes<S, T>>,
    },
    /// A bin that not both sides have is left out.
    Common,
}

impl<S: Simd, T: Real> Added<S, T> {
    /// a − q of what the weights are with this. With u = p·r − (q − c), and q − c in two parts, nothing cancels.
    #[inline(always)]
    pub(crate) fn difference(&self, x: Lanes<S, T>, y: Lanes<S, T>, ratio: TwoPart<Lanes<S, T>>) -> Lanes<S, T> {
        let c = self.u.high;
        let rest = y - c;
        let back = rest - y;
        let lost = (y - (rest - back)) - (c + back);
        // Added in this order, nothing changes by nothing being added.
        x.mul_add(ratio.low, x.mul_sub_precise(ratio.high, rest) + (self.u.low - lost))
    }
}

impl<S: Simd, T: Real> Change<S, T> {
    /// What becomes of the weights of a vector; a padding stays empty.
    #[inline(always)]
    pub(crate) fn apply(&self, simd: S, x: Lanes<S, T>, y: Lanes<S, T>, inside: LaneMask<S, T>) -> Changed<S, T> {
        let zero = splat::<S, T>(simd, 0.0);
        match self {
            Change::Every(Added { a, q, u }) => {
                let u = TwoPart { high: keep::<S, T>(simd, inside, u.high), low: keep::<S, T>(simd, inside, u.low) };
                (x, y, Added { a: keep::<S, T>(simd, inside, *a), q: keep::<S, T>(simd, inside, *q), u })
            }
            Change::Missing { fill, p, q, both, only_p, only_q } => {
                let (has_x, has_y) = (x.simd_gt(zero), y.simd_gt(zero));
                let high = has_x.select(has_y.select(both.high, only_p.high), keep::<S, T>(simd, has_y, only_q.high));
                let low = has_x.select(has_y.select(both.low, only_p.low), keep::<S, T>(simd, has_y, only_q.low));
                let a = has_x.select(*p, keep::<S, T>(simd, has_y, *fill));
                let q = has_y.select(*q, keep::<S, T>(simd, has_x, *fill));
                (x, y, Added { a, q, u: TwoPart { high, low } })
            }
            Change::Common => {
                let both = x.simd_gt(zero) & y.simd_gt(zero);
                let nothing = Added { a: zero, q: zero, u: TwoPart { high: zero, low: zero } };
                (keep::<S, T>(simd, both, x), keep::<S, T>(simd, both, y), nothing)
            }
        }
    }
}
