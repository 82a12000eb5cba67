//! A few usual rows, as many as a vector has lanes.

use fearless_simd::{Simd, SimdBase};

use super::side::StagedSide;
use super::stage::Layout;
use crate::arithmetic::lanes::{Lanes, Real};
use crate::arithmetic::powers::power_of_two;

/// The bounds of a usual row. The kernel marks all other rows.
pub(crate) trait Usual: Real {
    const LEAST_TOTAL: f64;
    const MOST_TOTAL: f64;
    /// The least weight (other than 0) as a share of its total.
    const LEAST_SHARE: f64;
}

// The bounds keep a, q and the quotients of the terms above `Real::NOTHING` and below infinity.
impl Usual for f32 {
    const LEAST_TOTAL: f64 = power_of_two(-20);
    const MOST_TOTAL: f64 = power_of_two(60);
    const LEAST_SHARE: f64 = power_of_two(-80);
}

impl Usual for f64 {
    const LEAST_TOTAL: f64 = power_of_two(-200);
    const MOST_TOTAL: f64 = power_of_two(400);
    const LEAST_SHARE: f64 = power_of_two(-600);
}

/// Some rows of a call, laid out and summed.
pub(crate) struct Batch<'a, S: Simd, T: Real> {
    pub simd: S,
    pub layout: &'a Layout,
    pub count: usize,
    /// Whether totals were asked for in two parts, so that r has two from the start.
    pub two_parts: bool,
    pub p: StagedSide<'a, S, T>,
    pub q: StagedSide<'a, S, T>,
}

impl<S: Simd, T: Real> Batch<'_, S, T> {
    /// Picks the value of one unit from a vector that holds one value per row.
    #[inline(always)]
    pub(crate) fn of_row(&self, values: Lanes<S, T>, row: usize) -> Lanes<S, T> {
        // A batch has as many rows as lanes at most. The remainder needs no check, so that a value that no term uses costs nothing.
        let lane = row % Lanes::<S, T>::LEN;
        if self.layout.across { values } else { Lanes::<S, T>::splat(self.simd, values.as_slice()[lane]) }
    }
}
