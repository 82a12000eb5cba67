//! Turns sums over the bins into sums of terms, and finds which of them to trust.

use std::ops::Range;

use fearless_simd::{Simd, SimdBase, SimdFloat, SimdMask};
use smallvec::SmallVec;

use super::direct::{Direct, Pairs, Take};
use super::forms::FormSum;
use super::panels::{COLUMNS, ROWS};
use super::prepare::Prepared;
use super::tile::{self, TileSums};
use crate::arithmetic::lanes::splat;
use crate::measures::finish::Support;
use crate::row_sums::{RowFlags, RowSums};

/// A sum of a larger size is not trusted.
const MOST: f64 = 1e300;

/// Computes some rows, [`ROWS`] at most, against some columns. It takes [`COLUMNS`] columns at a time, so that these stay in
/// the caches.
pub(super) fn pairs<S: Simd>(
    simd: S,
    rows: Range<usize>,
    columns: Range<usize>,
    direct: &mut Direct<'_>,
    take: &mut Take<'_>,
) {
    let pairs = direct.pairs;
    let mut workspace = Workspace::new(pairs);
    for first in columns.clone().step_by(COLUMNS) {
        let block = ColumnBlock::new(pairs.q.1, first, columns.end);
        workspace.sum(simd, pairs, rows.clone(), &block, None);
        for row in rows.clone() {
            workspace.finish(simd, row, row - rows.start, &block, direct, take);
        }
    }
}

/// Some neighbouring rows of Q, [`COLUMNS`] at most.
pub(super) struct ColumnBlock {
    first: usize,
    pub count: usize,
    /// Whether no row has an empty bin.
    full: bool,
    /// The rows that forms cannot compute, one bit per row.
    pub unusable: u64,
}

impl ColumnBlock {
    /// The rows of Q from `first` on, up to `end`.
    pub(super) fn new(q: &Prepared, first: usize, end: usize) -> Self {
        let count = COLUMNS.min(end - first);
        let (full, unusable) = (0..count).fold((true, 0), |(full, unusable), i| {
            let known = q.known(first + i);
            (full && known.full, unusable | u64::from(!known.usable) << i)
        });
        Self { first, count, full, unusable }
    }

    /// One bit for each row.
    pub(super) fn all(&self) -> u64 {
        u64::MAX >> (64 - self.count)
    }
}

/// Holds the sums over the bins of some rows against a block, and the sums of the row that is handed on.
pub(super) struct Workspace {
    inner: SmallVec<[Box<TileSums>; 1]>,
    sums: RowSums,
    lost: SmallVec<[u64; 4]>,
}

impl Workspace {
    pub(super) fn new(pairs: &Pairs<'_>) -> Self {
        Self {
            inner: pairs.forms.inners.iter().map(|_| Box::new([0.0; ROWS * COLUMNS])).collect(),
            sums: RowSums::default(),
            lost: SmallVec::from_elem(0, pairs.problem.terms.len()),
        }
    }

    /// Computes the sums over the bins of `rows`, the first of which begins a panel. With `only`, it needs just this row of the
    /// panel.
    pub(super) fn sum<S: Simd>(
        &mut self,
        simd: S,
        pairs: &Pairs<'_>,
        rows: Range<usize>,
        block: &ColumnBlock,
        only: Option<usize>,
    ) {
        let Pairs { problem, forms, p: (_, p), q: (_, q), .. } = pairs;
        for (out, inner) in self.inner.iter_mut().zip(&forms.inners) {
            let [left, right] = forms.places(*inner);
            let left = p.operand(left, rows.start, rows.len());
            let right = q.operand(right, block.first, block.count);
            tile::sums(simd, *inner, problem.bins, left, right, out, only);
        }
    }

    /// Hands on the sums of the terms of a row, which is number `at` among the summed rows.
    pub(super) fn finish<S: Simd>(
        &mut self,
        simd: S,
        row: usize,
        at: usize,
        block: &ColumnBlock,
        direct: &mut Direct<'_>,
        take: &mut Take<'_>,
    ) {
        let (Self { inner, sums, lost }, pairs) = (self, direct.pairs);
        let (known, first) = (pairs.p.1.known(row), block.first);
        sums.resize(block.count, pairs.problem.terms.len());
        let mut usual = (block.full && known.full || pairs.forms.finite) && known.usable;
        let mut wanted = if known.usable { block.unusable } else { u64::MAX };
        if known.usable {
            let values = &mut sums.sums;
            simd.vectorize(
                #[inline(always)]
                || finish(simd, pairs, (row, first), inner, at, values, lost),
            );
            if usual {
                wanted |= lost.iter().fold(0, |all, lost| all | lost);
            } else {
                supports(pairs, (row, first), &mut sums.flags);
                wanted |= lost_of_finite(pairs, &sums.flags, lost);
            }
        }
        wanted &= block.all();
        if wanted != 0 {
            if usual {
                sums.flags.fill(RowFlags::USUAL);
            }
            direct.compute(row, first, wanted, sums);
            usual = false;
        }
        take(row, first, sums, usual);
    }
}

/// Makes the sums of all terms for a row and [`COLUMNS`] columns. Sets in `lost`, for each term, one bit per pair that has lost
/// too much.
#[inline(always)]
fn finish<S: Simd>(
    simd: S,
    pairs: &Pairs<'_>,
    (row, first): (usize, usize),
    inner: &[Box<TileSums>],
    line: usize,
    sums: &mut [f64],
    lost: &mut [u64],
) {
    let Pairs { forms, p: (_, p), q: (_, q), .. } = pairs;
    let v = |value: f64| splat::<S, f64>(simd, value);
    let lanes = S::f64s::LEN;
    let p_entropy = p.entropies(row)[0];
    let (rounding, trusted, most) = (v(forms.rounding), v(forms.trusted), v(MOST));
    let q_entropies = &q.entropies(first)[..COLUMNS];
    let terms = lost.len();
    for (slot, ((form, parts), lost)) in forms.forms.iter().zip(&forms.parts).zip(lost).enumerate() {
        // Where the measure is symmetric, the parts of the two sides are added first, so that the bits do not depend on which
        // side is which.
        let both = form.p_entropy == form.q_entropy;
        let constant = v(form.constant + if both { 0.0 } else { form.p_entropy * p_entropy });
        let p_part = v(if both { p_entropy } else { 0.0 });
        let of_rows = form.p_entropy.abs() * (p_entropy + 1.0) + form.q_entropy.abs();
        let constant_size = v(form.constant.abs() + of_rows);
        let (q_factor, q_size) = (v(form.q_entropy), v(form.q_entropy.abs()));
        *lost = 0;
        for at in (0..COLUMNS).step_by(lanes) {
            let q_entropy = S::f64s::from_slice(simd, &q_entropies[at..at + lanes]);
            let mut sum = v(0.0);
            let mut size = q_size.mul_add(q_entropy, constant_size);
            for FormSum { place, factor, size: beside } in parts {
                let x = S::f64s::from_slice(simd, &inner[*place][line * COLUMNS + at..][..lanes]);
                sum = v(*factor).mul_add(x, sum);
                size = v(factor.abs()).mul_add(x.abs() + v(*beside), size);
            }
            sum += q_factor.mul_add(q_entropy + p_part, constant);
            let kept = (size * rounding).simd_le(sum.abs() * trusted) & size.simd_le(most);
            *lost |= (!kept).to_bitmask() << at;
            if terms == 1 && at + lanes <= sums.len() {
                sum.store_slice(&mut sums[at..at + lanes]);
            } else {
                let mine = sums.iter_mut().skip(at * terms + slot).step_by(terms);
                mine.zip(sum.as_slice()).for_each(|(to, sum)| *to = *sum);
            }
        }
    }
}

/// Finds which bins the two rows of each pair have.
fn supports(pairs: &Pairs<'_>, (row, first): (usize, usize), flags: &mut [RowFlags]) {
    let (p, q) = (pairs.p.1, pairs.q.1);
    for (i, flags) in flags.iter_mut().enumerate() {
        let (mut common, mut only_p, mut only_q) = (0, 0, 0);
        for (p, q) in p.present(row).iter().zip(q.present(first + i)) {
            common |= p & q;
            only_p |= p & !q;
            only_q |= q & !p;
        }
        let support = Support::default()
            .with(Support::COMMON, common != 0)
            .with(Support::ONLY_P, only_p != 0)
            .with(Support::ONLY_Q, only_q != 0);
        *flags = RowFlags(support.bits());
    }
}

/// The pairs that have lost too much of a measure that is finite.
fn lost_of_finite(pairs: &Pairs<'_>, flags: &[RowFlags], lost: &[u64]) -> u64 {
    let mut wanted = 0;
    for slots in &pairs.problem.slots {
        let lost = lost[slots.first] | slots.second.map_or(0, |second| lost[second]);
        if lost != 0 {
            let finite = |(i, flags): (usize, &RowFlags)| u64::from(!slots.infinite.on(flags.support())) << i;
            wanted |= lost & flags.iter().enumerate().map(finite).fold(0, |all, bit| all | bit);
        }
    }
    wanted
}
