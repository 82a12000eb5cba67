//! All pairs of two blocks of rows. Each row is prepared once. Every sum of a pair then takes a handful of instructions per
//! bin, for eight pairs per vector, in 64 bits (see [`Form`](crate::measures::form::Form)).
//!
//! A value that is small beside its parts loses digits, and the loss is known for each pair. The kernel of matched rows
//! computes a pair instead if it has lost more than the contract allows, or if one of its rows is not usual.

mod direct;
mod finish;
mod forms;
mod panels;
mod prepare;
mod products;
mod screen;
mod tile;

use std::ops::Range;

use rayon::prelude::*;

pub use self::direct::Pairs;
use self::direct::{Direct, Limit, Take};
pub use self::forms::Forms;
use self::panels::panel_sizes;
pub use self::panels::{COLUMNS, ROWS};
pub use self::prepare::Prepared;
pub use self::products::{MOST_PRODUCTS, Products};
use crate::kernels::Kernels;
use crate::levels::on_compiled_level;
use crate::weights::Rows;

impl Kernels {
    /// Prepares the rows of one side, 0 for P and 1 for Q, on the current pool of threads.
    pub fn prepare(&self, forms: &Forms, side: usize, rows: &Rows<'_>) -> Prepared {
        let level = self.level;
        self.prepare_in(forms, side, rows, on_compiled_level!(level, simd => panel_sizes(simd))[side])
    }

    /// Prepares the rows of one side in panels of `panel` rows.
    pub fn prepare_in(&self, forms: &Forms, side: usize, rows: &Rows<'_>, panel: usize) -> Prepared {
        let level = self.level;
        let mut prepared = Prepared::new(forms, side, rows, panel);
        prepared.panels().into_par_iter().for_each(|mut panel| {
            on_compiled_level!(level, simd => panel.fill(simd, forms, side, rows));
        });
        prepared
    }

    /// Computes the sums of at most [`ROWS`] rows of P against some columns. Both ranges begin at the start of a panel. Returns
    /// how many pairs were beyond 32 bits.
    pub fn pairs(&self, pairs: &Pairs<'_>, rows: Range<usize>, columns: Range<usize>, take: &mut Take<'_>) -> u64 {
        let mut direct = Direct::new(*self, pairs);
        let level = self.level;
        on_compiled_level!(level, simd => finish::pairs(simd, rows, columns, &mut direct, take));
        direct.rescued
    }

    /// Does what [`Kernels::pairs`] does, for the pairs that may have a sum within the limit of their row, and for their
    /// neighbours. Without a bound it computes all pairs.
    pub fn near_pairs(
        &self,
        pairs: &Pairs<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
        take: &mut Take<'_>,
        limit: &Limit<'_>,
    ) -> u64 {
        let Some(factor) = pairs.forms.screen else { return self.pairs(pairs, rows, columns, take) };
        let mut direct = Direct::new(*self, pairs);
        let level = self.level;
        on_compiled_level!(level, simd => screen::pairs(simd, factor, rows, columns, &mut direct, take, limit));
        direct.rescued
    }
}
