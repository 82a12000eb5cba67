// On the union support a missing bin gets E, and the bins with weight share the loss.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let fill = multiply_parts(total, TwoPart(params.policy_high, params.policy_low));
    let lost = multiply_parts(fill, whole_number(missing));
    let loss = divide_parts(lost, whole_number(max(present, 1u)));
    return Side(total, TwoPart(-loss.high, -loss.low), fill);
}

fn policy_holds(side: Side, missing: u32) -> bool {
    return missing == 0u || (is_held(side.fill) && is_held(TwoPart(-side.add.high, -side.add.low)));
}

fn policy_has(has: bool, other_has: bool) -> bool {
    return has || other_has;
}

fn policy_weight(x: f32, has: bool, other_has: bool, side: Side) -> TwoPart {
    let sum = two_sum(x, side.add.high);
    // Where a weight loses most of itself, the second part may be as large as the first, so the two are added again.
    let rest = two_sum(sum.high, sum.low + side.add.low);
    return TwoPart(
        select(select(0.0, side.fill.high, other_has), rest.high, has),
        select(select(0.0, side.fill.low, other_has), rest.low, has),
    );
}
