// The bins of a row one by one, twice: for rows whose length is no multiple of four.

// Nothing is held between the two looks.
struct Held {
    nothing: u32,
}

fn hold(span: Span) -> Held {
    return Held(0u);
}

fn glance_at(span: Span, held: Held) -> Glance {
    var g = Glance(0.0, 0.0, ABOVE_ALL, 0u);
    var p_lost = 0.0;
    var q_lost = 0.0;
    for (var bin = span.first; bin < span.end; bin += span.step) {
        let p = bits_p(span.p + bin);
        let q = bits_q(span.q + bin);
        g.least = min(g.least, min(p, q));
        g.most = max(g.most, max(p, q));
        let p_next = bitcast<f32>(p) - p_lost;
        let q_next = bitcast<f32>(q) - q_lost;
        let p_sum = opaque(g.p + p_next);
        let q_sum = opaque(g.q + q_next);
        p_lost = opaque(p_sum - g.p) - p_next;
        q_lost = opaque(q_sum - g.q) - q_next;
        g.p = p_sum;
        g.q = q_sum;
    }
    return g;
}

fn sums_of(span: Span, held: Held, c: Usual) -> Sums {
    var total = empty_sums();
    var bin = span.first;
    while (bin < span.end) {
        var block = empty_sums();
        let block_end = min(span.end, bin + 8u * span.step);
        for (; bin < block_end; bin += span.step) {
            add_bin(&block, bits_p(span.p + bin), bits_q(span.q + bin), c);
        }
        add_block(&total, block);
    }
    return total;
}
