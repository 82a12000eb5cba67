//! The GPU backend: WGSL compute shaders through wgpu, on any adapter.

mod adapters;
#[cfg(test)]
pub(crate) mod breakage;
mod canary;
mod clock;
mod collect;
mod constants;
mod device;
mod dispatch;
#[cfg(test)]
pub(crate) mod faults;
mod fill;
#[cfg(test)]
mod interpreted_tests;
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

use std::collections::HashSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use adapters::Wanted;
pub use adapters::{AdapterInfo, adapters};
pub(crate) use device::GpuOptions;
pub use probe::DeviceAnswers;

use self::collect::collect;
use self::constants::RECORD_HEAD;
use self::device::Device;
use self::pipelines::Pipelines;
pub(crate) use self::slots::SLOTS;
use self::slots::Slots;
use self::stored::StoredRows;
use self::submit::{SideRows, Started};
use crate::backend::found::Found;
use crate::backend::source::Source;
use crate::backend::spent::Spent;
use crate::plan::chunk::{Costs, Pieces};
use crate::plan::{Chunks, Shape};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::weights::Rows;

/// One adapter as a backend. Calls from several threads share it.
#[derive(Debug)]
pub(crate) struct Gpu {
    options: GpuOptions,
    name: Arc<str>,
    answers: DeviceAnswers,
    opened: Mutex<Arc<Opened>>,
}

/// A device for as long as it works. The next device has all of this anew.
#[derive(Debug)]
struct Opened {
    device: Device,
    /// The one layout of bindings that all kernels share.
    bindings: wgpu::BindGroupLayout,
    pipelines: Mutex<Pipelines>,
    /// Kernels whose canary rows were right.
    trusted: Mutex<HashSet<canary::Checked>>,
    slots: Slots,
    /// The kernels that make a summary of records.
    summary: OnceLock<summary::Kernels>,
    /// The kernels of products.
    product: OnceLock<product::Kernels>,
}

impl Opened {
    fn new(device: Device) -> Arc<Self> {
        let (pipelines, bindings) = Pipelines::new(&device.device);
        let pipelines = Mutex::new(pipelines);
        let (slots, summary, product) = (Slots::default(), OnceLock::new(), OnceLock::new());
        Arc::new(Self { device, bindings, pipelines, trusted: Mutex::default(), slots, summary, product })
    }

    /// Opens a device and asks it for what the kernels rely on, again if `anew`. If its subgroups do not work, it is opened
    /// without them.
    fn asked(options: &GpuOptions, anew: bool) -> Result<(Arc<Self>, DeviceAnswers)> {
        let patient = GpuOptions { patience: options.patience.max(probe::PATIENCE), ..*options };
        let mut opened = Self::new(Device::open(&patient)?);
        let answers = guarded(&opened, || probe::ask(&opened, anew))?;
        if !answers.subgroups_refused {
            // Nobody else has it yet.
            if let Some(opened) = Arc::get_mut(&mut opened) {
                opened.device.patience = options.patience;
            }
            return Ok((opened, answers));
        }
        let without = GpuOptions { subgroups: Some(false), ..*options };
        let (opened, answers) = Self::asked(&without, anew)?;
        Ok((opened, DeviceAnswers { subgroups_refused: true, ..answers }))
    }

    fn pipelines(&self) -> MutexGuard<'_, Pipelines> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gpu {
    /// Opens an adapter that has what the kernels need.
    pub(crate) fn open(options: GpuOptions) -> Result<Self> {
        let opened = catch_unwind(AssertUnwindSafe(|| Opened::asked(&options, false)));
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
        let groups = problem.terms.chunks(crate::plan::kernel_key::TERMS_PER_DISPATCH);
        let words: usize = groups.map(|terms| RECORD_HEAD + terms.len()).sum();
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
        product: Option<product::Part<'_>>,
    ) -> Result<Chunk<'a>> {
        let opened = self.opened();
        let (sides, rows) = side_rows(&opened, problem, p, q);
        let started = guarded(&opened, || {
            if !pairs::takes_values(&opened, problem) {
                return submit::start(&opened, problem, sides, rows).map(Work::Records);
            }
            pairs::start(&opened, problem, sides, rows, product).map(Work::Values)
        })?;
        Ok(Chunk { opened, problem, rows, started })
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
            let (mut again, _) = Opened::asked(&self.options, true)?;
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

/// The sides of a chunk as this device has them, and its rows.
fn side_rows<'s>(
    opened: &Arc<Opened>,
    problem: &Problem,
    p: &'s Source<'_>,
    q: &'s Source<'_>,
) -> ([SideRows<'s>; 2], usize) {
    let rows = match problem.pairing {
        Pairing::OneP => q.rows.len(),
        Pairing::Rowwise | Pairing::OneQ => p.rows.len(),
        Pairing::All { .. } => p.rows.len() * q.rows.len(),
    };
    let sides = [p, q].map(|source| {
        let stored = source.stored.filter(|(stored, _)| stored.is_on(opened));
        let stored = stored.and_then(|(stored, first)| stored.part(first, problem.bins));
        SideRows { rows: &source.rows, stored }
    });
    (sides, rows)
}

/// Runs what may panic inside a driver or wgpu, as they do on a lost device. After a panic the device is given up.
fn guarded<R>(opened: &Opened, run: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        opened.device.check()?;
        Err(opened.device.give_up("the driver panicked".to_owned()))
    })
}

/// Rows on their way through the device.
pub(crate) struct Chunk<'a> {
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

impl Chunk<'_> {
    /// Waits for the device. Replaces the content of `found` by what the device found for all the rows.
    pub(crate) fn finish(self, found: &mut Found) -> Result<Spent> {
        let Self { opened, problem, rows, started } = self;
        match started {
            Work::Records(started) => {
                let (records, spent) = guarded(&opened, || started.finish())?;
                let mut sums = found.take_sums();
                if !collect(problem, &records, rows, &mut sums) {
                    return Err(opened.device.give_up("it left results of another time".to_owned()));
                }
                *found = Found::Sums(sums);
                Ok(spent)
            }
            Work::Values(started) => {
                let (values, spent) = guarded(&opened, || started.finish(&opened))?;
                *found = Found::Values(values);
                Ok(spent)
            }
        }
    }
}
