//! What every call of an engine has beside its device.

use kullback_kernels::error::Result;
use kullback_kernels::measures::Divergence;
use kullback_kernels::problem::Problem;

use crate::backend::cpu::Cpu;
use crate::input::Input;
use crate::options::Options;

/// The threads of an engine, and its limits.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) cpu: Cpu,
    /// Bytes that the buffers of a call on a device may take.
    pub(crate) memory: u64,
    /// Seconds of device time that one submission should not exceed.
    pub(crate) submission_seconds: f64,
    /// Threads of a GPU that share a row, if that is pinned.
    pub(crate) row_threads: Option<u32>,
}

impl Host {
    /// A call as plain values.
    pub(crate) fn problem(
        &self,
        measures: &[Divergence],
        p: &Input<'_>,
        q: &Input<'_>,
        options: &Options,
    ) -> Result<Problem> {
        let problem = Problem::new(measures, &p.rows, &q.rows, options.zeros, options.unit)?;
        Ok(problem.with_positions(options.positions.as_ref())?.with_threads(self.row_threads))
    }
}
