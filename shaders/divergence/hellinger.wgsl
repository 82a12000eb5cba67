// 1 − BC = (1/Q) Σ ½u²/(s + 2√(aq)), and BC itself. Twin of src/divergence/hellinger.rs.

fn hellinger_deficit_term(c: Contrast) -> f32 {
    // A product a·q that vanishes belongs to a bin that does not count, or to one with a side that does not.
    let root = sqrt(c.a * c.q);
    return 0.5 * c.u * (c.u / ((root + root) + c.s));
}

fn affinity_term(c: Contrast) -> f32 {
    return sqrt(c.a) * sqrt(c.q);
}
