// Reads the bins of a row one by one, twice. The length of the row is no multiple of four.

// Nothing is held between the two passes.
struct Held {
    nothing: u32,
}

fn hold(span: Span) -> Held {
    return Held(0u);
}

fn glance_at(span: Span, held: Held) -> Glance {
    var least = ABOVE_ALL;
    var most = 0u;
    var p_total = TwoPart(0.0, 0.0);
    var q_total = TwoPart(0.0, 0.0);
    for (var bin = span.first; bin < span.end; bin += span.step) {
        let p = bits_p(span.p + bin);
        let q = bits_q(span.q + bin);
        least = min(least, min(p, q));
        most = max(most, max(p, q));
        p_total = add_compensated(p_total, bitcast<f32>(p));
        q_total = add_compensated(q_total, bitcast<f32>(q));
    }
    return Glance(p_total.high, q_total.high, -p_total.low, -q_total.low, least, most);
}

fn sums_of(span: Span, held: Held, c: Usual) -> Running {
    var total = nothing_yet();
    var bin = span.first;
    while (bin < span.end) {
        var block = empty_sums();
        let block_end = min(span.end, bin + 4u * span.step);
        for (; bin < block_end; bin += span.step) {
            add_bin(&block, bits_p(span.p + bin), bits_q(span.q + bin), c);
        }
        total = combine_running(total, without_loss(block));
    }
    return total;
}
