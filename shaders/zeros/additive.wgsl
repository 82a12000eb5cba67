// The amount is added to every weight.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let amount = TwoPart(params.policy_high, params.policy_low);
    let added = multiply_parts(amount, whole_number(params.bins));
    return Side(add_parts(total, added), amount, amount);
}

fn policy_weight(x: f32, other: f32, side: Side) -> TwoPart {
    let sum = two_sum(x, side.add.high);
    return TwoPart(sum.high, sum.low + side.add.low);
}
