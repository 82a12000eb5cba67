//! Sums over the bins of many rows, always in the same order. Within a block of vectors the sum runs lane by lane. A row of one
//! block is then summed by a tree over the lanes, in 64 bits except for the leaves. A longer row is summed over its blocks in
//! 64 bits. So a row gives the same bits wherever it lies in a batch.

use fearless_simd::{Simd, SimdBase};

use super::stage::Layout;
use crate::arithmetic::contrast::{BLOCK, SET};
use crate::arithmetic::lanes::{Lanes, Real, splat};
use crate::arithmetic::two_part::TwoPart;
use crate::arithmetic::wide_lanes::MAX_LANES;

/// How the sums of a unit become lanes of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gather {
    /// They are lanes already: rows lie across.
    Across,
    /// Rows of one block: a tree adds vectors of partial sums, for all rows at once.
    Tree,
    /// Rows of several blocks, already added up in 64 bits.
    Scalars,
}

impl Gather {
    /// The way for a layout.
    #[inline(always)]
    pub(crate) fn of(layout: &Layout) -> Self {
        match layout {
            Layout { across: true, .. } => Gather::Across,
            layout if layout.vectors <= BLOCK => Gather::Tree,
            _ => Gather::Scalars,
        }
    }
}

/// One sum per row, for at most as many rows as a vector has lanes.
#[derive(Clone)]
pub(crate) struct RowTotals<S: Simd, T: Real> {
    pub lanes: [Lanes<S, T>; MAX_LANES],
    pub scalars: [f64; MAX_LANES],
}

/// One sum per row and term.
pub(super) type SetTotals<S, T> = [RowTotals<S, T>; SET];

impl<S: Simd, T: Real> RowTotals<S, T> {
    /// All zero.
    #[inline(always)]
    pub(crate) fn new(simd: S) -> Self {
        Self { lanes: [splat::<S, T>(simd, 0.0); MAX_LANES], scalars: [0.0; MAX_LANES] }
    }

    /// Adds one more vector to the sum of a unit.
    #[inline(always)]
    pub(crate) fn add(&mut self, row: usize, gather: Gather, x: Lanes<S, T>) {
        if gather == Gather::Scalars {
            self.scalars[row] += x.reduce_sum().to_f64();
        } else {
            self.lanes[row] += x;
        }
    }

    /// The total of row i in lane i, for `count` rows, and what rounding left of it if lanes were added. Where rows lie along,
    /// the other lanes are 0.
    #[inline(always)]
    pub(crate) fn gather(&mut self, simd: S, gather: Gather, count: usize) -> TwoPart<Lanes<S, T>> {
        let zero = splat::<S, T>(simd, 0.0);
        match gather {
            Gather::Across => TwoPart { high: self.lanes[0], low: zero },
            Gather::Scalars => {
                let (mut high, mut low) = (zero, zero);
                for (i, total) in self.scalars[..count].iter().enumerate() {
                    let rounded = T::from_f64(*total);
                    high.as_mut_slice()[i] = rounded;
                    low.as_mut_slice()[i] = T::from_f64(*total - rounded.to_f64());
                }
                TwoPart { high, low }
            }
            Gather::Tree => {
                let width = Lanes::<S, T>::LEN;
                self.lanes[count..].fill(zero);
                T::add_lanes::<S>(&mut self.lanes[..width])
            }
        }
    }
}

/// Sums a unit of `$length` elements block by block. `$sum` gives the vector for the elements in the range `$at`. This is a
/// macro because a function argument would be compiled without the instruction set.
macro_rules! sum_blocks {
    ($simd:expr, $S:ident, $T:ident, $totals:expr, $row:expr, $gather:expr, $length:expr, $at:ident => $sum:expr) => {{
        let elements = $crate::arithmetic::contrast::BLOCK
            * <$crate::arithmetic::lanes::Lanes<$S, $T> as fearless_simd::SimdBase<$S>>::LEN;
        let length = $length;
        let mut wide = $crate::arithmetic::wide_lanes::WideLanes::zero($simd);
        let mut start = 0;
        while start < length {
            let end = (start + elements).min(length);
            let $at = start..end;
            let sum: $crate::arithmetic::lanes::Lanes<$S, $T> = $sum;
            if $gather == Gather::Scalars {
                $T::widen::<$S>(&mut wide, sum);
            } else {
                $totals.lanes[$row] = sum;
            }
            start = end;
        }
        if $gather == Gather::Scalars {
            $totals.scalars[$row] = wide.total();
        }
    }};
}

pub(crate) use sum_blocks;
