//! What changes the generated code of a kernel, and nothing else.

use kullback_kernels::measures::{Term, TermKind};
use kullback_kernels::problem::{MOST_ORDERED_BINS, Problem};
use kullback_kernels::weights::WeightType;
use kullback_kernels::zeros::Zeros;

/// Sums that one dispatch makes. A call with more terms makes several dispatches over the same data.
pub(crate) const TERMS_PER_DISPATCH: usize = 8;

/// The terms of each dispatch over the rows. Terms that depend on the order of the bins have kernels of their own.
pub(crate) fn dispatches(terms: &[Term]) -> impl Iterator<Item = &[Term]> {
    terms.chunk_by(|a, b| a.is_scan() == b.is_scan()).flat_map(|alike| alike.chunks(TERMS_PER_DISPATCH))
}

/// The kind of a zero policy. Its number is a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ZerosKind {
    Exact,
    Epsilon,
    Additive,
    Floor,
    Mix,
    Skip,
}

impl ZerosKind {
    /// Every kind.
    #[cfg(test)]
    pub(crate) const ALL: [ZerosKind; 6] =
        [ZerosKind::Exact, ZerosKind::Epsilon, ZerosKind::Additive, ZerosKind::Floor, ZerosKind::Mix, ZerosKind::Skip];

    /// The kind of a policy.
    pub(crate) fn of(zeros: Zeros) -> Self {
        match zeros {
            Zeros::Exact => ZerosKind::Exact,
            Zeros::Epsilon(_) => ZerosKind::Epsilon,
            Zeros::Additive(_) => ZerosKind::Additive,
            Zeros::Floor(_) => ZerosKind::Floor,
            Zeros::Mix(_) => ZerosKind::Mix,
            Zeros::Skip => ZerosKind::Skip,
        }
    }
}

/// How the threads of the device share a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// `threads` threads per row, several rows per workgroup: up to 1,024 bins.
    Short {
        /// A power of two, at most a workgroup.
        threads: u32,
    },
    /// One workgroup per row.
    Long,
    /// Several workgroups per row: one dispatch for the totals, one for the terms.
    Split {
        /// Workgroups per row.
        parts: u32,
    },
}

/// Threads of a workgroup. 128 keeps the exchange memory of a kernel under the 16 KiB that every device has.
pub(crate) const WORKGROUP: u32 = 128;
/// The most bins for which several rows share a workgroup; below, the most threads that such a row has.
const SHORT_BINS: u32 = 1024;
const SHORT_THREADS: u32 = 32;
/// Bins that one workgroup reads of a split row: enough work to hide the second dispatch.
pub(crate) const SPLIT_BINS: u32 = 16_384;
// One workgroup has a row whose bins are taken in their order.
const _: () = assert!(SPLIT_BINS as usize == MOST_ORDERED_BINS);
/// The most parts of a row: one workgroup adds the partial totals of a row.
pub(crate) const MAX_PARTS: u32 = 1024;

/// The most bins that one thread adds up.
const MOST_BINS_PER_THREAD: u32 = SPLIT_BINS / WORKGROUP;

impl Shape {
    /// The shape of a problem.
    pub(crate) fn of(problem: &Problem) -> Self {
        let shape = Self::for_bins(problem.bins);
        problem.row_threads.map_or(shape, |threads| shape.with_threads(problem.bins, threads))
    }

    /// The shape for rows of `bins` bins.
    pub(crate) fn for_bins(bins: usize) -> Self {
        match u32::try_from(bins).unwrap_or(u32::MAX) {
            // At least eight bins per thread, so that the reduction tree does not dominate. No more threads than have a
            // subgroup to themselves on most devices, so that the tree needs no barrier.
            bins @ ..=SHORT_BINS => Shape::Short { threads: (bins.div_ceil(8)).next_power_of_two().min(SHORT_THREADS) },
            ..=SPLIT_BINS => Shape::Long,
            bins => Shape::Split { parts: bins.div_ceil(SPLIT_BINS).min(MAX_PARTS) },
        }
    }

    /// The same with `threads` threads per row, rounded up to a power of two. A row stays unchanged if it is split, or if each
    /// thread would have more bins than a sum in 32 bits is good for.
    pub(crate) fn with_threads(self, bins: usize, threads: u32) -> Self {
        let threads = threads.clamp(1, WORKGROUP).next_power_of_two();
        let fits = bins <= (threads * MOST_BINS_PER_THREAD) as usize;
        match self {
            Shape::Short { .. } | Shape::Long if fits && threads == WORKGROUP => Shape::Long,
            Shape::Short { .. } | Shape::Long if fits => Shape::Short { threads },
            shape => shape,
        }
    }

    /// Threads that share a row inside one workgroup.
    pub(crate) fn threads(self) -> u32 {
        match self {
            Shape::Short { threads } => threads,
            Shape::Long | Shape::Split { .. } => WORKGROUP,
        }
    }

    /// Parts that a row is split into.
    pub(crate) fn parts(self) -> u32 {
        match self {
            Shape::Split { parts } => parts,
            Shape::Short { .. } | Shape::Long => 1,
        }
    }
}

/// How the kernel for usual rows reads a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reads {
    /// Bin by bin, twice.
    Single,
    /// Four bins at a time, twice.
    Streamed,
    /// Four bins at a time, once: the row stays in registers.
    Held,
}

impl Reads {
    /// For rows of `bins` bins.
    fn new(bins: usize, shape: Shape) -> Self {
        match (bins.is_multiple_of(4), bins <= 8 * shape.threads() as usize) {
            (false, _) => Reads::Single,
            (true, false) => Reads::Streamed,
            (true, true) => Reads::Held,
        }
    }

    /// Whether a load takes four bins.
    pub(crate) fn is_in_quads(self) -> bool {
        self != Reads::Single
    }
}

/// The key of a compiled kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KernelKey {
    pub(crate) p: WeightType,
    pub(crate) q: WeightType,
    pub(crate) zeros: ZerosKind,
    /// Term kinds by slot.
    pub(crate) terms: [Option<TermKind>; TERMS_PER_DISPATCH],
    /// Threads per row.
    pub(crate) threads: u32,
    /// Whether the row is split over workgroups.
    pub(crate) split: bool,
    /// How the kernel for usual rows reads, if it is used; see [`takes_usual`].
    pub(crate) usual: Option<Reads>,
    pub(crate) subgroups: bool,
}

/// Whether the kernel for usual rows can compute some terms of a problem: zeros as they are, every term of second order and
/// without an exponent, a row in one workgroup. The kernel gives no yardstick; the sums of a row show whether it is good enough.
pub(crate) fn takes_usual(problem: &Problem, terms: &[Term], shape: Shape) -> bool {
    let whole = !matches!(shape, Shape::Split { .. });
    let scans = terms.iter().any(|term| term.is_scan());
    whole
        && !scans
        && problem.zeros == Zeros::Exact
        && problem.terms.iter().filter(|term| !term.is_scan()).all(|term| term.is_of_second_order())
}

impl KernelKey {
    /// Whether its terms depend on the order of the bins.
    pub(crate) fn is_scan(&self) -> bool {
        self.terms.iter().flatten().any(|kind| kind.facts().scan)
    }

    /// The key of the dispatch that sums `terms`, one of the [`dispatches`] of a problem.
    pub(crate) fn new(problem: &Problem, terms: &[Term], shape: Shape, subgroups: bool) -> Self {
        let mut kinds = [None; TERMS_PER_DISPATCH];
        for (kind, term) in kinds.iter_mut().zip(terms) {
            *kind = Some(term.kind());
        }
        Self {
            p: problem.p,
            q: problem.q,
            zeros: ZerosKind::of(problem.zeros),
            terms: kinds,
            threads: shape.threads(),
            split: matches!(shape, Shape::Split { .. }),
            usual: takes_usual(problem, terms, shape).then(|| Reads::new(problem.bins, shape)),
            subgroups,
        }
    }
}
