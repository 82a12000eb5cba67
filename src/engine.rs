//! validate → plan → run → rescue → output: the only module that sees all layers.

use std::time::Instant;

use rayon::prelude::*;

use crate::backend::cpu::{Cpu, SimdLevel};
#[cfg(feature = "gpu")]
use crate::backend::gpu::Gpu;
use crate::backend::{Backend, RowFlags, RowSums, reference};
use crate::divergence::{Divergence, Zeros};
use crate::error::{Error, Result, Side};
use crate::options::{Device, OnInvalid, Options, Progress};
use crate::output::{Columns, RowStatus, Stats};
use crate::plan::{Chunks, Pairing, Problem, cost};
use crate::rows::Rows;

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
    /// [`Error::NoDevice`] when the device is not there, [`Error::Threads`].
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

    /// The name of the device, as in [`Stats::device`].
    #[must_use]
    pub fn device_name(&self) -> String {
        match &self.runner {
            Runner::Auto | Runner::Cpu => self.cpu.name().to_owned(),
            Runner::Reference => "reference".to_owned(),
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => gpu.name().to_owned(),
        }
    }

    /// The measures of row i of `p` against row i of `q`, for every i; where one side has one row, of
    /// that row against every row of the other. `p` and `q` are `rows × bins`; any set of measures
    /// costs one read of both. Time is linear in rows × bins.
    ///
    /// # Errors
    /// Shapes that do not meet, options outside their definitions, invalid weights (unless
    /// [`OnInvalid::Null`]), a failed device, cancellation. Nothing is returned then.
    pub fn rowwise(&self, measures: &[Divergence], p: Rows<'_>, q: Rows<'_>, options: &Options) -> Result<Columns> {
        let start = Instant::now();
        let problem = Problem::new(measures, &p, &q, options.zeros, options.unit)?;
        let mut output = Output::new(&problem, options);
        let run = Run { engine: self, problem: &problem, p, q };
        let (device, reason) = match &self.runner {
            Runner::Reference => {
                run.reference(&mut output)?;
                ("reference".to_owned(), "asked for")
            }
            Runner::Cpu => {
                run.chunks(&self.cpu, &Chunks::for_cpu(&problem), &mut output)?;
                (self.cpu.name().to_owned(), "asked for")
            }
            Runner::Auto => {
                run.chunks(&self.cpu, &Chunks::for_cpu(&problem), &mut output)?;
                (self.cpu.name().to_owned(), cost::choose(&problem).reason)
            }
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => match problem.needs_wide() {
                Some(reason) => {
                    run.chunks(&self.cpu, &Chunks::for_cpu(&problem), &mut output)?;
                    (self.cpu.name().to_owned(), reason)
                }
                None => {
                    let chunks = gpu.chunks(&problem, self.memory)?;
                    run.chunks(gpu.as_ref(), &chunks, &mut output)?;
                    (gpu.name().to_owned(), "asked for")
                }
            },
        };
        let mut columns = output.finish(&p, &q)?;
        columns.stats.device = device;
        columns.stats.reason = reason.to_owned();
        columns.stats.bytes = problem.bytes_per_row() * problem.rows as u64;
        columns.stats.seconds = start.elapsed().as_secs_f64();
        Ok(columns)
    }
}

/// One call on its way.
struct Run<'a> {
    engine: &'a Engine,
    problem: &'a Problem,
    p: Rows<'a>,
    q: Rows<'a>,
}

impl Run<'_> {
    /// Walks the chunks on a backend and rescues what it marks.
    fn chunks(&self, backend: &dyn Backend, chunks: &Chunks, output: &mut Output<'_>) -> Result<()> {
        output.columns.stats.chunks = chunks.len() as u64;
        for chunk in chunks.iter() {
            let (p, q) = self.problem.sides(&self.p, &self.q, chunk.start, chunk.len());
            let mut sums = backend.run(self.problem, p, q)?;
            output.columns.stats.rescued += self.rescue(&p, &q, &mut sums);
            output.append(&sums);
            output.report(chunk.end)?;
        }
        Ok(())
    }

    /// Computes the rows that 32 bits could not hold again, in 64-bit floats; returns how many.
    fn rescue(&self, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) -> u64 {
        let marked: Vec<usize> = sums
            .flags
            .iter()
            .enumerate()
            .filter(|(_, flags)| flags.any(RowFlags::RESCUE))
            .map(|(row, _)| row)
            .collect();
        if marked.is_empty() {
            return 0;
        }
        let terms = self.problem.terms.len();
        let exact = self.engine.cpu.rescue(self.problem, p, q, &marked);
        for (i, &row) in marked.iter().enumerate() {
            sums.flags[row] = exact.flags[i];
            sums.sums[row * terms..(row + 1) * terms].copy_from_slice(&exact.sums[i * terms..(i + 1) * terms]);
        }
        marked.len() as u64
    }

    /// Every row by the oracle.
    fn reference(&self, output: &mut Output<'_>) -> Result<()> {
        output.columns.stats.chunks = 1;
        let options = output.options;
        let measures = &output.columns.measures;
        let row = |i: usize| {
            let p_row = if self.problem.pairing == Pairing::OneP { 0 } else { i };
            let q_row = if self.problem.pairing == Pairing::OneQ { 0 } else { i };
            reference::row(measures, (&self.p, p_row), (&self.q, q_row), options.zeros, options.unit)
        };
        let results: Vec<(Vec<f64>, RowStatus)> = (0..self.problem.rows).into_par_iter().map(row).collect();
        for (values, status) in results {
            for (column, value) in output.columns.columns.iter_mut().zip(values) {
                column.push(value);
            }
            output.columns.status.push(status);
        }
        output.report(self.problem.rows)
    }
}

/// The columns as they grow.
struct Output<'a> {
    problem: &'a Problem,
    options: &'a Options,
    columns: Columns,
}

impl<'a> Output<'a> {
    fn new(problem: &'a Problem, options: &'a Options) -> Self {
        let measures: Vec<Divergence> = problem.slots.iter().map(|slots| slots.measure).collect();
        let columns = measures.iter().map(|_| Vec::with_capacity(problem.rows)).collect();
        let status = Vec::with_capacity(problem.rows);
        Self { problem, options, columns: Columns { measures, columns, status, stats: Stats::default() } }
    }

    /// Turns the sums of the next rows into values.
    fn append(&mut self, sums: &RowSums) {
        let terms = self.problem.terms.len();
        for (flags, sums) in sums.flags.iter().zip(sums.sums.chunks(terms)) {
            let refused = RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::POLICY | RowFlags::RESCUE;
            let mut status = if flags.any(refused) {
                RowStatus::Invalid
            } else if flags.any(RowFlags::EMPTY) {
                RowStatus::Empty
            } else {
                RowStatus::Ok
            };
            for (column, slots) in self.columns.columns.iter_mut().zip(&self.problem.slots) {
                let value = if !status.has_value() {
                    f64::NAN
                } else if slots.measure.is_infinite(flags.support()) {
                    f64::INFINITY
                } else {
                    slots.measure.finish(sums[slots.first], slots.second.map(|i| sums[i]), self.options.unit)
                };
                if value.is_infinite() {
                    status = RowStatus::Infinite;
                }
                column.push(value);
            }
            self.columns.status.push(status);
        }
    }

    /// Tells the caller how far the call is.
    fn report(&self, done: usize) -> Result<()> {
        let progress = Progress { done: done as u64, total: self.problem.rows as u64 };
        match &self.options.progress {
            Some(callback) if callback(progress).is_break() => {
                Err(Error::Cancelled { done: progress.done, total: progress.total })
            }
            _ => Ok(()),
        }
    }

    /// The columns, or the error that the first invalid row is.
    fn finish(self, p: &Rows<'_>, q: &Rows<'_>) -> Result<Columns> {
        let invalid = || self.columns.status.iter().enumerate().filter(|(_, s)| **s == RowStatus::Invalid);
        if self.options.on_invalid == OnInvalid::Null || invalid().next().is_none() {
            return Ok(self.columns);
        }
        let rows = self.problem.rows as u64;
        // Rows with a bad weight and rows that the policy cannot do are told apart by looking.
        let bad = |row: usize| {
            let p_row = if self.problem.pairing == Pairing::OneP { 0 } else { row };
            let q_row = if self.problem.pairing == Pairing::OneQ { 0 } else { row };
            first_invalid(p, p_row)
                .map(|(bin, value)| (Side::P, p_row, bin, value))
                .or_else(|| first_invalid(q, q_row).map(|(bin, value)| (Side::Q, q_row, bin, value)))
        };
        let weights = invalid().filter(|(row, _)| bad(*row).is_some()).count() as u64;
        for (row, _) in invalid() {
            if let Some((side, row, bin, value)) = bad(row) {
                return Err(Error::InvalidWeights { count: weights, rows, row: row as u64, side, bin, value });
            }
        }
        let first = invalid().next().map_or(0, |(row, _)| row as u64);
        let count = invalid().count() as u64;
        if !matches!(self.options.zeros, Zeros::Epsilon(_)) {
            return Err(Error::RangeTooWide { count, rows, row: first });
        }
        Err(Error::PolicyTooLarge { policy: self.options.zeros.to_string(), count, rows, row: first })
    }
}

/// The first bin of a row whose weight is negative, NaN or infinite.
fn first_invalid(rows: &Rows<'_>, row: usize) -> Option<(usize, f64)> {
    (0..rows.bins())
        .filter_map(|bin| rows.get(row, bin).map(|value| (bin, value)))
        .find(|(_, value)| !(*value >= 0.0 && value.is_finite()))
}
