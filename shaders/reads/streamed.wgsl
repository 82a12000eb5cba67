// Reads rows of more than two quads per thread: twice, the second time from a cache.

struct Held {
    nothing: u32,
}

fn hold(span: Span) -> Held {
    return Held(0u);
}

fn glance_at(span: Span, held: Held) -> Glance {
    var g = no_glances();
    for (var quad = span.first; 4u * quad < span.end; quad += span.step) {
        glance_at_quad(&g, quad_p_of(span, quad), quad_q_of(span, quad));
    }
    return one_glance(g);
}

fn sums_of(span: Span, held: Held, c: Usual) -> Running {
    var total = nothing_yet();
    for (var quad = span.first; 4u * quad < span.end; quad += span.step) {
        var block = empty_sums();
        add_quad(&block, quad_p_of(span, quad), quad_q_of(span, quad), c);
        total = combine_running(total, without_loss(block));
    }
    return total;
}
