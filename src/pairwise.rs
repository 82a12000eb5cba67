//! Every row against every row: the matrix of a measure, tile by tile, and the nearest rows of each row.

use crate::engine::Engine;
use crate::exec::tracker::Tracker;
use crate::grid::Grid;
use crate::input::Input;
use crate::options::Options;
use crate::output::Stats;
use crate::tile::{Purpose, Tile};
use kullback_kernels::error::Error;
use kullback_kernels::measures::Divergence;

impl Engine {
    /// Compares every row of `p` with every row of `q` by the given measures; without `q`, of `p` with itself. `take` gets the
    /// matrix tile by tile, and the whole matrix is never in memory. The order of the tiles depends on the shapes, the measures
    /// and the engine alone, and every entry comes once. Without `q`, and if all measures are symmetric, each tile above the
    /// diagonal is followed by its mirror image below, which is not computed.
    ///
    /// Each entry is what [`Engine::rowwise`] gives for the two rows, within the contract. The arithmetic differs, and with it
    /// the last bits: on the CPU if each side has sixteen rows or more, and on a GPU if entries are products of matrices
    /// ([`Stats::products`]). Time is linear in the rows of `p` × the rows of `q` × bins. The progress counts entries.
    ///
    /// # Errors
    /// Those of [`Engine::rowwise`], and those of `take`, which end the call.
    pub fn pairwise<'a, E: From<Error>>(
        &self,
        measures: &[Divergence],
        p: impl Into<Input<'a>>,
        q: Option<Input<'a>>,
        options: &Options,
        take: impl FnMut(&Tile) -> Result<(), E>,
    ) -> Result<Stats, E> {
        let Some(grid) = Grid::new(self, measures, p.into().rows, q, options, Purpose::Pairwise)? else {
            return Ok(Stats::default());
        };
        grid.tiles(&Tracker::new(options, grid.entries()), take)
    }
}
