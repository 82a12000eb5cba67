// 1 − BC = (1/Q) Σ ½u²/(s + 2√(aq)), and BC itself. Twin of `measures/hellinger.rs` of kullback-kernels.

fn hellinger_deficit_term(c: Contrast) -> f32 {
    // 2·√(aq) = 2⁻⁵⁹·√(2¹²⁰·aq): a and q lie between 2⁻⁹⁶ and 2, so their plain product may be subnormal. a and q are products
    // themselves. `opaque` keeps a compiler from pairing their factors with 2¹²⁰.
    let product = opaque(opaque(c.a) * 1.329227995784916e36) * opaque(c.q);
    return 0.5 * c.u * (c.u / (sqrt(product) * 1.734723475976807e-18 + c.s));
}

fn affinity_term(c: Contrast) -> f32 {
    return sqrt(c.a) * sqrt(c.q);
}
