// A·[a·ln(a/m) − a + m] + B·[q·ln(q/m) − q + m], m = A·a + B·q. Twin of `measures/skew_js.rs` of kullback-kernels. `order` holds A and
// B first. m comes from the side that it is nearer to, so that it rounds once where the CPU has a fused multiply-add.

fn skew_js_term(c: Contrast, order: vec4<f32>) -> f32 {
    let m = select(c.a - order.y * c.u, c.q + order.x * c.u, order.x < 0.5);
    return order.x * excess_of(c.a, m, order.y * c.u) + order.y * excess_of(c.q, m, -(order.x * c.u));
}
