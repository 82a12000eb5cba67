//! The engine: what users call.

use std::sync::Arc;

use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;
use kullback_kernels::weights::Rows;
use smallvec::SmallVec;

#[cfg(all(test, feature = "gpu"))]
use crate::backend::gpu::Gpu;
use crate::exec::choice::{Choice, Runner, execute};
#[cfg(feature = "gpu")]
use crate::exec::gpus::Gpus;
use crate::exec::host::Host;
use crate::exec::rates;
use crate::exec::run::Run;
use crate::exec::tracker::Tracker;
use crate::input::{Input, Uploaded};
use crate::options::Options;
use crate::output::Columns;
use crate::plan::cost::Rates;

/// Computes divergences on one device. Keep it: it holds threads, pipelines and buffers.
///
/// It is `Send + Sync`. Concurrent calls are safe and return what they would return alone.
#[derive(Debug)]
pub struct Engine {
    pub(crate) host: Host,
    pub(crate) runner: Runner,
}

impl Engine {
    /// The name of the device, as in [`Stats::device`](crate::Stats::device).
    #[must_use]
    pub fn device_name(&self) -> Arc<str> {
        match &self.runner {
            Runner::Auto { .. } | Runner::Cpu => Arc::clone(self.host.cpu.name()),
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
    pub(crate) fn believe(&self, rates: crate::exec::auto::AllRates) {
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
            Runner::Gpus(gpus) if !rows.weight_type().is_wide() => gpus.upload(&self.host, &rows)?,
            // The caller did not ask for a device. Without one the rows are read in place.
            #[cfg(feature = "gpu")]
            Runner::Auto(auto) => {
                auto.keeps(&self.host, &rows).and_then(|gpus| gpus.upload(&self.host, &rows).ok()).unwrap_or_default()
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
        let problem = self.host.problem(measures, &p, &q, options)?;
        let Choice { on, reason, predicted } = self.runner.choose(&self.host, &problem, &p, &q);
        let run = Run::new(&self.host, &problem, p, q);
        let tracker = Tracker::new(options, problem.rows);
        let mut columns = execute(on, &run, 0..problem.rows, options, &tracker)?;
        if columns.stats.reason.is_none() {
            columns.stats.reason = Some(reason);
        }
        columns.stats.predicted = predicted;
        Ok(columns)
    }

    /// Measures how fast the device of this engine is, by calls over made-up rows. If the device is chosen per call, these are
    /// the rates of the CPU. Each device is measured once per process, which takes about a second.
    ///
    /// # Errors
    /// [`Error::NoDevice`] for the reference, [`Error::DeviceFailed`].
    pub fn calibrate(&self) -> Result<Rates> {
        match &self.runner {
            Runner::Reference => Err(Error::NoDevice {
                wanted: "a device to measure".to_owned(),
                found: "the reference, which is as slow as it is right".to_owned(),
            }),
            Runner::Auto { .. } | Runner::Cpu => rates::on_cpu(&self.host),
            #[cfg(feature = "gpu")]
            Runner::Gpus(gpus) => match gpus.devices() {
                [gpu] => rates::on_gpu(&self.host, gpu),
                _ => Err(Error::NoDevice {
                    wanted: "a device to measure".to_owned(),
                    found: "several that share calls, each of which has rates of its own".to_owned(),
                }),
            },
        }
    }
}
