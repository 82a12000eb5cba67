// The tree that adds what the threads of a row found: the same on every thread, in a fixed order.
// How two threads exchange values is in reduce_subgroup.wgsl or reduce_workgroup.wgsl.

var<workgroup> exchange: array<u32, 1280>;

fn empty_totals() -> Totals {
    return Totals(TwoPart(0.0, 0.0), TwoPart(0.0, 0.0), 0u, 0u, 0u, 0u);
}

fn empty_sums() -> Sums {
    return Sums(vec4<f32>(), vec4<f32>(), 0.0, 0u);
}

fn combine_totals(a: Totals, b: Totals) -> Totals {
    return Totals(
        add_parts(a.p, b.p),
        add_parts(a.q, b.q),
        a.present_p + b.present_p,
        a.present_q + b.present_q,
        a.present_any + b.present_any,
        a.flags | b.flags,
    );
}

fn combine_sums(a: Sums, b: Sums) -> Sums {
    var second = a.second;
    if (TERMS > 4u) {
        second += b.second;
    }
    return Sums(a.first + b.first, second, a.yardstick + b.yardstick, a.flags | b.flags);
}

// What one look at a row finds.
struct Glance {
    p: f32,
    q: f32,
    // Of the bits of all weights.
    least: u32,
    most: u32,
}

fn peer_glance_through_memory(at: Place, g: Glance, distance: u32) -> Glance {
    workgroupBarrier();
    peer_word(at, bitcast<u32>(g.p), 0u);
    peer_word(at, bitcast<u32>(g.q), 1u);
    peer_word(at, g.least, 2u);
    peer_word(at, g.most, 3u);
    workgroupBarrier();
    return Glance(
        bitcast<f32>(take_word(at, distance, 0u)),
        bitcast<f32>(take_word(at, distance, 1u)),
        take_word(at, distance, 2u),
        take_word(at, distance, 3u),
    );
}

fn peer_totals_through_memory(at: Place, t: Totals, distance: u32) -> Totals {
    workgroupBarrier();
    peer_word(at, bitcast<u32>(t.p.high), 0u);
    peer_word(at, bitcast<u32>(t.p.low), 1u);
    peer_word(at, bitcast<u32>(t.q.high), 2u);
    peer_word(at, bitcast<u32>(t.q.low), 3u);
    peer_word(at, t.present_p, 4u);
    peer_word(at, t.present_q, 5u);
    peer_word(at, t.present_any, 6u);
    peer_word(at, t.flags, 7u);
    workgroupBarrier();
    return Totals(
        TwoPart(bitcast<f32>(take_word(at, distance, 0u)), bitcast<f32>(take_word(at, distance, 1u))),
        TwoPart(bitcast<f32>(take_word(at, distance, 2u)), bitcast<f32>(take_word(at, distance, 3u))),
        take_word(at, distance, 4u),
        take_word(at, distance, 5u),
        take_word(at, distance, 6u),
        take_word(at, distance, 7u),
    );
}

// Of one term the others are nothing.
fn put_vector(at: Place, v: vec4<f32>, slot: u32) {
    peer_word(at, bitcast<u32>(v.x), slot);
    if (TERMS > 1u) {
        peer_word(at, bitcast<u32>(v.y), slot + 1u);
        peer_word(at, bitcast<u32>(v.z), slot + 2u);
        peer_word(at, bitcast<u32>(v.w), slot + 3u);
    }
}

fn take_vector(at: Place, distance: u32, slot: u32) -> vec4<f32> {
    if (TERMS == 1u) {
        return vec4<f32>(bitcast<f32>(take_word(at, distance, slot)), 0.0, 0.0, 0.0);
    }
    return vec4<f32>(
        bitcast<f32>(take_word(at, distance, slot)),
        bitcast<f32>(take_word(at, distance, slot + 1u)),
        bitcast<f32>(take_word(at, distance, slot + 2u)),
        bitcast<f32>(take_word(at, distance, slot + 3u)),
    );
}

fn peer_sums_through_memory(at: Place, s: Sums, distance: u32) -> Sums {
    workgroupBarrier();
    put_vector(at, s.first, 0u);
    if (TERMS > 4u) {
        put_vector(at, s.second, 4u);
    }
    peer_word(at, bitcast<u32>(s.yardstick), 8u);
    peer_word(at, s.flags, 9u);
    workgroupBarrier();
    var second = vec4<f32>();
    if (TERMS > 4u) {
        second = take_vector(at, distance, 4u);
    }
    return Sums(
        take_vector(at, distance, 0u),
        second,
        bitcast<f32>(take_word(at, distance, 8u)),
        take_word(at, distance, 9u),
    );
}

// The same on every thread of the row; a fixed tree.
fn reduce_totals(at: Place, mine: Totals) -> Totals {
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        all = combine_totals(all, peer_totals(at, all, distance));
    }
    return all;
}

fn reduce_sums(at: Place, mine: Sums) -> Sums {
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        all = combine_sums(all, peer_sums(at, all, distance));
    }
    return all;
}
