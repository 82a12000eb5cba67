//! The loop over the tiles of a matrix.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{Grid, Ready, blocks};
use crate::exec::choice::On;
use crate::exec::tracker::Tracker;
use crate::exec::turns::in_turn;
use crate::output::Stats;
use crate::tile::Tile;
use kullback_kernels::error::Error;
use kullback_kernels::pairs::Prepared;
use kullback_kernels::weights::Rows;

impl Grid<'_> {
    /// Goes through every tile, and prepares rows where that is done.
    pub(super) fn walk<E: From<Error>>(
        &self,
        mut visit: impl FnMut(Range<usize>, Range<usize>, Option<Ready<'_>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let prepare = |side: usize, rows: &Rows<'_>, block: &Range<usize>| {
            let rows = rows.slice(block.start, block.len());
            self.forms.as_ref().map(|forms| (block.start, self.engine.host.cpu.prepare(forms, side, &rows)))
        };
        let mut q_ready: Option<(usize, Prepared)> = None;
        for p_block in blocks(0..self.p.len(), self.block) {
            let p_ready = prepare(0, &self.p, &p_block);
            for q_block in blocks(0..self.q.len(), self.block) {
                if self.is_below(&p_block, &q_block) {
                    continue;
                }
                // If Q is one block, it stays.
                if q_ready.as_ref().is_none_or(|(start, _)| *start != q_block.start) {
                    drop(q_ready.take());
                    q_ready = prepare(1, &self.q, &q_block);
                }
                let ready = p_ready.as_ref().zip(q_ready.as_ref()).map(|(p, q)| [(p.0, &p.1), (q.0, &q.1)]);
                for rows in blocks(p_block.clone(), self.tile[0]) {
                    for columns in blocks(q_block.clone(), self.tile[1]) {
                        if !self.is_below(&rows, &columns) {
                            visit(rows.clone(), columns, ready)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Hands every tile to `take`, mirror images included.
    pub(crate) fn tiles<E: From<Error>>(
        &self,
        tracker: &Tracker<'_>,
        mut take: impl FnMut(&Tile) -> Result<(), E>,
    ) -> Result<Stats, E> {
        let start = Instant::now();
        let mut stats = Stats { bytes: self.bytes(), ..Stats::default() };
        #[cfg(feature = "gpu")]
        {
            stats.sent = self.product.bytes();
        }
        // Columns whose memory the next tile takes.
        let reused = Mutex::new(Vec::new());
        let again = || reused.lock().unwrap_or_else(PoisonError::into_inner);
        let mut visit = |mut tile: Tile| {
            #[cfg(feature = "gpu")]
            if tile.entries.stats.products > 0 {
                self.judge_product(&tile);
            }
            if self.is_mirrored && tile.rows == tile.columns {
                tile.make_symmetric();
            }
            let Stats { device, reason, .. } = tile.entries.stats();
            (stats.device, stats.reason) = (device.clone(), *reason);
            stats.add(tile.entries.stats());
            take(&tile)?;
            tracker.report(tile.status().len())?;
            if self.is_mirrored && tile.columns.start >= tile.rows.end {
                take(&tile.mirrored())?;
                tracker.report(tile.status().len())?;
            }
            again().push(tile.entries);
            Ok::<(), E>(())
        };
        match self.tiles_at_once() {
            1 => self.walk(|rows, columns, ready| {
                let columns_of_before = again().pop().unwrap_or_default();
                visit(self.tile(rows, columns, ready, columns_of_before)?)
            })?,
            // The last values of a tile come back while the first rows of the next are on their way.
            several => {
                let work = |(rows, columns)| {
                    let columns_of_before = again().pop().unwrap_or_default();
                    self.tile(rows, columns, None, columns_of_before)
                };
                in_turn(several, self.unprepared().map(Ok), work, visit)?;
            }
        }
        stats.seconds = start.elapsed().as_secs_f64();
        Ok(stats)
    }

    /// Tiles that gain from being computed side by side.
    fn tiles_at_once(&self) -> usize {
        // A thread of a pool that waits takes up other work, which may wait for what it holds.
        match self.choice.on {
            On::Cpu | On::Reference => 1,
            _ if rayon::current_thread_index().is_some() => 1,
            _ => self.engine.runner.calls_at_once(),
        }
    }

    /// The rows and columns of every tile, where no row is prepared before.
    fn unprepared(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let of_rows =
            |rows: Range<usize>| blocks(0..self.q.len(), self.tile[1]).map(move |columns| (rows.clone(), columns));
        let tiles = blocks(0..self.p.len(), self.tile[0]).flat_map(of_rows);
        tiles.filter(|(rows, columns)| !self.is_below(rows, columns))
    }
}
