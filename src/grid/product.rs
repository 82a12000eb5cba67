//! Products of matrices on a device, and whether they are of use.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Grid;
use crate::backend::gpu::product::{Part, Product};
use crate::engine::{Engine, On};
use crate::pairwise::Tile;
use crate::plan::{Pairing, Problem};
use crate::rows::Rows;

/// One entry of so many may be left to the host, which is slower by more than that, where a few parts of the matrix are
/// looked at; and of a tile, where the way of the entries then changes on the way.
const OF_PARTS: usize = 50;
pub(super) const OF_TILES: usize = 8;
/// Rows and columns of the parts of a matrix that tell how many are.
const SAMPLE: usize = 32;

/// A product, as long as few of its entries are left to the host.
pub(super) struct OnTrial<'a> {
    product: Option<Product<'a>>,
    is_dropped: AtomicBool,
    /// Whether it stays whatever it leaves.
    #[cfg(test)]
    stays: bool,
}

impl<'a> OnTrial<'a> {
    /// Of all rows of two sides, where one device computes them and can.
    pub(super) fn new(engine: &'a Engine, on: On<'_>, problem: &Problem, sides: [Rows<'a>; 2]) -> Self {
        let pairing = Pairing::All { first: 0, columns: sides[1].len() };
        let problem = Problem { pairing, ..problem.clone() };
        let product = match on {
            On::Gpus { gpus, .. } if let [gpu] = gpus.devices() => {
                let make = || Product::new(gpu, &engine.cpu, &problem, sides, engine.memory);
                // A device that fails for good is for whoever computes the entries to tell.
                make().or_else(|error| gpu.recover().map_err(|_| error).and_then(|()| make())).unwrap_or_default()
            }
            _ => None,
        };
        Self {
            product,
            is_dropped: AtomicBool::new(false),
            #[cfg(test)]
            stays: false,
        }
    }

    /// Bytes that went to the device for it.
    pub(super) fn bytes(&self) -> u64 {
        self.product.as_ref().map_or(0, Product::bytes)
    }

    /// The rows from one of P on.
    pub(super) fn part(&self, first: usize) -> Option<Part<'_>> {
        let product = self.product.as_ref().filter(|_| !self.is_dropped.load(Ordering::Relaxed))?;
        Some(Part { product, first: [first, 0] })
    }
}

impl Grid<'_> {
    /// Looks at a few parts of the matrix.
    pub(super) fn try_product(&self) {
        let [rows, columns] = [self.p.len(), self.q.rows.len()];
        let part = |i: usize, of: usize| {
            let first = (of * i / 4).min(of.saturating_sub(SAMPLE));
            first..of.min(first + SAMPLE)
        };
        for i in (0..4).take_while(|_| self.product.part(0).is_some()) {
            // Not those on the diagonal, where rows may meet themselves; what fails does so again where it is told.
            if let Ok(tile) = self.tile(part(i, rows), part((i + 2) % 4, columns), None, Default::default()) {
                self.judge_product(&tile, OF_PARTS);
            }
        }
    }

    /// Ends the use of products where a tile left more than one of so many entries to the host.
    pub(super) fn judge_product(&self, tile: &Tile, one_of: usize) {
        #[cfg(test)]
        if self.product.stays {
            return;
        }
        let (stats, entries) = (tile.entries.stats(), tile.status().len());
        if stats.rescued > (entries / one_of) as u64 {
            self.product.is_dropped.store(true, Ordering::Relaxed);
        }
    }

    /// Whether products are in use.
    #[cfg(test)]
    pub(super) fn has_product(&self) -> bool {
        self.product.part(0).is_some()
    }

    /// Has products stay in use, and come back into it.
    #[cfg(test)]
    pub(super) fn keep_product(&mut self) {
        self.product.stays = true;
        self.product.is_dropped = AtomicBool::new(false);
    }

    /// Ends the use of products; whether they were used.
    pub(super) fn drop_product(&self) -> bool {
        self.product.part(0).is_some() && !self.product.is_dropped.swap(true, Ordering::Relaxed)
    }
}
