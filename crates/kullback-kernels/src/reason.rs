//! Why a call ran where it did.

use std::fmt;

/// Why a call ran on its device. [`Display`](fmt::Display) says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The caller chose the device.
    AskedFor,
    /// The CPU was predicted to be faster than the GPU.
    CpuFaster,
    /// The GPU was predicted to be faster than the CPU.
    GpuFaster,
    /// The GPU was predicted to be faster, and failed. The CPU computed what it had not finished.
    GpuFailed,
    /// The machine has no usable GPU.
    NoGpu,
    /// There are GPUs, and none could be used; `Engine::left_out` says why.
    GpusLeftOut,
    /// The call was over on the CPU before a GPU could be asked.
    Small,
    /// A side has 64-bit weights, which a GPU does not take.
    WideWeights,
    /// A 32-bit float does not hold a number of the zero policy.
    WidePolicy,
    /// 32-bit floats do not hold the contract at this order.
    WideOrder,
    /// A measure depends on the order of the bins, and there are too many of them for a GPU, or their positions are too far apart
    /// or too near.
    OrderedBins,
    /// A row has more bins than a GPU adds up within the contract.
    LongRows,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::AskedFor => "asked for",
            Reason::CpuFaster => "predicted to be faster there than on the GPU",
            Reason::GpuFaster => "predicted to be faster there than on the CPU",
            Reason::GpuFailed => "the GPU, predicted to be faster, failed",
            Reason::NoGpu => "no usable GPU was found",
            Reason::GpusLeftOut => "no GPU could be used; `Engine::left_out` says why",
            Reason::Small => "a call this small is over on the CPU before a GPU could be asked",
            Reason::WideWeights => "64-bit weights are computed in 64-bit floats on the CPU",
            Reason::WidePolicy => {
                "a number of the zero policy that 32-bit floats do not hold is used in 64-bit floats on the CPU"
            }
            Reason::WideOrder => "this order is computed in 64-bit floats on the CPU",
            Reason::OrderedBins => {
                "w1 and ks of more than 16,384 bins, or of positions beyond 32-bit floats, are computed on the CPU"
            }
            Reason::LongRows => "rows of more than 16,777,216 bins are computed on the CPU",
        })
    }
}
