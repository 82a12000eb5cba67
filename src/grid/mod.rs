//! A matrix of all pairs as tiles: how it is cut, and how a tile is computed.

mod prepared;
#[cfg(feature = "gpu")]
mod product;
#[cfg(all(test, feature = "gpu"))]
mod product_tests;
#[cfg(feature = "gpu")]
mod search;
mod tiles;
#[cfg(feature = "gpu")]
mod trial;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use smallvec::SmallVec;

use crate::engine::Engine;
use crate::exec::choice::{Choice, On, execute};
use crate::exec::refused::Refused;
use crate::exec::run::Run;
use crate::exec::tracker::Tracker;
use crate::exec::values::{Part, Piece, Values};
use crate::input::{DeviceRows, Input};
use crate::options::{OnInvalid, Options};
use crate::output::{Columns, RowStatus, Stats};
use crate::plan::LIMITS;
use crate::tile::{Purpose, Tile};
use kullback_kernels::error::{Result, Side};
use kullback_kernels::measures::Divergence;
use kullback_kernels::pairs::{COLUMNS, Forms, Prepared, ROWS};
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::row_sums::RowSums;
use kullback_kernels::weights::Rows;

/// Bytes of the rows of Q that a tile of the CPU reads again and again: they stay in a core's cache.
const CACHED_BYTES: usize = 256 << 10;
/// Bytes of the rows of either side of a tile of a device.
const DEVICE_BYTES: u64 = 32 << 20;
/// Rows are prepared if each of them meets at least this many rows.
const MANY: usize = 16;

/// Consecutive ranges of a size.
fn blocks(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(size).map(move |start| start..end.min(start + size))
}

/// All pairs of two sides.
pub(crate) struct Grid<'a> {
    engine: &'a Engine,
    options: Options,
    /// Whether an invalid entry ends the call.
    refuses: bool,
    /// One row of P against all rows of Q.
    problem: Problem,
    p: Rows<'a>,
    q: Rows<'a>,
    /// The rows of Q that a device keeps, if one computes: every row of P meets all of them.
    q_kept: Kept<'a>,
    choice: Choice<'a>,
    /// How the CPU computes pairs of prepared rows, if it does.
    forms: Option<Forms>,
    /// How a device does it.
    #[cfg(feature = "gpu")]
    product: product::OnTrial<'a>,
    /// Whether a side meets itself and both orders of a pair have the same value.
    is_symmetric: bool,
    /// Whether the part below the diagonal is copied from the part above and not computed.
    is_mirrored: bool,
    /// Rows and columns of a tile.
    tile: [usize; 2],
    /// Rows of a side that are prepared together: whole tiles.
    block: usize,
}

/// Rows that the caller had a device keep, or that the grid did.
enum Kept<'a> {
    Given(&'a [DeviceRows]),
    Own(SmallVec<[DeviceRows; 1]>),
}

/// Prepared blocks of rows of both sides, and where they begin.
type Ready<'r> = [(usize, &'r Prepared); 2];

impl<'a> Grid<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        measures: &[Divergence],
        p: Rows<'a>,
        q: Option<Input<'a>>,
        options: &Options,
        purpose: Purpose,
    ) -> Result<Option<Self>> {
        let (q_kept, q) = (q.map_or(&[][..], |q| q.kept), q.map(|q| q.rows));
        if p.is_empty() || q.is_some_and(|q| q.is_empty()) {
            // There is no entry to compute, but the errors are the same.
            engine.host.problem(measures, &p.slice(0, 0).into(), &q.unwrap_or(p).slice(0, 0).into(), options)?;
            return Ok(None);
        }
        let is_symmetric = q.is_none() && measures.iter().all(|measure| measure.is_symmetric());
        let refuses = options.on_invalid == OnInvalid::Error;
        let sides = [(Side::P, Some(p)), (Side::Q, q)];
        for (side, rows) in sides.into_iter().filter_map(|(side, rows)| Some((side, rows?))).filter(|_| refuses) {
            engine.host.cpu.install(|| Refused::of_side(side, &rows)).map_or(Ok(()), Err)?;
        }
        let q = q.unwrap_or(p);
        let one = p.slice(0, 1);
        let problem = engine.host.problem(measures, &one.into(), &q.into(), options)?;
        let problem = Problem { pairing: Pairing::OneP, rows: q.len(), ..problem };
        let all = Problem { rows: q.len().saturating_mul(p.len()), ..problem.clone() };
        let choice = engine.runner.choose(&engine.host, &all, &one.into(), &q.into());
        let q_kept = match choice.on {
            On::Cpu | On::Reference => Kept::Given(&[]),
            _ if !q_kept.is_empty() => Kept::Given(q_kept),
            _ => Kept::Own(engine.upload(q)?.kept),
        };
        let many = p.len().min(q.len()) >= MANY;
        let forms = Forms::new(&problem).filter(|_| matches!(choice.on, On::Cpu) && many);
        let is_nearest = purpose == Purpose::Nearest;
        let forms = forms.map(|forms| if is_nearest { forms.with_screen(&problem) } else { forms });
        // Rows that long are never many.
        let fits = |forms: &Forms| COLUMNS * forms.bytes_per_row(problem.bins) <= 4 * LIMITS.prepared_bytes;
        let forms = forms.filter(|forms| forms.is_of_use() && fits(forms));
        // Most pairs below the diagonal are left out if they are looked at without a mirror.
        let is_mirrored = is_symmetric && (!is_nearest || forms.is_none());
        let tile = tile_of(engine, &problem, forms.as_ref(), choice.on, is_mirrored, p.len());
        let block = forms.as_ref().map_or(usize::MAX, |forms| {
            let unit = tile[1];
            (LIMITS.prepared_bytes / forms.bytes_per_row(problem.bins) / unit).max(1) * unit
        });
        let options = Options { on_invalid: OnInvalid::Null, progress: None, ..options.clone() };
        let grid = Self {
            engine,
            options,
            refuses,
            #[cfg(feature = "gpu")]
            product: product::OnTrial::new(engine, choice.on, &problem, [p, q]),
            problem,
            p,
            q,
            q_kept,
            choice,
            forms,
            is_symmetric,
            is_mirrored,
            tile,
            block,
        };
        #[cfg(feature = "gpu")]
        grid.try_product();
        Ok(Some(grid))
    }

    /// Q, which a device may keep.
    fn q(&self) -> Input<'_> {
        let kept = match &self.q_kept {
            Kept::Given(kept) => kept,
            Kept::Own(kept) => &kept[..],
        };
        Input { rows: self.q, kept }
    }

    /// Bytes of the rows of both sides.
    fn bytes(&self) -> u64 {
        let bytes = |rows: &Rows<'_>| (rows.len() * rows.bins() * rows.weight_type().size()) as u64;
        bytes(&self.p) + bytes(&self.q)
    }

    pub(crate) fn entries(&self) -> usize {
        self.p.len().saturating_mul(self.q.len())
    }

    /// Whether rows are prepared before they meet.
    pub(crate) fn is_prepared(&self) -> bool {
        self.forms.is_some()
    }

    /// Whether tiles are below the diagonal of a mirrored matrix. A tile across the diagonal is computed as a whole.
    fn is_below(&self, rows: &Range<usize>, columns: &Range<usize>) -> bool {
        self.is_mirrored && columns.end <= rows.start
    }

    fn tile(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        ready: Option<Ready<'_>>,
        reused: Columns,
    ) -> Result<Tile> {
        let pairing = Pairing::All { first: columns.start, columns: columns.len() };
        let problem = Problem { rows: rows.len() * columns.len(), pairing, ..self.problem.clone() };
        let tracker = Tracker::new(&self.options, problem.rows);
        let (entries, any_invalid) = if let On::Cpu = self.choice.on {
            let mut values = Values::within(reused, &problem, &self.options, &tracker, 0..problem.rows);
            let mut stats = Stats { reason: Some(self.choice.reason), chunks: 1, ..Stats::default() };
            let mut any_invalid = false;
            for part in &mut values.parts([problem.rows]) {
                let (rescued, invalid) = match (ready, &self.forms) {
                    (Some(ready), Some(forms)) => self.prepared(part, forms, ready, &rows, &columns),
                    _ => self.on_cpu(part, &rows, &columns),
                };
                stats.rescued += rescued;
                any_invalid |= invalid;
            }
            stats.device = Arc::clone(self.engine.host.cpu.name());
            (Columns { stats, ..values.finish(false, &self.p, &self.q)? }, any_invalid)
        } else {
            let run = self.run(&problem, &rows);
            let mut entries = execute(self.choice.on, &run, 0..problem.rows, &self.options, &tracker)?;
            if entries.stats.reason.is_none() {
                entries.stats.reason = Some(self.choice.reason);
            }
            #[cfg(feature = "gpu")]
            if run.product.is_some() && self.has_product() {
                entries.stats.products = problem.rows as u64;
            }
            let any_invalid = entries.status().contains(&RowStatus::Invalid);
            (entries, any_invalid)
        };
        if self.refuses && any_invalid {
            let of_rows = entries.status().chunks(columns.len()).zip(rows.clone());
            let mut invalid = of_rows.filter(|(status, _)| status.contains(&RowStatus::Invalid)).map(|(_, row)| row);
            let (first, more) = (invalid.next().unwrap_or(rows.start), invalid.count());
            let problem = Problem { rows: self.p.len(), ..problem.clone() };
            return Err(Refused::by_policy(&problem, more + 1, first));
        }
        Ok(Tile { rows, columns, entries })
    }

    /// The call of some rows of P against all of Q.
    fn run<'r>(&'r self, problem: &'r Problem, rows: &Range<usize>) -> Run<'r> {
        let p = Input::from(self.p.slice(rows.start, rows.len()));
        let run = Run::new(&self.engine.host, problem, p, self.q());
        #[cfg(feature = "gpu")]
        return Run { product: self.product.part(rows.start), ..run };
        #[cfg(not(feature = "gpu"))]
        run
    }

    /// Computes a tile of rows that are not prepared, with one task per row. Returns how many entries were computed again.
    fn on_cpu(&self, part: &mut Part<'_>, rows: &Range<usize>, columns: &Range<usize>) -> (u64, bool) {
        let problem = Problem { rows: columns.len(), ..self.problem.clone() };
        let q = self.q.slice(columns.start, columns.len());
        let (rescued, any_invalid) = (AtomicU64::new(0), AtomicBool::new(false));
        let task = |sums: &mut RowSums, (row, mut piece): (usize, Piece<'_>)| {
            let p = self.p.slice(row, 1);
            self.engine.host.cpu.run(&problem, &p, &q, sums);
            rescued.fetch_add(self.engine.host.cpu.rescue(&problem, &p, &q, sums), Ordering::Relaxed);
            if piece.write(sums) {
                any_invalid.store(true, Ordering::Relaxed);
            }
        };
        let tasks = rows.clone().zip(part.pieces(part.rows.clone(), columns.len()));
        self.engine.host.cpu.each(tasks, true, task);
        (rescued.into_inner(), any_invalid.into_inner())
    }
}

/// The rows and columns of a tile. The problem is one row of P against all rows of Q.
fn tile_of(
    engine: &Engine,
    problem: &Problem,
    forms: Option<&Forms>,
    on: On<'_>,
    is_mirrored: bool,
    p_rows: usize,
) -> [usize; 2] {
    let (q_rows, side) = (problem.rows, LIMITS.tile_entries.isqrt());
    match (forms, on) {
        (Some(forms), _) => {
            let most = whole(LIMITS.prepared_bytes / forms.bytes_per_row(problem.bins));
            if is_mirrored {
                return [whole(side).min(most); 2];
            }
            // So many columns that each thread has work while others finish theirs.
            let columns = whole(LIMITS.tile_entries / (4 * ROWS * engine.host.cpu.threads()));
            let columns = columns.min(most).min(q_rows.next_multiple_of(COLUMNS));
            [(LIMITS.tile_entries / columns / ROWS).max(1) * ROWS, columns]
        }
        (None, On::Cpu) => {
            // A mirrored tile is square.
            let cached = CACHED_BYTES / (problem.bins * problem.q.size()).max(1);
            let columns = cached.clamp(1, if is_mirrored { side } else { LIMITS.tile_entries }).min(q_rows);
            [if is_mirrored { columns } else { LIMITS.tile_entries / columns }, columns]
        }
        (None, _) => {
            let most = most_rows(engine, problem);
            let rows = if is_mirrored { side.min(most) } else { side.min(most).min(p_rows) };
            [rows, if is_mirrored { rows } else { most.min(LIMITS.tile_entries / rows) }]
        }
    }
}

/// Rows of either side of a tile of a device.
fn most_rows(engine: &Engine, problem: &Problem) -> usize {
    let bytes = DEVICE_BYTES.min(engine.host.memory / 16) as usize;
    (bytes / (problem.bins * problem.p.size().max(problem.q.size())).max(1)).max(1)
}

/// A whole number of [`COLUMNS`], at least one.
fn whole(columns: usize) -> usize {
    (columns / COLUMNS).max(1) * COLUMNS
}
