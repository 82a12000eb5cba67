// One bin, with both sides on the scale of q, whose total lies in [1, 2). Every measure is a function of it. Twin of
// `measures/term.rs` of kullback-kernels.

struct Contrast {
    p: TwoPart,
    p_total: TwoPart,
    a: f32,
    q: f32,
    q_low: f32,
    q_total: TwoPart,
    u: f32,
    // s = a + q, raised to a tiny number at least, and z = u/s.
    s: f32,
    z: f32,
    both: bool,
    // The totals of p and of q as stored, as parts of their sum.
    pooled: vec2<f32>,
    ratio: LogRatio,
}

fn make_contrast(
    p: TwoPart,
    p_total: TwoPart,
    a: f32,
    q: TwoPart,
    q_total: TwoPart,
    u: f32,
    pooled: vec2<f32>,
) -> Contrast {
    let positive_a = max(a, NOTHING);
    let positive_q = max(q.high, NOTHING);
    let s = positive_a + positive_q;
    var z = 0.0;
    if (NEEDS_Z) {
        z = u / s;
    }
    var ratio = LogRatio(0u, 0.0, 0.0);
    if (NEEDS_LOG) {
        ratio = log_ratio_of(positive_a, positive_q, u);
    }
    return Contrast(p, p_total, a, q.high, q.low, q_total, u, s, z, a > 0.0 && q.high > 0.0, pooled, ratio);
}

// ln(a/q). The result is finite where a side has no weight, but means nothing.
fn contrast_log(c: Contrast) -> f32 {
    return log_value(c.ratio);
}

// a·ln(a/q) − a + q ≥ 0, from a, q and a − q.
fn excess_of(a: f32, q: f32, u: f32) -> f32 {
    let positive_a = max(a, NOTHING);
    let positive_q = max(q, NOTHING);
    return log_excess(log_ratio_of(positive_a, positive_q, u), positive_a, positive_q, u);
}

// x/y where y is positive, otherwise 0.
fn quotient(x: f32, y: f32) -> f32 {
    return select(0.0, x / select(1.0, y, y > 0.0), y > 0.0);
}
