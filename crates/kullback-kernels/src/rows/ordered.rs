//! The kernel for terms that depend on the order of the bins, for usual rows with their zeros as they are. It marks every other row
//! for the kernel that takes any row.
//!
//! It is scalar: F − G of a bin needs that of the bin before. r = Q/P and p·r are plain 64-bit floats here. That is allowed because
//! these terms are of first order: what rounding takes from r, or from all p·r together, moves F − G by 2⁻⁵² at most, and so `w1` by
//! that part of the span of the positions. The contract allows 10⁻¹². Only the sum of the differences keeps both its parts, because
//! its rounding would grow with the number of bins.

use fearless_simd::Simd;

use super::decode::Decode;
use super::span::Span;
use crate::arithmetic::double::Double;
use crate::arithmetic::powers::power_of_two;
use crate::measures::scan::Scan;
use crate::row_sums::RowFlags;
use crate::weights::Rows;

/// The bounds of the totals of a usual row, and its least weight other than 0. Then no share is near the least that the contract
/// takes, and no product leaves the range of a float.
const LEAST_TOTAL: f64 = power_of_two(-200);
const MOST_TOTAL: f64 = power_of_two(200);
const LEAST_WEIGHT: f64 = power_of_two(-600);

/// How many weights one plain sum adds up. Its rounding stays below 10⁻¹³ of the sum.
const BLOCK: usize = 512;

/// The total of a row, and whether the row is usual.
#[inline(always)]
fn total(weights: &[f64]) -> (f64, bool) {
    let mut total = Double::default();
    let mut is_usual = true;
    for block in weights.chunks(BLOCK) {
        let mut sums = [0.0; 8];
        let mut usual = [true; 8];
        let (eights, rest) = block.as_chunks::<8>();
        for eight in eights {
            for lane in 0..8 {
                sums[lane] += eight[lane];
                usual[lane] &= eight[lane] == 0.0 || eight[lane] >= LEAST_WEIGHT;
            }
        }
        for (lane, weight) in rest.iter().enumerate() {
            sums[lane] += weight;
            usual[lane] &= *weight == 0.0 || *weight >= LEAST_WEIGHT;
        }
        total = total.plus(sums.iter().sum());
        is_usual &= usual.iter().all(|usual| *usual);
    }
    let total = total.high + total.low;
    (total, is_usual && (LEAST_TOTAL..=MOST_TOTAL).contains(&total))
}

/// A row as 64-bit floats. `None` if these do not hold its weights.
#[inline(always)]
fn floats<'s, S: Simd>(simd: S, rows: &Rows<'s>, row: usize, scratch: &'s mut Vec<f64>) -> Option<&'s [f64]> {
    let (from, bins) = (row * rows.row_stride(), rows.bins());
    match f64::in_place(rows.weights()) {
        Some(weights) => weights.get(from..from + bins),
        None => {
            scratch.resize(bins, 0.0);
            f64::decode(simd, rows.weights(), from, scratch).then_some(&scratch[..])
        }
    }
}

impl<'a> Span<'a> {
    /// Computes the terms that depend on the order of the bins, for the rows that are not marked yet, and marks those that are not
    /// usual.
    #[inline(always)]
    pub(crate) fn ordered<S: Simd>(&self, simd: S, flags: &mut [RowFlags], sums: &mut [f64]) {
        let problem = self.problem;
        let mut scan = Scan::new(&problem.terms, &problem.positions, problem.bins);
        let (mut p_scratch, mut q_scratch) = (Vec::new(), Vec::new());
        for (row, (flags, sums)) in flags.iter_mut().zip(sums.chunks_mut(problem.terms.len())).enumerate() {
            if flags.any(RowFlags::RESCUE) {
                continue;
            }
            let [p_row, q_row] = problem.pairing.shared().map(|is_shared| if is_shared { 0 } else { row });
            let p = floats(simd, self.p, p_row, &mut p_scratch);
            let q = floats(simd, self.q, q_row, &mut q_scratch);
            let (Some(p), Some(q)) = (p, q) else {
                *flags = RowFlags(RowFlags::RESCUE);
                continue;
            };
            let ((p_total, p_usual), (q_total, q_usual)) = (total(p), total(q));
            if p_usual && q_usual {
                scan.rows(p, q, q_total / p_total);
                scan.write(q_total, sums);
            } else {
                *flags = RowFlags(RowFlags::RESCUE);
            }
        }
    }
}
