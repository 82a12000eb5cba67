// The policy adds the amount to every weight.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let amount = TwoPart(params.policy_high, params.policy_low);
    let added = multiply_parts(amount, whole_number(params.bins));
    return Side(add_parts(total, added), amount, amount);
}

fn policy_holds(side: Side, missing: u32) -> bool {
    return is_held(side.add);
}

fn policy_has(has: bool, other_has: bool) -> bool {
    return true;
}

fn policy_weight(x: f32, has: bool, other_has: bool, side: Side) -> TwoPart {
    let sum = two_sum(x, side.add.high);
    return TwoPart(sum.high, sum.low + side.add.low);
}
