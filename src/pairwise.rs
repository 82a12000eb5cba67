//! Every row against every row: the matrix of a measure, tile by tile, and the nearest rows of each.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use crate::backend::RowSums;
use crate::divergence::Divergence;
use crate::engine::{Choice, Engine, On};
use crate::error::{Error, Result, Side};
use crate::input::{Input, Uploaded};
use crate::options::{OnInvalid, Options};
use crate::output::{Columns, RowStatus, Stats};
use crate::plan::{Pairing, Problem};
use crate::rows::Rows;
use crate::run::Run;
use crate::summary::{Largest, TopRow};
use crate::values::{Part, Piece, Refused, Tracker, Values};

/// Entries of a tile at the most: a few mebibytes of values.
const TILE_ENTRIES: usize = if cfg!(test) { 64 } else { 1 << 19 };
/// Bytes of the rows of Q that a tile of the CPU reads again and again: they stay in a core's cache.
const CACHED_BYTES: usize = 256 << 10;

/// A rectangle of the matrix: some rows of P against some rows of Q.
#[derive(Debug)]
pub struct Tile {
    rows: Range<usize>,
    columns: Range<usize>,
    entries: Columns,
}

impl Tile {
    /// Which rows of P.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Which rows of Q.
    #[must_use]
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// The values of a measure, row after row: row i of P against row j of Q, both counted from the first of the tile,
    /// is entry i · [`columns`](Tile::columns)`.len()` + j. NaN where there is no value.
    ///
    /// # Errors
    /// [`Error::NotComputed`] when it was not asked for.
    pub fn values(&self, measure: Divergence) -> Result<&[f64]> {
        self.entries.column(measure)
    }

    /// One status an entry, in the same order.
    #[must_use]
    pub fn status(&self) -> &[RowStatus] {
        self.entries.status()
    }

    /// The same with the sides exchanged.
    fn mirrored(&self) -> Self {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let Columns { measures, columns: values, status, stats } = &self.entries;
        let entries = Columns {
            measures: measures.clone(),
            columns: values.iter().map(|values| transposed(values, rows, columns)).collect(),
            status: transposed(status, rows, columns),
            stats: stats.clone(),
        };
        Self { rows: self.columns.clone(), columns: self.rows.clone(), entries }
    }
}

/// A matrix of `rows` × `columns` with the two exchanged.
fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

/// The nearest rows of Q of each row of P; made by [`Engine::nearest`].
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    neighbours: Vec<Vec<TopRow>>,
    stats: Stats,
}

impl Neighbours {
    /// The rows of Q nearest to a row of P, nearest first, equally near ones by their numbers: fewer than asked for
    /// where Q has fewer with a value. `None` for a row that P has not.
    #[must_use]
    pub fn of(&self, row: usize) -> Option<&[TopRow]> {
        self.neighbours.get(row).map(Vec::as_slice)
    }

    /// Rows of P.
    #[must_use]
    pub fn len(&self) -> usize {
        self.neighbours.len()
    }

    /// Whether P has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// How the call was carried out.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Engine {
    /// The measures of every row of `p` against every row of `q`; without `q`, of `p` against itself. The matrix is
    /// handed to `take` tile by tile, in the order of the rows of `p` and within them of `q`, and never in memory as a
    /// whole. Without `q`, and for symmetric measures alone, each tile above the diagonal is followed by
    /// its mirror image below, which is not computed.
    ///
    /// Each entry is what [`Engine::rowwise`] gives for the two rows, within the contract. Time is linear in the rows of
    /// `p` × those of `q` × bins. The progress counts entries.
    ///
    /// # Errors
    /// As [`Engine::rowwise`], and those of `take`, which end the call.
    pub fn pairwise<E: From<Error>>(
        &self,
        measures: &[Divergence],
        p: Rows<'_>,
        q: Option<Rows<'_>>,
        options: &Options,
        mut take: impl FnMut(&Tile) -> std::result::Result<(), E>,
    ) -> std::result::Result<Stats, E> {
        let start = Instant::now();
        if p.is_empty() || q.is_some_and(|q| q.is_empty()) {
            // No entry, but the same errors.
            Problem::new(measures, &p.slice(0, 0), &q.unwrap_or(p).slice(0, 0), options.zeros, options.unit)?;
            return Ok(Stats::default());
        }
        let mirrored = q.is_none() && measures.iter().all(|measure| measure.is_symmetric());
        let grid = Grid::new(self, measures, p, q, options, mirrored)?;
        let (p, q) = (grid.p, grid.q.rows);
        let tracker = Tracker::new(options, p.len().saturating_mul(q.len()));
        let mut stats = Stats { bytes: grid.bytes(), ..Stats::default() };
        for rows in blocks(p.len(), grid.tile_rows) {
            for columns in blocks(q.len(), grid.tile_columns) {
                // Tiles across the diagonal are computed: what is below it in them is not worth leaving out.
                if mirrored && columns.end <= rows.start {
                    continue;
                }
                let tile = grid.tile(rows.clone(), columns.clone())?;
                let Stats { device, reason, .. } = tile.entries.stats();
                (stats.device, stats.reason) = (device.clone(), reason);
                stats.add(tile.entries.stats());
                take(&tile)?;
                let entries = rows.len() * columns.len();
                tracker.report(entries)?;
                if mirrored && columns.start >= rows.end {
                    take(&tile.mirrored())?;
                    tracker.report(entries)?;
                }
            }
        }
        stats.seconds = start.elapsed().as_secs_f64();
        Ok(stats)
    }

    /// For each row of `p` the `k` rows of `q` with the smallest values of a measure, by exact values; without `q`, the
    /// other rows of `p`. The matrix is never in memory: `k` neighbours a row are.
    ///
    /// # Errors
    /// As [`Engine::rowwise`].
    pub fn nearest(
        &self,
        measure: Divergence,
        p: Rows<'_>,
        q: Option<Rows<'_>>,
        k: usize,
        options: &Options,
    ) -> Result<Neighbours> {
        let itself = q.is_none();
        // The largest of what is negated are the smallest.
        let mut nearest = vec![Largest::new(k); p.len()];
        let take = |tile: &Tile| {
            let (rows, columns) = (tile.rows(), tile.columns());
            let values = tile.values(measure)?;
            let tasks = nearest[rows.clone()].par_iter_mut().zip(values.par_chunks(columns.len())).enumerate();
            let task = |(i, (nearest, values)): (usize, (&mut Largest, &[f64]))| {
                for (column, value) in columns.clone().zip(values) {
                    if !(itself && column == rows.start + i) {
                        nearest.push(column as u64, -value);
                    }
                }
            };
            self.cpu.install(|| tasks.for_each(task));
            Ok::<(), Error>(())
        };
        let stats = self.pairwise(&[measure], p, q, options, take)?;
        let positive = |top: TopRow| TopRow { value: -top.value + 0.0, ..top };
        let neighbours =
            nearest.into_iter().map(|nearest| nearest.finish().into_iter().map(positive).collect()).collect();
        Ok(Neighbours { neighbours, stats })
    }
}

/// Consecutive ranges of `size`, the last as long as is left.
fn blocks(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(size).map(move |start| start..count.min(start + size))
}

/// All pairs of two sides.
struct Grid<'a> {
    engine: &'a Engine,
    options: Options,
    /// Whether an entry that is invalid ends the call.
    refuses: bool,
    /// One row of P against all of Q.
    problem: Problem,
    p: Rows<'a>,
    /// On a device where there is one: every row of P meets all of them.
    q: Uploaded<'a>,
    choice: Choice<'a>,
    tile_rows: usize,
    tile_columns: usize,
}

impl<'a> Grid<'a> {
    fn new(
        engine: &'a Engine,
        measures: &[Divergence],
        p: Rows<'a>,
        q: Option<Rows<'a>>,
        options: &Options,
        is_mirrored: bool,
    ) -> Result<Self> {
        let refuses = options.on_invalid == OnInvalid::Error;
        let sides = [(Side::P, Some(p)), (Side::Q, q)];
        for (side, rows) in sides.into_iter().filter_map(|(side, rows)| Some((side, rows?))).filter(|_| refuses) {
            Refused::of_side(side, &rows).map_or(Ok(()), Err)?;
        }
        let q = q.unwrap_or(p);
        let one = p.slice(0, 1.min(p.len()));
        let problem = engine.problem(measures, &one.into(), &q.into(), options)?;
        let problem = Problem { pairing: Pairing::OneP, rows: q.len(), ..problem };
        let all = Problem { rows: q.len().saturating_mul(p.len()), ..problem.clone() };
        let choice = engine.choose(&all, &one.into(), &q.into());
        let q = match choice.on {
            On::Cpu | On::Reference => Uploaded::of(q),
            _ => engine.upload(q)?,
        };
        let cached = CACHED_BYTES / (problem.bins * problem.q.size()).max(1);
        let columns = if matches!(choice.on, On::Cpu) { cached } else { TILE_ENTRIES };
        // What is mirrored is square.
        let most = if is_mirrored { TILE_ENTRIES.isqrt() } else { TILE_ENTRIES };
        let tile_columns = columns.clamp(1, most).min(problem.rows.max(1));
        let tile_rows = if is_mirrored { tile_columns } else { TILE_ENTRIES / tile_columns };
        let options = Options { on_invalid: OnInvalid::Null, progress: None, ..options.clone() };
        Ok(Self { engine, options, refuses, problem, p, q, choice, tile_rows, tile_columns })
    }

    /// Bytes that the rows of both sides have.
    fn bytes(&self) -> u64 {
        let bytes = |rows: &Rows<'_>| (rows.len() * rows.bins() * rows.weight_type().size()) as u64;
        bytes(&self.p) + bytes(&self.q.rows)
    }

    fn tile(&self, rows: Range<usize>, columns: Range<usize>) -> Result<Tile> {
        let problem = Problem { rows: rows.len() * columns.len(), ..self.problem.clone() };
        let tracker = Tracker::new(&self.options, problem.rows);
        let mut values = Values::new(&problem, &self.options, &tracker, 0..problem.rows);
        let mut stats = Stats { reason: self.choice.reason, ..Stats::default() };
        match self.choice.on {
            On::Cpu => {
                for part in &mut values.parts([problem.rows]) {
                    stats.rescued += self.on_cpu(part, &rows, &columns);
                }
                stats.device = Arc::clone(self.engine.cpu.name());
                stats.chunks = 1;
            }
            on => {
                for (i, row) in rows.clone().enumerate() {
                    let p = Input::from(self.p.slice(row, 1));
                    let run = Run { engine: self.engine, problem: &self.problem, p, q: Input::from(&self.q) };
                    let entries = self.engine.execute(on, &run, columns.clone(), &self.options, &tracker)?;
                    values.take(i * columns.len(), &entries);
                    stats.device = Arc::clone(&entries.stats().device);
                    stats.add(entries.stats());
                }
            }
        }
        let mut entries = values.finish(false, &self.p, &self.q.rows)?;
        entries.stats = stats;
        let invalid = entries.status().iter().filter(|status| **status == RowStatus::Invalid).count();
        if self.refuses && invalid > 0 {
            let first = entries.status().iter().position(|status| *status == RowStatus::Invalid).unwrap_or(0);
            let row = rows.start + first / columns.len();
            return Err(Refused::by_policy(&problem, invalid, row));
        }
        Ok(Tile { rows, columns, entries })
    }

    /// A tile on the threads of the CPU, a row of it a task; returns how many entries were computed again.
    fn on_cpu(&self, part: &mut Part<'_>, rows: &Range<usize>, columns: &Range<usize>) -> u64 {
        let problem = Problem { rows: columns.len(), ..self.problem.clone() };
        let q = self.q.rows.slice(columns.start, columns.len());
        let rescued = AtomicU64::new(0);
        let task = |sums: &mut RowSums, (row, mut piece): (usize, Piece<'_>)| {
            let p = self.p.slice(row, 1);
            self.engine.cpu.run(&problem, &p, &q, sums);
            rescued.fetch_add(self.engine.cpu.rescue(&problem, &p, &q, sums), Ordering::Relaxed);
            piece.write(sums);
        };
        let tasks: Vec<_> = rows.clone().zip(part.pieces(part.rows.clone(), columns.len())).collect();
        self.engine.cpu.install(|| tasks.into_par_iter().for_each_init(RowSums::default, task));
        rescued.into_inner()
    }
}
