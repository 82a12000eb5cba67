//! The nearest rows of each row.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use crate::engine::Engine;
use crate::exec::tracker::Tracker;
use crate::grid::Grid;
use crate::input::Input;
use crate::options::Options;
use crate::output::Stats;
use crate::summary::TopRow;
use crate::tile::{Purpose, Tile};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;

/// The nearest rows of Q for each row of P; made by [`Engine::nearest`].
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    neighbours: Vec<Vec<TopRow>>,
    stats: Stats,
}

impl Neighbours {
    fn new(nearest: Vec<Nearest>, stats: Stats) -> Self {
        Self { neighbours: nearest.into_iter().map(Nearest::finish).collect(), stats }
    }

    /// The rows of Q nearest to a row of P, nearest first, and equally near rows by their numbers. There are fewer than asked
    /// for if Q has fewer with a value. `None` if P has no such row.
    #[must_use]
    pub fn of(&self, row: usize) -> Option<&[TopRow]> {
        self.neighbours.get(row).map(Vec::as_slice)
    }

    /// The number of rows of P.
    #[must_use]
    pub fn len(&self) -> usize {
        self.neighbours.len()
    }

    /// Whether P has no rows.
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

/// A row of Q and how far it is. The farther row is greater, and of equally far rows the later one.
#[derive(Clone, Copy, Debug)]
struct Near(TopRow);

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.value.total_cmp(&other.0.value).then(self.0.row.cmp(&other.0.row))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Near {}

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

/// The nearest rows of one row so far.
#[derive(Clone, Debug)]
pub(crate) struct Nearest {
    most: usize,
    /// The rows, with the farthest on top.
    rows: BinaryHeap<Near>,
}

impl Nearest {
    /// Keeps at most this many rows.
    fn new(most: usize) -> Self {
        Self { most, rows: BinaryHeap::new() }
    }

    /// Looks at a row. A NaN is no value. The order in which rows come does not matter.
    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: f64) {
        let near = Near(TopRow { row: row as u64, value });
        if self.rows.len() < self.most {
            if !value.is_nan() {
                self.rows.push(near);
            }
        } else if let Some(mut farthest) = self.rows.peek_mut()
            && near < *farthest
        {
            *farthest = near;
        }
    }

    /// A row that is farther than this is not among them.
    pub(crate) fn limit(&self) -> f64 {
        if self.rows.len() < self.most {
            f64::INFINITY
        } else {
            self.rows.peek().map_or(f64::INFINITY, |near| near.0.value)
        }
    }

    fn finish(self) -> Vec<TopRow> {
        self.rows.into_sorted_vec().into_iter().map(|near| near.0).collect()
    }
}

impl Engine {
    /// For each row of `p`, the `k` rows of `q` with the smallest values of a measure, by the values of [`Engine::pairwise`]
    /// (on a GPU, within their contract). Without `q`, the other rows of `p`. The matrix is never in memory, only `k`
    /// neighbours per row. A GPU itself finds up to 512 neighbours per row, so that nothing else leaves it. The CPU leaves out
    /// pairs that a bound shows to be too far; the result is the same.
    ///
    /// # Errors
    /// As [`Engine::rowwise`].
    pub fn nearest<'a>(
        &self,
        measure: Divergence,
        p: impl Into<Input<'a>>,
        q: Option<Input<'a>>,
        k: usize,
        options: &Options,
    ) -> Result<Neighbours> {
        let (itself, p) = (q.is_none(), p.into().rows);
        let mut nearest = vec![Nearest::new(k); p.len()];
        let Some(grid) = Grid::new(self, &[measure], p, q, options, Purpose::Nearest)? else {
            return Ok(Neighbours { neighbours: vec![Vec::new(); p.len()], stats: Stats::default() });
        };
        let tracker = Tracker::new(options, grid.entries());
        #[cfg(feature = "gpu")]
        {
            if let Some(stats) = grid.nearest_on_device(&mut nearest, k, itself, &tracker)? {
                return Ok(Neighbours::new(nearest, stats));
            }
            // Some rows may have been shown some candidates already.
            nearest.fill(Nearest::new(k));
            tracker.begin_anew();
        }
        let stats = if grid.is_prepared() {
            grid.nearest(&mut nearest, itself, &tracker)?
        } else {
            let take = |tile: &Tile| {
                let (rows, columns) = (tile.rows(), tile.columns());
                let values = tile.values(measure)?;
                let tasks = nearest[rows.clone()].par_iter_mut().zip(values.par_chunks(columns.len())).enumerate();
                let task = |(i, (nearest, values)): (usize, (&mut Nearest, &[f64]))| {
                    for (column, value) in columns.clone().zip(values) {
                        if !(itself && column == rows.start + i) {
                            nearest.push(column, *value);
                        }
                    }
                };
                self.host.cpu.install(|| tasks.for_each(task));
                Ok::<(), Error>(())
            };
            grid.tiles(&tracker, take)?
        };
        Ok(Neighbours::new(nearest, stats))
    }
}
