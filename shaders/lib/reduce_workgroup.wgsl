// Gets the value of the thread whose index differs in one bit, through workgroup memory. This works everywhere.

fn peer_word(at: Place, word: u32, slot: u32) {
    exchange[slot * WORKGROUP + at.thread] = word;
}

fn take_word(at: Place, distance: u32, slot: u32) -> u32 {
    return exchange[slot * WORKGROUP + (at.thread ^ distance)];
}

fn peer_totals(at: Place, t: Totals, distance: u32) -> Totals {
    return peer_totals_through_memory(at, t, distance);
}

fn peer_sums(at: Place, s: Sums, distance: u32) -> Sums {
    return peer_sums_through_memory(at, s, distance);
}

fn peer_lost(at: Place, lost: Lost, distance: u32) -> Lost {
    return peer_lost_through_memory(at, lost, distance);
}

fn peer_glance(at: Place, g: Glance, distance: u32) -> Glance {
    return peer_glance_through_memory(at, g, distance);
}
