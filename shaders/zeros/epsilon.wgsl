// On the union support a missing bin gets E and the bins present share the loss.

const PLAIN: bool = false;

fn policy_side(total: TwoPart, present: u32, missing: u32) -> Side {
    let fill = multiply_parts(total, TwoPart(params.policy_high, params.policy_low));
    let lost = multiply_parts(fill, whole_number(missing));
    let loss = divide_parts(lost, whole_number(max(present, 1u)));
    return Side(total, TwoPart(-loss.high, -loss.low), fill);
}

fn policy_weight(x: f32, other: f32, side: Side) -> TwoPart {
    let sum = two_sum(x, side.add.high);
    let some = x > 0.0;
    let fills = other > 0.0;
    return TwoPart(
        select(select(0.0, side.fill.high, fills), sum.high, some),
        select(select(0.0, side.fill.low, fills), sum.low + side.add.low, some),
    );
}
