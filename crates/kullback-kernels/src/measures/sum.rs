//! How terms are summed over the bins of blocks.

use fearless_simd::{Simd, SimdBase};

use super::table::with_function_of;
use super::term::Term;
use crate::arithmetic::contrast::{BLOCK, Block, Blocks, BothSides, Contrast, Needs, SET};
use crate::arithmetic::lane_sums::LaneSum;
use crate::arithmetic::lanes::{Lanes, Real, splat};
use crate::arithmetic::pooled::Pooled;

/// A vector of each side.
type Both<S, T> = (Lanes<S, T>, Lanes<S, T>);

/// The vectors of two sides, by their numbers. Written without the adapters of slices: in a function as large as the kernels,
/// a compiler leaves some of these as calls.
#[inline(always)]
fn vectors<'a, S: Simd + 'a, T: Real>(
    simd: S,
    p: &'a [T],
    q: &'a [T],
) -> impl Iterator<Item = (usize, Both<S, T>)> + 'a {
    let lanes = Lanes::<S, T>::LEN;
    let vector = move |side: &[T], i: usize| Lanes::<S, T>::from_slice(simd, &side[i * lanes..(i + 1) * lanes]);
    (0..p.len().min(q.len()) / lanes).map(move |i| (i, (vector(p, i), vector(q, i))))
}

impl Term {
    /// Σ s·F(z) over the bins of a block, lane by lane; `weights` is only needed by some terms.
    ///
    /// The choice of the term stands outside the loop. So each loop holds one term only; otherwise the optimiser would compute
    /// parts of all terms ahead. The loop is written out, because a function argument would be compiled without the instruction
    /// set.
    #[inline(always)]
    pub fn sum<S: Simd, T: Real>(
        self,
        block: &[Contrast<S, T>],
        weights: &[BothSides<S, T>],
        pooled: Pooled<S, T>,
        zero: Lanes<S, T>,
    ) -> Lanes<S, T> {
        macro_rules! total {
            (contrast $function:path, $kind:expr $(, $order:expr)?) => {
                total!(block => $function $(, $order)?)
            };
            (pooled $function:path, $kind:expr) => { total!(block => $function, pooled) };
            (weights $function:path, $kind:expr) => { total!(weights => $function) };
            (scan $function:path, $kind:expr) => {{ zero }};
            ($bins:expr => $function:path $(, $order:expr)?) => {{
                let mut sum = LaneSum::<S, T>::new(zero);
                for bin in $bins {
                    sum.add($function(bin $(, $order)?));
                }
                sum.total()
            }};
        }
        with_function_of!(self, total)
    }

    /// Sums weights without a change, block by block. Each contrast is made and used at once. The choice of the term stands
    /// outside all loops here too, so that its constants are loaded once.
    #[inline(always)]
    pub fn sum_plain<'a, S: Simd, T: Real>(self, simd: S, blocks: &mut impl Blocks<'a, S, T>) {
        macro_rules! total {
            (contrast $function:path, $kind:expr $(, $order:expr)?) => {
                total!(x, y, scale => $function(&Contrast::plain(simd, x, y, scale, $kind.needs()) $(, $order)?))
            };
            (weights $function:path, $kind:expr) => {
                total!(x, y, scale => $function(&BothSides::plain(simd, x, y, scale)))
            };
            (pooled $function:path, $kind:expr) => {
                total!(x, y, scale => $function(&Contrast::plain(simd, x, y, scale, $kind.needs()), scale.pooled))
            };
            (scan $function:path, $kind:expr) => {{}};
            ($x:ident, $y:ident, $scale:ident => $term:expr) => {
                while let Some(Block { p, q, scale: $scale, .. }) = blocks.next() {
                    let mut sum = LaneSum::<S, T>::new(splat::<S, T>(simd, 0.0));
                    for (i, ($x, $y)) in vectors::<S, T>(simd, p, q) {
                        blocks.at(i);
                        sum.add($term);
                    }
                    blocks.put(&[sum.total()]);
                }
            };
        }
        with_function_of!(self, total)
    }

    /// Sums several terms, [`SET`] at most, in one pass over the weights. The contrasts of a block, with their divisions and
    /// logarithms, are made once and stay in the nearest cache for all terms. Where r has two parts, a is made with both,
    /// so that it is p·r in the same way as in u.
    #[inline(always)]
    pub fn sum_set<'a, S: Simd, T: Real>(terms: &[Term], simd: S, two_parts: bool, blocks: &mut impl Blocks<'a, S, T>) {
        let zero = splat::<S, T>(simd, 0.0);
        let needs = Needs { second_part: two_parts, ..Needs::default() };
        let needs = terms.iter().fold(needs, |all, term| all.and(term.needs()));
        let mut contrasts = [Contrast::new(simd, zero, zero, zero, Needs::default()); BLOCK];
        let mut sums = [zero; SET];
        while let Some(block) = blocks.next() {
            let Block { p, q, scale, .. } = block;
            // There are two loops, so that weights without a change do not pay for what a policy may change.
            macro_rules! each {
                ($i:ident, $x:ident, $y:ident => $contrast:expr) => {
                    for ($i, ($x, $y)) in vectors::<S, T>(simd, p, q).take(BLOCK) {
                        blocks.at($i);
                        contrasts[$i] = $contrast;
                    }
                };
            }
            match scale.change {
                None => each!(i, x, y => Contrast::plain(simd, x, y, scale, needs)),
                Some(change) => each!(i, x, y => {
                    Contrast::changed(simd, change.apply(simd, x, y, block.inside(simd, i)), scale, needs)
                }),
            }
            let contrasts = &contrasts[..(p.len() / Lanes::<S, T>::LEN).min(BLOCK)];
            for (sum, term) in sums.iter_mut().zip(terms) {
                let mut all = LaneSum::<S, T>::new(zero);
                macro_rules! total {
                    (contrast $function:path, $kind:expr $(, $order:expr)?) => {
                        for contrast in contrasts {
                            all.add($function(contrast $(, $order)?));
                        }
                    };
                    (pooled $function:path, $kind:expr) => {
                        for contrast in contrasts {
                            all.add($function(contrast, scale.pooled));
                        }
                    };
                    (scan $function:path, $kind:expr) => {{}};
                    (weights $function:path, $kind:expr) => {
                        for (i, (x, y)) in vectors::<S, T>(simd, p, q) {
                            all.add($function(&match scale.change {
                                None => BothSides::plain(simd, x, y, scale),
                                Some(change) => {
                                    BothSides::changed(simd, change.apply(simd, x, y, block.inside(simd, i)), scale)
                                }
                            }));
                        }
                    };
                }
                with_function_of!(*term, total);
                *sum = all.total();
            }
            blocks.put(&sums[..terms.len().min(SET)]);
        }
    }
}
