//! Arithmetic in 32 and 64 bits, over the lanes of a SIMD vector and on single numbers.

pub(crate) mod change;
pub(crate) mod coefficients;
pub(crate) mod contrast;
pub(crate) mod double;
pub(crate) mod exponential;
pub(crate) mod lane_sums;
pub mod lanes;
pub(crate) mod log_ratio;
pub(crate) mod logarithm;
pub mod pooled;
pub(crate) mod powers;
pub(crate) mod two_part;
pub(crate) mod wide_lanes;
