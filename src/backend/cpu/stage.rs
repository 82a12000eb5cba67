//! Rows laid out as whole vectors, in one of two ways, so that the kernel has no tails:
//!
//! - **along**: a row is some vectors, one after the other, padded with zeros;
//! - **across**: rows no longer than a vector lie across the lanes, one row a lane and one vector a bin,
//!   and no sum ever crosses lanes.
//!
//! Floats of the kernel's precision are read where they are whenever they lie that way already;
//! everything else is decoded or moved into a scratch of a few KiB, which the caches hold.

use fearless_simd::{Simd, SimdBase};

use super::decode::Decode;
use super::sums::BLOCK;
use crate::divergence::lanes::{Lanes, Real};
use crate::rows::Rows;

/// How the rows of a call are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) bins: usize,
    /// Lanes of a vector.
    pub(super) lanes: usize,
    /// Whether rows lie across the lanes.
    pub(super) across: bool,
    /// Vectors of a unit: of a row, or of all rows of a batch where they lie across.
    pub(super) vectors: usize,
    /// Rows of a batch, at most one a lane.
    pub(super) rows: usize,
}

/// Bytes of both sides that a batch may take: half of the smallest first-level cache, so that the second
/// look at a row finds it there.
const BATCH_BYTES: usize = 16 << 10;

impl Layout {
    /// For rows of `bins` bins in the precision T on the instruction set S.
    pub(super) fn new<S: Simd, T: Real>(bins: usize) -> Self {
        let lanes = Lanes::<S, T>::LEN;
        let across = bins <= lanes;
        let vectors = if across { bins } else { bins.div_ceil(lanes) };
        let bytes = 2 * vectors * lanes * size_of::<T>();
        let rows = if across { lanes } else { (BATCH_BYTES / bytes).clamp(1, lanes) };
        Self { bins, lanes, across, vectors, rows }
    }

    /// Elements of a unit.
    pub(super) fn unit(&self) -> usize {
        self.vectors * self.lanes
    }

    /// Units of a batch of `count` rows.
    pub(super) fn units(&self, count: usize) -> usize {
        if self.across { 1 } else { count }
    }

    /// Blocks of all units of a batch of `count` rows.
    pub(super) fn pieces(&self, count: usize) -> usize {
        self.units(count) * self.vectors.div_ceil(BLOCK)
    }

    /// Elements of the last vector of a row that are padding.
    pub(super) fn padding(&self) -> usize {
        if self.across { 0 } else { self.unit() - self.bins }
    }
}

/// A bit a row of a batch.
pub(super) type RowBits = u64;

/// The rows of one side of a batch: unit i begins at `i · stride`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staged<'a, T> {
    pub(super) values: &'a [T],
    pub(super) stride: usize,
    /// The rows of which decoding lost digits.
    pub(super) inexact: RowBits,
}

impl<'a, T> Staged<'a, T> {
    /// The elements of unit i.
    #[inline(always)]
    pub(super) fn unit(&self, i: usize, layout: &Layout) -> &'a [T] {
        &self.values[i * self.stride..][..layout.unit()]
    }
}

/// Room for one side of a batch.
#[derive(Debug, Default)]
pub(super) struct Room<T> {
    staged: Vec<T>,
    padded: Vec<T>,
}

/// Lays out the rows `first .. first + count` of a matrix.
#[inline(always)]
pub(super) fn stage<'a, S: Simd, T: Decode>(
    simd: S,
    rows: &Rows<'a>,
    first: usize,
    count: usize,
    layout: &Layout,
    room: &'a mut Room<T>,
) -> Staged<'a, T> {
    let bins = layout.bins;
    if !layout.across {
        if let Some(values) = T::in_place(rows.weights())
            && layout.padding() == 0
        {
            return Staged { values: &values[first * rows.row_stride()..], stride: rows.row_stride(), inexact: 0 };
        }
        room.staged.resize(layout.rows * layout.unit(), T::from_f64(0.0));
        let mut inexact = 0;
        for (i, out) in room.staged.chunks_exact_mut(layout.unit()).take(count).enumerate() {
            let exact = T::decode(rows.weights(), (first + i) * rows.row_stride(), &mut out[..bins]);
            inexact |= RowBits::from(!exact) << i;
        }
        return Staged { values: &room.staged, stride: layout.unit(), inexact };
    }
    // Across: rows of a power-of-two length, one after the other, are turned by that many rounds of
    // taking even and odd elements apart.
    let width = bins.next_power_of_two();
    let mut inexact = 0;
    let whole = T::in_place(rows.weights())
        .filter(|_| width == bins && rows.row_stride() == bins && count == layout.lanes)
        .map(|values| &values[first * bins..][..layout.lanes * bins]);
    let padded = match whole {
        Some(values) => values,
        None => {
            room.padded.resize(layout.lanes * width, T::from_f64(0.0));
            for (i, out) in room.padded.chunks_exact_mut(width).enumerate() {
                // Lanes without a row repeat the last one: whatever they give is never looked at.
                let row = first + i.min(count - 1);
                let exact = T::decode(rows.weights(), row * rows.row_stride(), &mut out[..bins]);
                inexact |= RowBits::from(!exact) << i;
            }
            &room.padded
        }
    };
    room.staged.resize(layout.lanes * width, T::from_f64(0.0));
    match width {
        1 => turn::<S, T, 1>(simd, padded, &mut room.staged),
        2 => turn::<S, T, 2>(simd, padded, &mut room.staged),
        4 => turn::<S, T, 4>(simd, padded, &mut room.staged),
        8 => turn::<S, T, 8>(simd, padded, &mut room.staged),
        _ => turn::<S, T, 16>(simd, padded, &mut room.staged),
    }
    Staged { values: &room.staged, stride: 0, inexact }
}

/// Turns one row a lane: from row-major with `WIDTH` bins a row to one vector a bin.
#[inline(always)]
fn turn<S: Simd, T: Real, const WIDTH: usize>(simd: S, from: &[T], to: &mut [T]) {
    let lanes = Lanes::<S, T>::LEN;
    let mut v = [Lanes::<S, T>::splat(simd, T::from_f64(0.0)); WIDTH];
    for (v, from) in v.iter_mut().zip(from.chunks_exact(lanes)) {
        *v = Lanes::<S, T>::from_slice(simd, from);
    }
    // Each round takes the lowest bit of an element's number and makes it the highest: after one round
    // for each bit of the bin, the bin is the number of the vector and the row that of the lane.
    let mut rounds = WIDTH.trailing_zeros();
    while rounds > 0 {
        let mut next = v;
        let mut pair = 0;
        while pair < WIDTH / 2 {
            let (even, odd) = v[2 * pair].deinterleave(v[2 * pair + 1]);
            next[pair] = even;
            next[WIDTH / 2 + pair] = odd;
            pair += 1;
        }
        v = next;
        rounds -= 1;
    }
    for (v, to) in v.iter().zip(to.chunks_exact_mut(lanes)) {
        v.store_slice(to);
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[inline(always)]
    fn turned<S: Simd, const WIDTH: usize>(simd: S) {
        let lanes = Lanes::<S, f32>::LEN;
        let from: Vec<f32> = (0..lanes * WIDTH).map(|i| i as f32).collect();
        let mut to = vec![0.0; from.len()];
        turn::<S, f32, WIDTH>(simd, &from, &mut to);
        for bin in 0..WIDTH {
            for lane in 0..lanes {
                assert_eq!(to[bin * lanes + lane], from[lane * WIDTH + bin], "{WIDTH} bins, bin {bin}, row {lane}");
            }
        }
    }

    #[test]
    fn every_width_is_turned() {
        for level in [Level::new(), Level::fallback()] {
            dispatch!(level, simd => {
                turned::<_, 1>(simd);
                turned::<_, 2>(simd);
                turned::<_, 4>(simd);
                turned::<_, 8>(simd);
                turned::<_, 16>(simd);
            });
        }
    }
}
