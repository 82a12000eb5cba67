//! The matrix of all pairs, put together. The tests inside the engine use this file too, so its parent names the types.

use super::{Divergence, Engine, Error, Options, RowStatus, Rows, Tile};

/// The whole matrix: one column per measure, and the statuses.
pub(crate) struct Matrix {
    pub(crate) values: Vec<Vec<f64>>,
    pub(crate) status: Vec<RowStatus>,
    pub(crate) tiles: usize,
}

/// Puts the matrix together from its tiles. Every entry comes once.
pub(crate) fn matrix(
    engine: &Engine,
    measures: &[Divergence],
    p: Rows<'_>,
    q: Option<Rows<'_>>,
    options: &Options,
) -> Matrix {
    let columns = q.unwrap_or(p).len();
    let mut values = vec![vec![f64::NAN; p.len() * columns]; measures.len()];
    let mut status: Vec<Option<RowStatus>> = vec![None; p.len() * columns];
    let mut tiles = 0;
    let take = |tile: &Tile| {
        tiles += 1;
        for (i, row) in tile.rows().enumerate() {
            for (j, column) in tile.columns().enumerate() {
                let (from, to) = (i * tile.columns().len() + j, row * columns + column);
                assert!(status[to].is_none(), "entry {row}, {column} comes twice");
                status[to] = Some(tile.status()[from]);
                for (values, measure) in values.iter_mut().zip(measures) {
                    values[to] = tile.values(*measure)?[from];
                }
            }
        }
        Ok::<(), Error>(())
    };
    engine.pairwise(measures, p, q.map(Into::into), options, take).expect("the matrix");
    Matrix { values, status: status.into_iter().map(|status| status.expect("every entry comes")).collect(), tiles }
}
