// KL(p̂‖q̂) = (1/Q) Σ s·F(z), F(z) = ½[(1+z)·ln((1+z)/(1−z)) − 2z]. Twin of `measures/kl.rs` of kullback-kernels.

fn kl_term(c: Contrast) -> f32 {
    return log_excess(c.ratio, max(c.a, NOTHING), max(c.q, NOTHING), c.u);
}

fn reverse_kl_term(c: Contrast) -> f32 {
    return log_excess_reversed(c.ratio, max(c.a, NOTHING), max(c.q, NOTHING), c.u);
}
