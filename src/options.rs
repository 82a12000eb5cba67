//! The choices of a call: where it runs, in which unit, what happens to zeros and to bad rows.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use kullback_kernels::error::{Error, Result};
use kullback_kernels::unit::Unit;
use kullback_kernels::zeros::Zeros;

/// Where a call runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// The device with the smaller predicted time for the call. [`Stats::device`](crate::Stats::device) and
    /// [`Stats::reason`](crate::Stats::reason) say which it is and why. Never a software adapter.
    #[default]
    Auto,
    /// SIMD and threads.
    Cpu,
    /// A hardware GPU: discrete before integrated before virtual.
    Gpu,
    /// The adapter with this index in [`adapters`](crate::adapters).
    GpuAt(usize),
    /// The first adapter that is reached through GL. GL is used only here and if there is no other interface.
    Gl,
    /// Several adapters that share each call by their measured rates; [`Stats::shares`](crate::Stats::shares) says how.
    Gpus(GpuSet),
    /// The oracle: textbook definitions in scalar arithmetic of 31 digits. It is slow, and independent of everything it judges.
    Reference,
}

impl Device {
    /// Whether it is a GPU. A GPU leaves 64-bit weights to the CPU.
    #[must_use]
    pub fn is_gpu(self) -> bool {
        matches!(self, Device::Gpu | Device::GpuAt(_) | Device::Gl | Device::Gpus(_))
    }
}

/// Writes what [`FromStr`](Device::from_str) reads.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Auto => f.write_str("auto"),
            Device::Cpu => f.write_str("cpu"),
            Device::Gpu => f.write_str("gpu"),
            Device::Gl => f.write_str("gl"),
            Device::Reference => f.write_str("reference"),
            Device::GpuAt(index) => write!(f, "gpu:{index}"),
            Device::Gpus(GpuSet::HARDWARE) => f.write_str("gpus"),
            Device::Gpus(set) => {
                let indices: Vec<String> = set.indices().map(|index| index.to_string()).collect();
                write!(f, "gpu:{}", indices.join("+"))
            }
        }
    }
}

/// Reads `auto`, `cpu`, `gpu`, `gpu:N` (the index of an adapter), `gpu:N+M` (several adapters that share the rows), `gpus` (all
/// hardware adapters), `gl` or `reference`.
impl FromStr for Device {
    type Err = Error;

    /// # Errors
    /// [`Error::UnknownDevice`]; [`Error::NoDevice`] for an index that no machine has.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            "gpu" => Ok(Device::Gpu),
            "gl" => Ok(Device::Gl),
            "gpus" => Ok(Device::Gpus(GpuSet::HARDWARE)),
            "reference" => Ok(Device::Reference),
            _ => {
                let indices =
                    name.strip_prefix("gpu:").and_then(|list| list.split('+').map(|n| n.parse().ok()).collect());
                let indices: Vec<usize> = indices.ok_or_else(|| Error::UnknownDevice { name: name.to_owned() })?;
                match indices[..] {
                    [index] => Ok(Device::GpuAt(index)),
                    _ => Ok(Device::Gpus(GpuSet::at(&indices)?)),
                }
            }
        }
    }
}

/// The adapters that an engine uses together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GpuSet {
    /// One bit per index; none for all hardware adapters.
    bits: u64,
}

impl GpuSet {
    /// Every hardware GPU of the machine.
    pub const HARDWARE: GpuSet = GpuSet { bits: 0 };

    /// The adapters with these indices in [`adapters`](crate::adapters), software adapters included.
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

    /// The indices, ascending; none for all hardware adapters.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |index| self.bits >> index & 1 == 1)
    }
}

/// How GPUs are used; see [`EngineBuilder::gpu`](crate::EngineBuilder::gpu).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GpuOptions {
    /// The most bytes of one binding, if that is less than the device takes. A small call is then cut into many chunks.
    pub binding_limit: Option<u64>,
    /// Pins the kernels with (`true`) or without subgroup operations. By default they are used if the adapter has them.
    pub subgroups: Option<bool>,
    /// Pins how many threads share a row: a power of two up to 128. With 128, a row has a workgroup to itself. Other numbers are
    /// rounded up. By default the number follows from the length of the row. Rows that would have more than 128 bins per thread
    /// keep the default.
    pub row_threads: Option<u32>,
    /// Pins whether rows are copied to the GPU's own memory (`true`) or read where the host writes them. By default they are
    /// read there if the GPU and the host share their memory. If they cannot be read there, this has no effect.
    pub staging: Option<bool>,
    /// Compiles shaders with checks of array bounds and of the end of loops. They are slower, and only needed if kullback or the
    /// driver has a fault.
    pub checked_shaders: bool,
    /// How long a GPU may take over one chunk before it is given up. The default, 60 s, is hundreds of times what the slowest
    /// device needs.
    pub patience: Duration,
}

impl Default for GpuOptions {
    fn default() -> Self {
        let patience = Duration::from_secs(60);
        Self {
            binding_limit: None,
            subgroups: None,
            row_threads: None,
            staging: None,
            checked_shaders: false,
            patience,
        }
    }
}

/// What to do with rows that have an invalid weight or that the policy cannot be applied to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnInvalid {
    /// The call is an error that says how many rows are invalid and names the first.
    #[default]
    Error,
    /// These rows have no value and the status `invalid`.
    Null,
}

/// How much of a call is done.
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

/// The choices of a call. All defaults follow the definitions of the measures: nats, exact zeros.
#[derive(Clone, Default)]
pub struct Options {
    /// Unit of the measures that are logarithms.
    pub unit: Unit,
    /// What happens to zeros.
    pub zeros: Zeros,
    /// Where the bins lie, for [`Divergence::W1`](crate::Divergence::W1): one position per bin (its weight lies there), or one more
    /// (edges, between which the weight is spread evenly). They ascend. `None` is steps of 1.
    pub positions: Option<Arc<[f64]>>,
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
            .field("positions", &self.positions.as_ref().map(|positions| positions.len()))
            .field("on_invalid", &self.on_invalid)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        let set = |indices: &[usize]| GpuSet::at(indices).map(Device::Gpus);
        for (name, device) in [
            ("auto", Device::Auto),
            ("cpu", Device::Cpu),
            ("gpu", Device::Gpu),
            ("gpu:3", Device::GpuAt(3)),
            ("gpu:0+3", set(&[0, 3]).expect("indices")),
            ("gpus", Device::Gpus(GpuSet::HARDWARE)),
            ("gl", Device::Gl),
            ("reference", Device::Reference),
        ] {
            assert_eq!(name.parse::<Device>().ok(), Some(device), "{name}");
            assert_eq!(device.to_string(), name);
        }
        assert_eq!("gpu:3+0".parse::<Device>().ok(), set(&[0, 3]).ok());
    }

    #[test]
    fn what_is_no_device_is_an_error_that_names_them() {
        assert!(matches!("gpu:0+64".parse::<Device>(), Err(Error::NoDevice { .. })));
        for wrong in ["", "gpu:", "gpu:x", "gpu:1+", "tpu", "CPU"] {
            let message = wrong.parse::<Device>().map(|_| ()).map_err(|error| error.to_string());
            assert!(message.is_err_and(|m| m.contains("gpu:N")), "{wrong}");
        }
    }
}
