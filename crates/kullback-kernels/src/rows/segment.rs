//! A segment of a long row, and what one pass over it finds.

use fearless_simd::{Simd, SimdBase};
use smallvec::SmallVec;

use super::batch::{Batch, Usual};
use super::decode::Decode;
use super::prefetch::Ahead;
use super::side::{StagedSide, asks_two_parts};
use super::stage::{Layout, StagingBuffers, stage};
use super::sums::RowTotals;
use crate::arithmetic::contrast::{SET, Scale};
use crate::arithmetic::lanes::{Lanes, splat};
use crate::arithmetic::pooled::Pooled;
use crate::arithmetic::two_part::TwoPart;
use crate::measures::Term;
use crate::row_sums::RowFlags;
use crate::weights::Rows;
use crate::zeros::Zeros;

/// One sum per term.
pub(crate) type TermSums = SmallVec<[f64; 4]>;

/// What is known of the totals when terms are summed.
#[derive(Clone, Copy)]
pub(crate) struct KnownTotals {
    pub(crate) ratio: TwoPart<f64>,
    pub(crate) p_total: f64,
    pub(crate) q_total: f64,
}

/// What a pass over one segment, or over all, finds.
#[derive(Clone, Default)]
pub(crate) struct SegmentSums {
    pub(crate) p_total: f64,
    pub(crate) q_total: f64,
    /// The smallest weight on either side.
    pub(crate) least: f64,
    pub(crate) inexact: bool,
    pub(crate) support: u32,
    pub(crate) unusual: bool,
    /// Σ(p·r − q).
    pub(crate) residual: f64,
    pub(crate) sums: TermSums,
}

/// What a pass over a segment computes.
#[derive(Clone, Copy)]
pub(crate) enum Look {
    Totals,
    Supports(KnownTotals),
    Residual(KnownTotals),
    Terms(KnownTotals),
    TotalsAndTerms(KnownTotals),
}

impl SegmentSums {
    /// Adds the next segment.
    pub(crate) fn and(mut self, next: &SegmentSums) -> Self {
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

/// Runs a pass over one segment.
#[inline(always)]
pub(crate) fn look_at<S: Simd, T: Decode + Usual>(
    simd: S,
    p: &Rows<'_>,
    q: &Rows<'_>,
    terms: &[Term],
    look: Look,
) -> SegmentSums
where
    StagingBuffers<T>: Default,
{
    let layout = Layout::new::<S, T>(p.bins());
    let (mut p_buffers, mut q_buffers) = (StagingBuffers::default(), StagingBuffers::default());
    let mut totals = [(); SET].map(|()| RowTotals::new(simd));
    // The next segment begins where this one ends.
    let after = |rows: &Rows<'_>| rows.bins() * rows.weight_type().size();
    let vector = |rows: &Rows<'_>| layout.lanes * rows.weight_type().size();
    let ahead = Ahead::new([p, q].map(|rows| (rows.weights().as_bytes(), after(rows), vector(rows))));
    let p = stage::<S, T>(simd, p, 0, 1, &layout, &mut p_buffers);
    let q = stage::<S, T>(simd, q, 0, 1, &layout, &mut q_buffers);
    let mut found =
        SegmentSums { least: f64::INFINITY, inexact: (p.inexact | q.inexact) & 1 == 1, ..SegmentSums::default() };
    let two_parts = asks_two_parts::<T>(terms, Zeros::Exact);
    let sides = match look {
        Look::Totals | Look::TotalsAndTerms(_) => {
            let p = StagedSide::new(simd, p, 1, &layout, two_parts, &mut totals[0]);
            let q = StagedSide::new(simd, q, 1, &layout, two_parts, &mut totals[0]);
            let first = |lanes: Lanes<S, T>| lanes.as_slice()[0].to_f64();
            found.p_total = first(p.totals) + first(p.totals_low);
            found.q_total = first(q.totals) + first(q.totals_low);
            found.least = p.least.min(q.least).reduce_min().to_f64();
            (p, q)
        }
        // The totals of the whole row, so that what is unusual in the row is unusual in each segment.
        Look::Supports(known) | Look::Residual(known) | Look::Terms(known) => {
            (StagedSide::known(simd, p, known.p_total), StagedSide::known(simd, q, known.q_total))
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
                pooled: Pooled::new(simd, v(known.p_total), v(known.q_total)),
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
