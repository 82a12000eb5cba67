// KL(p̂‖q̂) + KL(q̂‖p̂) = (1/Q) Σ u·ln(a/q). Twin of `measures/jeffreys.rs` of kullback-kernels.

fn jeffreys_term(c: Contrast) -> f32 {
    return c.u * contrast_log(c);
}
