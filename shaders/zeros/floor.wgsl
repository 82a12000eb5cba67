// What lies below E of the total is raised to it; the total after that takes a scan of its own.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let fill = multiply_parts(total, TwoPart(params.policy_high, params.policy_low));
    return Side(total, TwoPart(0.0, 0.0), fill);
}

fn policy_weight(x: f32, other: f32, side: Side) -> TwoPart {
    let kept = x >= side.fill.high;
    return TwoPart(select(side.fill.high, x, kept), select(side.fill.low, 0.0, kept));
}
