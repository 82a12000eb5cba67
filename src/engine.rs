//! validate → plan → run → rescue → output: the only module that sees all layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use crate::backend::cpu::{Cpu, SimdLevel};
#[cfg(feature = "gpu")]
use crate::backend::gpu::Gpu;
use crate::backend::{Backend, RowSums, reference};
use crate::divergence::Divergence;
use crate::error::Result;
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
}

/// Bytes of buffers a chunk may take by default.
const DEFAULT_MEMORY: u64 = 256 << 20;

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

    /// The engine.
    ///
    /// # Errors
    /// [`Error::NoDevice`](crate::Error::NoDevice) when the device is not there, [`Error::Threads`](crate::Error::Threads).
    pub fn build(self) -> Result<Engine> {
        let cpu = Cpu::new(self.level, self.threads)?;
        let runner = match self.device {
            Device::Auto => Runner::Auto,
            Device::Cpu => Runner::Cpu,
            Device::Reference => Runner::Reference,
            #[cfg(feature = "gpu")]
            Device::Gpu => Runner::Gpu(Box::new(Gpu::open(None, self.binding_limit, self.subgroups)?)),
            #[cfg(feature = "gpu")]
            Device::GpuAt(index) => Runner::Gpu(Box::new(Gpu::open(Some(index), self.binding_limit, self.subgroups)?)),
            #[cfg(not(feature = "gpu"))]
            Device::Gpu | Device::GpuAt(_) => {
                return Err(crate::error::Error::NoDevice {
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
            Runner::Gpu(gpu) => Arc::from(gpu.name()),
        }
    }

    /// The measures of row i of `p` against row i of `q`, for every i; where one side has one row, of
    /// that row against every row of the other. `p` and `q` are `rows × bins`; any set of measures
    /// costs one read of both. Time is linear in rows × bins.
    ///
    /// # Errors
    /// Shapes that do not meet, options outside their definitions, invalid weights (unless
    /// [`OnInvalid::Null`](crate::OnInvalid::Null)), a failed device, cancellation. Nothing is returned then.
    pub fn rowwise(&self, measures: &[Divergence], p: Rows<'_>, q: Rows<'_>, options: &Options) -> Result<Columns> {
        let start = Instant::now();
        let problem = Problem::new(measures, &p, &q, options.zeros, options.unit)?;
        let mut output = Values::new(&problem, options);
        let run = Run { engine: self, options, problem: &problem, p, q };
        let (device, reason) = match &self.runner {
            Runner::Reference => {
                run.reference(&mut output)?;
                (Arc::from("reference"), "asked for")
            }
            Runner::Cpu => {
                run.chunks(None, &Chunks::for_cpu(&problem), &mut output)?;
                (Arc::clone(self.cpu.name()), "asked for")
            }
            Runner::Auto => {
                run.chunks(None, &Chunks::for_cpu(&problem), &mut output)?;
                (Arc::clone(self.cpu.name()), cost::choose(&problem).reason)
            }
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => match problem.needs_wide() {
                Some(reason) => {
                    run.chunks(None, &Chunks::for_cpu(&problem), &mut output)?;
                    (Arc::clone(self.cpu.name()), reason)
                }
                None => {
                    let chunks = gpu.chunks(&problem, self.memory)?;
                    run.chunks(Some(gpu.as_ref()), &chunks, &mut output)?;
                    (Arc::from(gpu.name()), "asked for")
                }
            },
        };
        let mut columns = output.finish(&p, &q)?;
        columns.stats.device = device;
        columns.stats.reason = reason;
        columns.stats.bytes = problem.bytes_per_row() * problem.rows as u64;
        columns.stats.seconds = start.elapsed().as_secs_f64();
        Ok(columns)
    }
}

/// One call on its way.
struct Run<'a> {
    engine: &'a Engine,
    options: &'a Options,
    problem: &'a Problem,
    p: Rows<'a>,
    q: Rows<'a>,
}

impl Run<'_> {
    /// Walks the chunks on the threads of the CPU or, where one is given, on a device; computes again what
    /// 32 bits could not hold; and turns sums into values.
    fn chunks(&self, device: Option<&dyn Backend>, chunks: &Chunks, output: &mut Values<'_>) -> Result<()> {
        let (engine, problem) = (self.engine, self.problem);
        let rows_per_task = cost::rows_per_task(problem);
        let (rescued, any_invalid) = (AtomicU64::new(0), AtomicBool::new(false));
        output.columns.stats.chunks = chunks.len() as u64;
        let (on_device, mut from_device) = (device.is_some(), RowSums::default());
        for chunk in chunks.iter() {
            if let Some(device) = device {
                let (p, q) = problem.sides(&self.p, &self.q, chunk.start, chunk.len());
                device.run(problem, p, q, &mut from_device)?;
            }
            let task = |sums: &mut RowSums, mut piece: Piece<'_>| {
                let (p, q) = problem.sides(&self.p, &self.q, piece.start, piece.len());
                if on_device {
                    sums.copy_from(&from_device, piece.start - chunk.start, piece.len());
                } else {
                    engine.cpu.run(problem, &p, &q, sums);
                }
                rescued.fetch_add(engine.cpu.rescue(problem, &p, &q, sums), Ordering::Relaxed);
                any_invalid.fetch_or(piece.write(sums), Ordering::Relaxed);
            };
            let pieces = output.pieces(chunk.clone(), rows_per_task);
            if engine.cpu.threads() > 1 && cost::takes_threads(problem, chunk.len()) {
                let pieces: Vec<Piece<'_>> = pieces.collect();
                engine.cpu.install(|| pieces.into_par_iter().for_each_init(RowSums::default, task));
            } else {
                let mut sums = RowSums::default();
                pieces.for_each(|piece| task(&mut sums, piece));
            }
            output.report(chunk.end)?;
        }
        output.columns.stats.rescued = rescued.into_inner();
        output.any_invalid = any_invalid.into_inner();
        Ok(())
    }

    /// Every row by the oracle.
    fn reference(&self, output: &mut Values<'_>) -> Result<()> {
        output.columns.stats.chunks = 1;
        let options = self.options;
        let measures = &output.columns.measures;
        let row = |i: usize| {
            let p_row = if self.problem.pairing == Pairing::OneP { 0 } else { i };
            let q_row = if self.problem.pairing == Pairing::OneQ { 0 } else { i };
            reference::row(measures, (&self.p, p_row), (&self.q, q_row), options.zeros, options.unit)
        };
        let results: Vec<(Vec<f64>, RowStatus)> = (0..self.problem.rows).into_par_iter().map(row).collect();
        for (i, (values, status)) in results.iter().enumerate() {
            output.set(i, values, *status);
        }
        output.report(self.problem.rows)
    }
}
