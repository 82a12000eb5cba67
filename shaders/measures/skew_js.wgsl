// A·[a·ln(a/m) − a + m] + B·[q·ln(q/m) − q + m], m = A·a + B·q. Twin of `measures/skew_js.rs` of kullback-kernels. `order` holds A and
// B first. m comes from the side that it is nearer to, so that it rounds once where the CPU has a fused multiply-add.

fn skew_js_term(c: Contrast, order: vec4<f32>) -> f32 {
    return skewed(c, order.x, order.y);
}

fn skewed(c: Contrast, a_share: f32, q_share: f32) -> f32 {
    let m = select(c.a - q_share * c.u, c.q + a_share * c.u, a_share < 0.5);
    return a_share * excess_of(c.a, m, q_share * c.u) + q_share * excess_of(c.q, m, -(a_share * c.u));
}
