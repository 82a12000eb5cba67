//! KL(P ‖ Q) by other libraries, for the bench beside them. Their rows are normalised.

use ndarray::ArrayView1;
use ndarray_stats::EntropyExt;
use simsimd::ProbabilitySimilarity;

/// By `simsimd`.
#[must_use]
pub fn simsimd(p: &[f32], q: &[f32]) -> f64 {
    f32::kullbackleibler(p, q).unwrap_or(f64::NAN)
}

/// By `ndarray-stats`.
#[must_use]
pub fn ndarray_stats(p: &[f32], q: &[f32]) -> f64 {
    ArrayView1::from(p).kl_divergence(&ArrayView1::from(q)).map_or(f64::NAN, f64::from)
}
