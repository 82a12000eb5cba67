//! Sums of terms over the vectors of a block.

use fearless_simd::Simd;

use super::lanes::{Lanes, Real};

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

#[cfg(test)]
mod tests {
    use fearless_simd::SimdBase;

    use super::*;
    use crate::arithmetic::lanes::splat;
    use crate::arithmetic::two_part::TwoPart;
    use crate::arithmetic::wide_lanes::MAX_LANES;
    use crate::levels::{SimdLevel, on_level};

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
        let TwoPart { high, low } = f32::add_lanes::<S>(&mut vectors[..width]);
        for (high, low) in high.as_slice().iter().zip(low.as_slice()) {
            let total = f64::from(*high) + f64::from(*low);
            assert!((total - want).abs() < 2.6 * HALF_DIGIT, "{total} for {want}");
        }
    }

    #[test]
    fn sums_lose_little_of_equal_terms_and_beside_a_large_one() {
        for level in SimdLevel::available().into_iter().filter_map(SimdLevel::resolve) {
            on_level!(level, simd => equal_terms(simd));
            on_level!(level, simd => one_large_lane(simd));
        }
    }
}
