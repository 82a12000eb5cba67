//! What a call compares, and how the CPU computes a part of it.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kullback_kernels::error::Result;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::row_sums::{RowFlags, RowSums};
use rayon::prelude::*;

use super::host::Host;
use super::tracker::Tracker;
use super::values::{Part, Piece, Values};
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Gpu, SLOTS, product};
use crate::backend::{ChunkResults, Source, reference};
use crate::input::{DeviceRows, Input};
use crate::options::Options;
use crate::output::{Columns, RowStatus};
use crate::plan::{Chunks, cost};

/// What a call compares, and whose threads and limits it uses.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) host: &'a Host,
    pub(crate) problem: &'a Problem,
    pub(crate) p: Input<'a>,
    pub(crate) q: Input<'a>,
    /// The product that the rows are part of, if any.
    #[cfg(feature = "gpu")]
    pub(crate) product: Option<product::ProductTile<'a>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(host: &'a Host, problem: &'a Problem, p: Input<'a>, q: Input<'a>) -> Self {
        Self {
            host,
            problem,
            p,
            q,
            #[cfg(feature = "gpu")]
            product: None,
        }
    }

    /// Bytes that the buffers of the chunks may take.
    #[cfg(feature = "gpu")]
    pub(crate) fn memory(&self) -> u64 {
        self.host.memory - self.product.map_or(0, |part| part.product.bytes())
    }

    /// The product that a chunk is part of.
    #[cfg(feature = "gpu")]
    pub(super) fn product(&self, chunk: &Range<usize>) -> Option<product::ProductTile<'a>> {
        self.product.map(|part| part.of(&self.problem.pairing.ranges(chunk)))
    }

    /// Computes the chunks that a part has left, on the threads of the CPU.
    pub(crate) fn on_cpu(&self, part: &mut Part<'_>) -> Result<()> {
        let chunks = Chunks::for_cpu(self.problem, part.rows.clone());
        chunks.from(part.done).try_for_each(|chunk| self.values(part, chunk, None))
    }

    /// The chunks of some rows for a device, within a budget and scratch memory; and what the device keeps of either
    /// side of them.
    #[cfg(feature = "gpu")]
    pub(crate) fn chunks(
        &self,
        device: &Gpu,
        rows: &Range<usize>,
        memory: (u64, u64),
    ) -> Result<(Chunks, [Option<&'a DeviceRows>; 2])> {
        let [p, q] = self.problem.pairing.ranges(rows);
        let has = |stored: &_| device.has(stored);
        // Every row of P meets all rows of Q at once.
        let is_at_hand = |kept: &&DeviceRows| self.problem.pairing.line() == 1 || kept.is_in_one_piece(&q);
        let kept = [self.p.kept(&p, has), self.q.kept(&q, has).filter(is_at_hand)];
        let pieces = kept.map(|kept| kept.map(|kept| (kept.rows.start, &kept.stored)));
        Ok((device.chunks(self.problem, rows.clone(), memory, pieces)?, kept))
    }

    /// Bytes that a row of the result takes on a device beside its records. Values of all pairs are there and on their way
    /// back, in every chunk.
    #[cfg(feature = "gpu")]
    pub(crate) fn scratch(&self) -> u64 {
        let is_all = matches!(self.problem.pairing, Pairing::All { .. });
        if is_all { (SLOTS * 2 * size_of::<f32>() * self.problem.slots.len()) as u64 } else { 0 }
    }

    /// Both sides of a chunk, of which a device may keep some rows.
    pub(crate) fn sources(&self, chunk: &Range<usize>, kept: [Option<&'a DeviceRows>; 2]) -> [Source<'a>; 2] {
        let [p, q] = self.problem.pairing.ranges(chunk);
        [self.p.source(&p, kept[0]), self.q.source(&q, kept[1])]
    }

    /// Turns the sums of a chunk into values. The sums come from a device or are computed here; or the values come from a
    /// device. Rows that 32 bits could not hold are computed again.
    pub(super) fn values(
        &self,
        part: &mut Part<'_>,
        chunk: Range<usize>,
        from_device: Option<&ChunkResults>,
    ) -> Result<()> {
        let (host, problem) = (self.host, self.problem);
        let (p, q) = (self.p.rows, self.q.rows);
        let rows_per_task = cost::rows_per_task(problem);
        let (rescued, any_invalid) = (AtomicU64::new(0), AtomicBool::new(false));
        let task = |sums: &mut RowSums, mut piece: Piece<'_>| {
            let (p, q) = problem.sides(&p, &q, piece.start, piece.len());
            match from_device {
                Some(ChunkResults::Sums(all)) => sums.copy_from(all, piece.start - chunk.start, piece.len()),
                Some(ChunkResults::Values(all)) => {
                    let first = piece.start - chunk.start;
                    let values = |measure: usize, row: usize| all[measure * chunk.len() + first + row];
                    sums.resize(piece.len(), problem.terms.len());
                    any_invalid.fetch_or(piece.take(values, &mut sums.flags), Ordering::Relaxed);
                    rescued.fetch_add(host.cpu.rescue(problem, &p, &q, sums), Ordering::Relaxed);
                    any_invalid.fetch_or(piece.write_again(sums), Ordering::Relaxed);
                    return;
                }
                None => host.cpu.run(problem, &p, &q, sums),
            }
            rescued.fetch_add(host.cpu.rescue(problem, &p, &q, sums), Ordering::Relaxed);
            any_invalid.fetch_or(piece.write(sums), Ordering::Relaxed);
        };
        let pieces = part.pieces(chunk.clone(), rows_per_task);
        host.cpu.each(pieces, cost::takes_threads(problem, chunk.len()), task);
        part.stats.chunks += 1;
        part.stats.rescued += rescued.into_inner();
        part.any_invalid |= any_invalid.into_inner();
        part.finished(chunk.end)
    }

    /// Computes some rows in 64-bit floats, in the order given: the rows that a device has left to the host.
    pub(crate) fn again(&self, rows: &[usize], options: &Options) -> Result<Columns> {
        let tracker = Tracker::new(options, rows.len());
        let mut values = Values::new(self.problem, options, &tracker, 0..rows.len());
        let terms = self.problem.terms.len();
        let task = |sums: &mut RowSums, (row, mut piece): (&usize, Piece<'_>)| {
            let (p, q) = self.problem.sides(&self.p.rows, &self.q.rows, *row, 1);
            sums.resize(1, terms);
            sums.flags[0] = RowFlags(RowFlags::RESCUE);
            self.host.cpu.rescue(self.problem, &p, &q, sums);
            piece.write(sums);
        };
        for part in &mut values.parts([rows.len()]) {
            self.host.cpu.each(rows.iter().zip(part.pieces(0..rows.len(), 1)), true, task);
        }
        // The status of a row shows whether it is invalid.
        values.finish(false, &self.p.rows, &self.q.rows)
    }

    /// Computes every row of a part by the oracle.
    pub(crate) fn reference(&self, part: &mut Part<'_>, options: &Options) -> Result<()> {
        let (problem, p, q) = (self.problem, self.p.rows, self.q.rows);
        let measures: Vec<_> = problem.slots.iter().map(|slots| slots.measure).collect();
        let row = |i: usize| {
            let [p_row, q_row] = problem.pairing.ranges(&(i..i + 1)).map(|rows| rows.start);
            reference::row(&measures, (&p, p_row), (&q, q_row), options.zeros, options.unit, &problem.positions)
        };
        let results: Vec<(Vec<f64>, RowStatus)> = part.rows.clone().into_par_iter().map(row).collect();
        for (i, (values, status)) in part.rows.clone().zip(&results) {
            part.set(i, values, *status);
        }
        part.stats.chunks += 1;
        part.finished(part.rows.end)
    }
}
