//! Where the rows of a call go to the device: after the canary rows of every kernel that they need.

use std::sync::Arc;

use super::canary;
use super::collect::collect;
use super::guarded::guarded;
use super::opened::Opened;
use super::pairs::{self, First, Search, Searched};
use super::product;
use super::submit::{self, Started, side_rows};
use super::summary::kernels::takes_values;
use super::summary::{Digest, DigestedChunk};
use crate::backend::found::ChunkResults;
use crate::backend::source::Source;
use crate::backend::spent::Spent;
use kullback_kernels::error::Result;
use kullback_kernels::problem::Problem;

/// Rows on their way through the device.
pub(crate) struct StartedChunk<'a> {
    opened: Arc<Opened>,
    problem: &'a Problem,
    rows: usize,
    started: Work,
}

/// What comes back of a chunk.
enum Work {
    Records(Started),
    Values(pairs::StartedValues),
}

impl<'a> StartedChunk<'a> {
    /// Starts on rows, which may be part of a product.
    pub(super) fn start(
        opened: Arc<Opened>,
        problem: &'a Problem,
        p: &Source<'_>,
        q: &Source<'_>,
        product: Option<product::ProductTile<'_>>,
    ) -> Result<Self> {
        let (sides, rows) = side_rows(&opened, problem, p, q);
        let started = guarded(&opened, || {
            if takes_values(&opened.device, problem) {
                check_values(&opened, problem, product)?;
                return pairs::start(&opened, problem, sides, rows, product).map(Work::Values);
            }
            canary::check(&opened, problem)?;
            submit::start(&opened, problem, sides, rows).map(Work::Records)
        })?;
        Ok(Self { opened, problem, rows, started })
    }

    /// Waits for the device. Replaces the content of `found` by what the device found for all the rows.
    pub(crate) fn finish(self, found: &mut ChunkResults) -> Result<Spent> {
        let Self { opened, problem, rows, started } = self;
        match started {
            Work::Records(started) => {
                let (records, spent) = guarded(&opened, || started.finish())?;
                let mut sums = found.take_sums();
                if !collect(problem, &records, rows, &mut sums) {
                    return Err(opened.device.give_up("it left results of another time".to_owned()));
                }
                *found = ChunkResults::Sums(sums);
                Ok(spent)
            }
            Work::Values(started) => {
                let (values, spent) = guarded(&opened, || started.finish(&opened))?;
                *found = ChunkResults::Values(values);
                Ok(spent)
            }
        }
    }
}

/// Checks every kernel that makes the values of all pairs.
fn check_values(opened: &Arc<Opened>, problem: &Problem, product: Option<product::ProductTile<'_>>) -> Result<()> {
    match product {
        Some(part) => canary::check_product(opened, problem, part.product),
        None => canary::check_values(opened, problem),
    }
}

impl Search<'_> {
    /// Starts on all rows of P against some rows of Q.
    pub(crate) fn start(
        &self,
        first: First,
        (p, q): (&Source<'_>, &Source<'_>),
        product: Option<product::ProductTile<'_>>,
    ) -> Result<Searched> {
        let opened = &self.opened;
        let (sides, rows) = side_rows(opened, self.problem, p, q);
        let returning = guarded(opened, || {
            check_values(opened, self.problem, product)?;
            canary::check_nearest(opened, self.problem)?;
            self.start_as_it_is(first, q.rows.len(), sides, rows, product)
        })?;
        Ok(Searched { opened: Arc::clone(opened), returning })
    }
}

/// Begins a summary.
pub(super) fn digest<'a>(opened: &Arc<Opened>, problem: &'a Problem, top: usize) -> Result<Digest<'a>> {
    guarded(opened, || {
        // This comes before there are tables, because it makes some tables of its own.
        canary::check_summary(opened, problem)?;
        Digest::new(opened, problem, top)
    })
}

impl Digest<'_> {
    /// Starts on a chunk whose first row is number `first_row` of the call.
    pub(crate) fn start(&self, first_row: usize, p: &Source<'_>, q: &Source<'_>) -> Result<DigestedChunk> {
        let opened = &self.opened;
        let (sides, rows) = side_rows(opened, self.problem, p, q);
        guarded(opened, || {
            // Kernels that left nothing to compare are not trusted yet.
            canary::check(opened, self.problem)?;
            self.start_as_it_is(first_row, sides, rows)
        })
    }
}
