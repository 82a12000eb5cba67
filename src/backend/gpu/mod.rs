//! The GPU backend: WGSL compute shaders through wgpu, on any adapter.

mod adapters;
#[cfg(test)]
pub(crate) mod breakage;
mod canary;
mod checked;
mod clock;
mod collect;
mod commands;
mod constants;
mod device;
mod dispatch;
#[cfg(test)]
pub(crate) mod faults;
mod fill;
mod guarded;
#[cfg(test)]
mod interpreted_tests;
mod opened;
pub(crate) mod pairs;
mod params;
mod pipelines;
mod probe;
pub(crate) mod product;
mod shaders;
mod slots;
pub(super) mod stored;
mod submit;
pub(crate) mod summary;
#[cfg(test)]
mod tests;
mod trusted;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use adapters::AdapterChoice;
pub use adapters::{AdapterInfo, adapters};
pub(crate) use checked::StartedChunk;
pub(crate) use device::OpenOptions;
pub use probe::DeviceAnswers;

use self::constants::RECORD_HEAD;
use self::guarded::guarded;
use self::opened::Opened;
use self::pairs::Search;
use self::product::Product;
pub(crate) use self::slots::SLOTS;
use self::stored::StoredRows;
use self::summary::Digest;
use self::summary::kernels::takes_values;
use crate::backend::cpu::Cpu;
use crate::backend::source::Source;
use crate::plan::chunk::{Costs, Pieces};
use crate::plan::kernel_key::dispatches;
use crate::plan::{Chunks, Shape};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::problem::Problem;
use kullback_kernels::weights::Rows;

/// One adapter as a backend. Calls from several threads share it.
#[derive(Debug)]
pub(crate) struct Gpu {
    options: OpenOptions,
    name: Arc<str>,
    answers: DeviceAnswers,
    opened: Mutex<Arc<Opened>>,
}

impl Gpu {
    /// Opens an adapter that has what the kernels need.
    pub(crate) fn open(options: OpenOptions) -> Result<Self> {
        let opened = catch_unwind(AssertUnwindSafe(|| probe::open(&options, false)));
        let (opened, answers) = opened.unwrap_or_else(|_| {
            let wanted = format!("{:?}", options.adapter);
            Err(Error::NoDevice { wanted, found: "a driver that panicked".to_owned() })
        })?;
        Ok(Self { options, name: Arc::from(opened.device.name.as_str()), answers, opened: Mutex::new(opened) })
    }

    /// What it answered when it was opened.
    pub(crate) fn answers(&self) -> DeviceAnswers {
        self.answers
    }

    /// The name used in reports, shared.
    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The error for a panic of a thread that fills buffers.
    pub(crate) fn filling_panicked(&self) -> Error {
        let reason = "a thread that filled buffers panicked".to_owned();
        Error::DeviceFailed { device: self.name.to_string(), reason }
    }

    /// The name, and how the device was opened.
    pub(crate) fn description(&self) -> String {
        format!("{} {:?}", self.name, self.options)
    }

    /// Whether it keeps these rows.
    pub(crate) fn has(&self, stored: &StoredRows) -> bool {
        stored.is_usable() && stored.is_on(&self.opened())
    }

    /// The current device.
    fn opened(&self) -> Arc<Opened> {
        Arc::clone(&self.opened.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Copies rows to the device, to be used by any number of calls.
    pub(crate) fn upload(&self, rows: &Rows<'_>) -> Result<StoredRows> {
        let upload = || {
            let opened = self.opened();
            guarded(&opened, || StoredRows::upload(&opened, rows))
        };
        upload().or_else(|error| match error {
            Error::DeviceFailed { .. } | Error::DeviceMemory { .. } => {
                self.recover().map_err(|_| error)?;
                upload()
            }
            other => Err(other),
        })
    }

    /// The faults that a test arms.
    #[cfg(test)]
    pub(crate) fn faults(&self) -> Arc<faults::Faults> {
        Arc::clone(&self.opened().device.faults)
    }

    /// The chunks of some rows of a problem on this device. Rows that it keeps need not be sent. Each row uses `scratch` bytes
    /// on the device beside the records.
    pub(crate) fn chunks(
        &self,
        problem: &Problem,
        rows: Range<usize>,
        (budget, scratch): (u64, u64),
        kept: [Option<(usize, &StoredRows)>; 2],
    ) -> Result<Chunks> {
        let opened = self.opened();
        let parts = Shape::of(problem).parts() as usize;
        let words: usize = dispatches(&problem.terms).map(|terms| RECORD_HEAD + terms.len()).sum();
        let cuts = kept.map(|kept| {
            let (first, stored) = kept.filter(|(_, stored)| stored.is_on(&opened))?;
            Some(Pieces { first, rows: stored.rows_per_buffer() })
        });
        let costs = Costs {
            output_bytes_per_row: (words * parts * 4) as u64,
            scratch_bytes_per_row: scratch,
            // Memory of the host and of the device, unless both are the same.
            copies: SLOTS as u64 * if opened.device.shared_memory { 1 } else { 2 },
            cuts,
        };
        Chunks::for_device(problem, rows, &opened.device.caps, budget, &costs)
    }

    /// Starts on rows and returns before they are done. A few chunks may be on their way at once. If there are more, this waits
    /// until an older chunk is finished or dropped. The rows may be part of a product.
    pub(crate) fn start<'a>(
        &self,
        problem: &'a Problem,
        p: &Source<'_>,
        q: &Source<'_>,
        product: Option<product::ProductTile<'_>>,
    ) -> Result<StartedChunk<'a>> {
        StartedChunk::start(self.opened(), problem, p, q, product)
    }

    /// Begins a search for the `count` nearest rows, [`MOST_NEIGHBOURS`](pairs::MOST_NEIGHBOURS) at most, of some rows of P.
    /// `None` if the device cannot do it.
    pub(crate) fn search<'a>(&self, problem: &'a Problem, rows: usize, count: usize) -> Result<Option<Search<'a>>> {
        let opened = self.opened();
        if !takes_values(&opened.device, problem) {
            return Ok(None);
        }
        guarded(&opened, || Search::new(&opened, problem, rows, count)).map(Some)
    }

    /// Takes all rows of two sides, to be multiplied in half of `memory` at most. `None` if the problem has no product, if a
    /// product is not worth it, or if the device lacks what it needs.
    pub(crate) fn product<'a>(
        &self,
        cpu: &'a Cpu,
        problem: &Problem,
        sides: [Rows<'a>; 2],
        memory: u64,
    ) -> Result<Option<Product<'a>>> {
        Product::new(&self.opened(), cpu, problem, sides, memory)
    }

    /// Begins a summary.
    pub(crate) fn digest<'a>(&self, problem: &'a Problem, top: usize) -> Result<Digest<'a>> {
        checked::digest(&self.opened(), problem, top)
    }

    /// Whether the device can hold the tables of a summary in half of `budget`, and number its rows.
    pub(crate) fn can_digest(&self, problem: &Problem, budget: u64) -> bool {
        summary::fits(&self.opened().device, problem, budget)
    }

    /// Makes the device usable again after a failure: frees memory, or opens it anew.
    pub(crate) fn recover(&self) -> Result<()> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let again = catch_unwind(AssertUnwindSafe(|| {
            opened.slots.free();
            if opened.device.check().is_ok() {
                return Ok(None);
            }
            // What others still keep there would take memory from the next device.
            opened.device.device.destroy();
            adapters::look_again();
            #[cfg_attr(not(test), expect(unused_mut, reason = "tests carry their faults over"))]
            let (mut again, _) = probe::open(&self.options, true)?;
            #[cfg(test)]
            if let Some(again) = Arc::get_mut(&mut again) {
                again.device.faults = Arc::clone(&opened.device.faults);
            }
            if again.device.name != opened.device.name {
                return Err(opened.device.failed(format!("in its place there is {}", again.device.name)));
            }
            Ok(Some(again))
        }));
        let again = again.unwrap_or_else(|_| Err(opened.device.failed("the driver panicked".to_owned())))?;
        if let Some(again) = again {
            *opened = again;
        }
        Ok(())
    }
}
