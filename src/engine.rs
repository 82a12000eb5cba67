//! validate → plan → run → rescue → output: the only module that sees all layers.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use crate::auto::Auto;
use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::Gpu;
use crate::backend::{Backend, RowSums, reference};
use crate::builder::EngineBuilder;
use crate::calibrate::{self, Way};
use crate::divergence::Divergence;
use crate::error::{Error, Result};
use crate::flow;
use crate::input::{Input, Uploaded};
use crate::options::Options;
use crate::output::{Columns, RowStatus};
use crate::plan::cost::{Predicted, Rates};
use crate::plan::{Chunks, Pairing, Problem, cost};
use crate::rows::Rows;
use crate::values::{Piece, Values};

/// Failures of a device in a row, without a chunk done between them, after which a call ends.
const RETRIES: usize = 3;

/// The device of an engine.
#[derive(Debug)]
pub(crate) enum Runner {
    Auto(Box<Auto>),
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
    pub(crate) cpu: Cpu,
    pub(crate) runner: Runner,
    /// Bytes that the buffers of a call on a device may take.
    pub(crate) memory: u64,
    /// Seconds of a device's time that one submission should not exceed.
    pub(crate) submission_seconds: f64,
}

/// Where a call runs, and why.
struct Choice<'a> {
    on: On<'a>,
    reason: &'static str,
    predicted: Option<Predicted>,
}

impl<'a> Choice<'a> {
    fn new(on: On<'a>, reason: &'static str) -> Self {
        Self { on, reason, predicted: None }
    }
}

/// What runs a call.
#[derive(Clone, Copy)]
pub(crate) enum On<'a> {
    Reference,
    Cpu,
    /// A device; the CPU, where it fails, if `or_cpu`.
    #[cfg(feature = "gpu")]
    Gpu {
        gpu: &'a Gpu,
        or_cpu: bool,
    },
    #[cfg(not(feature = "gpu"))]
    Nothing(std::marker::PhantomData<&'a ()>),
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
            Runner::Auto(_) | Runner::Cpu => Arc::clone(self.cpu.name()),
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
            Runner::Auto(auto) => auto.gpu(),
            _ => None,
        }
    }

    /// Lets an automatic engine take rates for measured.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn believe(&self, rates: crate::auto::BothRates) {
        if let Runner::Auto(auto) = &self.runner {
            auto.believe(rates);
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
            // Nobody asked for a device: without it the rows are read where they are.
            #[cfg(feature = "gpu")]
            Runner::Auto(auto) => auto.keeps(self, &rows).and_then(|gpu| gpu.upload(&rows).ok()),
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
        let problem = Problem::new(measures, &p.rows, &q.rows, options.zeros, options.unit)?;
        let Choice { on, reason, predicted } = self.choose(&problem, &p, &q);
        let mut columns = self.execute(on, &problem, p, q, options)?;
        if columns.stats.reason.is_empty() {
            columns.stats.reason = reason;
        }
        columns.stats.predicted = predicted;
        Ok(columns)
    }

    /// Where a call runs.
    fn choose(&self, problem: &Problem, p: &Input<'_>, q: &Input<'_>) -> Choice<'_> {
        const ASKED: &str = "asked for";
        match &self.runner {
            Runner::Reference => Choice::new(On::Reference, ASKED),
            Runner::Cpu => Choice::new(On::Cpu, ASKED),
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => match problem.needs_wide() {
                Some(reason) => Choice::new(On::Cpu, reason),
                None => Choice::new(On::Gpu { gpu, or_cpu: false }, ASKED),
            },
            Runner::Auto(auto) => {
                let kept = [p, q].map(|side| side.stored.is_some_and(|stored| auto.has(stored)));
                if let Some(reason) = cost::refuses_gpu(problem, kept.contains(&true)) {
                    return Choice::new(On::Cpu, reason);
                }
                let Some((gpu, rates)) = auto.candidate(self) else {
                    return Choice::new(On::Cpu, "there is no GPU to be had");
                };
                let bytes = |rows: &Rows<'_>| (rows.len() * rows.bins() * rows.weight_type().size()) as u64;
                let sent = [p, q].iter().zip(kept).map(|(side, kept)| if kept { 0 } else { bytes(&side.rows) }).sum();
                let predicted = cost::predict(problem, sent, &rates.cpu, &rates.gpu);
                let (on, reason) = if predicted.gpu_seconds < predicted.cpu_seconds {
                    (gpu, "predicted to be faster there than on the CPU")
                } else {
                    (On::Cpu, "predicted to be faster there than on the GPU")
                };
                Choice { on, reason, predicted: Some(predicted) }
            }
        }
    }

    /// Runs a call.
    fn execute(&self, on: On<'_>, problem: &Problem, p: Input<'_>, q: Input<'_>, options: &Options) -> Result<Columns> {
        let start = Instant::now();
        let mut output = Values::new(problem, options);
        let mut run = Run { engine: self, options, problem, p, q, output: &mut output, done: 0 };
        let mut reason = "";
        let device = match on {
            On::Reference => {
                run.reference()?;
                Arc::from("reference")
            }
            On::Cpu => {
                run.on_cpu()?;
                Arc::clone(self.cpu.name())
            }
            #[cfg(feature = "gpu")]
            On::Gpu { gpu, or_cpu } => match run.on_device(gpu) {
                Ok(()) => gpu.shared_name(),
                Err(error) if !or_cpu || matches!(error, Error::Cancelled { .. }) => return Err(error),
                Err(_) => {
                    // What the device has done stays done.
                    run.on_cpu()?;
                    reason = "the GPU, predicted to be faster, failed";
                    Arc::clone(self.cpu.name())
                }
            },
            #[cfg(not(feature = "gpu"))]
            On::Nothing(_) => Arc::clone(self.cpu.name()),
        };
        let mut columns = output.finish(&p.rows, &q.rows)?;
        columns.stats.device = device;
        columns.stats.reason = reason;
        columns.stats.bytes = problem.bytes_per_row() * problem.rows as u64;
        columns.stats.seconds = start.elapsed().as_secs_f64();
        Ok(columns)
    }

    /// How fast the device of this engine is, from calls over made-up rows; the CPU's rates where the device is
    /// chosen by call. Measured once a process for each device, which takes about a second.
    ///
    /// # Errors
    /// [`Error::NoDevice`] for the reference, [`Error::DeviceFailed`].
    pub fn measure(&self) -> Result<Rates> {
        match &self.runner {
            Runner::Reference => Err(Error::NoDevice {
                wanted: "a device to measure".to_owned(),
                found: "the reference, which is as slow as it is right".to_owned(),
            }),
            Runner::Auto(_) | Runner::Cpu => self.rates_on(On::Cpu),
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => self.rates_on(On::Gpu { gpu, or_cpu: false }),
        }
    }

    /// The rates of what runs calls.
    pub(crate) fn rates_on(&self, on: On<'_>) -> Result<Rates> {
        let (name, ways): (_, &[Way]) = match on {
            #[cfg(feature = "gpu")]
            On::Gpu { gpu, .. } => (format!("{}, {} bytes", gpu.description(), self.memory), &[Way::Kept, Way::Sent]),
            _ => (self.cpu.name().to_string(), &[Way::Kept]),
        };
        calibrate::rates(&name, ways, |p, q, way, calls| {
            let options = Options::default();
            let problem = Problem::new(&cost::MEASURED, &p, &q, options.zeros, options.unit)?;
            let keep = |rows| match on {
                #[cfg(feature = "gpu")]
                On::Gpu { gpu, .. } if way == Way::Kept => Ok(Uploaded { stored: Some(gpu.upload(&rows)?), rows }),
                _ => Ok::<_, Error>(Uploaded { rows, stored: None }),
            };
            let (p, q) = (keep(p)?, keep(q)?);
            // The first call compiles what all need.
            self.execute(on, &problem, Input::from(&p), Input::from(&q), &options)?;
            let mut fastest = f64::INFINITY;
            for _ in 0..calls {
                let columns = self.execute(on, &problem, Input::from(&p), Input::from(&q), &options)?;
                fastest = fastest.min(columns.stats.seconds);
            }
            Ok(fastest)
        })
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
    /// Rows that are finished.
    done: usize,
}

impl Run<'_, '_> {
    /// Walks the chunks on the threads of the CPU.
    fn on_cpu(&mut self) -> Result<()> {
        Chunks::for_cpu(self.problem).from(self.done).try_for_each(|chunk| self.values(chunk, None))
    }

    /// Walks the chunks on a device. What fails is done again, on a device opened anew if need be and in
    /// smaller chunks; what is done stays done.
    #[cfg(feature = "gpu")]
    fn on_device(&mut self, device: &Gpu) -> Result<()> {
        let (p, q, problem, memory) = (self.p, self.q, self.problem, self.engine.memory);
        let sides = |chunk: &Range<usize>| {
            [p.chunk(problem.pairing == Pairing::OneP, chunk), q.chunk(problem.pairing == Pairing::OneQ, chunk)]
        };
        let (mut retries, mut halvings) = (0, 0);
        loop {
            // Planned again for a device opened anew: rows that the old one kept have to travel.
            let chunks = device.chunks(problem, memory, [p.stored, q.stored])?;
            let chunks = (0..halvings).fold(chunks, |chunks, _| chunks.smaller().unwrap_or(chunks));
            let before = self.done;
            // A submission that takes long is one that a watchdog of the system may end: the next ones are smaller.
            let too_long = AtomicBool::new(false);
            let left = chunks.from(self.done).take_while(|_| !too_long.load(Ordering::Relaxed));
            let result = flow::run(device, problem, left, sides, |chunk, spent, sums| {
                let is_too_long = spent.device_seconds > self.engine.submission_seconds && chunks.smaller().is_some();
                too_long.fetch_or(is_too_long, Ordering::Relaxed);
                let stats = &mut self.output.columns.stats;
                stats.sent += spent.sent;
                stats.compile_seconds += spent.compile_seconds;
                stats.device_seconds += spent.device_seconds;
                self.values(chunk, Some(sums))
            });
            let error = match result {
                Ok(()) if self.done < problem.rows => {
                    (retries, halvings) = (0, halvings + 1);
                    continue;
                }
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            retries = if self.done > before { 1 } else { retries + 1 };
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
        self.done = chunk.end;
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
