// One bin, both sides on the scale of q, whose total lies in [1, 2): the twin of
// `src/divergence/term.rs`. Every measure is a function of it.

struct Contrast {
    p: TwoPart,
    p_total: TwoPart,
    a: f32,
    q: f32,
    q_low: f32,
    q_total: TwoPart,
    u: f32,
    s: f32,
    z: f32,
    w: f32,
    near: bool,
    both: bool,
    ratio: LogRatio,
}

fn make_contrast(p: TwoPart, p_total: TwoPart, a: f32, q: TwoPart, q_total: TwoPart, u: f32) -> Contrast {
    let s = a + q.high;
    let z = u / select(1.0, s, s > 0.0);
    let w = z * z;
    let near = w <= 0.111111111;
    let both = a > 0.0 && q.high > 0.0;
    var ratio = LogRatio(0.0, 0.0, 0.0);
    if (NEEDS_LOG) {
        let reduced = reduce_ratio(select(1.0, a, both), select(1.0, q.high, both));
        ratio = log_ratio_from(select(reduced.x, 0.0, near), select(reduced.y, z, near));
    }
    return Contrast(p, p_total, a, q.high, q.low, q_total, u, s, z, w, near, both, ratio);
}

// ln(a/q), 0 where a side has no weight.
fn contrast_log(c: Contrast) -> f32 {
    return select(0.0, log_value(c.ratio), c.both);
}

// x/y where y is positive, else 0.
fn quotient(x: f32, y: f32) -> f32 {
    return select(0.0, x / select(1.0, y, y > 0.0), y > 0.0);
}
