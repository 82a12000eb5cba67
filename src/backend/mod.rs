//! How a plan is run. A backend goes through the rows it is given and returns sums, one entry per row, in order. It marks the
//! rows it cannot compute and decides nothing.
//!
//! The caller guarantees what [`Problem::new`](crate::plan::Problem::new) checked. Both sides have the same number of bins and
//! the weight types of the problem. They have the same number of rows, or one row where the pairing says so. A chunk for a
//! device was cut by [`Chunks::for_device`](crate::plan::Chunks::for_device).

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod reference;

use smallvec::SmallVec;

use crate::divergence::finish::Support;
use crate::output::Stats;
use crate::rows::Rows;

/// What a kernel found out about a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowFlags(pub(crate) u32);

impl RowFlags {
    /// A side has no weight, or the policy left nothing.
    pub(crate) const EMPTY: u32 = 8;
    /// A weight of P is negative, NaN or infinite.
    pub(crate) const INVALID_P: u32 = 16;
    /// A weight of Q is negative, NaN or infinite.
    pub(crate) const INVALID_Q: u32 = 32;
    /// The policy cannot be applied.
    pub(crate) const POLICY: u32 = 64;
    /// The precision cannot hold the contract, and the sums of this row mean nothing. If a 32-bit kernel sets it, the row is
    /// computed again in 64 bits. If the 64-bit kernel sets it, the weights span more than a float holds, and the row is
    /// refused.
    pub(crate) const RESCUE: u32 = 128;

    /// A row with weight in every bin of both sides.
    pub(crate) const USUAL: RowFlags = RowFlags(Support::COMMON.bits());

    pub(crate) fn support(self) -> Support {
        Support::from_bits(self.0)
    }

    /// Whether any of the given flags is set.
    pub(crate) fn any(self, flags: u32) -> bool {
        self.0 & flags != 0
    }
}

/// The sums of some rows: `flags[row]`, and `sums[row * terms + slot]`, each divided by Q. One row or a few rows need no
/// allocation, and the chunks of a call share one.
#[derive(Debug, Default)]
pub(crate) struct RowSums {
    pub(crate) flags: SmallVec<[RowFlags; 8]>,
    pub(crate) sums: SmallVec<[f64; 8]>,
}

impl RowSums {
    /// Resizes to `rows` rows. Old content may remain.
    pub(crate) fn resize(&mut self, rows: usize, terms: usize) {
        self.flags.resize(rows, RowFlags::default());
        self.sums.resize(rows * terms, 0.0);
    }

    /// Copies the sums of some rows of another.
    pub(crate) fn copy_from(&mut self, other: &RowSums, first: usize, rows: usize) {
        let terms = other.sums.len() / other.flags.len().max(1);
        self.resize(rows, terms);
        self.flags.copy_from_slice(&other.flags[first..first + rows]);
        self.sums.copy_from_slice(&other.sums[first * terms..(first + rows) * terms]);
    }
}

/// What a device found for the rows of a chunk.
#[derive(Debug)]
pub(crate) enum Found {
    Sums(RowSums),
    /// The values of each measure, one measure after the other, as the bits of 32-bit floats, or a [`NoValue`] in place of a
    /// value.
    Values(Vec<u32>),
}

#[cfg(feature = "gpu")]
impl Found {
    /// Nothing found yet.
    pub(crate) fn new() -> Self {
        Found::Sums(RowSums::default())
    }

    /// Takes the sums out, to use their memory again.
    pub(crate) fn take_sums(&mut self) -> RowSums {
        if let Found::Sums(sums) = self { std::mem::take(sums) } else { RowSums::default() }
    }
}

/// What a device reports in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    Empty,
    Invalid,
    /// 32 bits could not hold the value.
    ForTheHost,
}

impl NoValue {
    /// The bits from which on there is no value. No value has bits as large as this.
    pub(crate) const FROM: u32 = 0xffff_fff0;
    /// Added to them if a side has no weight; below, if a weight is invalid.
    pub(crate) const EMPTY: u32 = 2;
    pub(crate) const INVALID: u32 = 3;

    /// Reads the bits; `None` for the bits of a value.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        match bits.checked_sub(Self::FROM)? {
            Self::EMPTY => Some(NoValue::Empty),
            Self::INVALID => Some(NoValue::Invalid),
            _ => Some(NoValue::ForTheHost),
        }
    }
}

/// Rows kept on a device.
#[cfg(feature = "gpu")]
pub(crate) use gpu::StoredRows;

/// Rows kept on a device. This build has none.
#[cfg(not(feature = "gpu"))]
#[derive(Debug)]
pub(crate) enum StoredRows {}

#[cfg(not(feature = "gpu"))]
impl StoredRows {
    pub(crate) fn is_usable(&self) -> bool {
        match *self {}
    }
}

/// One side of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) rows: Rows<'a>,
    /// The rows on a device if they are there already, and the number of the first of them.
    pub(crate) stored: Option<(&'a StoredRows, usize)>,
}

/// What a chunk cost on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// Bytes of weights that went to it.
    pub(crate) sent: u64,
    /// Bytes that came back from it.
    pub(crate) received: u64,
    /// Seconds of the kernels that had to be compiled.
    pub(crate) compile_seconds: f64,
    /// Seconds that the kernels ran, by the clock of the device if it has one.
    pub(crate) device_seconds: f64,
}

impl Spent {
    /// Adds this to the statistics of a call.
    pub(crate) fn add_to(&self, stats: &mut Stats) {
        stats.sent += self.sent;
        stats.received += self.received;
        stats.compile_seconds += self.compile_seconds;
        stats.device_seconds += self.device_seconds;
    }
}
