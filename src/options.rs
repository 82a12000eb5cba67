//! The choices of a call: where it runs, in which unit, what happens to zeros and to bad rows.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::divergence::{Unit, Zeros};

/// Where a call runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// The device with the smaller predicted time for the call; [`Stats::device`](crate::Stats::device) and
    /// [`Stats::reason`](crate::Stats::reason) say which and why. Never a software adapter.
    #[default]
    Auto,
    /// SIMD and threads.
    Cpu,
    /// The first hardware GPU, or the first adapter of any kind where there is no hardware one.
    Gpu,
    /// The adapter with this index in [`adapters`](crate::adapters).
    GpuAt(usize),
    /// The oracle: textbook definitions in scalar arithmetic of 31 digits. Slow, and independent of
    /// everything it judges.
    Reference,
}

/// What to do with rows that have an invalid weight or to which the policy cannot be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnInvalid {
    /// The call is an error that names how many rows and the first one.
    #[default]
    Error,
    /// Those rows have no value and the status `invalid`.
    Null,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Rows finished.
    pub done: u64,
    /// Rows in the call.
    pub total: u64,
}

/// Called after each chunk; `ControlFlow::Break(())` cancels the call.
pub type ProgressCallback = Arc<dyn Fn(Progress) -> ControlFlow<()> + Send + Sync>;

/// The choices of a call. All defaults are the definitions of the measures: nats, exact zeros.
#[derive(Clone, Default)]
pub struct Options {
    /// Unit of the measures that are logarithms.
    pub unit: Unit,
    /// What happens to zeros.
    pub zeros: Zeros,
    /// What happens to rows that cannot be computed.
    pub on_invalid: OnInvalid,
    /// Called after each chunk.
    pub progress: Option<ProgressCallback>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("unit", &self.unit)
            .field("zeros", &self.zeros)
            .field("on_invalid", &self.on_invalid)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}
