//! Lays out rows as whole vectors, in one of two ways, so that the kernel has no tails:
//!
//! - **along**: a row is a few vectors, one after the other, padded with zeros;
//! - **across**: rows no longer than a vector lie across the lanes, with one row per lane and one vector per bin. No sum ever
//!   crosses lanes.
//!
//! Floats of the kernel's precision are read in place if they already lie that way. All other weights are decoded or moved into
//! a scratch buffer of a few KiB, which the caches hold.

use fearless_simd::{Simd, SimdBase};

use super::decode::Decode;
use crate::arithmetic::lanes::{Lanes, Real};
use crate::weights::Rows;

/// How the rows of a call are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub bins: usize,
    /// Lanes of a vector.
    pub lanes: usize,
    /// Whether rows lie across the lanes.
    pub across: bool,
    /// Vectors of a unit: of one row, or, where rows lie across, of all rows of a batch.
    pub vectors: usize,
    /// Rows of a batch, at most one per lane.
    pub rows: usize,
}

/// Bytes of both sides that a batch may take: half of the smallest first-level cache, so that the second pass finds the row
/// there.
const BATCH_BYTES: usize = 16 << 10;

impl Layout {
    /// The layout for rows of `bins` bins in the precision T on the instruction set S.
    pub(crate) fn new<S: Simd, T: Real>(bins: usize) -> Self {
        let lanes = Lanes::<S, T>::LEN;
        let across = bins <= lanes;
        let vectors = if across { bins } else { bins.div_ceil(lanes) };
        let bytes = 2 * vectors * lanes * size_of::<T>();
        let rows = if across { lanes } else { (BATCH_BYTES / bytes).clamp(1, lanes) };
        Self { bins, lanes, across, vectors, rows }
    }

    pub(crate) fn unit(&self) -> usize {
        self.vectors * self.lanes
    }

    /// Units of a batch of `count` rows.
    pub(crate) fn units(&self, count: usize) -> usize {
        if self.across { 1 } else { count }
    }

    /// Elements of the last vector of a row that are padding.
    pub(crate) fn padding(&self) -> usize {
        if self.across { 0 } else { self.unit() - self.bins }
    }
}

/// One bit per row of a batch.
pub(crate) type RowBits = u64;

/// The rows of one side of a batch: unit i begins at `i · stride`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged<'a, T> {
    pub values: &'a [T],
    pub stride: usize,
    /// The rows that lost digits when they were decoded.
    pub inexact: RowBits,
}

impl<'a, T> Staged<'a, T> {
    /// The elements of unit i.
    #[inline(always)]
    pub(crate) fn unit(&self, i: usize, layout: &Layout) -> &'a [T] {
        &self.values[i * self.stride..][..layout.unit()]
    }
}

/// Scratch memory for one side of a batch.
#[derive(Debug, Default)]
pub(crate) struct StagingBuffers<T> {
    staged: Vec<T>,
    padded: Vec<T>,
}

/// Lays out the rows `first .. first + count` of a matrix.
#[inline(always)]
pub(crate) fn stage<'a, S: Simd, T: Decode>(
    simd: S,
    rows: &Rows<'a>,
    first: usize,
    count: usize,
    layout: &Layout,
    buffers: &'a mut StagingBuffers<T>,
) -> Staged<'a, T> {
    let bins = layout.bins;
    if !layout.across {
        if let Some(values) = T::in_place(rows.weights())
            && layout.padding() == 0
        {
            return Staged { values: &values[first * rows.row_stride()..], stride: rows.row_stride(), inexact: 0 };
        }
        buffers.staged.resize(layout.rows * layout.unit(), T::from_f64(0.0));
        let mut inexact = 0;
        for (i, out) in buffers.staged.chunks_exact_mut(layout.unit()).take(count).enumerate() {
            let exact = T::decode(simd, rows.weights(), (first + i) * rows.row_stride(), &mut out[..bins]);
            inexact |= RowBits::from(!exact) << i;
        }
        return Staged { values: &buffers.staged, stride: layout.unit(), inexact };
    }
    // Across: rows of a power-of-two length, one after the other, are turned. Each round takes even and odd elements apart, and
    // a length of 2ⁿ takes n rounds.
    let width = bins.next_power_of_two();
    let mut inexact = 0;
    let whole = T::in_place(rows.weights())
        .filter(|_| width == bins && rows.row_stride() == bins && count == layout.lanes)
        .map(|values| &values[first * bins..][..layout.lanes * bins]);
    let padded = match whole {
        Some(values) => values,
        None => {
            buffers.padded.resize(layout.lanes * width, T::from_f64(0.0));
            for (i, out) in buffers.padded.chunks_exact_mut(width).enumerate() {
                // Lanes without a row repeat the last row. Nothing looks at their results.
                let row = first + i.min(count - 1);
                let exact = T::decode(simd, rows.weights(), row * rows.row_stride(), &mut out[..bins]);
                inexact |= RowBits::from(!exact) << i;
            }
            &buffers.padded
        }
    };
    buffers.staged.resize(layout.lanes * width, T::from_f64(0.0));
    turn::<S, T>(simd, width, padded, &mut buffers.staged);
    Staged { values: &buffers.staged, stride: 0, inexact }
}

/// Turns rows so that each has one lane: from row-major order with `width` bins per row to one vector per bin.
///
/// When even and odd elements of neighbouring vectors are taken apart, the number of an element loses its lowest bit. That bit
/// says which half the vector belongs to. When all bits of the bin are gone, the lane is the row.
#[inline(always)]
fn turn<S: Simd, T: Real>(simd: S, width: usize, from: &[T], to: &mut [T]) {
    let lanes = Lanes::<S, T>::LEN;
    // This is a macro because a closure may be compiled without the instruction set.
    macro_rules! load {
        ($($i:literal),*) => {
            [$(Lanes::<S, T>::from_slice(simd, &from[$i * lanes..][..lanes])),*]
        };
    }
    match width {
        1 => store(&load!(0), to),
        2 => store(&turn_2(load!(0, 1)), to),
        4 => store(&turn_4(load!(0, 1, 2, 3)), to),
        8 => store(&turn_8(load!(0, 1, 2, 3, 4, 5, 6, 7)), to),
        _ => {
            let [a, b, c, d, e, f, g, h] = load!(0, 1, 2, 3, 4, 5, 6, 7);
            let [i, j, k, l, m, n, o, p] = load!(8, 9, 10, 11, 12, 13, 14, 15);
            let ((e0, o0), (e1, o1)) = (a.deinterleave(b), c.deinterleave(d));
            let ((e2, o2), (e3, o3)) = (e.deinterleave(f), g.deinterleave(h));
            let ((e4, o4), (e5, o5)) = (i.deinterleave(j), k.deinterleave(l));
            let ((e6, o6), (e7, o7)) = (m.deinterleave(n), o.deinterleave(p));
            let even = turn_8([e0, e1, e2, e3, e4, e5, e6, e7]);
            let odd = turn_8([o0, o1, o2, o3, o4, o5, o6, o7]);
            for (pair, to) in to.chunks_exact_mut(2 * lanes).enumerate().take(8) {
                store(&[even[pair], odd[pair]], to);
            }
        }
    }
}

#[inline(always)]
fn store<S: Simd, V: SimdBase<S>, const N: usize>(vectors: &[V; N], to: &mut [V::Element]) {
    for (vector, to) in vectors.iter().zip(to.chunks_exact_mut(V::LEN)) {
        vector.store_slice(to);
    }
}

#[inline(always)]
fn turn_2<S: Simd, V: SimdBase<S>>([a, b]: [V; 2]) -> [V; 2] {
    let (even, odd) = a.deinterleave(b);
    [even, odd]
}

#[inline(always)]
fn turn_4<S: Simd, V: SimdBase<S>>([a, b, c, d]: [V; 4]) -> [V; 4] {
    let ((e0, o0), (e1, o1)) = (a.deinterleave(b), c.deinterleave(d));
    let ([b0, b2], [b1, b3]) = (turn_2([e0, e1]), turn_2([o0, o1]));
    [b0, b1, b2, b3]
}

#[inline(always)]
fn turn_8<S: Simd, V: SimdBase<S>>([a, b, c, d, e, f, g, h]: [V; 8]) -> [V; 8] {
    let ((e0, o0), (e1, o1)) = (a.deinterleave(b), c.deinterleave(d));
    let ((e2, o2), (e3, o3)) = (e.deinterleave(f), g.deinterleave(h));
    let ([b0, b2, b4, b6], [b1, b3, b5, b7]) = (turn_4([e0, e1, e2, e3]), turn_4([o0, o1, o2, o3]));
    [b0, b1, b2, b3, b4, b5, b6, b7]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::{SimdLevel, on_level};

    #[inline(always)]
    fn turned<S: Simd>(simd: S) {
        let lanes = Lanes::<S, f32>::LEN;
        for width in [1, 2, 4, 8, 16] {
            let from: Vec<f32> = (0..lanes * width).map(|i| i as f32).collect();
            let mut to = vec![0.0; from.len()];
            turn::<S, f32>(simd, width, &from, &mut to);
            for (i, value) in to.iter().enumerate() {
                assert_eq!(*value, from[i % lanes * width + i / lanes], "{width} bins, element {i}");
            }
        }
    }

    #[test]
    fn every_width_is_turned() {
        for level in SimdLevel::available().into_iter().filter_map(SimdLevel::resolve) {
            on_level!(level, simd => turned(simd));
        }
    }
}
