// (1 − L)·p̂ + L/n is proportional to p + λ·P/n with λ = L/(1 − L): the policy number here is λ.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let added = multiply_parts(total, TwoPart(params.policy_high, params.policy_low));
    let amount = divide_parts(added, whole_number(params.bins));
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
