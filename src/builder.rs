//! How an engine is made.

use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{AdapterChoice, OpenOptions};
use crate::engine::Engine;
#[cfg(feature = "gpu")]
use crate::exec::auto::Auto;
use crate::exec::choice::Runner;
#[cfg(feature = "gpu")]
use crate::exec::gpus::Gpus;
use crate::exec::host::Host;
use crate::options::{Device, GpuOptions, GpuSet};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::levels::SimdLevel;

/// Makes an [`Engine`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineBuilder {
    device: Device,
    threads: Option<usize>,
    level: SimdLevel,
    memory: Option<u64>,
    gpu: GpuOptions,
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

    /// Changes how GPUs are used. The defaults are right for every device; tests and measurements need others.
    ///
    /// ```
    /// let builder = kullback::Engine::builder().gpu(|gpu| gpu.staging = Some(true));
    /// ```
    #[must_use]
    pub fn gpu(mut self, change: impl FnOnce(&mut GpuOptions)) -> Self {
        change(&mut self.gpu);
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
        let options = |adapter| OpenOptions {
            adapter,
            gpu: self.gpu,
            threads: cpu.threads(),
            #[cfg(test)]
            breakage: self.breakage,
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
        Ok(Engine { host: Host { cpu, memory, submission_seconds, row_threads: self.gpu.row_threads }, runner })
    }
}
