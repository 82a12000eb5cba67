//! Where a call runs, and how its rows are carried out there.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use kullback_kernels::error::{Error, Result};
use kullback_kernels::problem::Problem;
use kullback_kernels::reason::Reason;
use kullback_kernels::weights::Rows;
use smallvec::SmallVec;

#[cfg(feature = "gpu")]
use super::auto::Auto;
#[cfg(feature = "gpu")]
use super::gpus::Gpus;
use super::host::Host;
use super::run::Run;
use super::tracker::Tracker;
use super::values::Values;
use crate::input::Input;
use crate::options::Options;
use crate::output::{Columns, Share, Stats};
use crate::plan::cost::{self, Predicted};

/// The device of an engine.
#[derive(Debug)]
pub(crate) enum Runner {
    #[cfg(feature = "gpu")]
    Auto(Box<Auto>),
    #[cfg(not(feature = "gpu"))]
    Auto,
    Cpu,
    Reference,
    #[cfg(feature = "gpu")]
    Gpus(Box<Gpus>),
}

impl Runner {
    /// The calls of a stream that gain from running side by side. On a GPU, the last values of one come back while the first rows
    /// of the next are on their way. A call on the CPU uses all threads by itself.
    pub(crate) fn calls_at_once(&self) -> usize {
        match self {
            #[cfg(feature = "gpu")]
            Runner::Gpus(_) => 2,
            #[cfg(feature = "gpu")]
            Runner::Auto(auto) if auto.opened().is_some() => 2,
            _ => 1,
        }
    }
}

/// Where a call runs, and why.
pub(crate) struct Choice<'a> {
    pub(crate) on: On<'a>,
    pub(crate) reason: Reason,
    pub(crate) predicted: Option<Predicted>,
}

impl<'a> Choice<'a> {
    fn new(on: On<'a>, reason: Reason) -> Self {
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

impl Runner {
    /// Decides where a call runs.
    pub(crate) fn choose(&self, host: &Host, problem: &Problem, p: &Input<'_>, q: &Input<'_>) -> Choice<'_> {
        match self {
            Runner::Reference => Choice::new(On::Reference, Reason::AskedFor),
            Runner::Cpu => Choice::new(On::Cpu, Reason::AskedFor),
            #[cfg(feature = "gpu")]
            Runner::Gpus(gpus) => match problem.is_not_for_a_device() {
                Some(reason) => Choice::new(On::Cpu, reason),
                None => Choice::new(On::Gpus { gpus, or_cpu: false }, Reason::AskedFor),
            },
            #[cfg(not(feature = "gpu"))]
            Runner::Auto => {
                let _ = (host, p, q);
                Choice::new(On::Cpu, cost::refuses_gpu(problem, false).unwrap_or(Reason::NoGpu))
            }
            #[cfg(feature = "gpu")]
            Runner::Auto(auto) => {
                let kept = [p, q].map(|side| side.kept.iter().any(|kept| auto.has(&kept.stored)));
                if let Some(reason) = cost::refuses_gpu(problem, kept.contains(&true)) {
                    return Choice::new(On::Cpu, reason);
                }
                let Some((gpus, rates)) = auto.candidate(host) else {
                    return Choice::new(On::Cpu, auto.reason());
                };
                let bytes = |rows: &Rows<'_>| (rows.len() * rows.bins() * rows.weight_type().size()) as u64;
                let sent = [p, q].iter().zip(kept).map(|(side, kept)| if kept { 0 } else { bytes(&side.rows) }).sum();
                let predicted = cost::predict(problem, sent, &rates.cpu, &rates.gpus);
                let (on, reason) = if predicted.gpu_seconds < predicted.cpu_seconds {
                    (On::Gpus { gpus, or_cpu: true }, Reason::GpuFaster)
                } else {
                    (On::Cpu, Reason::CpuFaster)
                };
                Choice { on, reason, predicted: Some(predicted) }
            }
        }
    }
}

/// Runs some rows of a call.
pub(crate) fn execute(
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
        On::Gpus { gpus, .. } => shares.extend(gpus.shares(run, rows)?),
        _ => shares.push(rows),
    }
    let mut parts = values.parts(shares.iter().map(|share| share.end));
    let (whole, mut reason) = (&mut parts[0], None);
    let device = match on {
        On::Reference => {
            run.reference(whole, options)?;
            Arc::from("reference")
        }
        On::Cpu => {
            run.on_cpu(whole)?;
            Arc::clone(run.host.cpu.name())
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
                        part.stats.shares.push(Share { device: Arc::clone(run.host.cpu.name()), rows });
                    }
                    Ok::<_, Error>(())
                })?;
                reason = Some(Reason::GpuFailed);
                Arc::clone(run.host.cpu.name())
            }
        },
        #[cfg(not(feature = "gpu"))]
        On::Nothing(_) => Arc::clone(run.host.cpu.name()),
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
