//! Powers of two.

/// 2ⁿ for |n| ≤ 1022.
#[inline(always)]
pub(crate) const fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}
