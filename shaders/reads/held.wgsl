// Reads rows of at most two quads per thread: once, and registers hold the bins between the two passes.

struct Held {
    p_first: vec4<u32>,
    q_first: vec4<u32>,
    p_second: vec4<u32>,
    q_second: vec4<u32>,
}

fn has_first(span: Span) -> bool {
    return 4u * span.first < span.end;
}

fn has_second(span: Span) -> bool {
    return 4u * (span.first + span.step) < span.end;
}

fn hold(span: Span) -> Held {
    let none = vec4<u32>(0u);
    var held = Held(none, none, none, none);
    if (has_first(span)) {
        held.p_first = quad_p_of(span, span.first);
        held.q_first = quad_q_of(span, span.first);
    }
    if (has_second(span)) {
        held.p_second = quad_p_of(span, span.first + span.step);
        held.q_second = quad_q_of(span, span.first + span.step);
    }
    return held;
}

fn glance_at(span: Span, held: Held) -> Glance {
    var g = no_glances();
    if (has_first(span)) {
        glance_at_quad(&g, held.p_first, held.q_first);
    }
    if (has_second(span)) {
        glance_at_quad(&g, held.p_second, held.q_second);
    }
    return one_glance(g);
}

fn sums_of(span: Span, held: Held, c: Usual) -> Running {
    var first = empty_sums();
    var second = empty_sums();
    if (has_first(span)) {
        add_quad(&first, held.p_first, held.q_first, c);
    }
    if (has_second(span)) {
        add_quad(&second, held.p_second, held.q_second, c);
    }
    return combine_running(without_loss(first), without_loss(second));
}
