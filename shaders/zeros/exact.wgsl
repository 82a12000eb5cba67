// Zeros are zeros.

const PLAIN: bool = true;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    return Side(total, TwoPart(0.0, 0.0), TwoPart(0.0, 0.0));
}

fn policy_weight(x: f32, other: f32, side: Side) -> TwoPart {
    return TwoPart(x, 0.0);
}
