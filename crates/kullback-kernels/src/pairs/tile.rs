//! The inner loops: a panel of rows of P against a panel of rows of Q, one pair per lane.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::panels::{COLUMNS, ROWS, VECTORS, panel_columns, panel_rows};
use crate::arithmetic::logarithm::ln;
use crate::measures::form::Inner;

/// The bins that are summed in one chain before they join the whole sum. Rounding grows with the length of a chain, and so much
/// of two panels stays in the nearest cache.
pub(super) const CHAIN: usize = 128;

/// The sums of [`ROWS`] rows of P against [`COLUMNS`] rows of Q, row after row.
pub(super) type TileSums = [f64; ROWS * COLUMNS];

/// The most rows of P that are summed at once: a whole panel.
const MOST_AT_ONCE: usize = 8;

/// What a bin adds to a sum.
trait Summand {
    /// The rows of P that are summed at once: many if a summand is one instruction, few if it takes many instructions and needs
    /// the registers itself.
    const AT_ONCE: usize;

    fn add<S: Simd>(simd: S, p: S::f64s, q: S::f64s, sum: S::f64s) -> S::f64s;
}

struct DotProduct;
struct EntropyOfSum;
struct Distance;
struct Triangular;

impl Summand for DotProduct {
    const AT_ONCE: usize = 8;

    #[inline(always)]
    fn add<S: Simd>(_simd: S, p: S::f64s, q: S::f64s, sum: S::f64s) -> S::f64s {
        p.mul_add(q, sum)
    }
}

impl Summand for EntropyOfSum {
    const AT_ONCE: usize = 1;

    #[inline(always)]
    fn add<S: Simd>(simd: S, p: S::f64s, q: S::f64s, sum: S::f64s) -> S::f64s {
        let s = p + q;
        s.mul_add(ln(simd, s.max(S::f64s::splat(simd, f64::MIN_POSITIVE))), sum)
    }
}

impl Summand for Distance {
    const AT_ONCE: usize = 4;

    #[inline(always)]
    fn add<S: Simd>(_simd: S, p: S::f64s, q: S::f64s, sum: S::f64s) -> S::f64s {
        sum + (p - q).abs()
    }
}

impl Summand for Triangular {
    const AT_ONCE: usize = 1;

    #[inline(always)]
    fn add<S: Simd>(simd: S, p: S::f64s, q: S::f64s, sum: S::f64s) -> S::f64s {
        let (u, s) = (p - q, p + q);
        sum + u * u / s.max(S::f64s::splat(simd, f64::MIN_POSITIVE))
    }
}

/// The sums of some panels of P against some panels of Q, at most [`ROWS`] by [`COLUMNS`]. With `only`, just this row of each
/// panel of P is needed, and a few rows beside it may be computed too. It is a function of its own so that it is compiled once
/// for all callers.
#[inline(never)]
pub(super) fn sums<S: Simd>(
    simd: S,
    inner: Inner,
    bins: usize,
    p: &[f64],
    q: &[f64],
    out: &mut TileSums,
    only: Option<usize>,
) {
    simd.vectorize(
        #[inline(always)]
        || match inner {
            Inner::Product(..) => panels::<S, DotProduct>(simd, bins, p, q, out, only),
            Inner::Distance => panels::<S, Distance>(simd, bins, p, q, out, only),
            Inner::EntropyOfSum => panels::<S, EntropyOfSum>(simd, bins, p, q, out, only),
            Inner::Triangular => panels::<S, Triangular>(simd, bins, p, q, out, only),
        },
    );
}

/// Works chain by chain, so that this part of a panel of Q stays in the nearest cache for all panels of P.
#[inline(always)]
fn panels<S: Simd, F: Summand>(simd: S, bins: usize, p: &[f64], q: &[f64], out: &mut TileSums, only: Option<usize>) {
    let (lanes, height, width) = (S::f64s::LEN, panel_rows::<S>(), panel_columns::<S>());
    let at_once = F::AT_ONCE.min(height);
    let zero = S::f64s::splat(simd, 0.0);
    out[..p.len() / bins * COLUMNS].fill(0.0);
    let (first, last) = only.map_or((0, height), |row| (row / at_once * at_once, row + 1));
    for start in (0..bins).step_by(CHAIN) {
        let end = bins.min(start + CHAIN);
        for (q, left) in q.chunks_exact(bins * width).zip((0..).step_by(width)) {
            let q = &q[start * width..end * width];
            for (p, top) in p.chunks_exact(bins * height).zip((0..).step_by(height)) {
                let p = &p[start * height..end * height];
                let mut row = first;
                while row < last {
                    let mut sums = [[zero; VECTORS]; MOST_AT_ONCE];
                    for (p, q) in p.chunks_exact(height).zip(q.chunks_exact(width)) {
                        let p = &p[row..row + at_once];
                        let mut vectors = [zero; VECTORS];
                        for (vector, q) in vectors.iter_mut().zip(q.chunks_exact(lanes)) {
                            *vector = S::f64s::from_slice(simd, q);
                        }
                        for (sums, p) in sums[..at_once].iter_mut().zip(p) {
                            let p = S::f64s::splat(simd, *p);
                            for (sum, q) in sums.iter_mut().zip(vectors) {
                                *sum = F::add(simd, p, q, *sum);
                            }
                        }
                    }
                    for (i, sums) in sums[..at_once].iter().enumerate() {
                        let out = &mut out[(top + row + i) * COLUMNS + left..][..width];
                        for (sum, out) in sums.iter().zip(out.chunks_exact_mut(lanes)) {
                            (S::f64s::from_slice(simd, out) + *sum).store_slice(out);
                        }
                    }
                    row += at_once;
                }
            }
        }
    }
}
