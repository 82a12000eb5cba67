// The terms a·(−ln q̂) and a·(−ln p̂). An almost full bin goes through atanh. Twin of `measures/entropy.rs` of kullback-kernels.

// −ln(w/W), 0 for an empty bin.
fn surprise(w: TwoPart, total: TwoPart) -> f32 {
    let has = w.high > 0.0;
    let safe = select(total.high, w.high, has);
    let rest = opaque(total.high - safe) + (total.low - w.low);
    let most = rest < safe;
    let steps = select(even_steps(total.high, safe), 0u, most);
    let scaled = raised(safe, steps);
    let t = select(total.high - scaled, max(rest, 0.0), most) / (total.high + scaled);
    let value = log_value(LogRatio(steps, t, atanh_tail(t * t)));
    return select(0.0, value, has);
}

fn cross_entropy_term(c: Contrast) -> f32 {
    return c.a * surprise(TwoPart(c.q, c.q_low), c.q_total);
}

fn entropy_term(c: Contrast) -> f32 {
    return c.a * surprise(c.p, c.p_total);
}
