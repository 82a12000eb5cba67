// The tree that adds what the threads of a row found. It is the same on every thread, in a fixed order. reduce_subgroup.wgsl and
// reduce_workgroup.wgsl hold the two ways in which two threads exchange values.

// At most ten words per thread.
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

// Sums of terms, and what their additions have lost so far: beside one large term, each addition rounds once more.
struct Running {
    sums: Sums,
    lost: Lost,
}

fn nothing_yet() -> Running {
    return without_loss(empty_sums());
}

fn without_loss(sums: Sums) -> Running {
    return Running(sums, Lost(vec4<f32>(), vec4<f32>()));
}

// (a + b) − sum, exactly.
fn lost_of(a: vec4<f32>, b: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    // With one term, the other components are 0.
    if (TERMS == 1u) {
        let back = opaque(sum.x - a.x);
        return vec4<f32>(opaque(a.x - opaque(sum.x - back)) + opaque(b.x - back), 0.0, 0.0, 0.0);
    }
    let back = opaque_four(sum - a);
    return opaque_four(a - opaque_four(sum - back)) + opaque_four(b - back);
}

fn opaque_terms(x: vec4<f32>) -> vec4<f32> {
    if (TERMS == 1u) {
        return vec4<f32>(opaque(x.x), 0.0, 0.0, 0.0);
    }
    return opaque_four(x);
}

// Gives the same bits with a and b exchanged.
fn combine_running(a: Running, b: Running) -> Running {
    var sums = combine_sums(a.sums, b.sums);
    sums.first = opaque_terms(sums.first);
    var lost = Lost((a.lost.first + b.lost.first) + lost_of(a.sums.first, b.sums.first, sums.first), vec4<f32>());
    if (TERMS > 4u) {
        sums.second = opaque_four(sums.second);
        lost.second = (a.lost.second + b.lost.second) + lost_of(a.sums.second, b.sums.second, sums.second);
    }
    return Running(sums, lost);
}

// What one pass over a row finds.
struct Glance {
    p: f32,
    q: f32,
    // What the additions lost of p and q.
    p_lost: f32,
    q_lost: f32,
    // The least and the most of the bits of all weights.
    least: u32,
    most: u32,
}

fn peer_glance_through_memory(at: Place, g: Glance, distance: u32) -> Glance {
    workgroupBarrier();
    peer_word(at, bitcast<u32>(g.p), 0u);
    peer_word(at, bitcast<u32>(g.q), 1u);
    peer_word(at, bitcast<u32>(g.p_lost), 2u);
    peer_word(at, bitcast<u32>(g.q_lost), 3u);
    peer_word(at, g.least, 4u);
    peer_word(at, g.most, 5u);
    workgroupBarrier();
    return Glance(
        bitcast<f32>(take_word(at, distance, 0u)),
        bitcast<f32>(take_word(at, distance, 1u)),
        bitcast<f32>(take_word(at, distance, 2u)),
        bitcast<f32>(take_word(at, distance, 3u)),
        take_word(at, distance, 4u),
        take_word(at, distance, 5u),
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

// With one term, the other components are 0.
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

fn peer_lost_through_memory(at: Place, lost: Lost, distance: u32) -> Lost {
    workgroupBarrier();
    put_vector(at, lost.first, 0u);
    if (TERMS > 4u) {
        put_vector(at, lost.second, 4u);
    }
    workgroupBarrier();
    var second = vec4<f32>();
    if (TERMS > 4u) {
        second = take_vector(at, distance, 4u);
    }
    return Lost(take_vector(at, distance, 0u), second);
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

// Adds the totals of the threads of a row by a fixed tree. Every thread of the row gets the same.
fn reduce_totals(at: Place, mine: Totals) -> Totals {
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        all = combine_totals(all, peer_totals(at, all, distance));
    }
    return all;
}

fn reduce_sums(at: Place, mine: Running) -> Sums {
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        let other = Running(peer_sums(at, all.sums, distance), peer_lost(at, all.lost, distance));
        all = combine_running(all, other);
    }
    var sums = all.sums;
    sums.first += all.lost.first;
    if (TERMS > 4u) {
        sums.second += all.lost.second;
    }
    return sums;
}
