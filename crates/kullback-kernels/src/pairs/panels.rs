//! The sizes of what is computed together.

use fearless_simd::{Simd, SimdBase};

/// The pairs of a row of P that are finished together. It is a multiple of the rows of a panel of Q on every instruction set,
/// and one bit of a word stands for each pair.
pub const COLUMNS: usize = 48;
/// The rows of P that are computed together, a multiple of the rows of a panel. What is read of Q is used this many times.
pub const ROWS: usize = 128;
/// Vectors of a panel of Q.
pub(super) const VECTORS: usize = 3;

/// Rows of a panel of P.
pub(super) const fn panel_rows<S: Simd>() -> usize {
    if S::f64s::LEN == 8 { 8 } else { 4 }
}

/// Rows of a panel of Q.
pub(super) const fn panel_columns<S: Simd>() -> usize {
    VECTORS * S::f64s::LEN
}

/// Rows of a panel of P and of Q.
#[inline(always)]
pub(super) fn panel_sizes<S: Simd>(_simd: S) -> [usize; 2] {
    [panel_rows::<S>(), panel_columns::<S>()]
}
