// KL(p̂‖q̂) = (1/Q) Σ s·F(z), F(z) = ½[(1+z)·ln((1+z)/(1−z)) − 2z]. Twin of src/divergence/kl.rs.

fn kl_term(c: Contrast) -> f32 {
    let near = c.s * c.w * (1.0 + c.z * (1.0 + c.z) * c.ratio.tail);
    return select(c.a * contrast_log(c) - c.u, near, c.near);
}

fn reverse_kl_term(c: Contrast) -> f32 {
    let near = c.s * c.w * (1.0 + c.z * (c.z - 1.0) * c.ratio.tail);
    return select(c.u - c.q * contrast_log(c), near, c.near);
}
