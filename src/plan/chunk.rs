//! Rows → chunks within the device's limits and a memory budget.

use std::ops::Range;

use super::{Caps, Pairing, Problem};
use crate::error::{Error, Result};

/// The rows of a call cut into chunks of equal size (the last may be smaller), in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    rows: usize,
    per_chunk: usize,
}

/// A chunk on the CPU: large enough that nothing is lost between chunks, small enough that
/// progress is seen and a call can be cancelled.
const CPU_CHUNK_BYTES: u64 = 64 << 20;

impl Chunks {
    /// Chunks for the CPU, which has no limit of its own.
    pub(crate) fn for_cpu(problem: &Problem) -> Self {
        let per_row = problem.bytes_per_row().max(1);
        Self::of(problem.rows, CPU_CHUNK_BYTES / per_row)
    }

    /// Chunks for a device: every binding within its limit, all buffers of a chunk within `budget`.
    /// `output_bytes_per_row` is what the kernel writes for a row.
    ///
    /// # Errors
    /// [`Error::RowTooLarge`] when not even one row fits.
    pub(crate) fn for_device(problem: &Problem, caps: &Caps, budget: u64, output_bytes_per_row: u64) -> Result<Self> {
        let binding = caps.binding_bytes();
        let row_bytes = |size: usize| problem.bins as u64 * size as u64;
        // A word more, since a chunk is padded to whole words.
        let fits = |bytes: u64| binding.saturating_sub(4) / bytes.max(1);
        let (p, q) = (row_bytes(problem.p.size()), row_bytes(problem.q.size()));
        let largest = p.max(q);
        if fits(largest) == 0 || fits(output_bytes_per_row) == 0 {
            let needed = largest.max(output_bytes_per_row) + 4;
            return Err(Error::RowTooLarge { needed, limit: binding });
        }
        let mut rows = fits(output_bytes_per_row);
        if problem.pairing != Pairing::OneP {
            rows = rows.min(fits(p));
        }
        if problem.pairing != Pairing::OneQ {
            rows = rows.min(fits(q));
        }
        // Weights exist twice for a moment (staging and device), results too.
        let per_row = 2 * (problem.bytes_per_row() + output_bytes_per_row);
        rows = rows.min(budget / per_row.max(1)).max(1);
        // Row and element indices of a chunk are 32-bit in the shader.
        rows = rows.min(u64::from(u32::MAX) / (problem.bins as u64).max(1)).max(1);
        rows = rows.min(u64::from(caps.max_workgroups) * u64::from(caps.max_workgroups));
        Ok(Self::of(problem.rows, rows))
    }

    fn of(rows: usize, per_chunk: u64) -> Self {
        Self { rows, per_chunk: usize::try_from(per_chunk).unwrap_or(usize::MAX).clamp(1, rows.max(1)) }
    }

    /// How many chunks there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.div_ceil(self.per_chunk)
    }

    /// The chunks in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, per_chunk) = (self.rows, self.per_chunk);
        (0..self.len()).map(move |i| i * per_chunk..((i + 1) * per_chunk).min(rows))
    }
}
