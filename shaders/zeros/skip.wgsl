// The policy leaves out bins where either side is 0. The totals are those of the other bins.

const PLAIN: bool = true;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    return Side(total, TwoPart(0.0, 0.0), TwoPart(0.0, 0.0));
}

fn policy_holds(side: Side, missing: u32) -> bool {
    return true;
}

fn policy_has(has: bool, other_has: bool) -> bool {
    return has && other_has;
}

fn policy_weight(x: f32, has: bool, other_has: bool, side: Side) -> TwoPart {
    return TwoPart(select(0.0, x, other_has), 0.0);
}
