//! A rectangle of a matrix of all pairs.

use std::ops::Range;

use kullback_kernels::error::Result;
use kullback_kernels::measures::Divergence;

use crate::output::{Columns, RowStatus};

/// What a matrix is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Every entry is wanted.
    Pairwise,
    /// Only the smallest entries of each row are wanted.
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
    /// The rows of P in this tile.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The rows of Q in this tile.
    #[must_use]
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// The values of a measure, row after row. Row i of P against row j of Q, both counted from the first of the tile, is entry
    /// i · [`columns`](Tile::columns)`.len()` + j. NaN stands for no value.
    ///
    /// # Errors
    /// [`Error::NotComputed`](crate::Error::NotComputed) if it was not asked for.
    pub fn values(&self, measure: Divergence) -> Result<&[f64]> {
        self.entries.column(measure)
    }

    /// One status per entry, in the same order.
    #[must_use]
    pub fn status(&self) -> &[RowStatus] {
        self.entries.status()
    }

    /// Replaces the part below the diagonal by the part above it, in a square tile across the diagonal. So a pair has the same
    /// bits wherever it stands.
    pub(crate) fn make_symmetric(&mut self) {
        let size = self.rows.len();
        for (row, column) in (0..size).flat_map(|row| (0..row).map(move |column| (row, column))) {
            let (from, to) = (column * size + row, row * size + column);
            self.entries.columns.iter_mut().for_each(|values| values[to] = values[from]);
            self.entries.status[to] = self.entries.status[from];
        }
    }

    /// The same tile with the sides exchanged.
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

/// Transposes a matrix of `rows` × `columns`.
fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}
