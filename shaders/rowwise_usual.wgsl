// A row in one workgroup, with its zeros as they are, and only terms of second order without an exponent. Twin of
// `rows/usual.rs` of kullback-kernels. r has the digits of a float; the error hardly affects such terms unless the two sides are
// almost the same. The kernel checks the least and the most of the bits of all weights, and single weights only in rows where these
// two ask for it. The host finds from the sums the rows for which this is not enough.

// Adds what the threads of a row found, by a fixed tree. Every thread of the row gets the same.
fn reduce_glance(at: Place, mine: Glance) -> Glance {
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        let other = peer_glance(at, all, distance);
        let p = two_sum(all.p, other.p);
        let q = two_sum(all.q, other.q);
        // Every thread adds in this order: all threads of a row must get the same totals.
        let p_lost = opaque(opaque(all.p_lost + other.p_lost) + opaque(p.low));
        let q_lost = opaque(opaque(all.q_lost + other.q_lost) + opaque(q.low));
        all = Glance(p.high, q.high, p_lost, q_lost, min(all.least, other.least), max(all.most, other.most));
    }
    let p = two_sum(all.p, all.p_lost);
    let q = two_sum(all.q, all.q_lost);
    return Glance(p.high, q.high, p.low, q.low, all.least, all.most);
}

struct Usual {
    // What scales q to a total in [1, 2), and that total.
    scale: f32,
    q_total: TwoPart,
    // r = Q/P, and r in two parts whose products are exact.
    ratio: f32,
    ratio_high: f32,
    ratio_middle: f32,
    // What Q/P is above r, as a part of r. The host moves each sum from r to Q/P.
    off: f32,
    pooled: vec2<f32>,
    flags: u32,
}

fn no_constants(flags: u32) -> Usual {
    return Usual(1.0, TwoPart(1.0, 0.0), 1.0, 1.0, 0.0, 0.0, vec2<f32>(0.5, 0.5), flags);
}

fn usual_constants(g: Glance) -> Usual {
    let p_bits = bitcast<u32>(g.p);
    let q_bits = bitcast<u32>(g.q);
    let p_exponent = exponent_of(g.p);
    let q_exponent = exponent_of(g.q);
    // A weight is invalid, −0, or so large that a total may overflow. The row is not for this kernel, and its totals mean nothing.
    if (g.most >= MOST_EXACT) {
        return no_constants(RESCUE);
    }
    if (p_bits == 0u || q_bits == 0u) {
        return no_constants(EMPTY);
    }
    if (abs(p_exponent) > 90 || abs(q_exponent) > 90) {
        return no_constants(RESCUE);
    }
    let scale = bitcast<f32>(u32(127 - q_exponent) << 23u);
    let q_total = scale_parts(TwoPart(g.q, g.q_lost), scale);
    // A ratio that is a power of two is exact, however the device divides.
    let is_power = ((p_bits ^ q_bits) & 0x7fffffu) == 0u;
    let power = bitcast<f32>(u32(127 - p_exponent) << 23u);
    // A device may divide with an error of a few units in the last place. The remainder of the quotient gives the rest.
    let quotient = opaque(q_total.high / g.p);
    let product = two_product(quotient, g.p);
    let rest = (opaque(q_total.high - product.high) - product.low) + (q_total.low - quotient * g.p_lost);
    let more = rest / g.p;
    let ratio = opaque(select(quotient + more, power, is_power));
    let off = (opaque(quotient - ratio) + more) / ratio;
    let least = bitcast<f32>(max(g.least, LEAST_EXACT));
    let tiny = g.least >= LEAST_EXACT && least * min(ratio, scale) < TINY;
    let ratio_high = leading(ratio);
    let pooled = pooled_parts(TwoPart(g.p, g.p_lost), TwoPart(g.q, g.q_lost));
    let uneven = POOLED && min(pooled.x, pooled.y) < LEAST_POOLED;
    let flags = select(0u, RESCUE, tiny || uneven) | select(0u, EXACT, is_power);
    return Usual(scale, q_total, ratio, ratio_high, opaque(ratio - ratio_high), off, pooled, flags);
}

// The flags of a row in which some weight is not a float of usual size.
fn scan_flags(span: Span, c: Usual) -> u32 {
    var flags = 0u;
    for (var bin = span.first; bin < span.end; bin += span.step) {
        let p = load_p(span.p + bin);
        let q = load_q(span.q + bin);
        flags |= bin_flags(p, q);
        let tiny = (p.value > 0.0 && p.value * c.ratio < TINY) || (q.value > 0.0 && q.value * c.scale < TINY);
        flags |= select(0u, RESCUE, tiny);
    }
    return flags;
}

// Adds the terms of a bin. The flags of a block say whether any u of it is not 0.
fn add_bin(block: ptr<function, Sums>, p_bits: u32, q_bits: u32, c: Usual) {
    let p = bitcast<f32>(p_bits);
    let q = bitcast<f32>(q_bits) * c.scale;
    let u = scaled_difference(p, c.ratio_high, c.ratio_middle, q, 0.0);
    (*block).flags |= bitcast<u32>(u) << 1u;
    let none = TwoPart(0.0, 0.0);
    add_terms(block, make_contrast(none, none, p * c.ratio, TwoPart(q, 0.0), none, u, c.pooled));
}

@compute @workgroup_size(128)
fn whole(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = Place(thread, thread % THREADS);
    let row = whole_row(workgroup, workgroups, thread);
    // Threads without a row keep step with the others and visit no bin.
    let span = span_of(row, at.lane, THREADS, select(0u, params.bins, row < params.rows));
    let held = hold(span);
    let glance = reduce_glance(at, glance_at(span, held));
    let constants = usual_constants(glance);
    var mine = nothing_yet();
    if ((constants.flags & (EMPTY | RESCUE)) == 0u) {
        mine = sums_of(span, held, constants);
        mine.sums.yardstick = select(0.0, 1.0, mine.sums.flags != 0u);
    }
    if (glance.least < LEAST_EXACT || glance.most >= ABOVE_ALL) {
        mine.sums.flags = scan_flags(span, constants);
    } else {
        mine.sums.flags = COMMON;
    }
    var sums = reduce_sums(at, mine);
    if (at.lane == 0u && row < params.rows) {
        var flags = constants.flags;
        if (sums.yardstick > 0.0) {
            flags &= ~EXACT;
        }
        if (POOLED && (flags & (EXACT | EMPTY)) == 0u) {
            let least = TRUSTED_POOLED * constants.pooled.x * constants.pooled.y * constants.q_total.high;
            flags |= select(RESCUE, 0u, pooled_sum(sums) >= least);
        }
        let none = TwoPart(0.0, 0.0);
        let side = Side(constants.q_total, none, none);
        // These rows have no yardstick.
        sums.yardstick = constants.off;
        write_record(row, sums, RowConstants(side, side, 1.0, none, constants.pooled, flags));
    }
}
