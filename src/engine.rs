//! validate → plan → run → rescue → output: the only module that sees all layers.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::backend::cpu::{Cpu, SimdLevel};
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Gpu, GpuOptions};
use crate::backend::{Backend, RowSums, reference};
use crate::divergence::Divergence;
use crate::error::{Error, Result};
use crate::flow;
use crate::input::{Input, Uploaded};
use crate::options::{Device, Options};
use crate::output::{Columns, RowStatus};
use crate::plan::{Chunks, Pairing, Problem, cost};
use crate::rows::Rows;
use crate::values::{Piece, Values};

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
}

/// Bytes of buffers a call may take by default.
const DEFAULT_MEMORY: u64 = 256 << 20;

/// How long a device may take over one chunk by default: hundreds of times what the slowest needs.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);

/// Failures of a device in a row, without a chunk done between them, after which a call ends.
const RETRIES: usize = 3;

impl EngineBuilder {
    /// Where calls run.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// CPU threads; by default all the machine has.
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

    /// Bytes that the buffers of a call on a GPU may take (default 256 MiB); at least one row is
    /// always taken.
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

    /// Pins the GPU kernels with (`true`) or without subgroup operations; by default they are used
    /// where the adapter has them.
    #[must_use]
    pub fn subgroups(mut self, subgroups: bool) -> Self {
        self.subgroups = Some(subgroups);
        self
    }

    /// Pins whether rows are copied to memory of the GPU's own (`true`) or read where the host writes them; by
    /// default the latter where the two share their memory. Without effect where they cannot.
    #[must_use]
    pub fn staging(mut self, staging: bool) -> Self {
        self.staging = Some(staging);
        self
    }

    /// How long a GPU may take over one chunk before it is given up (default 60 s).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The engine.
    ///
    /// # Errors
    /// [`Error::NoDevice`](crate::Error::NoDevice) when the device is not there, [`Error::Threads`](crate::Error::Threads).
    pub fn build(self) -> Result<Engine> {
        let cpu = Cpu::new(self.level, self.threads)?;
        #[cfg(feature = "gpu")]
        let gpu = |index| {
            let Self { binding_limit, subgroups, staging, .. } = self;
            let patience = self.patience.unwrap_or(DEFAULT_PATIENCE);
            let threads = cpu.threads();
            let gpu = Gpu::open(GpuOptions { index, binding_limit, subgroups, staging, threads, patience })?;
            Ok::<_, Error>(Runner::Gpu(Box::new(gpu)))
        };
        let runner = match self.device {
            Device::Auto => Runner::Auto,
            Device::Cpu => Runner::Cpu,
            Device::Reference => Runner::Reference,
            #[cfg(feature = "gpu")]
            Device::Gpu => gpu(None)?,
            #[cfg(feature = "gpu")]
            Device::GpuAt(index) => gpu(Some(index))?,
            #[cfg(not(feature = "gpu"))]
            Device::Gpu | Device::GpuAt(_) => {
                return Err(Error::NoDevice {
                    wanted: "GPU".to_owned(),
                    found: "none: this build has the feature `gpu` off".to_owned(),
                });
            }
        };
        Ok(Engine { cpu, runner, memory: self.memory.unwrap_or(DEFAULT_MEMORY) })
    }
}

#[derive(Debug)]
enum Runner {
    Auto,
    Cpu,
    Reference,
    #[cfg(feature = "gpu")]
    Gpu(Box<Gpu>),
}

/// Computes divergences on one device. Keep it: it holds threads, pipelines and buffers.
///
/// `Send + Sync`; concurrent calls are safe and return what they would return alone.
#[derive(Debug)]
pub struct Engine {
    cpu: Cpu,
    runner: Runner,
    memory: u64,
}

impl Engine {
    /// A builder with the defaults: automatic device, all threads.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// The name of the device, as in [`Stats::device`](crate::Stats::device).
    #[must_use]
    pub fn device_name(&self) -> Arc<str> {
        match &self.runner {
            Runner::Auto | Runner::Cpu => Arc::clone(self.cpu.name()),
            Runner::Reference => Arc::from("reference"),
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => gpu.shared_name(),
        }
    }

    /// The device that a test makes fail.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn gpu(&self) -> Option<&Gpu> {
        match &self.runner {
            Runner::Gpu(gpu) => Some(gpu),
            _ => None,
        }
    }

    /// Keeps rows on the device of this engine, to be compared any number of times. Takes one pass over the
    /// bus, and as many bytes on the device as the rows have.
    ///
    /// # Errors
    /// [`Error::RowTooLarge`], [`Error::DeviceMemory`], [`Error::DeviceFailed`].
    pub fn upload<'a>(&self, rows: Rows<'a>) -> Result<Uploaded<'a>> {
        let stored = match &self.runner {
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) if !rows.weight_type().is_wide() => Some(gpu.upload(&rows)?),
            _ => None,
        };
        Ok(Uploaded { rows, stored })
    }

    /// The measures of row i of `p` against row i of `q`, for every i; where one side has one row, of
    /// that row against every row of the other. `p` and `q` are `rows × bins`: [`Rows`], or a reference to
    /// [`Uploaded`] ones. Any set of measures costs one read of both. Time is linear in rows × bins.
    ///
    /// # Errors
    /// Shapes that do not meet, options outside their definitions, invalid weights (unless
    /// [`OnInvalid::Null`](crate::OnInvalid::Null)), a device that failed again after it was opened anew,
    /// cancellation. Nothing is returned then.
    pub fn rowwise<'a>(
        &self,
        measures: &[Divergence],
        p: impl Into<Input<'a>>,
        q: impl Into<Input<'a>>,
        options: &Options,
    ) -> Result<Columns> {
        self.call(measures, p.into(), q.into(), options)
    }

    fn call(&self, measures: &[Divergence], p: Input<'_>, q: Input<'_>, options: &Options) -> Result<Columns> {
        let start = Instant::now();
        let problem = Problem::new(measures, &p.rows, &q.rows, options.zeros, options.unit)?;
        let mut output = Values::new(&problem, options);
        let mut run = Run { engine: self, options, problem: &problem, p, q, output: &mut output };
        let (device, reason) = match &self.runner {
            Runner::Reference => {
                run.reference()?;
                (Arc::from("reference"), "asked for")
            }
            Runner::Cpu => {
                run.on_cpu()?;
                (Arc::clone(self.cpu.name()), "asked for")
            }
            Runner::Auto => {
                run.on_cpu()?;
                (Arc::clone(self.cpu.name()), cost::choose(&problem).reason)
            }
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => match problem.needs_wide() {
                Some(reason) => {
                    run.on_cpu()?;
                    (Arc::clone(self.cpu.name()), reason)
                }
                None => {
                    run.on_device(gpu)?;
                    (gpu.shared_name(), "asked for")
                }
            },
        };
        let mut columns = output.finish(&p.rows, &q.rows)?;
        columns.stats.device = device;
        columns.stats.reason = reason;
        columns.stats.bytes = problem.bytes_per_row() * problem.rows as u64;
        columns.stats.seconds = start.elapsed().as_secs_f64();
        Ok(columns)
    }
}

/// One call on its way.
struct Run<'a, 'o> {
    engine: &'a Engine,
    options: &'a Options,
    problem: &'a Problem,
    p: Input<'a>,
    q: Input<'a>,
    output: &'o mut Values<'a>,
}

impl Run<'_, '_> {
    /// Walks the chunks on the threads of the CPU.
    fn on_cpu(&mut self) -> Result<()> {
        Chunks::for_cpu(self.problem).from(0).try_for_each(|chunk| self.values(chunk, None))
    }

    /// Walks the chunks on a device. What fails is done again, on a device opened anew if need be and in
    /// smaller chunks; what is done stays done.
    #[cfg(feature = "gpu")]
    fn on_device(&mut self, device: &Gpu) -> Result<()> {
        let (p, q, problem, memory) = (self.p, self.q, self.problem, self.engine.memory);
        let sides = |chunk: &Range<usize>| {
            [p.chunk(problem.pairing == Pairing::OneP, chunk), q.chunk(problem.pairing == Pairing::OneQ, chunk)]
        };
        let (mut done, mut retries, mut halvings) = (0, 0, 0);
        loop {
            // Planned again for a device opened anew: rows that the old one kept have to travel.
            let chunks = device.chunks(problem, memory, [p.stored, q.stored])?;
            let chunks = (0..halvings).fold(chunks, |chunks, _| chunks.smaller().unwrap_or(chunks));
            let before = done;
            let result = flow::run(device, problem, chunks.from(done), sides, |chunk, spent, sums| {
                let end = chunk.end;
                let stats = &mut self.output.columns.stats;
                stats.sent += spent.sent;
                stats.compile_seconds += spent.compile_seconds;
                stats.device_seconds += spent.device_seconds;
                self.values(chunk, Some(sums))?;
                done = end;
                Ok(())
            });
            let Err(error) = result else { return Ok(()) };
            retries = if done > before { 1 } else { retries + 1 };
            match &error {
                Error::DeviceFailed { .. } if retries <= RETRIES => {}
                // Memory that is not there for a chunk may be there for half of it.
                Error::DeviceMemory { .. } if chunks.smaller().is_some() || retries <= RETRIES => {}
                _ => return Err(error),
            }
            // A device that cannot be had again is reported as it failed.
            device.recover().map_err(|_| error)?;
            halvings += 1;
            self.output.columns.stats.retries += 1;
        }
    }

    /// Turns the sums of a chunk into values: those of a device, or else made here. Rows that 32 bits could
    /// not hold are computed again.
    fn values(&mut self, chunk: Range<usize>, from_device: Option<&RowSums>) -> Result<()> {
        let (engine, problem) = (self.engine, self.problem);
        let (p, q) = (self.p.rows, self.q.rows);
        let rows_per_task = cost::rows_per_task(problem);
        let (rescued, any_invalid) = (AtomicU64::new(0), AtomicBool::new(false));
        let task = |sums: &mut RowSums, mut piece: Piece<'_>| {
            let (p, q) = problem.sides(&p, &q, piece.start, piece.len());
            match from_device {
                Some(all) => sums.copy_from(all, piece.start - chunk.start, piece.len()),
                None => engine.cpu.run(problem, &p, &q, sums),
            }
            rescued.fetch_add(engine.cpu.rescue(problem, &p, &q, sums), Ordering::Relaxed);
            any_invalid.fetch_or(piece.write(sums), Ordering::Relaxed);
        };
        let pieces = self.output.pieces(chunk.clone(), rows_per_task);
        if engine.cpu.threads() > 1 && cost::takes_threads(problem, chunk.len()) {
            let pieces: Vec<Piece<'_>> = pieces.collect();
            engine.cpu.install(|| pieces.into_par_iter().for_each_init(RowSums::default, task));
        } else {
            let mut sums = RowSums::default();
            pieces.for_each(|piece| task(&mut sums, piece));
        }
        self.output.columns.stats.chunks += 1;
        self.output.columns.stats.rescued += rescued.into_inner();
        self.output.any_invalid |= any_invalid.into_inner();
        self.output.report(chunk.end)
    }

    /// Every row by the oracle.
    fn reference(&mut self) -> Result<()> {
        let (options, problem, p, q) = (self.options, self.problem, self.p.rows, self.q.rows);
        let output = &mut *self.output;
        output.columns.stats.chunks = 1;
        let measures = &output.columns.measures;
        let row = |i: usize| {
            let p_row = if problem.pairing == Pairing::OneP { 0 } else { i };
            let q_row = if problem.pairing == Pairing::OneQ { 0 } else { i };
            reference::row(measures, (&p, p_row), (&q, q_row), options.zeros, options.unit)
        };
        let results: Vec<(Vec<f64>, RowStatus)> = (0..problem.rows).into_par_iter().map(row).collect();
        for (i, (values, status)) in results.iter().enumerate() {
            output.set(i, values, *status);
        }
        output.report(problem.rows)
    }
}
