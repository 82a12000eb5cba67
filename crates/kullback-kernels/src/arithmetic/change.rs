//! What a zero policy changes in the weights of a row, kept apart from the weights.
//!
//! Nothing is added to a weight itself, because that would cost the digits of the smaller of the two. Weights stay or are left
//! out, and what is added are constants of the row. So only the sides and the differences of a bin are rounded.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use super::lanes::{LaneMask, Lanes, Real, keep, splat};
use super::two_part::TwoPart;

/// What is added to the weights of a bin, on the scale of q.
#[derive(Clone, Copy)]
pub struct Added<S: Simd, T: Real> {
    pub a: Lanes<S, T>,
    pub q: Lanes<S, T>,
    /// The amount of a minus the amount of q.
    pub u: TwoPart<Lanes<S, T>>,
}

/// The weights that stay, and what is added to them.
pub(crate) type Changed<S, T> = (Lanes<S, T>, Lanes<S, T>, Added<S, T>);

/// What a zero policy does to the bins of a row. All lanes of a row hold the same values.
#[derive(Clone, Copy)]
pub enum Change<S: Simd, T: Real> {
    /// Every bin gets something.
    Every(Added<S, T>),
    /// A bin that only one side has is filled on the other side, and the bins of that side pay for it.
    Missing {
        fill: Lanes<S, T>,
        /// What a bin of p gets, and below a bin of q: nothing or a negative amount.
        p: Lanes<S, T>,
        q: Lanes<S, T>,
        /// The amount of p minus the amount of q, for a bin of both sides; below, for a bin of p alone and of q alone.
        both: TwoPart<Lanes<S, T>>,
        only_p: TwoPart<Lanes<S, T>>,
        only_q: TwoPart<Lanes<S, T>>,
    },
    /// Bins that are empty on a side are left out.
    Common,
}

impl<S: Simd, T: Real> Added<S, T> {
    /// a − q of the changed weights. With u = p·r − (q − c), and q − c in two parts, nothing cancels.
    #[inline(always)]
    pub fn difference(&self, x: Lanes<S, T>, y: Lanes<S, T>, ratio: TwoPart<Lanes<S, T>>) -> Lanes<S, T> {
        let c = self.u.high;
        let rest = y - c;
        let back = rest - y;
        let lost = (y - (rest - back)) - (c + back);
        // In this order, adding nothing changes nothing.
        x.mul_add(ratio.low, x.mul_sub_precise(ratio.high, rest) + (self.u.low - lost))
    }
}

impl<S: Simd, T: Real> Change<S, T> {
    /// Applies the change to the weights of a vector. Padding stays empty.
    #[inline(always)]
    pub fn apply(&self, simd: S, x: Lanes<S, T>, y: Lanes<S, T>, inside: LaneMask<S, T>) -> Changed<S, T> {
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
