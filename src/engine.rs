//! validate → plan → run → rescue → output: the only module that sees all layers.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use crate::auto::Auto;
use crate::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::Gpu;
use crate::builder::EngineBuilder;
use crate::calibrate::{self, Way};
#[cfg(feature = "gpu")]
use crate::gpus::Gpus;
use crate::input::{Input, Kept, Uploaded};
use crate::options::Options;
use crate::output::{Columns, Share, Stats};
use crate::plan::cost;
use crate::plan::cost::{Predicted, Rates};
use crate::run::Run;
use crate::values::{Part, Tracker, Values};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;
use kullback_kernels::problem::Problem;
use kullback_kernels::weights::Rows;

/// The device of an engine.
#[derive(Debug)]
pub(crate) enum Runner {
    Auto(Box<Auto>),
    Cpu,
    Reference,
    #[cfg(feature = "gpu")]
    Gpus(Box<Gpus>),
}

/// Computes divergences on one device. Keep it: it holds threads, pipelines and buffers.
///
/// It is `Send + Sync`. Concurrent calls are safe and return what they would return alone.
#[derive(Debug)]
pub struct Engine {
    pub(crate) cpu: Cpu,
    pub(crate) runner: Runner,
    /// Bytes that the buffers of a call on a device may take.
    pub(crate) memory: u64,
    /// Seconds of device time that one submission should not exceed.
    pub(crate) submission_seconds: f64,
    /// Threads of a GPU that share a row, if that is pinned.
    pub(crate) row_threads: Option<u32>,
}

/// Where a call runs, and why.
pub(crate) struct Choice<'a> {
    pub(crate) on: On<'a>,
    pub(crate) reason: &'static str,
    pub(crate) predicted: Option<Predicted>,
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
    /// The devices, or the CPU if they fail and `or_cpu` is set.
    #[cfg(feature = "gpu")]
    Gpus {
        gpus: &'a Gpus,
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
            Runner::Gpus(gpus) => gpus.name(),
        }
    }

    /// What the GPUs of this engine answered when they were opened, by their names. Empty on a CPU, and on an automatic engine
    /// that has not opened any GPU yet.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn device_answers(&self) -> Vec<(Arc<str>, crate::DeviceAnswers)> {
        match &self.runner {
            Runner::Gpus(gpus) => gpus.answers(),
            Runner::Auto(auto) => auto.opened().map(Gpus::answers).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Hardware that was left out, and why: of [`GpuSet::HARDWARE`](crate::GpuSet::HARDWARE), or of an automatic engine that
    /// has looked for it.
    #[cfg(feature = "gpu")]
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        match &self.runner {
            Runner::Gpus(gpus) => gpus.left_out().to_vec(),
            Runner::Auto(auto) => auto.left_out(),
            _ => Vec::new(),
        }
    }

    /// The devices that a test makes fail.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn gpus(&self) -> Option<&Gpus> {
        match &self.runner {
            Runner::Gpus(gpus) => Some(gpus),
            Runner::Auto(auto) => auto.opened(),
            _ => None,
        }
    }

    /// The first of these devices.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn gpu(&self) -> Option<&Gpu> {
        self.gpus().and_then(|gpus| gpus.devices().first())
    }

    /// Sets the rates of an automatic engine as if they were measured.
    #[cfg(all(test, feature = "gpu"))]
    pub(crate) fn believe(&self, rates: crate::auto::AllRates) {
        if let Runner::Auto(auto) = &self.runner {
            auto.believe(rates);
        }
    }

    /// Keeps rows on the device of this engine, so that calls can compare them any number of times. It takes one pass over the
    /// bus, and as many bytes on the device as the rows have.
    ///
    /// # Errors
    /// [`Error::RowTooLarge`], [`Error::DeviceMemory`], [`Error::DeviceFailed`].
    pub fn upload<'a>(&self, rows: Rows<'a>) -> Result<Uploaded<'a>> {
        let kept = match &self.runner {
            #[cfg(feature = "gpu")]
            Runner::Gpus(gpus) if !rows.weight_type().is_wide() => gpus.upload(self, &rows)?,
            // The caller did not ask for a device. Without one the rows are read in place.
            #[cfg(feature = "gpu")]
            Runner::Auto(auto) => {
                auto.keeps(self, &rows).and_then(|gpus| gpus.upload(self, &rows).ok()).unwrap_or_default()
            }
            _ => SmallVec::new(),
        };
        Ok(Uploaded { rows, kept })
    }

    /// Compares row i of `p` with row i of `q`, for every i, by the given measures. If one side has one row, that row is
    /// compared with every row of the other side. `p` and `q` are `rows × bins`: [`Rows`], or a reference to [`Uploaded`] rows.
    /// Any set of measures costs one read of both. Time is linear in rows × bins.
    ///
    /// # Errors
    /// Shapes that do not meet, options outside their definitions, invalid weights (unless
    /// [`OnInvalid::Null`](crate::OnInvalid::Null)), a device that failed again after it was opened anew, cancellation. Nothing
    /// is returned then.
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
        let problem = self.problem(measures, &p, &q, options)?;
        let Choice { on, reason, predicted } = self.choose(&problem, &p, &q);
        let run = Run::new(self, &problem, p, q);
        let tracker = Tracker::new(options, problem.rows);
        let mut columns = self.execute(on, &run, 0..problem.rows, options, &tracker)?;
        if columns.stats.reason.is_empty() {
            columns.stats.reason = reason;
        }
        columns.stats.predicted = predicted;
        Ok(columns)
    }

    /// The call as plain values.
    pub(crate) fn problem(
        &self,
        measures: &[Divergence],
        p: &Input<'_>,
        q: &Input<'_>,
        options: &Options,
    ) -> Result<Problem> {
        let problem = Problem::new(measures, &p.rows, &q.rows, options.zeros, options.unit)?;
        Ok(problem.with_threads(self.row_threads))
    }

    /// Decides where a call runs.
    pub(crate) fn choose(&self, problem: &Problem, p: &Input<'_>, q: &Input<'_>) -> Choice<'_> {
        const ASKED: &str = "asked for";
        match &self.runner {
            Runner::Reference => Choice::new(On::Reference, ASKED),
            Runner::Cpu => Choice::new(On::Cpu, ASKED),
            #[cfg(feature = "gpu")]
            Runner::Gpus(gpus) => match problem.is_not_for_a_device() {
                Some(reason) => Choice::new(On::Cpu, reason),
                None => Choice::new(On::Gpus { gpus, or_cpu: false }, ASKED),
            },
            Runner::Auto(auto) => {
                let kept = [p, q].map(|side| side.kept.iter().any(|kept| auto.has(&kept.stored)));
                if let Some(reason) = cost::refuses_gpu(problem, kept.contains(&true)) {
                    return Choice::new(On::Cpu, reason);
                }
                let Some((gpus, rates)) = auto.candidate(self) else {
                    return Choice::new(On::Cpu, auto.reason());
                };
                let bytes = |rows: &Rows<'_>| (rows.len() * rows.bins() * rows.weight_type().size()) as u64;
                let sent = [p, q].iter().zip(kept).map(|(side, kept)| if kept { 0 } else { bytes(&side.rows) }).sum();
                let predicted = cost::predict(problem, sent, &rates.cpu, &rates.gpus);
                let (on, reason) = if predicted.gpu_seconds < predicted.cpu_seconds {
                    (gpus, "predicted to be faster there than on the CPU")
                } else {
                    (On::Cpu, "predicted to be faster there than on the GPU")
                };
                Choice { on, reason, predicted: Some(predicted) }
            }
        }
    }

    /// Runs some rows of a call.
    pub(crate) fn execute(
        &self,
        on: On<'_>,
        run: &Run<'_>,
        rows: Range<usize>,
        options: &Options,
        tracker: &Tracker<'_>,
    ) -> Result<Columns> {
        let start = Instant::now();
        let mut values = Values::new(run.problem, options, tracker, rows.clone());
        let mut shares: SmallVec<[Range<usize>; 1]> = SmallVec::new();
        match on {
            #[cfg(feature = "gpu")]
            On::Gpus { gpus, .. } => shares.extend(gpus.shares(self, run, rows)?),
            _ => shares.push(rows),
        }
        let mut parts = values.parts(shares.iter().map(|share| share.end));
        let (whole, mut reason) = (&mut parts[0], "");
        let device = match on {
            On::Reference => {
                run.reference(whole, options)?;
                Arc::from("reference")
            }
            On::Cpu => {
                run.on_cpu(whole)?;
                Arc::clone(self.cpu.name())
            }
            #[cfg(feature = "gpu")]
            On::Gpus { gpus, or_cpu } => match gpus.run(run, &mut parts) {
                Ok(()) => gpus.name(),
                Err(error) if !or_cpu || matches!(error, Error::Cancelled { .. }) => return Err(error),
                Err(_) => {
                    // What the devices have finished stays finished.
                    parts.iter_mut().try_for_each(|part| {
                        let rows = (part.rows.end - part.done) as u64;
                        run.on_cpu(part)?;
                        if shares.len() > 1 && rows > 0 {
                            part.stats.shares.push(Share { device: Arc::clone(self.cpu.name()), rows });
                        }
                        Ok::<_, Error>(())
                    })?;
                    reason = "the GPU, predicted to be faster, failed";
                    Arc::clone(self.cpu.name())
                }
            },
            #[cfg(not(feature = "gpu"))]
            On::Nothing(_) => Arc::clone(self.cpu.name()),
        };
        let mut stats = Stats { device, reason, ..Stats::default() };
        parts.iter().for_each(|part| stats.add(&part.stats));
        let any_invalid = parts.iter().any(|part| part.any_invalid);
        drop(parts);
        stats.bytes = run.problem.bytes_per_row() * shares.iter().map(|share| share.len() as u64).sum::<u64>();
        let mut columns = values.finish(any_invalid, &run.p.rows, &run.q.rows)?;
        stats.seconds = start.elapsed().as_secs_f64();
        columns.stats = stats;
        Ok(columns)
    }

    /// Measures how fast the device of this engine is, by calls over made-up rows. If the device is chosen per call, these are
    /// the rates of the CPU. Each device is measured once per process, which takes about a second.
    ///
    /// # Errors
    /// [`Error::NoDevice`] for the reference, [`Error::DeviceFailed`].
    pub fn measure(&self) -> Result<Rates> {
        match &self.runner {
            Runner::Reference => Err(Error::NoDevice {
                wanted: "a device to measure".to_owned(),
                found: "the reference, which is as slow as it is right".to_owned(),
            }),
            Runner::Auto(_) | Runner::Cpu => self.rates_on_cpu(),
            #[cfg(feature = "gpu")]
            Runner::Gpus(gpus) => match gpus.devices() {
                [gpu] => self.rates_on(gpu),
                _ => Err(Error::NoDevice {
                    wanted: "a device to measure".to_owned(),
                    found: "several that share calls, each of which has rates of its own".to_owned(),
                }),
            },
        }
    }

    pub(crate) fn rates_on_cpu(&self) -> Result<Rates> {
        calibrate::rates(self.cpu.name(), &[Way::Kept], |p, q, _, calls| {
            self.fastest(calls, (p.into(), q.into()), |run, part| run.on_cpu(part))
        })
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn rates_on(&self, gpu: &Gpu) -> Result<Rates> {
        let name = format!("{}, {} bytes, {:?} threads", gpu.description(), self.memory, self.row_threads);
        calibrate::rates(&name, &[Way::Kept, Way::Sent], |p, q, way, calls| {
            let once = |run: &Run<'_>, part: &mut Part<'_>| run.on_device(part, gpu);
            if way == Way::Sent {
                return self.fastest(calls, (p.into(), q.into()), once);
            }
            let kept =
                |rows: &Rows<'_>| Ok::<_, Error>([Kept { device: 0, rows: 0..rows.len(), stored: gpu.upload(rows)? }]);
            let (kept_p, kept_q) = (kept(&p)?, kept(&q)?);
            self.fastest(calls, (Input { rows: p, kept: &kept_p }, Input { rows: q, kept: &kept_q }), once)
        })
    }

    /// Seconds of the fastest of `calls` calls over the rows.
    fn fastest(
        &self,
        calls: usize,
        (p, q): (Input<'_>, Input<'_>),
        once: impl Fn(&Run<'_>, &mut Part<'_>) -> Result<()>,
    ) -> Result<f64> {
        let options = Options::default();
        let problem = self.problem(&cost::MEASURED, &p, &q, &options)?;
        let run = Run::new(self, &problem, p, q);
        let call = || {
            let start = Instant::now();
            let tracker = Tracker::new(&options, problem.rows);
            let mut values = Values::new(&problem, &options, &tracker, 0..problem.rows);
            values.parts([problem.rows]).iter_mut().try_for_each(|part| once(&run, part))?;
            Ok(start.elapsed().as_secs_f64())
        };
        // The first call compiles what all calls need.
        call()?;
        (0..calls).try_fold(f64::INFINITY, |fastest, _| Ok(call()?.min(fastest)))
    }
}
