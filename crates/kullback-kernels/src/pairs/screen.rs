//! Leaves out the pairs that are surely too far, by a lower bound that costs one product per pair.
//!
//! The product gives the affinity BC = Σ√(p̂q̂) of each pair. The sum of the call is at least `factor`·(1 − BC), because the
//! quotient of the two functions F(z) falls from |z| = 0 to `factor` at |z| = 1. So a pair cannot be near if this bound is
//! above the limit of its row. The rounding of BC is allowed for. See the last paragraph of "All pairs" in `docs/NUMERICS.md`.

use std::ops::Range;

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::direct::{Direct, Limit, Pairs, Take};
use super::finish::{ColumnBlock, Workspace};
use super::forms::Forms;
use super::panels::{COLUMNS, ROWS, panel_rows};
use super::tile::{self, TileSums};
use crate::arithmetic::lanes::splat;
use crate::measures::hellinger::AFFINITY;

/// Does what [`super::finish::pairs`] does, for the rows of Q that may be within the limit of a row of P, and for their
/// neighbours. 1 − BC times `factor` is a lower bound of the sum of the call.
pub(super) fn pairs<S: Simd>(
    simd: S,
    factor: f64,
    rows: Range<usize>,
    columns: Range<usize>,
    direct: &mut Direct<'_>,
    take: &mut Take<'_>,
    limit: &Limit<'_>,
) {
    let pairs = direct.pairs;
    let Pairs { problem, forms, p: (_, p), q: (_, q), .. } = pairs;
    let mut affinities: Box<TileSums> = Box::new([0.0; ROWS * COLUMNS]);
    let mut workspace = Workspace::new(pairs);
    let [left, right] = forms.places(AFFINITY);
    for first in columns.clone().step_by(COLUMNS) {
        let block = ColumnBlock::new(q, first, columns.end);
        let (left, right) = (p.operand(left, rows.start, rows.len()), q.operand(right, first, block.count));
        tile::sums(simd, AFFINITY, problem.bins, left, right, &mut affinities, None);
        for row in rows.clone() {
            let affinities = &affinities[(row - rows.start) * COLUMNS..][..COLUMNS];
            let limit = limit(row);
            let near = simd.vectorize(
                #[inline(always)]
                || near(simd, forms, factor, affinities, limit),
            );
            // A row that forms cannot compute has no bound.
            if !p.known(row).usable || (near | block.unusable) & block.all() != 0 {
                let panel = row - (row - rows.start) % panel_rows::<S>();
                workspace.sum(simd, pairs, panel..panel + panel_rows::<S>(), &block, Some(row - panel));
                workspace.finish(simd, row, row - panel, &block, direct, take);
            }
        }
    }
}

/// The pairs that may be within a limit, one bit per pair. A NaN counts as near.
#[inline(always)]
fn near<S: Simd>(simd: S, forms: &Forms, factor: f64, affinities: &[f64], limit: f64) -> u64 {
    let v = |value: f64| splat::<S, f64>(simd, value);
    let (one, most) = (v(1.0 - 2.0 * forms.rounding), v(limit / factor));
    let mut near = 0;
    for at in (0..COLUMNS).step_by(S::f64s::LEN) {
        let affinity = S::f64s::from_slice(simd, &affinities[at..at + S::f64s::LEN]);
        near |= (!(one - affinity).simd_gt(most)).to_bitmask() << at;
    }
    near
}
