//! Pairs that the kernel of matched rows computes.

use std::ops::Range;

use super::forms::Forms;
use super::panels::COLUMNS;
use super::prepare::Prepared;
use crate::kernels::Kernels;
use crate::problem::{Pairing, Problem};
use crate::row_sums::RowSums;
use crate::weights::Rows;

/// Two blocks of prepared rows.
pub struct Pairs<'a> {
    pub problem: &'a Problem,
    pub forms: &'a Forms,
    /// The rows of the block of P, and the same rows prepared.
    pub p: (&'a Rows<'a>, &'a Prepared),
    pub q: (&'a Rows<'a>, &'a Prepared),
    /// The number of rows by which the block of Q begins after the block of P. It is set if a side meets itself and both orders
    /// of a pair have the same value.
    pub ahead: Option<isize>,
}

/// Takes the sums of a few neighbouring pairs of one row: the number of the row and of the first pair, the sums, and whether
/// all the pairs are usual, with weight in every bin and finite sums.
pub(super) type Take<'t> = dyn FnMut(usize, usize, &RowSums, bool) + 't;

/// Gives for a row the sum above which a pair is of no use.
pub(super) type Limit<'t> = dyn Fn(usize) -> f64 + 't;

/// Computes the pairs that forms cannot compute.
pub(super) struct Direct<'a> {
    pub(super) kernels: Kernels,
    pub(super) pairs: &'a Pairs<'a>,
    /// A row of P against some rows of Q, and a row of Q against some rows of P.
    problems: [Problem; 2],
    sums: RowSums,
    pub(super) rescued: u64,
}

/// If at least this many of [`COLUMNS`] pairs are wanted, it is quicker to compute them all.
const MANY: u32 = 12;

impl<'a> Direct<'a> {
    pub(super) fn new(kernels: Kernels, pairs: &'a Pairs<'a>) -> Self {
        let (p, q) = (pairs.problem.p, pairs.problem.q);
        let of = |pairing, p, q| Problem { pairing, p, q, rows: COLUMNS, ..pairs.problem.clone() };
        let problems = [of(Pairing::OneP, p, q), of(Pairing::OneQ, q, p)];
        Self { kernels, pairs, problems, sums: RowSums::default(), rescued: 0 }
    }

    /// Computes the wanted pairs of a row, one bit per pair, and replaces their entries in `sums`.
    pub(super) fn compute(&mut self, row: usize, first: usize, wanted: u64, sums: &mut RowSums) {
        let count = sums.flags.len();
        // Where a side meets itself, the earlier row comes first, so that a pair has the same bits wherever it stands.
        let later = self.pairs.ahead.map_or(0, |ahead| {
            let columns_before = row as isize - (first as isize + ahead);
            usize::try_from(columns_before).unwrap_or(0).min(count)
        });
        for (range, swapped) in [(0..later, true), (later..count, false)] {
            let here = wanted & bits_of(&range);
            if here.count_ones() >= MANY {
                self.run(row, first, range, swapped, here, sums);
            } else {
                range.filter(|i| here >> i & 1 == 1).for_each(|i| self.run(row, first, i..i + 1, swapped, here, sums));
            }
        }
    }

    /// Computes a range of pairs and keeps the wanted ones.
    fn run(&mut self, row: usize, first: usize, range: Range<usize>, swapped: bool, wanted: u64, sums: &mut RowSums) {
        let p = self.pairs.p.0.slice(row, 1);
        let q = self.pairs.q.0.slice(first + range.start, range.len());
        let (problem, p, q) = if swapped { (&self.problems[1], &q, &p) } else { (&self.problems[0], &p, &q) };
        self.kernels.run(problem, p, q, &mut self.sums);
        self.rescued += self.kernels.rescue(problem, p, q, &mut self.sums);
        let terms = problem.terms.len();
        for (i, to) in range.enumerate().filter(|(_, to)| wanted >> to & 1 == 1) {
            sums.flags[to] = self.sums.flags[i];
            sums.sums[to * terms..(to + 1) * terms].copy_from_slice(&self.sums.sums[i * terms..(i + 1) * terms]);
        }
    }
}

/// One bit for each number of a range of fewer than 64.
fn bits_of(range: &Range<usize>) -> u64 {
    ((1 << range.end) - 1) & !((1 << range.start) - 1)
}
