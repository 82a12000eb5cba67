//! Products of matrices on a device, and whether they are of use.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Grid;
use crate::backend::gpu::product::{Part, Product};
use crate::engine::Engine;
use crate::exec::choice::On;
use crate::output::RowStatus;
use crate::tile::Tile;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::weights::Rows;

/// One entry in this many may be left to the host. The host is slower than the device by more than this factor.
const FOR_THE_HOST: u64 = 50;
/// Rows and columns of the parts of a matrix that show how many entries are left.
const SAMPLE: usize = 32;

/// A product, as long as few of its entries are left to the host.
pub(super) struct OnTrial<'a> {
    product: Option<Product<'a>>,
    /// The number of entries so far, and below the number that were left to the host.
    entries: AtomicU64,
    left: AtomicU64,
    /// Whether it stays in use, whatever it leaves to the host.
    #[cfg(test)]
    stays: bool,
}

impl<'a> OnTrial<'a> {
    /// Takes all rows of two sides, if one device computes them and can.
    pub(super) fn new(engine: &'a Engine, on: On<'_>, problem: &Problem, sides: [Rows<'a>; 2]) -> Self {
        let pairing = Pairing::All { first: 0, columns: sides[1].len() };
        let problem = Problem { pairing, ..problem.clone() };
        let product = match on {
            On::Gpus { gpus, .. } if let [gpu] = gpus.devices() => {
                let make = || Product::new(gpu, &engine.host.cpu, &problem, sides, engine.host.memory);
                // If a device fails for good, whoever computes the entries reports it.
                make().or_else(|error| gpu.recover().map_err(|_| error).and_then(|()| make())).unwrap_or_default()
            }
            _ => None,
        };
        Self {
            product,
            entries: AtomicU64::new(0),
            left: AtomicU64::new(0),
            #[cfg(test)]
            stays: false,
        }
    }

    /// Bytes that went to the device for it.
    pub(super) fn bytes(&self) -> u64 {
        self.product.as_ref().map_or(0, Product::bytes)
    }

    /// The rows from a row of P on, as long as the product is in use.
    pub(super) fn part(&self, first: usize) -> Option<Part<'_>> {
        let product = self.product.as_ref().filter(|product| !product.is_given_up())?;
        Some(Part { product, first: [first, 0] })
    }
}

impl Grid<'_> {
    /// Tries a few parts of the matrix.
    pub(super) fn try_product(&self) {
        let [rows, columns] = [self.p.len(), self.q.rows.len()];
        let part = |i: usize, of: usize| {
            let first = (of * i / 4).min(of.saturating_sub(SAMPLE));
            first..of.min(first + SAMPLE)
        };
        for i in (0..4).take_while(|_| self.has_product()) {
            // Parts on the diagonal are not tried, because rows may meet themselves there. An error occurs again where it is
            // reported.
            if let Ok(tile) = self.tile(part(i, rows), part((i + 2) % 4, columns), None, Default::default()) {
                self.judge_product(&tile);
            }
        }
    }

    /// Ends the use of products if too much of what was computed so far was left to the host.
    pub(super) fn judge_product(&self, tile: &Tile) {
        let without_value = |status: &&RowStatus| matches!(status, RowStatus::Empty | RowStatus::Invalid);
        let left = tile.entries.stats().rescued + tile.status().iter().filter(without_value).count() as u64;
        let left = left + self.product.left.fetch_add(left, Ordering::Relaxed);
        let entries = tile.status().len() as u64;
        let entries = entries + self.product.entries.fetch_add(entries, Ordering::Relaxed);
        #[cfg(test)]
        if self.product.stays {
            return;
        }
        if left > entries / FOR_THE_HOST {
            self.drop_product();
        }
    }

    /// Whether products are in use.
    pub(super) fn has_product(&self) -> bool {
        self.product.part(0).is_some()
    }

    /// Ends the use of products. Returns whether they were used.
    pub(super) fn drop_product(&self) -> bool {
        let part = self.product.part(0);
        part.inspect(|part| part.product.give_up()).is_some()
    }

    /// Keeps products in use, and puts them back into use.
    #[cfg(test)]
    pub(super) fn keep_product(&mut self) {
        self.product.stays = true;
        if let Some(product) = &self.product.product {
            product.take_up();
        }
    }

    /// As if the device had been opened anew.
    #[cfg(test)]
    pub(super) fn forget_sides(&self) {
        if let Some(product) = &self.product.product {
            product.give_up();
            product.take_up();
        }
    }
}
