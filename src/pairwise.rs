//! Every row against every row: the matrix of a measure, tile by tile, and the nearest rows of each.

use std::ops::Range;

use crate::divergence::Divergence;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::options::Options;
use crate::output::{Columns, RowStatus, Stats};
use crate::rows::Rows;
use crate::values::Tracker;

/// What a matrix is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Every entry is wanted.
    Pairwise,
    /// The smallest of each row are.
    Nearest,
}

/// A rectangle of the matrix: some rows of P against some rows of Q.
#[derive(Debug)]
pub struct Tile {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
    pub(crate) entries: Columns,
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

    /// Of a square tile across the diagonal: what is below it becomes what is above, so that a pair has the same bits
    /// wherever it stands.
    pub(crate) fn make_symmetric(&mut self) {
        let size = self.rows.len();
        for (row, column) in (0..size).flat_map(|row| (0..row).map(move |column| (row, column))) {
            let (from, to) = (column * size + row, row * size + column);
            self.entries.columns.iter_mut().for_each(|values| values[to] = values[from]);
            self.entries.status[to] = self.entries.status[from];
        }
    }

    /// The same with the sides exchanged.
    pub(crate) fn mirrored(&self) -> Self {
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

impl Engine {
    /// The measures of every row of `p` against every row of `q`; without `q`, of `p` against itself. The matrix is
    /// handed to `take` tile by tile and never in memory as a whole: in an order that depends on the shapes, the measures
    /// and the engine alone, every entry once. Without `q`, and for symmetric measures alone, each tile above the diagonal
    /// is followed by its mirror image below, which is not computed.
    ///
    /// Each entry is what [`Engine::rowwise`] gives for the two rows, within the contract: by other arithmetic, so that its last
    /// bits are others, on the CPU where each side has sixteen rows or more, and on a GPU where entries are products of
    /// matrices ([`Stats::products`]). Time is linear in the rows of `p` × those of `q` × bins. The progress counts entries.
    ///
    /// # Errors
    /// As [`Engine::rowwise`], and those of `take`, which end the call.
    pub fn pairwise<E: From<Error>>(
        &self,
        measures: &[Divergence],
        p: Rows<'_>,
        q: Option<Rows<'_>>,
        options: &Options,
        take: impl FnMut(&Tile) -> std::result::Result<(), E>,
    ) -> std::result::Result<Stats, E> {
        let Some(grid) = Grid::new(self, measures, p, q, options, Purpose::Pairwise)? else {
            return Ok(Stats::default());
        };
        grid.tiles(&Tracker::new(options, grid.entries()), take)
    }
}
