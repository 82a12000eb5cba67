//! What a call returns: one column per measure, one status per row, and how the call was carried out.

use std::fmt;
use std::ops::Index;
use std::sync::{Arc, LazyLock};

use crate::plan::cost::Predicted;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;
use kullback_kernels::reason::Reason;

/// What a row's values mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, bytemuck::Zeroable)]
#[repr(u8)]
pub enum RowStatus {
    /// Every value is finite.
    #[default]
    Ok,
    /// At least one value is +∞, and that is the answer.
    Infinite,
    /// A side has no weight, or the policy left nothing. The row has no value.
    Empty,
    /// A weight is negative, NaN or infinite, or the policy cannot be applied. The row has no value.
    Invalid,
}

impl RowStatus {
    /// Every status, in the order of declaration.
    pub const ALL: [RowStatus; 4] = [RowStatus::Ok, RowStatus::Infinite, RowStatus::Empty, RowStatus::Invalid];

    /// The name used in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RowStatus::Ok => "ok",
            RowStatus::Infinite => "infinite",
            RowStatus::Empty => "empty",
            RowStatus::Invalid => "invalid",
        }
    }

    /// Whether the row has values.
    #[must_use]
    pub const fn has_value(self) -> bool {
        matches!(self, RowStatus::Ok | RowStatus::Infinite)
    }
}

impl fmt::Display for RowStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a call was carried out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// The device that computed it, by name. If several did, all of them.
    pub device: Arc<str>,
    /// Why that device was chosen. `None` if there was nothing to compute.
    pub reason: Option<Reason>,
    /// If several devices shared the rows, how many rows each computed.
    pub shares: Vec<Share>,
    /// The predicted time on either device, if that decided.
    pub predicted: Option<Predicted>,
    /// Chunks that the rows were cut into.
    pub chunks: u64,
    /// Rows that were computed again in 64-bit floats because 32 bits could not hold the contract.
    pub rescued: u64,
    /// Entries of all pairs that a GPU computed as products of matrices, not one by one.
    pub products: u64,
    /// Bytes of weights read.
    pub bytes: u64,
    /// Bytes of weights that went to a device. [`Uploaded`](crate::Uploaded) rows went there before and do not count.
    pub sent: u64,
    /// Bytes that came back from a device.
    pub received: u64,
    /// How often a device failed and its work was done again. Of several devices, the sum.
    pub retries: u64,
    /// Wall time of the call.
    pub seconds: f64,
    /// Seconds in which GPU kernels were compiled that this engine had not run before.
    pub compile_seconds: f64,
    /// Seconds in which GPU kernels ran, by the GPU's own clock; 0 if it has none. For several GPUs, the sum.
    pub device_seconds: f64,
}

/// What one of several devices computed of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// The device, by name.
    pub device: Arc<str>,
    /// The number of rows it computed.
    pub rows: u64,
}

impl Stats {
    /// Adds what a part of the call took.
    pub(crate) fn add(&mut self, part: &Stats) {
        for share in &part.shares {
            match self.shares.iter_mut().find(|known| known.device == share.device) {
                Some(known) => known.rows += share.rows,
                None => self.shares.push(share.clone()),
            }
        }
        self.chunks += part.chunks;
        self.rescued += part.rescued;
        self.products += part.products;
        self.sent += part.sent;
        self.received += part.received;
        self.retries += part.retries;
        self.compile_seconds += part.compile_seconds;
        self.device_seconds += part.device_seconds;
    }
}

impl Default for Stats {
    fn default() -> Self {
        let device = Arc::clone(&NO_DEVICE);
        Self {
            device,
            reason: None,
            shares: Vec::new(),
            predicted: None,
            chunks: 0,
            rescued: 0,
            products: 0,
            bytes: 0,
            sent: 0,
            received: 0,
            retries: 0,
            seconds: 0.0,
            compile_seconds: 0.0,
            device_seconds: 0.0,
        }
    }
}

/// Shared, so that a small call allocates nothing for it.
static NO_DEVICE: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));

/// The result of a call: one `f64` column per measure, in the order asked for, and one status per row.
///
/// A row without a value (status `empty` or `invalid`) holds NaN in every column.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    pub(crate) measures: Vec<Divergence>,
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) status: Vec<RowStatus>,
    pub(crate) stats: Stats,
}

impl Columns {
    /// The number of rows of the result.
    #[must_use]
    pub fn len(&self) -> usize {
        self.status.len()
    }

    /// Whether the result has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.status.is_empty()
    }

    /// The measures, in the order asked for.
    #[must_use]
    pub fn measures(&self) -> &[Divergence] {
        &self.measures
    }

    /// The column of a measure.
    ///
    /// # Errors
    /// [`Error::NotComputed`] if it was not asked for.
    pub fn column(&self, measure: Divergence) -> Result<&[f64]> {
        let position = self.measures.iter().position(|m| *m == measure);
        position.map(|i| self.columns[i].as_slice()).ok_or_else(|| Error::NotComputed { measure: measure.to_string() })
    }

    /// The columns in the order of [`Columns::measures`].
    pub fn iter(&self) -> impl Iterator<Item = (Divergence, &[f64])> {
        self.measures.iter().copied().zip(self.columns.iter().map(Vec::as_slice))
    }

    /// One status per row.
    #[must_use]
    pub fn status(&self) -> &[RowStatus] {
        &self.status
    }

    /// How the call was carried out.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Returns the columns and the statuses, without a copy.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Vec<f64>>, Vec<RowStatus>) {
        (self.columns, self.status)
    }
}

/// `columns[Divergence::Kl]` is the column of a measure.
///
/// # Panics
/// If the measure was not asked for. [`Columns::column`] returns an error instead.
impl Index<Divergence> for Columns {
    type Output = [f64];

    fn index(&self, measure: Divergence) -> &[f64] {
        match self.column(measure) {
            Ok(column) => column,
            Err(error) => panic!("{error}"),
        }
    }
}
