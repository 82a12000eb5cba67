// The policy raises weights below E of the total to E of the total. The new total takes a scan of its own.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let fill = multiply_parts(total, TwoPart(params.policy_high, params.policy_low));
    return Side(total, TwoPart(0.0, 0.0), fill);
}

fn policy_holds(side: Side, missing: u32) -> bool {
    return is_held(side.fill);
}

fn policy_has(has: bool, other_has: bool) -> bool {
    return true;
}

fn policy_weight(x: f32, has: bool, other_has: bool, side: Side) -> TwoPart {
    // If a weight is as large as the first part, the second part decides.
    let kept = x > side.fill.high || (x == side.fill.high && side.fill.low <= 0.0);
    return TwoPart(select(side.fill.high, x, kept), select(side.fill.low, 0.0, kept));
}
