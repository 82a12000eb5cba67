// KL(p̂‖m̂) = (1/Q) Σ [a·ln(a/m) − a + m], m = (a + q)/2. Twin of `measures/lin_k.rs` of kullback-kernels.

fn lin_k_term(c: Contrast) -> f32 {
    return excess_of(c.a, 0.5 * c.s, 0.5 * c.u);
}
