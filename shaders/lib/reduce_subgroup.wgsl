// Gets the value of the thread whose index differs in one bit: by a shuffle inside a subgroup, through workgroup memory across
// subgroups. The tree is the same as without subgroups, so the bits are the same too.

// Threads of the smallest subgroup that the adapter makes. A smaller distance stays inside any subgroup.
override SUBGROUP: u32 = 1u;

fn peer_word(at: Place, word: u32, slot: u32) {
    exchange[slot * WORKGROUP + at.thread] = word;
}

fn take_word(at: Place, distance: u32, slot: u32) -> u32 {
    return exchange[slot * WORKGROUP + (at.thread ^ distance)];
}

fn peer_totals(at: Place, t: Totals, distance: u32) -> Totals {
    if (distance >= SUBGROUP) {
        return peer_totals_through_memory(at, t, distance);
    }
    return Totals(
        TwoPart(subgroupShuffleXor(t.p.high, distance), subgroupShuffleXor(t.p.low, distance)),
        TwoPart(subgroupShuffleXor(t.q.high, distance), subgroupShuffleXor(t.q.low, distance)),
        subgroupShuffleXor(t.present_p, distance),
        subgroupShuffleXor(t.present_q, distance),
        subgroupShuffleXor(t.present_any, distance),
        subgroupShuffleXor(t.flags, distance),
    );
}

fn peer_sums(at: Place, s: Sums, distance: u32) -> Sums {
    if (distance >= SUBGROUP) {
        return peer_sums_through_memory(at, s, distance);
    }
    // With one term, the other components are 0.
    var first = vec4<f32>();
    var second = vec4<f32>();
    if (TERMS == 1u) {
        first.x = subgroupShuffleXor(s.first.x, distance);
    } else {
        first = subgroupShuffleXor(s.first, distance);
    }
    if (TERMS > 4u) {
        second = subgroupShuffleXor(s.second, distance);
    }
    return Sums(
        first,
        second,
        subgroupShuffleXor(s.yardstick, distance),
        subgroupShuffleXor(s.flags, distance),
    );
}

fn peer_lost(at: Place, lost: Lost, distance: u32) -> Lost {
    if (distance >= SUBGROUP) {
        return peer_lost_through_memory(at, lost, distance);
    }
    var first = vec4<f32>();
    var second = vec4<f32>();
    if (TERMS == 1u) {
        first.x = subgroupShuffleXor(lost.first.x, distance);
    } else {
        first = subgroupShuffleXor(lost.first, distance);
    }
    if (TERMS > 4u) {
        second = subgroupShuffleXor(lost.second, distance);
    }
    return Lost(first, second);
}

fn peer_glance(at: Place, g: Glance, distance: u32) -> Glance {
    if (distance >= SUBGROUP) {
        return peer_glance_through_memory(at, g, distance);
    }
    return Glance(
        subgroupShuffleXor(g.p, distance),
        subgroupShuffleXor(g.q, distance),
        subgroupShuffleXor(g.p_lost, distance),
        subgroupShuffleXor(g.q_lost, distance),
        subgroupShuffleXor(g.least, distance),
        subgroupShuffleXor(g.most, distance),
    );
}
