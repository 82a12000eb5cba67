//! Running sums over the lanes of a SIMD vector, in 64 bits.

use fearless_simd::{Simd, SimdBase, SimdFloat};

/// Lanes of the widest vector.
pub(crate) const MAX_LANES: usize = 16;

/// Running sums of weights; see [`Real::accumulate`](super::lanes::Real::accumulate).
#[derive(Clone, Copy)]
pub struct WideLanes<S: Simd> {
    pub first: S::f64s,
    pub second: S::f64s,
}

impl<S: Simd> WideLanes<S> {
    /// All zero.
    #[inline(always)]
    pub fn zero(simd: S) -> Self {
        let zero = S::f64s::splat(simd, 0.0);
        Self { first: zero, second: zero }
    }

    /// The lanes in order, as many as a vector of that type has.
    #[inline(always)]
    pub fn in_order(&self) -> [f64; MAX_LANES] {
        let mut lanes = [0.0; MAX_LANES];
        let (first, second) = (self.first.as_slice(), self.second.as_slice());
        let half = first.len();
        lanes[..half].copy_from_slice(first);
        lanes[half..2 * half].copy_from_slice(second);
        lanes
    }

    /// The sum of all lanes, in 64 bits.
    #[inline(always)]
    pub fn total(self) -> f64 {
        (self.first + self.second).reduce_sum()
    }
}

/// Adds lanes 2i and 2i + 1 of all vectors, taken as one row of lanes, until `until` vectors are left.
#[inline(always)]
pub(crate) fn add_neighbours<S: Simd, V: SimdFloat<S>>(vectors: &mut [V], until: usize) -> &[V] {
    let mut left = vectors.len();
    while left > until {
        left /= 2;
        let mut i = 0;
        while i < left {
            let (even, odd) = vectors[2 * i].deinterleave(vectors[2 * i + 1]);
            vectors[i] = even + odd;
            i += 1;
        }
    }
    &vectors[..until]
}
