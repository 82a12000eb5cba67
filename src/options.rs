//! The choices of a call: where it runs, in which unit, what happens to zeros and to bad rows.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::divergence::{Unit, Zeros};
use crate::error::{Error, Result};

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
    /// A hardware GPU: a discrete one before an integrated one before a virtual one.
    Gpu,
    /// The adapter with this index in [`adapters`](crate::adapters).
    GpuAt(usize),
    /// The first adapter that is reached through GL, which is asked for only here and where there is no other.
    Gl,
    /// Several adapters that share each call by their measured rates; [`Stats::shares`](crate::Stats::shares) says
    /// how.
    Gpus(GpuSet),
    /// The oracle: textbook definitions in scalar arithmetic of 31 digits. Slow, and independent of
    /// everything it judges.
    Reference,
}

impl Device {
    /// Whether it names a GPU, which leaves 64-bit weights to the CPU.
    #[must_use]
    pub fn is_gpu(self) -> bool {
        matches!(self, Device::Gpu | Device::GpuAt(_) | Device::Gl | Device::Gpus(_))
    }
}

/// Which adapters an engine uses together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GpuSet {
    /// A bit an index; none for all that are hardware.
    bits: u64,
}

impl GpuSet {
    /// Every hardware GPU of the machine.
    pub const HARDWARE: GpuSet = GpuSet { bits: 0 };

    /// The adapters with these indices in [`adapters`](crate::adapters); software ones too.
    ///
    /// # Errors
    /// [`Error::NoDevice`] for no index, and for one above 63, which no machine has.
    pub fn at(indices: &[usize]) -> Result<Self> {
        let no_device = |wanted: String| Error::NoDevice { wanted, found: "adapters 0 to 63 at the most".to_owned() };
        if indices.is_empty() {
            return Err(no_device("set of adapters without any".to_owned()));
        }
        indices.iter().try_fold(Self::HARDWARE, |set, &index| {
            let bit = u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index));
            let bit = bit.ok_or_else(|| no_device(format!("GPU {index}")))?;
            Ok(Self { bits: set.bits | bit })
        })
    }

    /// The indices, ascending; none for all that are hardware.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |index| self.bits >> index & 1 == 1)
    }
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
