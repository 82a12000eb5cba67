//! Running sums over the lanes of a SIMD vector.

use fearless_simd::{Simd, SimdBase, SimdFloat};

use super::contrast::TwoPart;
use super::lanes::{Lanes, MAX_LANES, Real};

/// Running sums of weights; see [`Real::accumulate`].
#[derive(Clone, Copy)]
pub(crate) struct WideLanes<S: Simd> {
    pub(crate) first: S::f64s,
    pub(crate) second: S::f64s,
}

impl<S: Simd> WideLanes<S> {
    /// All zero.
    #[inline(always)]
    pub(crate) fn zero(simd: S) -> Self {
        let zero = S::f64s::splat(simd, 0.0);
        Self { first: zero, second: zero }
    }

    /// The lanes in order, as many as a vector of that type has.
    #[inline(always)]
    pub(crate) fn in_order(&self) -> [f64; MAX_LANES] {
        let mut lanes = [0.0; MAX_LANES];
        let (first, second) = (self.first.as_slice(), self.second.as_slice());
        let half = first.len();
        lanes[..half].copy_from_slice(first);
        lanes[half..2 * half].copy_from_slice(second);
        lanes
    }

    /// The sum of all lanes, in 64 bits.
    #[inline(always)]
    pub(crate) fn total(self) -> f64 {
        (self.first + self.second).reduce_sum()
    }
}

/// A sum over the vectors of a block, in four chains that take turns. Bins that are alike round alike. In one chain of sixteen
/// the roundings may come to eight times that of a term, in four short chains to half of that.
pub(crate) struct LaneSum<S: Simd, T: Real>([Lanes<S, T>; 4]);

impl<S: Simd, T: Real> LaneSum<S, T> {
    /// A sum of nothing.
    #[inline(always)]
    pub(crate) fn new(zero: Lanes<S, T>) -> Self {
        Self([zero; 4])
    }

    /// Adds one vector.
    #[inline(always)]
    pub(crate) fn add(&mut self, x: Lanes<S, T>) {
        let [a, b, c, d] = self.0;
        self.0 = [b, c, d, a + x];
    }

    /// The sum, lane by lane.
    #[inline(always)]
    pub(crate) fn total(self) -> Lanes<S, T> {
        let [a, b, c, d] = self.0;
        (a + b) + (c + d)
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

/// a + b, and what rounding left of it. Source: D. E. Knuth.
#[inline(always)]
pub(crate) fn two_sum<S: Simd, V: SimdFloat<S>>(a: V, b: V) -> TwoPart<V> {
    let high = a + b;
    let back = high - a;
    TwoPart { high, low: (a - (high - back)) + (b - back) }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::divergence::lanes::splat;

    const HALF_DIGIT: f64 = 1.0 / (1 << 24) as f64;

    #[inline(always)]
    fn equal_terms<S: Simd>(simd: S) {
        for i in 1..300 {
            let x = 1.0 + i as f32 / 300.7;
            let mut sum = LaneSum::<S, f32>::new(splat::<S, f32>(simd, 0.0));
            (0..15).for_each(|_| sum.add(Lanes::<S, f32>::splat(simd, x)));
            let off = f64::from(sum.total().as_slice()[0]) / (15.0 * f64::from(x)) - 1.0;
            assert!(off.abs() < 2.0 * HALF_DIGIT, "{off} of {x}");
        }
    }

    /// With a tree in 32 bits, each level would lose everything that is added to the large weight.
    #[inline(always)]
    fn one_large_lane<S: Simd>(simd: S) {
        let width = Lanes::<S, f32>::LEN;
        let mut vectors = [splat::<S, f32>(simd, 0.0); MAX_LANES];
        let mut want = 1.0;
        for (row, vector) in vectors[..width].iter_mut().enumerate() {
            for (lane, value) in vector.as_mut_slice().iter_mut().enumerate() {
                // Lanes 1, 2 and 3, 4 to 7, … add up to half a digit per group.
                let partner = 1.0 / (1 << lane.max(1).ilog2()) as f32;
                *value = if lane == 0 { 1.0 } else { 0.99 * HALF_DIGIT as f32 * partner };
                want += if row == 0 && lane > 0 { f64::from(*value) } else { 0.0 };
            }
        }
        for total in f32::add_lanes::<S>(&mut vectors[..width]).high.as_slice() {
            assert!((f64::from(*total) - want).abs() < 2.6 * HALF_DIGIT, "{total} for {want}");
        }
    }

    #[test]
    fn sums_lose_little_of_equal_terms_and_beside_a_large_one() {
        for level in [Level::new(), Level::fallback()] {
            dispatch!(level, simd => equal_terms(simd));
            dispatch!(level, simd => one_large_lane(simd));
        }
    }
}
