//! Consecutive rows of a result, through the kernel of usual rows or the kernel of any row.

use fearless_simd::Simd;

use super::accumulate::Accumulators;
use super::batch::{Batch, Usual};
use super::decode::{Decode, Decoded, Policy, Scratch};
use super::prefetch::Ahead;
use super::row::{self, Task};
use super::side::{StagedSide, asks_two_parts};
use super::stage::{Layout, StagingBuffers, stage};
use super::sums::RowTotals;
use crate::arithmetic::contrast::SET;
use crate::problem::Problem;
use crate::row_sums::RowFlags;
use crate::weights::Rows;

/// Consecutive rows of a result, computed by one thread.
pub(crate) struct Span<'a> {
    pub problem: &'a Problem,
    pub p: &'a Rows<'a>,
    pub q: &'a Rows<'a>,
}

impl<'a> Span<'a> {
    /// Computes the marked rows, of any kind, one by one.
    #[inline(always)]
    pub(crate) fn any<S: Simd, T: Decode>(&self, simd: S, flags: &mut [RowFlags], sums: &mut [f64])
    where
        Scratch<T>: Default,
    {
        let problem = self.problem;
        let terms = problem.terms.len();
        let task =
            Task { terms: &problem.terms, zeros: problem.zeros, needs: problem.needs(), positions: &problem.positions };
        let mut accumulators = Accumulators::<S, T>::new(simd, terms);
        let (mut p_scratch, mut q_scratch) = (Scratch::<T>::default(), Scratch::<T>::default());
        for (row, (flags, sums)) in flags.iter_mut().zip(sums.chunks_mut(terms)).enumerate() {
            if !flags.any(RowFlags::RESCUE) {
                continue;
            }
            let [p_row, q_row] = problem.pairing.shared().map(|is_shared| if is_shared { 0 } else { row });
            let policy = |other: &'a Rows<'a>, row: usize| Policy::new(problem.zeros, other, row);
            let p = T::row(simd, self.p, p_row, &policy(self.q, q_row), &mut p_scratch);
            let q = T::row(simd, self.q, q_row, &policy(self.p, p_row), &mut q_scratch);
            let seen = Decoded::flags(&p, &q);
            *flags = if seen == 0 {
                row::row(simd, &task, &p.weights, &q.weights, &mut accumulators, sums)
            } else {
                RowFlags(seen)
            };
        }
    }

    /// Computes usual rows in batches, and marks the others.
    #[inline(always)]
    pub(crate) fn usual<S: Simd, T: Decode + Usual>(&self, simd: S, flags: &mut [RowFlags], sums: &mut [f64])
    where
        StagingBuffers<T>: Default,
    {
        let problem = self.problem;
        let two_parts = asks_two_parts::<T>(problem.terms.as_slice(), problem.zeros);
        let layout = Layout::new::<S, T>(problem.bins);
        let mut totals = [(); SET].map(|()| RowTotals::new(simd));
        let (mut p_buffers, mut q_buffers) = (StagingBuffers::default(), StagingBuffers::default());
        let (mut p_shared, mut q_shared) = (StagingBuffers::default(), StagingBuffers::default());
        // This is a macro because a closure may be compiled without the instruction set.
        macro_rules! side {
            ($rows:expr, $first:expr, $count:expr, $buffers:expr) => {
                StagedSide::new(
                    simd,
                    stage::<S, T>(simd, $rows, $first, $count, &layout, &mut $buffers),
                    $count,
                    &layout,
                    two_parts,
                    &mut totals[0],
                )
            };
        }
        // A row that all others meet is laid out and summed once.
        let [p_is_shared, q_is_shared] = problem.pairing.shared();
        let p_once = if p_is_shared { Some(side!(self.p, 0, 1, p_shared).repeated(&layout)) } else { None };
        let q_once = if q_is_shared { Some(side!(self.q, 0, 1, q_shared).repeated(&layout)) } else { None };
        let bytes = |rows: &Rows<'a>, once: bool| {
            let size = rows.weight_type().size();
            // The shared row is not read again.
            let row = if once { 0 } else { rows.row_stride() * size };
            (rows.weights().as_bytes(), row, if once { 0 } else { layout.lanes * size })
        };
        let (p_bytes, q_bytes) = (bytes(self.p, p_once.is_some()), bytes(self.q, q_once.is_some()));
        let next = |&(bytes, row, vector): &(&'a [u8], usize, usize), first: usize| (bytes, first * row, vector);
        let batches = flags.chunks_mut(layout.rows).zip(sums.chunks_mut(layout.rows * problem.terms.len()));
        for (i, (flags, sums)) in batches.enumerate() {
            let (first, count) = (i * layout.rows, flags.len());
            let p = match p_once {
                Some(side) => side,
                None => side!(self.p, first, count, p_buffers),
            };
            let q = match q_once {
                Some(side) => side,
                None => side!(self.q, first, count, q_buffers),
            };
            let ahead = Ahead::new([next(&p_bytes, first + count), next(&q_bytes, first + count)]);
            Batch { simd, layout: &layout, count, two_parts, p, q }.run(problem, &mut totals, &ahead, flags, sums);
        }
    }
}
