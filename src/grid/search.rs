//! The nearest rows on a device: some rows of P against all rows of Q at a time. Only the nearest rows come to the host.

use std::ops::Range;
use std::time::Instant;

use crate::plan::LIMITS;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::definition::Definition;
use kullback_kernels::problem::{Pairing, Problem};

use super::{Grid, blocks, most_rows};
use crate::backend::gpu::Gpu;
use crate::backend::gpu::pairs::{First, MOST_FOR_THE_HOST, MOST_NEIGHBOURS, NearestOfRow, Search, Searched};
use crate::backend::{Source, Spent};
use crate::exec::choice::On;
use crate::exec::run::Run;
use crate::exec::tracker::Tracker;
use crate::exec::walk::{Session, Sink, walk};
use crate::nearest::Nearest;
use crate::output::{RowStatus, Stats};
use crate::plan::Chunks;

/// What a search is for.
#[derive(Clone, Copy)]
struct NearestQuery {
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
        let columns = self.q.len();
        // Pairs are numbered in 32 bits.
        let lines = (u32::MAX as usize / 2 / columns.max(1)).min(self.tile[0]);
        if lines == 0 {
            return Ok(None);
        }
        let mut stats =
            Stats { device: gpus.name(), reason: Some(self.choice.reason), bytes: self.bytes(), ..Stats::default() };
        stats.sent = self.product.bytes();
        for lines in blocks(0..self.p.len(), lines) {
            let wanted = NearestQuery { count, itself };
            loop {
                match self.search(gpu, &lines, wanted, &mut nearest[lines.clone()], &mut stats, tracker) {
                    Ok(true) => break,
                    // The products may be what leaves too much.
                    Ok(false) if self.drop_product() => {}
                    Err(Error::Cancelled { done, total }) => return Err(Error::Cancelled { done, total }),
                    // The tiles are computed elsewhere, or report why they cannot be.
                    Ok(false) | Err(_) => return Ok(None),
                }
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
        wanted: NearestQuery,
        nearest: &mut [Nearest],
        stats: &mut Stats,
        tracker: &Tracker<'_>,
    ) -> Result<bool> {
        let all = self.q.len();
        let pairing = Pairing::All { first: 0, columns: all };
        let problem = Problem { rows: lines.len() * all, pairing, ..self.problem.clone() };
        let run = self.run(&problem, lines);
        let mut sink = SearchSink {
            grid: self,
            gpu,
            run,
            lines: lines.clone(),
            wanted,
            stats: &mut *stats,
            tracker,
            cuts: vec![0],
            left: 0,
            is_refused: false,
            found: None,
        };
        walk(&mut sink, gpu, run.host.submission_seconds)?;
        let SearchSink { cuts, found, .. } = sink;
        // What was reported for these rows is reported again.
        let give_up = || tracker.begin_again(lines.len() * cuts.last().copied().unwrap_or(0));
        let Some((found, left)) = found else {
            give_up();
            return Ok(false);
        };
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
            give_up();
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

/// The sink of a search: the device keeps the nearest rows of some rows of P, and each chunk is some rows of Q.
struct SearchSink<'w, 'r> {
    grid: &'r Grid<'r>,
    gpu: &'r Gpu,
    run: Run<'r>,
    lines: Range<usize>,
    wanted: NearestQuery,
    stats: &'w mut Stats,
    tracker: &'w Tracker<'w>,
    /// The first column of each chunk, and the end of the last chunk.
    cuts: Vec<usize>,
    /// Pairs that the device has left to the host.
    left: usize,
    /// Whether a pair is invalid and the caller wants an error.
    is_refused: bool,
    /// The nearest rows of each row of P, and the pairs left to the host. Set at the end.
    found: Option<(Vec<NearestOfRow>, Vec<u32>)>,
}

/// A search on a device.
struct SearchSession<'r> {
    search: Search<'r>,
    gpu: &'r Gpu,
    run: Run<'r>,
    /// The number of rows of P.
    lines: usize,
    /// The first row of P, if P is Q.
    itself: Option<usize>,
}

impl<'r> Sink for SearchSink<'_, 'r> {
    type Session = SearchSession<'r>;

    const STAYS: bool = false;

    fn open(&mut self) -> Result<Option<(SearchSession<'r>, Chunks)>> {
        let (run, gpu, lines) = (self.run, self.gpu, self.lines.len());
        // The nearest rows so far were on the device that failed.
        self.tracker.begin_again(lines * self.done());
        (self.cuts, self.left) = (vec![0], 0);
        let Some(search) = gpu.search(run.problem, lines, self.wanted.count)? else { return Ok(None) };
        let (chunks, _) = run.chunks(gpu, &(0..run.problem.rows), (run.memory(), run.scratch()))?;
        let most = (chunks.most().min(LIMITS.tile_entries) / lines).clamp(1, most_rows(self.grid.engine, run.problem));
        let itself = self.wanted.itself.then_some(self.lines.start);
        let chunks = Chunks::of_at_most(0..self.grid.q.len(), most);
        Ok(Some((SearchSession { search, gpu, run, lines, itself }, chunks)))
    }

    fn finish(&mut self, _: &SearchSession<'r>, columns: Range<usize>, searched: Searched) -> Result<Spent> {
        let found = searched.finish()?;
        self.stats.chunks += 1;
        self.left = found.pairs;
        self.is_refused |= self.grid.refuses && found.any_invalid;
        self.cuts.push(columns.end);
        self.tracker.report(self.lines.len() * columns.len())?;
        Ok(found.spent)
    }

    fn close(&mut self, session: &SearchSession<'r>) -> Result<()> {
        if !self.has_enough() {
            let (found, left, received) = session.search.finish(self.left)?;
            self.stats.received += received;
            self.found = Some((found, left));
        }
        Ok(())
    }

    fn done(&self) -> usize {
        self.cuts.last().copied().unwrap_or(0)
    }

    fn has_enough(&self) -> bool {
        self.is_refused || self.left > MOST_FOR_THE_HOST
    }

    fn stats(&mut self) -> &mut Stats {
        self.stats
    }
}

impl Session for SearchSession<'_> {
    type Started = Searched;

    fn start(&self, columns: &Range<usize>) -> Result<Searched> {
        let Self { search, gpu, run, lines, itself } = self;
        let at_hand = run.q.kept(columns, |stored| gpu.has(stored)).filter(|kept| kept.is_in_one_piece(columns));
        let (p, q) = (Source { rows: run.p.rows, stored: None }, run.q.source(columns, at_hand));
        let product = run.product.map(|part| part.of(&[0..*lines, columns.clone()]));
        let first = First { pair: lines * columns.start, column: columns.start, itself: *itself };
        search.start(first, (&p, &q), product)
    }
}
