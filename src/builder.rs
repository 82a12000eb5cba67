//! How an engine is made.

use std::time::Duration;

use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{AdapterChoice, GpuOptions};
use crate::engine::Engine;
#[cfg(feature = "gpu")]
use crate::exec::auto::Auto;
use crate::exec::choice::Runner;
#[cfg(feature = "gpu")]
use crate::exec::gpus::Gpus;
use crate::exec::host::Host;
use crate::options::{Device, GpuSet};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::levels::SimdLevel;

/// Makes an [`Engine`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineBuilder {
    device: Device,
    threads: Option<usize>,
    level: SimdLevel,
    memory: Option<u64>,
    binding_limit: Option<u64>,
    subgroups: Option<bool>,
    patience: Option<Duration>,
    staging: Option<bool>,
    checked_shaders: bool,
    row_threads: Option<u32>,
    /// The adapters that calls may use without being asked for, even a software adapter.
    #[cfg(all(test, feature = "gpu"))]
    candidates: GpuSet,
    /// What is broken in the device.
    #[cfg(all(test, feature = "gpu"))]
    breakage: Option<crate::backend::gpu::breakage::Breakage>,
    submission_seconds: Option<f64>,
}

/// A quarter of the time that the strictest watchdog of a system allows for a submission.
const DEFAULT_SUBMISSION_SECONDS: f64 = 0.5;

/// Bytes of buffers that a call may take by default.
const DEFAULT_MEMORY: u64 = 256 << 20;

/// How long a device may take over one chunk by default: hundreds of times what the slowest device needs.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// A builder with the defaults: automatic device, all threads.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }
}

impl EngineBuilder {
    /// Where calls run.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// CPU threads; by default all threads of the machine.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Pins the instruction set of the CPU kernels.
    #[must_use]
    pub fn simd_level(mut self, level: SimdLevel) -> Self {
        self.level = level;
        self
    }

    /// Bytes that the buffers of a call on a GPU may take (default 256 MiB). At least one row is always taken.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Lowers the device's binding limit, so that a small call is cut into many chunks.
    #[must_use]
    pub fn binding_limit(mut self, bytes: u64) -> Self {
        self.binding_limit = Some(bytes);
        self
    }

    /// Pins the GPU kernels with (`true`) or without subgroup operations. By default they are used if the adapter has them.
    #[must_use]
    pub fn subgroups(mut self, subgroups: bool) -> Self {
        self.subgroups = Some(subgroups);
        self
    }

    /// Pins how many threads of a GPU share a row: a power of two up to 128. With 128, a row has a workgroup to itself. Other
    /// numbers are rounded up. By default the number follows from the length of the row. Rows that would have more than 128
    /// bins per thread keep the default.
    #[must_use]
    pub fn row_threads(mut self, threads: u32) -> Self {
        self.row_threads = Some(threads);
        self
    }

    /// Pins whether rows are copied to the GPU's own memory (`true`) or read where the host writes them. By default they are
    /// read there if the GPU and the host share their memory. If they cannot be read there, this has no effect.
    #[must_use]
    pub fn staging(mut self, staging: bool) -> Self {
        self.staging = Some(staging);
        self
    }

    /// Compiles shaders with checks of array bounds and of the end of loops. They are slower, and only needed if kullback or
    /// the driver has a fault.
    #[must_use]
    pub fn checked_shaders(mut self, checked: bool) -> Self {
        self.checked_shaders = checked;
        self
    }

    /// How long a GPU may take over one chunk before it is given up (default 60 s).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Lets calls on an automatic device use some adapters, even software adapters.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn candidates(mut self, set: GpuSet) -> Self {
        self.candidates = set;
        self
    }

    /// Breaks the device.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn broken(mut self, breakage: crate::backend::gpu::breakage::Breakage) -> Self {
        self.breakage = Some(breakage);
        self
    }

    /// The seconds of device time of one submission after which the next submissions are smaller.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn submission_seconds(mut self, seconds: f64) -> Self {
        self.submission_seconds = Some(seconds);
        self
    }

    /// Makes the engine.
    ///
    /// # Errors
    /// [`Error::NoDevice`](crate::Error::NoDevice) if the device is not there, [`Error::Threads`](crate::Error::Threads).
    pub fn build(self) -> Result<Engine> {
        let cpu = Cpu::new(self.level, self.threads)?;
        #[cfg(feature = "gpu")]
        let options = |adapter| {
            let Self { binding_limit, subgroups, staging, checked_shaders, .. } = self;
            let patience = self.patience.unwrap_or(DEFAULT_PATIENCE);
            let threads = cpu.threads();
            GpuOptions {
                adapter,
                binding_limit,
                subgroups,
                staging,
                checked_shaders,
                threads,
                patience,
                #[cfg(test)]
                breakage: self.breakage,
            }
        };
        #[cfg(feature = "gpu")]
        let gpu = |adapter| Ok::<_, Error>(Runner::Gpus(Box::new(Gpus::one(options(adapter))?)));
        #[cfg(all(feature = "gpu", not(test)))]
        let auto = || Auto::new(GpuSet::HARDWARE, options(AdapterChoice::Hardware));
        #[cfg(all(feature = "gpu", test))]
        let auto = || Auto::new(self.candidates, options(AdapterChoice::Hardware));
        let runner = match self.device {
            #[cfg(feature = "gpu")]
            Device::Auto => Runner::Auto(Box::new(auto())),
            #[cfg(not(feature = "gpu"))]
            Device::Auto => Runner::Auto,
            Device::Cpu => Runner::Cpu,
            Device::Reference => Runner::Reference,
            #[cfg(feature = "gpu")]
            Device::Gpu => gpu(AdapterChoice::Hardware)?,
            #[cfg(feature = "gpu")]
            Device::GpuAt(index) => gpu(AdapterChoice::At(index))?,
            #[cfg(feature = "gpu")]
            Device::Gl => gpu(AdapterChoice::Gl)?,
            #[cfg(feature = "gpu")]
            Device::Gpus(set) => Runner::Gpus(Box::new(Gpus::open(set, options(AdapterChoice::Hardware))?)),
            #[cfg(not(feature = "gpu"))]
            Device::Gpu | Device::GpuAt(_) | Device::Gl | Device::Gpus(_) => {
                return Err(Error::NoDevice {
                    wanted: "GPU".to_owned(),
                    found: "none: this build has the feature `gpu` off".to_owned(),
                });
            }
        };
        let memory = self.memory.unwrap_or(DEFAULT_MEMORY);
        let submission_seconds = self.submission_seconds.unwrap_or(DEFAULT_SUBMISSION_SECONDS);
        Ok(Engine { host: Host { cpu, memory, submission_seconds, row_threads: self.row_threads }, runner })
    }
}
