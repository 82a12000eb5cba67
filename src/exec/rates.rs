//! How fast the devices of an engine are, by calls over made-up rows.

use std::time::Instant;

#[cfg(feature = "gpu")]
use kullback_kernels::error::Error;
use kullback_kernels::error::Result;
#[cfg(feature = "gpu")]
use kullback_kernels::weights::Rows;

#[cfg(feature = "gpu")]
use super::columns::on_device;
use super::host::Host;
use super::run::Run;
use super::tracker::Tracker;
use super::values::{Part, Values};
#[cfg(feature = "gpu")]
use crate::backend::gpu::Gpu;
use crate::calibrate::{self, Way};
#[cfg(feature = "gpu")]
use crate::input::DeviceRows;
use crate::input::Input;
use crate::options::Options;
use crate::plan::cost::{self, Rates};

/// The rates of the CPU.
pub(crate) fn on_cpu(host: &Host) -> Result<Rates> {
    calibrate::rates(host.cpu.name(), &[Way::Kept], |p, q, _, calls| {
        fastest(host, calls, (p.into(), q.into()), |run, part| run.on_cpu(part))
    })
}

#[cfg(feature = "gpu")]
/// The rates of a GPU.
pub(crate) fn on_gpu(host: &Host, gpu: &Gpu) -> Result<Rates> {
    let name = format!("{}, {} bytes, {:?} threads", gpu.description(), host.memory, host.row_threads);
    calibrate::rates(&name, &[Way::Kept, Way::Sent], |p, q, way, calls| {
        let once = |run: &Run<'_>, part: &mut Part<'_>| on_device(run, part, gpu);
        if way == Way::Sent {
            return fastest(host, calls, (p.into(), q.into()), once);
        }
        let kept = |rows: &Rows<'_>| {
            Ok::<_, Error>([DeviceRows { device: 0, rows: 0..rows.len(), stored: gpu.upload(rows)? }])
        };
        let (kept_p, kept_q) = (kept(&p)?, kept(&q)?);
        fastest(host, calls, (Input { rows: p, kept: &kept_p }, Input { rows: q, kept: &kept_q }), once)
    })
}

/// Seconds of the fastest of `calls` calls over the rows.
fn fastest(
    host: &Host,
    calls: usize,
    (p, q): (Input<'_>, Input<'_>),
    once: impl Fn(&Run<'_>, &mut Part<'_>) -> Result<()>,
) -> Result<f64> {
    let options = Options::default();
    let problem = host.problem(&cost::MEASURED, &p, &q, &options)?;
    let run = Run::new(host, &problem, p, q);
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
