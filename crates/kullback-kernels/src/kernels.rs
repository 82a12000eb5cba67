//! The kernels of one instruction set.

use smallvec::SmallVec;

use crate::levels::{Level, SimdLevel};
use crate::measures::Term;
use crate::problem::{Problem, Slots};
use crate::row_sums::{RowFlags, RowSums};
use crate::rows::compiled::{Compiled, ordered};
use crate::rows::long::{LongRows, SPLIT_FROM};
use crate::rows::span::Span;
use crate::weights::Rows;
use crate::zeros::Zeros;

/// The kernels of one instruction set. They run on the caller's thread, but for rows so long that threads share them: these run
/// on the pool of threads that the caller is in.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    pub(crate) level: Level,
    pub(crate) threads: usize,
}

impl Kernels {
    /// Takes a level, and how many threads the pool has that these kernels run in. `None` if the machine does not have the
    /// level.
    #[must_use]
    pub fn new(level: SimdLevel, threads: usize) -> Option<Self> {
        Some(Self { level: level.resolve()?, threads })
    }

    /// Whether threads share a row of a problem.
    #[must_use]
    pub fn are_rows_shared(&self, problem: &Problem) -> bool {
        self.threads > 1 && problem.zeros == Zeros::Exact && problem.bins > SPLIT_FROM
    }

    /// Computes the sums of all the rows and replaces the content of `sums`. Marks rows that the kernel cannot
    /// vouch for with [`RowFlags::RESCUE`].
    pub fn run(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) {
        let rows = if problem.pairing.shared()[0] { q.len() } else { p.len() };
        sums.resize(rows, problem.terms.len());
        let (flags, sums) = (&mut sums.flags[..], &mut sums.sums[..]);
        let span = Span { problem, p, q };
        let level = self.level;
        let long = LongRows { level, threads: self.threads };
        let wide = problem.needs_wide().is_some();
        if problem.has_scan() {
            match problem.zeros {
                Zeros::Exact => self.ordered(&span, flags, sums),
                _ => {
                    flags.fill(RowFlags(RowFlags::RESCUE));
                    f64::any(level, &span, flags, sums);
                }
            }
            return;
        }
        match (problem.zeros, wide) {
            (Zeros::Exact, true) if problem.bins > SPLIT_FROM => long.rows::<f64>(problem, p, q, flags, sums),
            (Zeros::Exact, false) if problem.bins > SPLIT_FROM => long.rows::<f32>(problem, p, q, flags, sums),
            (_, true) => f64::usual(level, &span, flags, sums),
            (Zeros::Exact, false) => f32::usual(level, &span, flags, sums),
            // A policy makes the usual kernel mark more rows. These are too many to compute all of them in 64 bits.
            (_, false) => {
                f32::usual(level, &span, flags, sums);
                f32::any(level, &span, flags, sums);
            }
        }
    }

    /// A call with terms that depend on the order of the bins. The other terms come from the kernels that they would come from
    /// alone.
    fn ordered(&self, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]) {
        let terms = &span.problem.terms;
        let is_other = |term: &Term| !term.is_scan();
        if terms.iter().any(is_other) {
            let place = |slot: usize| terms[..slot].iter().filter(|term| is_other(term)).count();
            let slots = span.problem.slots.iter().filter(|slots| is_other(&terms[slots.first]));
            let slots = slots.map(|s| Slots { first: place(s.first), second: s.second.map(place), ..*s }).collect();
            let kept = terms.iter().copied().filter(is_other).collect();
            let others = Problem { terms: kept, slots, ..span.problem.clone() };
            let mut found = RowSums::default();
            self.run(&others, span.p, span.q, &mut found);
            flags.copy_from_slice(&found.flags);
            let of_rows = sums.chunks_mut(terms.len()).zip(found.sums.chunks(others.terms.len()));
            for (sums, found) in of_rows {
                let slots = sums.iter_mut().zip(terms).filter(|(_, term)| is_other(term));
                slots.zip(found).for_each(|((sum, _), found)| *sum = *found);
            }
        } else {
            flags.fill(RowFlags::USUAL);
        }
        ordered(self.level, span, flags, sums);
    }

    /// Computes the marked rows again, one by one, in 64-bit floats. Returns how many were beyond 32 bits. A row that stays
    /// marked is beyond 64 bits.
    pub fn rescue(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) -> u64 {
        // Nearly always no row is marked. Then this look at all rows is the only cost.
        if sums.flags.iter().fold(0, |any, flags| any | flags.0) & RowFlags::RESCUE == 0 {
            return 0;
        }
        let marked: SmallVec<[usize; 8]> =
            (0..sums.flags.len()).filter(|&row| sums.flags[row].any(RowFlags::RESCUE)).collect();
        f64::any(self.level, &Span { problem, p, q }, &mut sums.flags, &mut sums.sums);
        // Rows that turn out invalid or empty were only checked again. So were unusual rows that had been computed in 64 bits
        // before.
        const ONLY_SEEN: u32 = RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::EMPTY;
        let beyond = marked.iter().filter(|&&row| !sums.flags[row].any(ONLY_SEEN)).count();
        if problem.needs_wide().is_some() { 0 } else { beyond as u64 }
    }
}
