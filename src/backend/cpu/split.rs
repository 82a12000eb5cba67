//! Rows too long for a cache. They are cut into segments that any thread may take, and summed in the order of the row. So a row
//! gives the same bits for every number of threads.
//!
//! Totals come first and terms second, so such a row is read twice from memory. It is read once if every term of the call can
//! be [moved](crate::divergence::Term::rescaled) from one ratio to another. Then the terms use a ratio from a sample of the
//! row, and the totals are summed with them while the segment is in the cache.

use fearless_simd::{Simd, SimdBase, dispatch};
use rayon::prelude::*;
use smallvec::SmallVec;

use super::Cpu;
use super::batch::{Batch, Usual};
use super::decode::Decode;
use super::prefetch::Ahead;
use super::side::{Side, asks_two_parts};
use super::stage::{Layout, Room, stage};
use super::sums::RowTotals;
use crate::backend::RowFlags;
use crate::divergence::contrast::{SET, Scale, TwoPart};
use crate::divergence::finish::Support;
use crate::divergence::lanes::{Lanes, splat};
use crate::divergence::{Term, Zeros};
use crate::plan::Problem;
use crate::rows::Rows;

/// Bins of a segment: both sides of it fit the second-level cache of every processor of the last ten years.
const SEGMENT: usize = 16_384;

/// Rows longer than this are split.
pub(super) const SPLIT_FROM: usize = 4 * SEGMENT;

/// The most places of a row that a ratio is guessed from. Each has [`SAMPLE`] bins, and together they are at most a part in
/// [`SAMPLE_OF`] of the row.
const SAMPLES: usize = 1024;
const SAMPLE: usize = 16;
const SAMPLE_OF: usize = 256;

/// How far a guess may be from the ratio, as a part of the ratio.
const MOST_OFF: f64 = 0.25;

/// One sum per term.
type Sums = SmallVec<[f64; 4]>;

/// A pair of rows.
struct Pair<'a> {
    p: Rows<'a>,
    q: Rows<'a>,
    terms: &'a [Term],
}

/// What is known of the totals when terms are summed.
#[derive(Clone, Copy)]
struct Known {
    ratio: TwoPart<f64>,
    p_total: f64,
    q_total: f64,
}

/// What a pass over one segment, or over all, finds.
#[derive(Clone, Default)]
struct Found {
    p_total: f64,
    q_total: f64,
    /// The smallest weight on either side.
    least: f64,
    inexact: bool,
    support: u32,
    unusual: bool,
    /// Σ(p·r − q).
    residual: f64,
    sums: Sums,
}

/// What a pass over a segment computes.
#[derive(Clone, Copy)]
enum Look {
    Totals,
    Supports(Known),
    Residual(Known),
    Terms(Known),
    TotalsAndTerms(Known),
}

impl Found {
    /// Adds the next segment.
    fn and(mut self, next: &Found) -> Self {
        self.p_total += next.p_total;
        self.q_total += next.q_total;
        self.least = self.least.min(next.least);
        self.inexact |= next.inexact;
        self.support |= next.support;
        self.unusual |= next.unusual;
        self.residual += next.residual;
        self.sums.resize(next.sums.len(), 0.0);
        self.sums.iter_mut().zip(&next.sums).for_each(|(sum, next)| *sum += next);
        self
    }
}

impl Cpu {
    /// The sums of long rows, each on all threads of the current pool.
    pub(super) fn split<T: Decode + Usual>(
        &self,
        problem: &Problem,
        p: &Rows<'_>,
        q: &Rows<'_>,
        flags: &mut [RowFlags],
        sums: &mut [f64],
    ) where
        Room<T>: Default,
    {
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
    fn long_row<T: Decode + Usual>(&self, pair: &Pair<'_>) -> Option<(u32, Sums)>
    where
        Room<T>: Default,
    {
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
            Known { ratio: TwoPart { high, low: (ratio - high) + off }, p_total, q_total }
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
        let trusted = |sums: &Sums, refined: bool| {
            let good = |(sum, term): (&f64, &Term)| {
                sum.is_finite() && is_seen(*sum, term) && sum.abs() >= q_total * term.trusted_from::<T>(refined)
            };
            sums.iter().zip(pair.terms).all(good)
        };
        let over_q = |sums: Sums| Some((support, sums.iter().map(|sum| sum / q_total).collect()));
        if let Some(guess) = guess {
            let off = (q_total / p_total) / guess.ratio.high - 1.0;
            let moved: Option<Sums> =
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
    fn look<T: Decode + Usual>(&self, pair: &Pair<'_>, look: Look) -> Found
    where
        Room<T>: Default,
    {
        let bins = pair.p.bins();
        let level = self.level;
        let segment = |i: usize| {
            let (from, count) = (i * SEGMENT, SEGMENT.min(bins - i * SEGMENT));
            let (p, q) = (pair.p.part(0, from, count), pair.q.part(0, from, count));
            dispatch!(level, simd => look_at::<_, T>(simd, &p, &q, pair.terms, look))
        };
        let segments = 0..bins.div_ceil(SEGMENT);
        let found: Vec<Found> = if self.threads == 1 {
            segments.map(segment).collect()
        } else {
            self.install(|| segments.into_par_iter().map(segment).collect())
        };
        found.iter().fold(Found { least: f64::INFINITY, ..Found::default() }, Found::and)
    }
}

/// A ratio from places all over the row. `None` if one side has no weight there.
fn guess<T: Decode>(pair: &Pair<'_>) -> Option<Known> {
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
    let known = Known { ratio: TwoPart { high: ratio, low: 0.0 }, p_total, q_total };
    (ratio.is_finite() && ratio > 0.0).then_some(known)
}

/// Runs a pass over one segment.
#[inline(always)]
fn look_at<S: Simd, T: Decode + Usual>(simd: S, p: &Rows<'_>, q: &Rows<'_>, terms: &[Term], look: Look) -> Found
where
    Room<T>: Default,
{
    let layout = Layout::new::<S, T>(p.bins());
    let (mut p_room, mut q_room) = (Room::default(), Room::default());
    let mut totals = [(); SET].map(|()| RowTotals::new(simd));
    // The next segment begins where this one ends.
    let after = |rows: &Rows<'_>| rows.bins() * rows.weight_type().size();
    let vector = |rows: &Rows<'_>| layout.lanes * rows.weight_type().size();
    let ahead = Ahead::new([p, q].map(|rows| (rows.weights().as_bytes(), after(rows), vector(rows))));
    let p = stage::<S, T>(simd, p, 0, 1, &layout, &mut p_room);
    let q = stage::<S, T>(simd, q, 0, 1, &layout, &mut q_room);
    let mut found = Found { least: f64::INFINITY, inexact: (p.inexact | q.inexact) & 1 == 1, ..Found::default() };
    let two_parts = asks_two_parts::<T>(terms, Zeros::Exact);
    let sides = match look {
        Look::Totals | Look::TotalsAndTerms(_) => {
            let p = Side::new(simd, p, 1, &layout, two_parts, &mut totals[0]);
            let q = Side::new(simd, q, 1, &layout, two_parts, &mut totals[0]);
            let first = |lanes: Lanes<S, T>| lanes.as_slice()[0].to_f64();
            found.p_total = first(p.totals) + first(p.totals_low);
            found.q_total = first(q.totals) + first(q.totals_low);
            found.least = p.least.min(q.least).reduce_min().to_f64();
            (p, q)
        }
        // The totals of the whole row, so that what is unusual in the row is unusual in each segment.
        Look::Supports(known) | Look::Residual(known) | Look::Terms(known) => {
            (Side::known(simd, p, known.p_total), Side::known(simd, q, known.q_total))
        }
    };
    let batch = Batch { simd, layout: &layout, count: 1, two_parts, p: sides.0, q: sides.1 };
    match look {
        Look::Totals => {}
        Look::Supports(_) => {
            let mut flags = [RowFlags::default()];
            found.unusual = batch.supports(Zeros::Exact, &mut flags) != 0;
            found.support = flags[0].0;
        }
        Look::Residual(known) => {
            let ratio = splat::<S, T>(simd, known.ratio.high);
            found.residual = batch.residual(ratio, false, &mut totals[0]).as_slice()[0].to_f64();
        }
        Look::Terms(known) | Look::TotalsAndTerms(known) => {
            let v = |value: f64| splat::<S, T>(simd, value);
            let scale = Scale {
                ratio: TwoPart { high: v(known.ratio.high), low: v(known.ratio.low) },
                q_total: v(known.q_total),
                change: None,
            };
            for terms in terms.chunks(SET) {
                batch.sum(terms, known.ratio.low != 0.0, &scale, &ahead, 1, &mut totals);
                let first = |totals| batch.gathered(totals).as_slice()[0].to_f64();
                found.sums.extend(totals[..terms.len()].iter_mut().map(first));
            }
        }
    }
    found
}
