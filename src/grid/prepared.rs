//! Pairs of prepared rows on the CPU: the values of a tile, and the nearest rows.

use kullback_kernels::measures::definition::Definition;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use super::{Grid, Ready};
use crate::exec::refused::Refused;
use crate::exec::tracker::Tracker;
use crate::exec::values::{Part, Piece, value_of};
use crate::nearest::Nearest;
use crate::output::Stats;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::pairs::{Forms, Pairs, ROWS};
use kullback_kernels::problem::Problem;
use kullback_kernels::row_sums::{RowFlags, RowSums};
use kullback_kernels::weights::Rows;

impl<'a> Grid<'a> {
    /// Shows each row of prepared sides the rows that may be among its nearest. Without Q these are all rows but itself.
    pub(crate) fn nearest(&self, nearest: &mut [Nearest], itself: bool, tracker: &Tracker<'_>) -> Result<Stats> {
        let start = Instant::now();
        let (cpu, [slots, ..]) = (&self.engine.host.cpu, &self.problem.slots[..]) else { return Err(Error::NoMeasure) };
        let finish = slots.measure.finisher(self.options.unit);
        let terms = self.problem.terms.len();
        let rescued = AtomicU64::new(0);
        let mut invalid = AtomicUsize::new(usize::MAX);
        self.walk(|rows, columns, ready| {
            let (Some(ready), Some(forms)) = (ready, &self.forms) else { return Ok(()) };
            let (sides, mine) = (self.sides(ready), self.within(ready, &columns));
            let pairs = self.pairs(forms, ready, &sides);
            let size = self.rows_of_a_task(rows.len());
            let task = |(i, nearest): (usize, &mut [Nearest])| {
                let first = rows.start - ready[0].0 + i * size;
                let end = first + nearest.len();
                let nearest = RefCell::new(nearest);
                let take = &mut |row: usize, column: usize, sums: &RowSums, usual: bool| {
                    let nearest = &mut nearest.borrow_mut()[row - first];
                    let (row, column) = (row + ready[0].0, column + ready[1].0);
                    for (i, (flags, sums)) in sums.flags.iter().zip(sums.sums.chunks_exact(terms)).enumerate() {
                        let flags = if usual { RowFlags::USUAL } else { *flags };
                        let (value, is_invalid) = value_of(flags, sums, slots, finish);
                        if is_invalid {
                            invalid.fetch_min(row, Ordering::Relaxed);
                        }
                        if !(itself && column + i == row) {
                            nearest.push(column + i, value);
                        }
                    }
                };
                let limit = |row: usize| finish.most_sum(nearest.borrow()[row - first].limit());
                rescued.fetch_add(
                    cpu.kernels().near_pairs(&pairs, first..end, mine.clone(), take, &limit),
                    Ordering::Relaxed,
                );
            };
            cpu.install(|| nearest[rows.clone()].par_chunks_mut(size).enumerate().for_each(task));
            let row = *invalid.get_mut();
            if self.refuses && row < usize::MAX {
                let problem = Problem { rows: self.p.len(), ..self.problem.clone() };
                return Err(Refused::by_policy(&problem, 1, row));
            }
            tracker.report(rows.len() * columns.len())
        })?;
        let device = Arc::clone(cpu.name());
        let (bytes, rescued, seconds) = (self.bytes(), rescued.into_inner(), start.elapsed().as_secs_f64());
        Ok(Stats { device, reason: Some(self.choice.reason), bytes, rescued, seconds, ..Stats::default() })
    }

    /// Computes a tile of prepared rows, with some rows per task. Returns how many entries were beyond 32 bits.
    pub(super) fn prepared(
        &self,
        part: &mut Part<'_>,
        forms: &Forms,
        ready: Ready<'_>,
        rows: &Range<usize>,
        columns: &Range<usize>,
    ) -> (u64, bool) {
        let (cpu, sides, mine) = (&self.engine.host.cpu, self.sides(ready), self.within(ready, columns));
        let pairs = self.pairs(forms, ready, &sides);
        let (rescued, any_invalid) = (AtomicU64::new(0), AtomicBool::new(false));
        let size = self.rows_of_a_task(rows.len());
        let task = |(i, pieces): (usize, &mut [Piece<'_>])| {
            let first = rows.start - ready[0].0 + i * size;
            let count = cpu.kernels().pairs(
                &pairs,
                first..first + pieces.len(),
                mine.clone(),
                &mut |row, column, sums, usual| {
                    let (piece, column) = (&mut pieces[row - first], column - mine.start);
                    if usual {
                        piece.write_usual(column, sums);
                    } else if piece.write_at(column, sums) {
                        any_invalid.store(true, Ordering::Relaxed);
                    }
                },
            );
            rescued.fetch_add(count, Ordering::Relaxed);
        };
        let mut pieces: Vec<_> = part.pieces(part.rows.clone(), columns.len()).collect();
        cpu.install(|| pieces.par_chunks_mut(size).enumerate().for_each(task));
        (rescued.into_inner(), any_invalid.into_inner())
    }

    /// The rows of the two blocks.
    fn sides(&self, ready: Ready<'_>) -> [Rows<'a>; 2] {
        [self.p.slice(ready[0].0, ready[0].1.rows()), self.q.slice(ready[1].0, ready[1].1.rows())]
    }

    /// Columns by their places in the block of Q.
    fn within(&self, ready: Ready<'_>, columns: &Range<usize>) -> Range<usize> {
        columns.start - ready[1].0..columns.end - ready[1].0
    }

    fn pairs<'r>(&'r self, forms: &'r Forms, ready: Ready<'r>, [p, q]: &'r [Rows<'r>; 2]) -> Pairs<'r> {
        let ahead = self.is_symmetric.then_some(ready[1].0 as isize - ready[0].0 as isize);
        Pairs { problem: &self.problem, forms, p: (p, ready[0].1), q: (q, ready[1].1), ahead }
    }

    /// So many rows that each thread has work.
    fn rows_of_a_task(&self, rows: usize) -> usize {
        rows.div_ceil(4 * self.engine.host.cpu.threads()).next_multiple_of(8).min(ROWS)
    }
}
