//! Rows → chunks within the device's limits and a memory budget.

use std::ops::Range;

use kullback_kernels::problem::Problem;

use super::caps::Caps;
use kullback_kernels::error::{Error, Result};

/// Rows cut into chunks, in order. The chunks have equal size, unless a side lies on the device in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    rows: Range<usize>,
    per_chunk: usize,
    /// A chunk holds whole lines, or a part of one line.
    line: usize,
    /// No chunk holds rows of two pieces.
    cuts: [Option<Pieces>; 2],
}

/// A side that lies on a device in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// The first row of the first piece.
    pub(crate) first: usize,
    /// Rows per piece.
    pub(crate) rows: usize,
}

impl Pieces {
    /// Where the piece of a row ends.
    fn end(&self, row: usize) -> usize {
        let before = row.saturating_sub(self.first) / self.rows;
        self.first.saturating_add((before + 1).saturating_mul(self.rows))
    }
}

/// What a device needs for a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// Bytes that the kernel writes.
    pub(crate) output_bytes_per_row: u64,
    /// Bytes that only the device uses, one chunk at a time.
    pub(crate) scratch_bytes_per_row: u64,
    /// How many copies of weights and output exist in memory, for all chunks on their way together.
    pub(crate) copies: u64,
    /// The sides that are already on the device.
    pub(crate) cuts: [Option<Pieces>; 2],
}

/// Bytes of weights that a device gets at once: a tenth of a second on the slowest device, so that no watchdog ends it and a
/// call can be cancelled.
const MOST_BYTES_PER_CHUNK: u64 = 512 << 20;

/// A chunk on the CPU: large enough that nothing is lost between chunks, small enough to show progress and to cancel a call.
const CPU_CHUNK_BYTES: u64 = 64 << 20;

impl Chunks {
    /// Chunks of some rows of a problem for the CPU, which has no limit of its own.
    pub(crate) fn for_cpu(problem: &Problem, rows: Range<usize>) -> Self {
        let per_row = problem.bytes_per_row().max(1);
        Self { line: problem.pairing.line(), ..Self::of(rows, CPU_CHUNK_BYTES / per_row) }
    }

    /// Chunks of some rows of a problem for a device: every binding within its limit, all buffers of a call within `budget`.
    ///
    /// # Errors
    /// [`Error::RowTooLarge`] if not even one row fits.
    pub(crate) fn for_device(
        problem: &Problem,
        of: Range<usize>,
        caps: &Caps,
        budget: u64,
        costs: &Costs,
    ) -> Result<Self> {
        let binding = caps.binding_bytes();
        let output = costs.output_bytes_per_row;
        let row_bytes = |size: usize| problem.bins as u64 * size as u64;
        // One word more, because a chunk is padded to whole words.
        let fits = |bytes: u64| binding.saturating_sub(4) / bytes.max(1);
        // A side is shared unless it holds one row for each row of the result. For all pairs both sides are shared: few rows
        // make many pairs.
        let is_shared = if problem.pairing.line() > 1 { [true; 2] } else { problem.pairing.shared() };
        let sizes = [problem.p, problem.q].map(|weight_type| row_bytes(weight_type.size()));
        let largest = sizes[0].max(sizes[1]);
        if fits(largest) == 0 || fits(output) == 0 {
            return Err(Error::RowTooLarge { needed: largest.max(output) + 4, limit: binding });
        }
        let mut rows = fits(output);
        let mut sent = 0;
        for ((bytes, is_shared), cut) in sizes.into_iter().zip(is_shared).zip(costs.cuts) {
            if !is_shared && cut.is_none() {
                rows = rows.min(fits(bytes));
                sent += bytes;
            }
        }
        let bytes_per_row = costs.copies * (sent + output) + costs.scratch_bytes_per_row;
        rows = rows.min(budget / bytes_per_row.max(1));
        rows = rows.min(MOST_BYTES_PER_CHUNK / problem.bytes_per_row().max(1)).max(1);
        // Row and element indices of a chunk are 32-bit in the shader.
        rows = rows.min(u64::from(u32::MAX) / (problem.bins as u64).max(1)).max(1);
        rows = rows.min(u64::from(caps.max_workgroups) * u64::from(caps.max_workgroups));
        let cut = |side: usize| costs.cuts[side].filter(|_| !is_shared[side]);
        Ok(Self { cuts: [cut(0), cut(1)], line: problem.pairing.line(), ..Self::of(of, rows) })
    }

    /// The most rows of a chunk.
    #[cfg(feature = "gpu")]
    pub(crate) fn most(&self) -> usize {
        self.per_chunk
    }

    /// The same rows in chunks halved `times` times, or as small as they get.
    #[cfg(feature = "gpu")]
    pub(crate) fn halved(self, times: usize) -> Self {
        (0..times).fold(self, |chunks, _| chunks.smaller().unwrap_or(chunks))
    }

    /// Chunks of at most `per_chunk` rows.
    #[cfg(feature = "gpu")]
    pub(crate) fn of_at_most(rows: Range<usize>, per_chunk: usize) -> Self {
        Self::of(rows, per_chunk as u64)
    }

    /// The same rows in chunks of half the size. `None` if they are single rows already.
    pub(crate) fn smaller(&self) -> Option<Self> {
        (self.per_chunk > 1).then(|| Self { per_chunk: self.per_chunk.div_ceil(2), ..self.clone() })
    }

    fn of(rows: Range<usize>, per_chunk: u64) -> Self {
        let per_chunk = usize::try_from(per_chunk).unwrap_or(usize::MAX).clamp(1, rows.len().max(1));
        Self { rows, per_chunk, line: 1, cuts: [None; 2] }
    }

    /// The chunks from a row on, in order.
    pub(crate) fn from(&self, first: usize) -> impl Iterator<Item = Range<usize>> + Send + use<> {
        let (per_chunk, line, cuts, end) = (self.per_chunk, self.line, self.cuts, self.rows.end);
        let next = move |start: usize| {
            let per_chunk = per_chunk.min(end - start);
            let next = if start.is_multiple_of(line) && per_chunk >= line {
                start.saturating_add(per_chunk / line * line)
            } else {
                start.saturating_add(per_chunk).min((start / line + 1) * line)
            };
            cuts.iter().flatten().fold(next, |next, pieces| next.min(pieces.end(start)))
        };
        let mut start = first;
        std::iter::from_fn(move || {
            let chunk = (start < end).then(|| start..next(start))?;
            start = chunk.end;
            Some(chunk)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use smallvec::smallvec;

    use super::*;
    use crate::plan::kernel_key::{MAX_PARTS, SPLIT_BINS, Shape};
    use kullback_kernels::measures::facts::Infinite;
    use kullback_kernels::measures::{Divergence, Term};
    use kullback_kernels::problem::Pairing;
    use kullback_kernels::problem::Slots;
    use kullback_kernels::unit::Unit;
    use kullback_kernels::weights::WeightType;
    use kullback_kernels::zeros::Zeros;

    const WEBGPU: Caps =
        Caps { max_binding_bytes: 128 << 20, max_buffer_bytes: 256 << 20, max_workgroups: 65_535, subgroups: false };

    const COSTS: Costs = Costs { output_bytes_per_row: 48, scratch_bytes_per_row: 0, copies: 6, cuts: [None, None] };

    /// A problem of any size: a plan never reads weights.
    fn problem(rows: usize, bins: usize, pairing: Pairing) -> Problem {
        Problem {
            rows,
            bins,
            p: WeightType::F32,
            q: WeightType::U16,
            pairing,
            zeros: Zeros::Exact,
            unit: Unit::Nats,
            terms: smallvec![Term::Kl],
            slots: smallvec![Slots { measure: Divergence::Kl, infinite: Infinite::OnlyP, first: 0, second: None }],
            row_threads: None,
            positions: Arc::default(),
        }
    }

    fn check(problem: &Problem, caps: &Caps, budget: u64) -> Chunks {
        let chunks = Chunks::for_device(problem, 0..problem.rows, caps, budget, &COSTS).expect("fits");
        let mut next = 0;
        for chunk in chunks.from(0).take(1000) {
            assert_eq!(chunk.start, next, "in order, without a gap");
            assert!(!chunk.is_empty());
            let rows = chunk.len() as u64;
            assert!(rows * problem.bins as u64 * 4 <= caps.binding_bytes() || problem.pairing == Pairing::OneP);
            assert!(rows * problem.bins as u64 <= u64::from(u32::MAX), "indices are 32-bit");
            assert!(rows * 48 <= caps.binding_bytes());
            next = chunk.end;
        }
        if count(&chunks) <= 1000 {
            assert_eq!(next, problem.rows, "every row once");
        }
        chunks
    }

    fn count(chunks: &Chunks) -> usize {
        chunks.from(0).count()
    }

    #[test]
    fn more_than_two_to_the_32_bins_are_cut_within_the_binding_limit() {
        let chunks = check(&problem(200_000_000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        assert_eq!(count(&chunks), 200_000_000_usize.div_ceil(((128 << 20) - 4) / 256));
    }

    #[test]
    fn a_budget_cuts_smaller() {
        let whole = check(&problem(100_000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        let small = check(&problem(100_000, 64, Pairing::Rowwise), &WEBGPU, 1 << 20);
        assert_eq!(count(&whole), 1);
        assert!(count(&small) > 50);
    }

    #[test]
    fn one_row_on_a_side_does_not_count_for_every_row() {
        let both = check(&problem(2_000_000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        let one = check(&problem(2_000_000, 64, Pairing::OneP), &WEBGPU, u64::MAX);
        assert!(count(&one) < count(&both));
    }

    #[test]
    fn a_row_that_cannot_fit_is_an_error_with_both_numbers() {
        let error = Chunks::for_device(&problem(1, 40 << 20, Pairing::Rowwise), 0..1, &WEBGPU, u64::MAX, &COSTS);
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
        assert_eq!(count(&check(&problem(0, 64, Pairing::Rowwise), &WEBGPU, u64::MAX)), 0);
        assert_eq!(count(&Chunks::for_cpu(&problem(0, 64, Pairing::Rowwise), 0..0)), 0);
    }

    #[test]
    fn no_chunk_holds_rows_of_two_pieces_of_a_stored_side() {
        let pieces = |rows| Some(Pieces { first: 0, rows });
        let costs = Costs { cuts: [pieces(70), pieces(100)], ..COSTS };
        let chunks =
            |problem: &Problem, rows| Chunks::for_device(problem, rows, &WEBGPU, u64::MAX, &costs).expect("fits");
        let rowwise = chunks(&problem(250, 64, Pairing::Rowwise), 0..250);
        let ends: Vec<usize> = rowwise.from(0).map(|chunk| chunk.end).collect();
        assert_eq!(ends, [70, 100, 140, 200, 210, 250]);
        let ends: Vec<usize> = rowwise.from(140).map(|chunk| chunk.end).collect();
        assert_eq!(ends, [200, 210, 250], "from the middle on");
        // The one row of P is not cut.
        let one = chunks(&problem(250, 64, Pairing::OneP), 0..250);
        assert_eq!(one.from(0).map(|chunk| chunk.end).collect::<Vec<_>>(), [100, 200, 250]);
        // A device that keeps the rows from 30 on.
        let costs = Costs { cuts: [Some(Pieces { first: 30, rows: 70 }), None], ..COSTS };
        let part = Chunks::for_device(&problem(250, 64, Pairing::Rowwise), 30..250, &WEBGPU, u64::MAX, &costs);
        let ends: Vec<usize> = part.expect("fits").from(30).map(|chunk| chunk.end).collect();
        assert_eq!(ends, [100, 170, 240, 250]);
    }

    #[test]
    fn a_chunk_of_all_pairs_is_whole_lines_or_a_part_of_one() {
        let line = 1000;
        let problem = problem(5 * line, 64, Pairing::All { first: 0, columns: line });
        for rows in [0..5 * line, 500..2800, 500..700, 1000..2500, 999..1001, 3000..3000] {
            for budget in [48 * 6 * 300, 48 * 6 * 1000, 48 * 6 * 2700, u64::MAX] {
                let chunks = Chunks::for_device(&problem, rows.clone(), &WEBGPU, budget, &COSTS).expect("fits");
                let mut next = rows.start;
                for chunk in chunks.from(rows.start) {
                    assert_eq!(chunk.start, next, "in order, without a gap");
                    let whole = chunk.start.is_multiple_of(line) && chunk.end.is_multiple_of(line);
                    let within = chunk.start / line == (chunk.end - 1) / line;
                    assert!(whole || within, "{chunk:?} of {rows:?}");
                    let [p, q] = problem.pairing.ranges(&chunk);
                    assert_eq!(p.len() * q.len(), chunk.len());
                    next = chunk.end;
                }
                assert_eq!(next, rows.end);
            }
        }
    }

    #[test]
    fn smaller_chunks_hold_the_same_rows_down_to_one() {
        let mut chunks = check(&problem(1000, 64, Pairing::Rowwise), &WEBGPU, u64::MAX);
        while let Some(smaller) = chunks.smaller() {
            assert!(count(&smaller) > count(&chunks));
            assert_eq!(smaller.from(0).map(|chunk| chunk.len()).sum::<usize>(), 1000);
            chunks = smaller;
        }
        assert_eq!(count(&chunks), 1000);
    }

    #[test]
    fn the_shape_follows_the_length_of_the_row() {
        for (bins, shape) in [
            (1, Shape::Short { threads: 1 }),
            (8, Shape::Short { threads: 1 }),
            (9, Shape::Short { threads: 2 }),
            (64, Shape::Short { threads: 8 }),
            (200, Shape::Short { threads: 32 }),
            (1024, Shape::Short { threads: 32 }),
            (1025, Shape::Long),
            (16_384, Shape::Long),
            (16_385, Shape::Split { parts: 2 }),
            (4_000_000, Shape::Split { parts: 245 }),
        ] {
            assert_eq!(Shape::for_bins(bins), shape, "{bins} bins");
        }
        for (bins, threads, shape) in [
            (64, 1, Shape::Short { threads: 1 }),
            (64, 3, Shape::Short { threads: 4 }),
            (64, 1000, Shape::Long),
            (129, 1, Shape::Short { threads: 32 }),
            (16_384, 64, Shape::Long),
            (16_385, 128, Shape::Split { parts: 2 }),
        ] {
            assert_eq!(Shape::for_bins(bins).with_threads(bins, threads), shape, "{bins} bins, {threads} threads");
        }
        let Shape::Split { parts } = Shape::for_bins(1 << 30) else { panic!("split") };
        assert_eq!(parts, MAX_PARTS);
        assert!(u64::from(parts) * u64::from(SPLIT_BINS) < 1 << 30, "each part then reads more");
    }
}
