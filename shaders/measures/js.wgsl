// Jensen–Shannon: F(z) = ¼[(1+z)ln(1+z) + (1−z)ln(1−z)]. Twin of `measures/js.rs` of kullback-kernels.

fn js_term(c: Contrast) -> f32 {
    let w = c.z * c.z;
    let near = c.u * c.z * jensen_shannon(w);
    let far = 0.5 * (c.s * ln_one_plus(abs(c.z) - 0.84375) - min(c.a, c.q) * abs(contrast_log(c)));
    return select(far, near, w <= 0.47265625);
}
