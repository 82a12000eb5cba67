// Jensen–Shannon: F(z) = ¼[(1+z)ln(1+z) + (1−z)ln(1−z)]. Twin of src/divergence/js.rs.

fn js_term(c: Contrast) -> f32 {
    let near = 0.25 * c.s * c.w * jensen_shannon(min(c.w, 0.25));
    let high = max(c.a, c.q);
    let low = min(c.a, c.q);
    let any = high > 0.0;
    let log_high = log_ratio_from(0.0, abs(c.u) / select(1.0, 3.0 * high + low, any)).rest;
    let has_low = low > 0.0;
    let log_low = log_of_ratio(select(1.0, low + low, has_low), select(1.0, c.s, has_low));
    let far = 0.5 * (high * log_high + select(0.0, low * log_low, has_low));
    return select(far, near, c.w <= 0.25);
}
