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

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::divergence::{Divergence, Term, Zeros};
    use crate::plan::kernel_key::{MAX_PARTS, SPLIT_BINS, Shape};
    use crate::plan::problem::Slots;
    use crate::rows::WeightType;

    const WEBGPU: Caps =
        Caps { max_binding_bytes: 128 << 20, max_buffer_bytes: 256 << 20, max_workgroups: 65_535, subgroups: false };

    /// A problem of any size: no weight is ever touched by a plan.
    fn problem(rows: usize, bins: usize, pairing: Pairing) -> Problem {
        Problem {
            rows,
            bins,
            p: WeightType::F32,
            q: WeightType::U16,
            pairing,
            zeros: Zeros::Exact,
            terms: smallvec![Term::Kl],
            slots: smallvec![Slots { measure: Divergence::Kl, first: 0, second: None }],
        }
    }

    fn check(problem: &Problem, caps: &Caps, budget: u64) -> Chunks {
        let chunks = Chunks::for_device(problem, caps, budget, 48).expect("fits");
        let mut next = 0;
        for chunk in chunks.iter().take(1000) {
            assert_eq!(chunk.start, next, "in order, without a gap");
            assert!(!chunk.is_empty());
            let rows = chunk.len() as u64;
            assert!(rows * problem.bins as u64 * 4 <= caps.binding_bytes() || problem.pairing == Pairing::OneP);
            assert!(rows * problem.bins as u64 <= u64::from(u32::MAX), "indices are 32-bit");
            assert!(rows * 48 <= caps.binding_bytes());
            next = chunk.end;
        }
        if chunks.len() <= 1000 {
            assert_eq!(next, problem.rows, "every row once");
        }
        chunks
    }

    #[test]
    fn more_than_two_to_the_32_bins_are_cut_within_the_binding_limit() {
        let chunks = check(&problem(200_000_000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        assert_eq!(chunks.len(), 200_000_000_usize.div_ceil(((128 << 20) - 4) / 256));
    }

    #[test]
    fn a_budget_cuts_smaller() {
        let whole = check(&problem(100_000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        let small = check(&problem(100_000, 64, Pairing::Rowwise), &WEBGPU, 1 << 20);
        assert_eq!(whole.len(), 1);
        assert!(small.len() > 50);
    }

    #[test]
    fn one_row_on_a_side_does_not_count_for_every_row() {
        let both = check(&problem(2_000_000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        let one = check(&problem(2_000_000, 64, Pairing::OneP), &WEBGPU, u64::MAX);
        assert!(one.len() < both.len());
    }

    #[test]
    fn a_row_that_cannot_fit_is_an_error_with_both_numbers() {
        let error = Chunks::for_device(&problem(1, 40 << 20, Pairing::Rowwise), &WEBGPU, u64::MAX, 48);
        assert_eq!(error, Err(Error::RowTooLarge { needed: (160 << 20) + 4, limit: 128 << 20 }));
    }

    #[test]
    fn bindings_stay_below_two_gibibytes_whatever_the_device_says() {
        let caps = Caps { max_binding_bytes: u64::MAX, max_buffer_bytes: u64::MAX, ..WEBGPU };
        check(&problem(100_000_000, 64, Pairing::Rowwise), &caps, u64::MAX);
        assert!(caps.binding_bytes() < 1 << 31);
    }

    #[test]
    fn no_rows_are_no_chunks() {
        assert_eq!(check(&problem(0, 64, Pairing::Rowwise), &WEBGPU, u64::MAX).len(), 0);
        assert_eq!(Chunks::for_cpu(&problem(0, 64, Pairing::Rowwise)).len(), 0);
    }

    #[test]
    fn the_shape_follows_the_length_of_the_row() {
        for (bins, shape) in [
            (1, Shape::Short { threads: 1 }),
            (4, Shape::Short { threads: 1 }),
            (5, Shape::Short { threads: 2 }),
            (64, Shape::Short { threads: 16 }),
            (128, Shape::Short { threads: 32 }),
            (129, Shape::Long),
            (16_384, Shape::Long),
            (16_385, Shape::Split { parts: 2 }),
            (4_000_000, Shape::Split { parts: 245 }),
        ] {
            assert_eq!(Shape::for_bins(bins), shape, "{bins} bins");
        }
        let Shape::Split { parts } = Shape::for_bins(1 << 30) else { panic!("split") };
        assert_eq!(parts, MAX_PARTS);
        assert!(u64::from(parts) * u64::from(SPLIT_BINS) < 1 << 30, "each part then reads more");
    }
}
