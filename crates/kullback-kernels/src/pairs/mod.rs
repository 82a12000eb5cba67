//! All pairs of two blocks of rows. Each row is prepared once. Every sum of a pair then takes a handful of instructions per
//! bin, for eight pairs per vector, in 64 bits (see [`Form`]).
//!
//! A value that is small beside its parts loses digits, and the loss is known for each pair. The kernel of matched rows
//! computes a pair instead if it has lost more than the contract allows, or if one of its rows is not usual.

mod finish;
mod prepare;
mod products;
mod screen;
mod tile;

use crate::measures::finish::Definition;
use std::ops::Range;

use fearless_simd::{Simd, SimdBase};
use rayon::prelude::*;
use smallvec::SmallVec;

pub use self::prepare::Prepared;
pub use self::products::{MOST_PRODUCTS, Products};
use crate::arithmetic::logarithm::LN_ERROR;
use crate::kernels::Kernels;
use crate::levels::on_level;
use crate::measures::Term;
use crate::measures::finish::Support;
use crate::measures::form::{Form, Inner, Operand};
use crate::measures::hellinger::AFFINITY;
use crate::problem::{Pairing, Problem};
use crate::row_sums::RowSums;
use crate::weights::Rows;
use crate::zeros::Zeros;

/// The pairs of a row of P that are finished together. It is a multiple of the rows of a panel of Q on every instruction set,
/// and one bit of a word stands for each pair.
pub const COLUMNS: usize = 48;
/// The rows of P that are computed together, a multiple of the rows of a panel. What is read of Q is used this many times.
pub const ROWS: usize = 128;
/// Vectors of a panel of Q.
const VECTORS: usize = 3;

/// Rows of a panel of P.
const fn panel_rows<S: Simd>() -> usize {
    if S::f64s::LEN == 8 { 8 } else { 4 }
}

/// Rows of a panel of Q.
const fn panel_columns<S: Simd>() -> usize {
    VECTORS * S::f64s::LEN
}

/// A sum over the bins, as a form uses it.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its place in [`Forms::inners`].
    place: usize,
    factor: f64,
    /// The size of what is added up, beside the size of the sum itself.
    size: f64,
}

/// The terms of a call as forms, and what they need of each row.
#[derive(Clone, Debug)]
pub struct Forms {
    /// One form per term.
    forms: SmallVec<[Form; 4]>,
    /// The sums of each form.
    parts: SmallVec<[SmallVec<[Part; 2]>; 4]>,
    /// Every sum that some form needs, once.
    inners: SmallVec<[Inner; 4]>,
    /// Every operand of P and of Q, once.
    operands: [SmallVec<[Operand; 2]>; 2],
    zeros: Zeros,
    /// The largest error by rounding, as a part of the size of what is added up.
    rounding: f64,
    /// The largest error of a value that is kept, as a part of the value.
    trusted: f64,
    /// Whether 1e-6 is enough for the contract where weights have few digits.
    narrow: bool,
    /// Whether no value is infinite, whichever bins are empty.
    finite: bool,
    /// The factor c if the one sum is at least c·(1 − BC) and that bound is quicker to compute.
    screen: Option<f64>,
}

impl Forms {
    /// The forms of a problem. `None` if its policy looks at both rows of a pair, or if a term is no sum.
    pub fn new(problem: &Problem) -> Option<Self> {
        let is_maximum = |term: &Term| matches!(term, Term::LogPowerSum(order) if order.a == f64::INFINITY);
        if matches!(problem.zeros, Zeros::Epsilon(_) | Zeros::Skip) || problem.terms.iter().any(is_maximum) {
            return None;
        }
        let mut inners = SmallVec::new();
        let mut operands = [SmallVec::new(), SmallVec::new()];
        let forms: SmallVec<[Form; 4]> = problem.terms.iter().map(|term| term.form()).collect();
        for (inner, _) in forms.iter().flat_map(|form| &form.sums) {
            let (p, q) = inner.operands();
            once(&mut operands[0], p);
            once(&mut operands[1], q);
        }
        let wide = problem.p.is_wide() || problem.q.is_wide();
        // A fifth of what the contract allows. The rest is for the steps that follow.
        let trusted = if wide { 2e-13 } else { 2e-7 };
        let exponents = operands.iter().flatten().map(|operand| match operand {
            Operand::Power(exponent) => exponent.abs(),
            Operand::Share | Operand::Log => 1.0,
        });
        // The first two count the sums in a chain and the chains. The third counts the operands: a share has an error of two
        // units, and a power of it has as many times that as its exponent says.
        let chains = tile::CHAIN.min(problem.bins) + problem.bins.div_ceil(tile::CHAIN);
        let units = chains as f64 + 16.0 + 8.0 * exponents.fold(0.0, f64::max);
        let rounding = units * f64::EPSILON / 2.0;
        let mut part = |&(inner, factor): &(Inner, f64)| {
            let logarithm = if inner == Inner::EntropyOfSum { 2.0 * LN_ERROR / rounding } else { 0.0 };
            Part { place: once(&mut inners, inner), factor, size: inner.size() + logarithm }
        };
        let parts = forms.iter().map(|form| form.sums.iter().map(&mut part).collect()).collect();
        Some(Self {
            forms,
            parts,
            inners,
            operands,
            zeros: problem.zeros,
            rounding,
            trusted,
            narrow: !wide,
            finite: problem
                .slots
                .iter()
                .all(|slots| (0..8).all(|bits| !slots.measure.is_infinite(Support::from_bits(bits)))),
            screen: None,
        })
    }

    /// Adds a screen, for a call that needs small values only.
    pub fn with_screen(mut self, problem: &Problem) -> Self {
        if let ([term], [inner]) = (&problem.terms[..], &self.inners[..])
            && !matches!(inner, Inner::Product(..))
        {
            self.screen = term.least_of_deficit();
        }
        if self.screen.is_some() {
            let (p, q) = AFFINITY.operands();
            once(&mut self.operands[0], p);
            once(&mut self.operands[1], q);
        }
        self
    }

    /// Whether the forms give values. They do not if the contract asks for more digits than the logarithm has and no bound
    /// leaves out pairs.
    pub fn is_of_use(&self) -> bool {
        self.narrow || self.screen.is_some() || !self.inners.contains(&Inner::EntropyOfSum)
    }

    /// The most bytes that a prepared row of a side takes.
    pub fn bytes_per_row(&self, bins: usize) -> usize {
        let operands = self.operands.iter().map(SmallVec::len).max().unwrap_or(0);
        operands * bins * size_of::<f64>() + bins / 8 + 64
    }

    /// Whether a form needs the entropies of the rows.
    fn needs_entropies(&self) -> bool {
        self.forms.iter().any(|form| form.p_entropy != 0.0 || form.q_entropy != 0.0)
    }

    /// The places of the two operands of a sum, in the lists of P and of Q.
    fn places(&self, inner: Inner) -> [usize; 2] {
        let (p, q) = inner.operands();
        let place = |side: usize, operand| self.operands[side].iter().position(|known| *known == operand);
        [place(0, p), place(1, q)].map(Option::unwrap_or_default)
    }
}

/// The place of a value in a list. The value is added if the list lacks it.
fn once<T: PartialEq, const N: usize>(list: &mut SmallVec<[T; N]>, value: T) -> usize
where
    [T; N]: smallvec::Array<Item = T>,
{
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

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
pub type Take<'t> = dyn FnMut(usize, usize, &RowSums, bool) + 't;

impl Kernels {
    /// Prepares the rows of one side, 0 for P and 1 for Q, on the current pool of threads.
    pub fn prepare(&self, forms: &Forms, side: usize, rows: &Rows<'_>) -> Prepared {
        let level = self.level;
        self.prepare_in(forms, side, rows, on_level!(level, simd => panel_sizes(simd))[side])
    }

    /// Prepares the rows of one side in panels of `panel` rows.
    pub fn prepare_in(&self, forms: &Forms, side: usize, rows: &Rows<'_>, panel: usize) -> Prepared {
        let level = self.level;
        let mut prepared = Prepared::new(forms, side, rows, panel);
        prepared.panels().into_par_iter().for_each(|mut panel| {
            on_level!(level, simd => panel.fill(simd, forms, side, rows));
        });
        prepared
    }

    /// Computes the sums of at most [`ROWS`] rows of P against some columns. Both ranges begin at the start of a panel. Returns
    /// how many pairs were beyond 32 bits.
    pub fn pairs(&self, pairs: &Pairs<'_>, rows: Range<usize>, columns: Range<usize>, take: &mut Take<'_>) -> u64 {
        let mut direct = Direct::new(*self, pairs);
        let level = self.level;
        on_level!(level, simd => finish::pairs(simd, rows, columns, &mut direct, take));
        direct.rescued
    }

    /// Does what [`Kernels::pairs`] does, for the pairs that may have a sum within the limit of their row, and for their
    /// neighbours. Without a bound it computes all pairs.
    pub fn near_pairs(
        &self,
        pairs: &Pairs<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
        take: &mut Take<'_>,
        limit: &Limit<'_>,
    ) -> u64 {
        let Some(factor) = pairs.forms.screen else { return self.pairs(pairs, rows, columns, take) };
        let mut direct = Direct::new(*self, pairs);
        let level = self.level;
        on_level!(level, simd => screen::pairs(simd, factor, rows, columns, &mut direct, take, limit));
        direct.rescued
    }
}

/// Gives for a row the sum above which a pair is of no use.
pub type Limit<'t> = dyn Fn(usize) -> f64 + 't;

/// Rows of a panel of P and of Q.
#[inline(always)]
fn panel_sizes<S: Simd>(_simd: S) -> [usize; 2] {
    [panel_rows::<S>(), panel_columns::<S>()]
}

/// Computes the pairs that forms cannot compute.
struct Direct<'a> {
    kernels: Kernels,
    pairs: &'a Pairs<'a>,
    /// A row of P against some rows of Q, and a row of Q against some rows of P.
    problems: [Problem; 2],
    sums: RowSums,
    rescued: u64,
}

/// If at least this many of [`COLUMNS`] pairs are wanted, it is quicker to compute them all.
const MANY: u32 = 12;

impl<'a> Direct<'a> {
    fn new(kernels: Kernels, pairs: &'a Pairs<'a>) -> Self {
        let (p, q) = (pairs.problem.p, pairs.problem.q);
        let of = |pairing, p, q| Problem { pairing, p, q, rows: COLUMNS, ..pairs.problem.clone() };
        let problems = [of(Pairing::OneP, p, q), of(Pairing::OneQ, q, p)];
        Self { kernels, pairs, problems, sums: RowSums::default(), rescued: 0 }
    }

    /// Computes the wanted pairs of a row, one bit per pair, and replaces their entries in `sums`.
    fn compute(&mut self, row: usize, first: usize, wanted: u64, sums: &mut RowSums) {
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
