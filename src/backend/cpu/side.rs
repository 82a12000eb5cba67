//! One side of a batch: its rows laid out, and summed.

use fearless_simd::{ExtractToken, Select, Simd, SimdBase, SimdMask};

use super::stage::{Layout, RowBits, Staged};
use super::sums::{Gather, RowTotals, sum_blocks};
use crate::divergence::lanes::{LaneMask, Lanes, Real, splat};

/// The elements of the last vector of a unit that are no padding.
#[inline(always)]
pub(super) fn inside<S: Simd, T: Real>(simd: S, layout: &Layout) -> LaneMask<S, T> {
    LaneMask::<S, T>::from_bitmask(simd, (1 << (Lanes::<S, T>::LEN - layout.padding())) - 1)
}

/// One side of a batch, laid out and summed.
#[derive(Clone, Copy)]
pub(super) struct Side<'a, S: Simd, T: Real> {
    pub(super) staged: Staged<'a, T>,
    /// The total of row i in lane i.
    pub(super) totals: Lanes<S, T>,
    /// The smallest weights of all rows, in whichever lanes.
    pub(super) least: Lanes<S, T>,
}

impl<'a, S: Simd, T: Real> Side<'a, S, T> {
    /// Sums the rows of a batch.
    #[inline(always)]
    pub(super) fn new(
        simd: S,
        staged: Staged<'a, T>,
        count: usize,
        layout: &Layout,
        totals: &mut RowTotals<S, T>,
    ) -> Self {
        let lanes = Lanes::<S, T>::LEN;
        let zero = splat::<S, T>(simd, 0.0);
        let most = splat::<S, T>(simd, f64::MAX);
        let mut least = most;
        let gather = Gather::of(layout);
        // The vector that holds the padding is looked at apart: a padding is no empty bin.
        let last = if layout.padding() == 0 { 0 } else { lanes };
        let inside = inside::<S, T>(simd, layout);
        for row in 0..layout.units(count) {
            let unit = staged.unit(row, layout);
            let (body, tail) = unit.split_at(unit.len() - last);
            sum_blocks!(simd, S, T, totals, row, gather, body.len(), at => {
                let (mut a, mut b) = (zero, zero);
                let mut fours = body[at].chunks_exact(4 * lanes);
                for four in &mut fours {
                    let [x0, x1] = [0, 1].map(|i| &four[i * lanes..][..lanes]);
                    let [x2, x3] = [2, 3].map(|i| &four[i * lanes..][..lanes]);
                    let (x0, x1) = (Lanes::<S, T>::from_slice(simd, x0), Lanes::<S, T>::from_slice(simd, x1));
                    let (x2, x3) = (Lanes::<S, T>::from_slice(simd, x2), Lanes::<S, T>::from_slice(simd, x3));
                    a += x0 + x1;
                    b += x2 + x3;
                    least = least.min(x0.min(x1).min(x2.min(x3)));
                }
                for one in fours.remainder().chunks_exact(lanes) {
                    let x = Lanes::<S, T>::from_slice(simd, one);
                    a += x;
                    least = least.min(x);
                }
                a + b
            });
            if last > 0 {
                let x = Lanes::<S, T>::from_slice(simd, tail);
                least = least.min(inside.select(x, most));
                totals.add(row, gather, x);
            }
        }
        Self { staged, totals: totals.gather(simd, gather, count), least }
    }
}

impl<'a, S: Simd, T: Real> Side<'a, S, T> {
    /// One row whose total is known.
    #[inline(always)]
    pub(super) fn known(simd: S, staged: Staged<'a, T>, total: f64) -> Self {
        let totals = splat::<S, T>(simd, total);
        Self { staged, totals, least: totals }
    }

    /// The one row of this side for every row of the other.
    #[inline(always)]
    pub(super) fn repeated(mut self, layout: &Layout) -> Self {
        if !layout.across {
            self.staged.stride = 0;
            let simd = self.totals.token();
            self.totals = Lanes::<S, T>::splat(simd, self.totals.as_slice()[0]);
        }
        if self.staged.inexact != 0 {
            self.staged.inexact = RowBits::MAX;
        }
        self
    }
}
