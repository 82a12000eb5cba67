//! Numbers in two parts.

use fearless_simd::{Simd, SimdFloat};

/// A number as an unevaluated sum of two parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct TwoPart<T> {
    pub high: T,
    pub low: T,
}

/// a + b, and what rounding left of it. Source: D. E. Knuth.
#[inline(always)]
pub(crate) fn two_sum<S: Simd, V: SimdFloat<S>>(a: V, b: V) -> TwoPart<V> {
    let high = a + b;
    let back = high - a;
    TwoPart { high, low: (a - (high - back)) + (b - back) }
}
