//! The blocks of a batch that a term is summed over, and where their sums go.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::batch::Batch;
use super::prefetch::Ahead;
use super::side::inside;
use super::stage::RowBits;
use super::sums::{Gather, RowTotals};
use crate::arithmetic::change::{Added, Change};
use crate::arithmetic::contrast::{BLOCK, Block, Blocks, Scale};
use crate::arithmetic::lanes::{LaneMask, Lanes, Real};
use crate::arithmetic::pooled::Pooled;
use crate::arithmetic::two_part::TwoPart;
use crate::arithmetic::wide_lanes::WideLanes;

/// The wanted rows of a batch, block by block.
pub(super) struct RowBlocks<'b, 'a, S: Simd, T: Real, const TERMS: usize> {
    batch: &'b Batch<'a, S, T>,
    /// One value per row.
    scales: Scale<S, T>,
    ahead: &'b Ahead,
    wanted: RowBits,
    gather: Gather,
    /// One entry per term.
    totals: &'b mut [RowTotals<S, T>; TERMS],
    /// The unit, and the place in it.
    row: usize,
    start: usize,
    end: usize,
    /// The first vector of the block, counted in the batch.
    vector: usize,
    wide: [WideLanes<S>; TERMS],
}

impl<'b, 'a, S: Simd, T: Real, const TERMS: usize> RowBlocks<'b, 'a, S, T, TERMS> {
    /// Starts at the first wanted row.
    #[inline(always)]
    pub(super) fn new(
        batch: &'b Batch<'a, S, T>,
        scales: Scale<S, T>,
        ahead: &'b Ahead,
        wanted: RowBits,
        totals: &'b mut [RowTotals<S, T>; TERMS],
    ) -> Self {
        let (gather, wide) = (Gather::of(batch.layout), [WideLanes::zero(batch.simd); TERMS]);
        Self { batch, scales, ahead, wanted, gather, totals, row: 0, start: 0, end: 0, vector: 0, wide }
    }
}

impl<'a, S: Simd, T: Real, const TERMS: usize> Blocks<'a, S, T> for RowBlocks<'_, 'a, S, T, TERMS> {
    #[inline(always)]
    fn next(&mut self) -> Option<Block<'a, S, T>> {
        let layout = self.batch.layout;
        let lanes = Lanes::<S, T>::LEN;
        while !layout.across && self.wanted >> self.row & 1 == 0 {
            self.row += 1;
            if self.row >= self.batch.count {
                return None;
            }
        }
        if self.row >= layout.units(self.batch.count) {
            return None;
        }
        let (x, y) = (self.batch.p.staged.unit(self.row, layout), self.batch.q.staged.unit(self.row, layout));
        self.end = (self.start + BLOCK * lanes).min(layout.unit());
        self.vector = self.row * layout.vectors + self.start / lanes;
        let of_row = |values: Lanes<S, T>| self.batch.of_row(values, self.row);
        let two_parts = |value: TwoPart<Lanes<S, T>>| TwoPart { high: of_row(value.high), low: of_row(value.low) };
        let change = match self.scales.change {
            Some(Change::Every(Added { a, q, u })) => {
                Some(Change::Every(Added { a: of_row(a), q: of_row(q), u: two_parts(u) }))
            }
            Some(Change::Missing { fill, p, q, both, only_p, only_q }) => {
                let (both, only_p, only_q) = (two_parts(both), two_parts(only_p), two_parts(only_q));
                Some(Change::Missing { fill: of_row(fill), p: of_row(p), q: of_row(q), both, only_p, only_q })
            }
            Some(Change::Common) => Some(Change::Common),
            None => None,
        };
        let inside = if self.end == layout.unit() {
            inside::<S, T>(self.batch.simd, layout)
        } else {
            LaneMask::<S, T>::splat(self.batch.simd, true)
        };
        let Pooled { p, q } = self.scales.pooled;
        let scale = Scale {
            ratio: two_parts(self.scales.ratio),
            q_total: of_row(self.scales.q_total),
            pooled: Pooled { p: of_row(p), q: of_row(q) },
            change,
        };
        Some(Block { p: &x[self.start..self.end], q: &y[self.start..self.end], scale, inside })
    }

    #[inline(always)]
    fn at(&self, vector: usize) {
        self.ahead.fetch(self.vector + vector);
    }

    #[inline(always)]
    fn put(&mut self, sums: &[Lanes<S, T>]) {
        self.start = self.end;
        let done = self.start == self.batch.layout.unit();
        for (&sum, (totals, wide)) in sums.iter().zip(self.totals.iter_mut().zip(&mut self.wide)) {
            if self.gather != Gather::Scalars {
                totals.lanes[self.row] = sum;
                continue;
            }
            T::widen::<S>(wide, sum);
            if done {
                totals.scalars[self.row] = wide.total();
                *wide = WideLanes::zero(self.batch.simd);
            }
        }
        if done {
            self.row += 1;
            self.start = 0;
        }
    }
}
