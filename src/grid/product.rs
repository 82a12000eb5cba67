//! Products of matrices on a device, and whether they are of use.

use std::sync::atomic::AtomicU64;

use crate::backend::gpu::product::{Product, ProductTile};
use crate::engine::Engine;
use crate::exec::choice::On;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::weights::Rows;

/// A product, as long as few of its entries are left to the host.
pub(super) struct OnTrial<'a> {
    pub(super) product: Option<Product<'a>>,
    /// The number of entries so far, and below the number that were left to the host.
    pub(super) entries: AtomicU64,
    pub(super) left: AtomicU64,
    /// Whether it stays in use, whatever it leaves to the host.
    #[cfg(test)]
    pub(super) stays: bool,
}

impl<'a> OnTrial<'a> {
    /// Takes all rows of two sides, if one device computes them and can.
    pub(super) fn new(engine: &'a Engine, on: On<'_>, problem: &Problem, sides: [Rows<'a>; 2]) -> Self {
        let pairing = Pairing::All { first: 0, columns: sides[1].len() };
        let problem = Problem { pairing, ..problem.clone() };
        let product = match on {
            On::Gpus { gpus, .. } if let [gpu] = gpus.devices() => {
                let make = || gpu.product(&engine.host.cpu, &problem, sides, engine.host.memory);
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
    pub(super) fn part(&self, first: usize) -> Option<ProductTile<'_>> {
        let product = self.product.as_ref().filter(|product| !product.is_given_up())?;
        Some(ProductTile { product, first: [first, 0] })
    }
}
