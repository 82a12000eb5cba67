//! Rows too long for a cache. They are cut into segments that any thread may take, and summed in the order of the row. So a row
//! gives the same bits for every number of threads.
//!
//! Totals come first and terms second, so such a row is read twice from memory. It is read once if every term of the call can
//! be [moved](crate::measures::Term::rescaled) from one ratio to another. Then the terms use a ratio from a sample of the
//! row, and the totals are summed with them while the segment is in the cache.

use rayon::prelude::*;

use super::compiled::Compiled;
use super::decode::Decode;
use super::segment::{KnownTotals, Look, SegmentSums, TermSums};
use crate::arithmetic::two_part::TwoPart;
use crate::levels::Level;
use crate::measures::Term;
use crate::measures::finish::Support;
use crate::problem::Problem;
use crate::row_sums::RowFlags;
use crate::weights::Rows;

/// Bins of a segment: both sides of it fit the second-level cache of every processor of the last ten years.
const SEGMENT: usize = 16_384;

/// Rows longer than this are split.
pub(crate) const SPLIT_FROM: usize = 4 * SEGMENT;

/// The most places of a row that a ratio is guessed from. Each has [`SAMPLE`] bins, and together they are at most a part in
/// [`SAMPLE_OF`] of the row.
const SAMPLES: usize = 1024;
const SAMPLE: usize = 16;
const SAMPLE_OF: usize = 256;

/// How far a guess may be from the ratio, as a part of the ratio.
const MOST_OFF: f64 = 0.25;

/// A pair of rows.
struct Pair<'a> {
    p: Rows<'a>,
    q: Rows<'a>,
    terms: &'a [Term],
}

/// The kernel of long rows, which threads share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LongRows {
    pub level: Level,
    /// Threads of the current pool.
    pub threads: usize,
}

impl LongRows {
    /// The sums of long rows, each on all threads of the current pool.
    pub(crate) fn rows<T: Compiled>(
        &self,
        problem: &Problem,
        p: &Rows<'_>,
        q: &Rows<'_>,
        flags: &mut [RowFlags],
        sums: &mut [f64],
    ) {
        let terms = problem.terms.as_slice();
        for (row, (flags, out)) in flags.iter_mut().zip(sums.chunks_exact_mut(terms.len())).enumerate() {
            let [p_row, q_row] = problem.pairing.shared().map(|is_shared| if is_shared { 0 } else { row });
            let pair = Pair { p: p.part(p_row, 0, p.bins()), q: q.part(q_row, 0, q.bins()), terms };
            *flags = match self.long_row::<T>(&pair) {
                Some((support, sums)) => {
                    out.copy_from_slice(&sums);
                    RowFlags(support)
                }
                None => RowFlags(RowFlags::RESCUE),
            };
        }
    }

    /// The support and the sums of a pair, each divided by Q. `None` if the row is not usual.
    fn long_row<T: Compiled>(&self, pair: &Pair<'_>) -> Option<(u32, TermSums)> {
        let once = pair.terms.iter().all(|term| term.rescaled(0.0, 0.0, 0.0).is_some());
        let guess = if once { guess::<T>(pair) } else { None };
        let found = match guess {
            Some(guess) => self.look::<T>(pair, Look::TotalsAndTerms(guess)),
            None => self.look::<T>(pair, Look::Totals),
        };
        let usual = |total: f64| (T::LEAST_TOTAL..=T::MOST_TOTAL).contains(&total);
        if found.inexact || !usual(found.p_total) || !usual(found.q_total) {
            return None;
        }
        let (p_total, q_total) = (found.p_total, found.q_total);
        let known = |ratio: f64, off: f64| {
            let high = T::from_f64(ratio + off).to_f64();
            KnownTotals { ratio: TwoPart { high, low: (ratio - high) + off }, p_total, q_total }
        };
        let plain = known(q_total / p_total, 0.0);
        let mut support = Support::COMMON.bits();
        if found.least < p_total.max(q_total) * T::LEAST_SHARE {
            let zeros = self.look::<T>(pair, Look::Supports(plain));
            if zeros.unusual {
                return None;
            }
            support = zeros.support;
        }
        let is_seen = |sum: f64, term: &Term| sum == 0.0 || sum.abs() >= term.least_sum::<T>(pair.p.bins());
        let trusted = |sums: &TermSums, refined: bool| {
            let good = |(sum, term): (&f64, &Term)| {
                sum.is_finite() && is_seen(*sum, term) && sum.abs() >= q_total * term.trusted_from::<T>(refined)
            };
            sums.iter().zip(pair.terms).all(good)
        };
        let over_q = |sums: TermSums| Some((support, sums.iter().map(|sum| sum / q_total).collect()));
        if let Some(guess) = guess {
            let off = (q_total / p_total) / guess.ratio.high - 1.0;
            let moved: Option<TermSums> =
                found.sums.iter().zip(pair.terms).map(|(sum, term)| term.rescaled(*sum, off, q_total)).collect();
            // An error ε of the totals moves the sum by ε·off·Q, which must be small beside the sum. If the guess is far off,
            // moving a sum subtracts large numbers, so such a guess is not used.
            if let Some(moved) = moved
                && off.abs() <= MOST_OFF
                && trusted(&moved, false)
                && moved.iter().all(|sum| sum.abs() >= q_total * off.abs())
            {
                return over_q(moved);
            }
        }
        if !pair.terms.iter().any(|term| term.asks_refined()) {
            let sums = self.look::<T>(pair, Look::Terms(plain)).sums;
            if trusted(&sums, false) {
                return over_q(sums);
            }
        }
        let high = known(plain.ratio.high, 0.0);
        let residual = self.look::<T>(pair, Look::Residual(high)).residual;
        let refined = known(plain.ratio.high, -residual / p_total);
        let sums = self.look::<T>(pair, Look::Terms(refined)).sums;
        let exact = refined.ratio.low == 0.0
            && refined.ratio.high.to_bits() << 12 == 0
            && pair.terms.iter().all(|term| term.is_exact_at_powers_of_two())
            && sums.iter().zip(pair.terms).all(|(sum, term)| sum.is_finite() && is_seen(*sum, term));
        if exact || trusted(&sums, true) { over_q(sums) } else { None }
    }

    /// Runs a pass over every segment, on all threads, and adds the results in the order of the row.
    fn look<T: Compiled>(&self, pair: &Pair<'_>, look: Look) -> SegmentSums {
        let bins = pair.p.bins();
        let segment = |i: usize| {
            let (from, count) = (i * SEGMENT, SEGMENT.min(bins - i * SEGMENT));
            T::look(self.level, &pair.p.part(0, from, count), &pair.q.part(0, from, count), pair.terms, look)
        };
        let segments = 0..bins.div_ceil(SEGMENT);
        let found: Vec<SegmentSums> = if self.threads == 1 {
            segments.map(segment).collect()
        } else {
            segments.into_par_iter().map(segment).collect()
        };
        found.iter().fold(SegmentSums { least: f64::INFINITY, ..SegmentSums::default() }, SegmentSums::and)
    }
}

/// A ratio from places all over the row. `None` if one side has no weight there.
fn guess<T: Decode>(pair: &Pair<'_>) -> Option<KnownTotals> {
    let bins = pair.p.bins();
    let (mut p_total, mut q_total) = (0.0, 0.0);
    let samples = (bins / (SAMPLE * SAMPLE_OF)).clamp(1, SAMPLES);
    for i in 0..samples {
        let from = (bins - SAMPLE) / samples * i;
        for bin in from..from + SAMPLE {
            p_total += pair.p.get(0, bin).unwrap_or(0.0);
            q_total += pair.q.get(0, bin).unwrap_or(0.0);
        }
    }
    let ratio = T::from_f64(q_total / p_total).to_f64();
    let known = KnownTotals { ratio: TwoPart { high: ratio, low: 0.0 }, p_total, q_total };
    (ratio.is_finite() && ratio > 0.0).then_some(known)
}
