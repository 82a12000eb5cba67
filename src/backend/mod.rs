//! How a plan is run. A backend goes through the rows it is given and returns sums, one entry per row, in order. It marks the
//! rows it cannot compute and decides nothing.
//!
//! The caller guarantees what [`Problem::new`](kullback_kernels::problem::Problem::new) checked. Both sides have the same number of bins and
//! the weight types of the problem. They have the same number of rows, or one row where the pairing says so. A chunk for a
//! device was cut by [`Chunks::for_device`](crate::plan::Chunks::for_device).

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod reference;

use kullback_kernels::row_sums::RowSums;
use kullback_kernels::weights::Rows;

use crate::output::Stats;

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
