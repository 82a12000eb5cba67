//! The nearest rows on a device: some rows of P against all rows of Q at a time. Only the nearest rows come to the host.

use kullback_kernels::measures::finish::Definition;
use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::{Grid, TILE_ENTRIES, blocks, most_rows};
use crate::backend::gpu::Gpu;
use crate::backend::gpu::pairs::{First, MOST_FOR_THE_HOST, MOST_NEIGHBOURS, Searched};
use crate::backend::{Source, Spent};
use crate::engine::On;
use crate::flow;
use crate::nearest::Nearest;
use crate::output::{RowStatus, Stats};
use crate::run::RETRIES;
use crate::values::Tracker;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::problem::{Pairing, Problem};

/// What a search is for.
#[derive(Clone, Copy)]
struct Wanted {
    /// Neighbours per row.
    count: usize,
    /// Whether P is Q. Then no row is its own neighbour.
    itself: bool,
}

impl Grid<'_> {
    /// Shows every row its nearest candidates, as the one device of the call finds them. `None` if a device cannot do this, if
    /// it leaves too much to the host, if it fails again and again, or if an entry is an error that the tiles report better.
    /// Then some rows may have been shown some candidates.
    pub(crate) fn nearest_on_device(
        &self,
        nearest: &mut [Nearest],
        count: usize,
        itself: bool,
        tracker: &Tracker<'_>,
    ) -> Result<Option<Stats>> {
        let On::Gpus { gpus, .. } = self.choice.on else { return Ok(None) };
        let [gpu] = gpus.devices() else { return Ok(None) };
        if !(1..=MOST_NEIGHBOURS).contains(&count) {
            return Ok(None);
        }
        let start = Instant::now();
        let columns = self.q.rows.len();
        // Pairs are numbered in 32 bits.
        let lines = (u32::MAX as usize / 2 / columns.max(1)).min(self.tile[0]);
        if lines == 0 {
            return Ok(None);
        }
        let mut stats =
            Stats { device: gpus.name(), reason: self.choice.reason, bytes: self.bytes(), ..Stats::default() };
        stats.sent = self.product.bytes();
        for lines in blocks(0..self.p.len(), lines) {
            let mut retries = 0;
            let wanted = Wanted { count, itself };
            loop {
                match self.search(gpu, &lines, wanted, &mut nearest[lines.clone()], &mut stats, tracker) {
                    Ok(true) => break,
                    // The products may be what leaves too much.
                    Ok(false) if self.drop_product() => {}
                    Err(Error::DeviceFailed { .. } | Error::DeviceMemory { .. })
                        if retries < RETRIES && gpu.recover().is_ok() =>
                    {
                        retries += 1;
                        stats.retries += 1;
                    }
                    Err(Error::Cancelled { done, total }) => return Err(Error::Cancelled { done, total }),
                    // The tiles are computed elsewhere, or report why they cannot be.
                    Ok(false) | Err(_) => return Ok(None),
                }
                // What was reported for these rows is reported again when they are done.
                tracker.begin_again(lines.start * columns);
            }
        }
        stats.seconds = start.elapsed().as_secs_f64();
        Ok(Some(stats))
    }

    /// Finds the nearest rows of some rows of P. Returns whether it could.
    fn search(
        &self,
        gpu: &Gpu,
        lines: &Range<usize>,
        wanted: Wanted,
        nearest: &mut [Nearest],
        stats: &mut Stats,
        tracker: &Tracker<'_>,
    ) -> Result<bool> {
        let (engine, all) = (self.engine, self.q.rows.len());
        let pairing = Pairing::All { first: 0, columns: all };
        let problem = Problem { rows: lines.len() * all, pairing, ..self.problem.clone() };
        let p = self.p.slice(lines.start, lines.len());
        let run = self.run(&problem, lines);
        let Some(search) = gpu.search(&problem, lines.len(), wanted.count)? else { return Ok(false) };
        let (chunks, _) = run.chunks(gpu, &(0..problem.rows), (run.memory(), run.scratch()), 0)?;
        let most = chunks.most().min(TILE_ENTRIES) / lines.len();
        let most = Cell::new(most.clamp(1, most_rows(engine, &problem)));
        let first_row = wanted.itself.then_some(lines.start);
        let start = |columns: &Range<usize>| {
            let at_hand = run.q.kept(columns, |stored| gpu.has(stored)).filter(|kept| kept.is_in_one_piece(columns));
            let (p, q) = (Source { rows: p, stored: None }, run.q.source(columns, at_hand));
            let product = run.product.map(|part| part.of(&[0..lines.len(), columns.clone()]));
            let first = First { pair: lines.len() * columns.start, column: columns.start, itself: first_row };
            search.start(first, (&p, &q), product)
        };
        let (left, is_refused) = (AtomicUsize::new(0), AtomicBool::new(false));
        let ends = || is_refused.load(Ordering::Relaxed) || left.load(Ordering::Relaxed) > MOST_FOR_THE_HOST;
        // The first column of each chunk, and the end of the last chunk.
        let mut cuts = vec![0];
        let done = |cuts: &[usize]| cuts.last().copied().unwrap_or(0);
        while done(&cuts) < all && !ends() {
            // As in the walk of a call: smaller submissions follow a submission that takes long.
            let too_long = AtomicBool::new(false);
            let stops = || too_long.load(Ordering::Relaxed) || ends();
            let chunks = blocks(done(&cuts)..all, most.get()).take_while(|_| !stops());
            let finish = |columns: Range<usize>, searched: Searched| {
                let found = searched.finish()?;
                let Spent { device_seconds, .. } = found.spent;
                too_long.fetch_or(device_seconds > engine.submission_seconds && most.get() > 1, Ordering::Relaxed);
                found.spent.add_to(stats);
                stats.chunks += 1;
                left.store(found.pairs, Ordering::Relaxed);
                is_refused.fetch_or(self.refuses && found.any_invalid, Ordering::Relaxed);
                cuts.push(columns.end);
                tracker.report(lines.len() * columns.len())
            };
            flow::run(chunks, start, finish, || gpu.filling_panicked())?;
            most.set(most.get().div_ceil(2));
        }
        if ends() {
            return Ok(false);
        }
        let (found, left, received) = search.finish(left.into_inner())?;
        stats.received += received;
        // The row and column of a pair, from its number and the chunk it belongs to.
        let pair = |number: u32| {
            let number = number as usize;
            let chunk = cuts.partition_point(|cut| cut * lines.len() <= number) - 1;
            let (first, within) = (cuts[chunk], number - cuts[chunk] * lines.len());
            let columns = cuts[chunk + 1] - first;
            (within / columns, first + within % columns)
        };
        let mut left: Vec<(usize, usize)> = left.into_iter().map(pair).collect();
        left.retain(|&(line, column)| !(wanted.itself && column == lines.start + line));
        let numbers: Vec<usize> = left.iter().map(|&(line, column)| line * all + column).collect();
        let again = run.again(&numbers, &self.options)?;
        stats.rescued += left.len() as u64;
        if self.refuses && again.status().contains(&RowStatus::Invalid) {
            return Ok(false);
        }
        let bound = self.problem.slots[0].measure.finisher(self.options.unit).bound();
        for (nearest, found) in nearest.iter_mut().zip(found) {
            // The last rounding of a device may leave a value a unit above it.
            found.iter().for_each(|&(column, value)| nearest.push(column, f64::from(value).min(bound)));
        }
        let values = again.iter().next().map_or(&[][..], |(_, values)| values);
        for (&(line, column), value) in left.iter().zip(values) {
            nearest[line].push(column, *value);
        }
        stats.products += if run.product.is_some() { problem.rows as u64 } else { 0 };
        Ok(true)
    }
}
