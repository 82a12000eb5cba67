// A·a + B·q − aᴬqᴮ and aᴬqᴮ, B = 1 − A. Twin of `measures/power.rs` of kullback-kernels.
// `order` holds A, B, and the exponent of a/q in two parts, with the leading bits last.

fn order_exponent(order: vec4<f32>) -> f32 {
    return order.w + order.z;
}

fn power_sum_term(c: Contrast, order: vec4<f32>) -> f32 {
    let base = select(c.a, c.q, order.x < 0.5);
    let binades = whole_binades(c.ratio.steps);
    let product = binades * order.w;
    let whole = round(product);
    let fraction = (product - whole) + binades * order.z;
    let x = fraction * LN_2 + log_rest(c.ratio) * order_exponent(order);
    return select(0.0, scaled_exp(base, whole, x), c.both);
}

fn power_deficit_term(c: Contrast, order: vec4<f32>) -> f32 {
    let y = contrast_log(c) * order_exponent(order);
    // A·a + B·q without the cancellation of large orders.
    let base_is_q = order.x < 0.5;
    let plain = select(c.a - c.u * order.y, c.q + c.u * order.x, base_is_q);
    let direct = plain - power_sum_term(c, order);
    let remainder = exp_remainder(clamp(y, -1.0, 2.0));
    let over_q = reverse_kl_term(c) * order.x - c.q * remainder;
    let over_a = kl_term(c) * order.y - c.a * remainder;
    let small = select(over_a, over_q, base_is_q);
    return select(direct, small, c.both && y >= -1.0 && y <= 2.0);
}
