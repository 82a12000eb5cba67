//! One side of a batch: its rows laid out, and summed.

use fearless_simd::{ExtractToken, Select, Simd, SimdBase, SimdMask};

use super::stage::{Layout, RowBits, Staged};
use super::sums::{Gather, RowTotals, sum_blocks};
use crate::arithmetic::double::Double;
use crate::arithmetic::lanes::{LaneMask, Lanes, Real, splat};
use crate::arithmetic::two_part::TwoPart;
use crate::arithmetic::wide_lanes::WideLanes;
use crate::measures::Term;
use crate::zeros::Zeros;

/// The elements of the last vector of a unit that are not padding.
#[inline(always)]
pub(super) fn inside<S: Simd, T: Real>(simd: S, layout: &Layout) -> LaneMask<S, T> {
    LaneMask::<S, T>::from_bitmask(simd, (1 << (Lanes::<S, T>::LEN - layout.padding())) - 1)
}

/// Whether totals are needed in two parts. They are if a term counts their errors more than once, or if the policy adds to
/// every bin, which rounds again.
#[inline(always)]
pub(super) fn asks_two_parts<T: Real>(terms: &[Term], zeros: Zeros) -> bool {
    let adds = matches!(zeros, Zeros::Additive(_) | Zeros::Mix(_));
    size_of::<T>() == 4 && (adds || terms.iter().any(|term| term.amplifies_totals()))
}

/// One side of a batch, laid out and summed.
#[derive(Clone, Copy)]
pub(crate) struct StagedSide<'a, S: Simd, T: Real> {
    pub staged: Staged<'a, T>,
    /// The total of row i in lane i. `totals_low` holds what rounding left of it: all of it where that was asked for, else only
    /// what adding up the lanes left.
    pub totals: Lanes<S, T>,
    pub totals_low: Lanes<S, T>,
    /// The smallest weights of all rows, in no particular lanes.
    pub least: Lanes<S, T>,
}

impl<'a, S: Simd, T: Real> StagedSide<'a, S, T> {
    /// Sums the rows of a batch, in two parts if that is asked for.
    #[inline(always)]
    pub(crate) fn new(
        simd: S,
        staged: Staged<'a, T>,
        count: usize,
        layout: &Layout,
        two_parts: bool,
        totals: &mut RowTotals<S, T>,
    ) -> Self {
        let lanes = Lanes::<S, T>::LEN;
        let zero = splat::<S, T>(simd, 0.0);
        let most = splat::<S, T>(simd, f64::MAX);
        let mut least = most;
        let gather = Gather::of(layout);
        // The vector with the padding is handled separately, because padding is no empty bin.
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
                    // Beside one large weight each rounding loses digits. So no weight of a block goes through more than four
                    // roundings.
                    (a, b) = (b, a + ((x0 + x1) + (x2 + x3)));
                    least = least.min(x0.min(x1).min(x2.min(x3)));
                }
                for one in fours.remainder().chunks_exact(lanes) {
                    let x = Lanes::<S, T>::from_slice(simd, one);
                    (a, b) = (b, a + x);
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
        let TwoPart { high, low } = totals.gather(simd, gather, count);
        let mut side = Self { staged, totals: high, totals_low: low, least };
        if two_parts {
            side.sum_in_64_bits(simd, count, layout);
        }
        side
    }

    /// The totals in two parts.
    #[inline(always)]
    fn sum_in_64_bits(&mut self, simd: S, count: usize, layout: &Layout) {
        for row in 0..layout.units(count) {
            let mut wide = WideLanes::zero(simd);
            for x in self.staged.unit(row, layout).chunks_exact(Lanes::<S, T>::LEN) {
                T::widen::<S>(&mut wide, Lanes::<S, T>::from_slice(simd, x));
            }
            if layout.across {
                let TwoPart { high, low } = T::narrow::<S>(simd, wide);
                (self.totals, self.totals_low) = (high, low);
            } else {
                let TwoPart { high, low } = Double::from(wide.total()).split::<T>();
                self.totals.as_mut_slice()[row] = high;
                self.totals_low.as_mut_slice()[row] = low;
            }
        }
    }
}

impl<'a, S: Simd, T: Real> StagedSide<'a, S, T> {
    /// One row whose total is known.
    #[inline(always)]
    pub(crate) fn known(simd: S, staged: Staged<'a, T>, total: f64) -> Self {
        let totals = splat::<S, T>(simd, total);
        Self { staged, totals, totals_low: splat::<S, T>(simd, 0.0), least: totals }
    }

    #[inline(always)]
    pub(crate) fn in_two_parts(&self) -> TwoPart<Lanes<S, T>> {
        TwoPart { high: self.totals, low: self.totals_low }
    }

    /// Repeats the one row of this side for every row of the other side.
    #[inline(always)]
    pub(crate) fn repeated(mut self, layout: &Layout) -> Self {
        if !layout.across {
            self.staged.stride = 0;
            let simd = self.totals.token();
            self.totals = Lanes::<S, T>::splat(simd, self.totals.as_slice()[0]);
            self.totals_low = Lanes::<S, T>::splat(simd, self.totals_low.as_slice()[0]);
        }
        if self.staged.inexact != 0 {
            self.staged.inexact = RowBits::MAX;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::{SimdLevel, on_level};

    #[inline(always)]
    fn totals<S: Simd>(simd: S) {
        for bins in [3, 16, 50, 256] {
            let layout = Layout::new::<S, f32>(bins);
            let mut values = vec![0.0; layout.unit()];
            // One large weight and small ones; where rows lie across, in every lane.
            for (bin, value) in values.iter_mut().enumerate().take(if layout.across { layout.unit() } else { bins }) {
                let bin = if layout.across { bin / layout.lanes } else { bin };
                *value = if bin == 0 { 1.0 } else { 2.9e-8 + bin as f32 * 1e-10 };
            }
            let want: f64 = (1..bins).map(|bin| f64::from(2.9e-8 + bin as f32 * 1e-10)).sum::<f64>() + 1.0;
            let staged = Staged { values: &values, stride: layout.unit(), inexact: 0 };
            let total = |two_parts: bool| {
                let side = StagedSide::new(simd, staged, 1, &layout, two_parts, &mut RowTotals::new(simd));
                f64::from(side.totals.as_slice()[0]) + f64::from(side.totals_low.as_slice()[0])
            };
            assert!((total(false) - want).abs() < 4e-7, "{bins} bins");
            assert!((total(true) - want).abs() < 1e-14, "{bins} bins");
        }
    }

    #[test]
    fn totals_are_exact_where_their_errors_count_more_than_once() {
        for level in SimdLevel::available().into_iter().filter_map(SimdLevel::resolve) {
            on_level!(level, simd => totals(simd));
        }
    }
}
