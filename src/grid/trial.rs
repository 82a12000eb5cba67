//! Whether products are of use: they are tried on a few parts of the matrix, and judged with every tile.

use std::sync::atomic::Ordering;

use super::Grid;
use crate::output::RowStatus;
use crate::tile::Tile;

/// One entry in this many may be left to the host. The host is slower than the device by more than this factor.
const FOR_THE_HOST: u64 = 50;
/// Rows and columns of the parts of a matrix that show how many entries are left.
const SAMPLE: usize = 32;

impl Grid<'_> {
    /// Tries a few parts of the matrix.
    pub(super) fn try_product(&self) {
        let [rows, columns] = [self.p.len(), self.q.len()];
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
