// 1 − BC = (1/Q) Σ ½u²/(√a + √q)², and BC itself. Twin of src/divergence/hellinger.rs.

fn hellinger_deficit_term(c: Contrast) -> f32 {
    let ratio = quotient(c.u, sqrt(c.a) + sqrt(c.q));
    return 0.5 * ratio * ratio;
}

fn affinity_term(c: Contrast) -> f32 {
    return sqrt(c.a) * sqrt(c.q);
}
