// Terms that depend on the order of the bins, of a row in one workgroup. Twin of `measures/scan.rs` of kullback-kernels.
//
// A thread has bins that lie beside each other. First it adds up p̂ − q̂ over its bins. The threads then tell each other these sums, so
// that each knows F − G before its first bin. Then it walks over its bins once more. F − G goes up and down, and what rounding takes
// from it stays for all bins that follow. So p·r − q and its sum are numbers in two parts, good to about 2⁻⁴⁴ of Q, and a row counts
// only if its terms are far above that: `LEAST_SCAN`.

// The widths of the bins stand where other kernels have partial totals.
fn width_of(bin: u32) -> f32 {
    return bitcast<f32>(partials[bin]);
}

// Q·(p̂ − q̂) of a bin in two parts.
struct Difference {
    parts: TwoPart,
    flags: u32,
}

fn difference_at(bin: u32, span: Span, c: RowConstants) -> Difference {
    let p_weight = load_p(span.p + bin).value;
    let q_stored = load_q(span.q + bin).value;
    let q_weight = q_stored * c.scale;
    // The stored weights decide: a weight counts even if the scale turns it into 0.
    let has_p = p_weight > 0.0;
    let has_q = q_stored > 0.0;
    let p = policy_weight(p_weight, has_p, has_q, c.p);
    let q = policy_weight(q_weight, has_q, has_p, c.q);
    var flags = 0u;
    if (EPSILON) {
        // The bin loses (almost) all its weight, so the last digits decide, and the host computes them.
        let almost = 1.0 / 65536.0;
        if ((has_p && p.high <= p_weight * almost) || (has_q && q.high <= q_weight * almost)) {
            flags = RESCUE;
        }
    }
    let a = multiply_parts(p, c.ratio);
    return Difference(add_parts(a, TwoPart(-q.high, -q.low)), flags);
}

// What a span adds to Q·(F − G).
fn sum_of_differences(span: Span, c: RowConstants) -> Difference {
    var sum = TwoPart(0.0, 0.0);
    var flags = 0u;
    for (var bin = span.first; bin < span.end; bin++) {
        let difference = difference_at(bin, span, c);
        sum = add_parts(sum, difference.parts);
        flags |= difference.flags;
    }
    return Difference(sum, flags);
}

// The sum of what the threads of a row have that come before this one. At a distance d, a thread adds the sum of its neighbours in
// groups of d.
fn sum_before(at: Place, mine: TwoPart) -> TwoPart {
    var before = TwoPart(0.0, 0.0);
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        var message = empty_totals();
        message.p = all;
        let other = peer_totals(at, message, distance).p;
        if ((at.lane & distance) != 0u) {
            before = add_parts(other, before);
        }
        all = add_parts(all, other);
    }
    return before;
}

// Takes the bins of a span, one after the other. The yardstick says whether F − G is not 0 anywhere.
fn walk(span: Span, c: RowConstants, before_span: TwoPart) -> Running {
    var found = nothing_yet();
    var before = before_span;
    for (var bin = span.first; bin < span.end; bin++) {
        let after = add_parts(before, difference_at(bin, span, c).parts);
        take_step(&found, Step(before.high, after.high, width_of(bin), params.within != 0u));
        if (after.high != 0.0) {
            found.sums.yardstick = 1.0;
        }
        before = after;
    }
    return found;
}

fn reduce_found(at: Place, mine: Running) -> Running {
    var all = mine;
    for (var distance = 1u; distance < THREADS; distance = distance << 1u) {
        let other = Running(peer_sums(at, all.sums, distance), peer_lost(at, all.lost, distance));
        all = fuse(all, other);
        all.sums.yardstick = max(all.sums.yardstick, other.sums.yardstick);
        all.sums.flags |= other.sums.flags;
    }
    return all;
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
    let end = select(0u, params.bins, row < params.rows);
    let of_row = span_of(row, at.lane, THREADS, end);
    var constants = row_constants(at, of_row);
    let usable = (constants.flags & (EMPTY | INVALID_P | INVALID_Q | RESCUE)) == 0u;
    let each = (params.bins + THREADS - 1u) / THREADS;
    let first = at.lane * each;
    let span = Span(of_row.p, of_row.q, first, 1u, select(0u, min(first + each, end), usable));
    let difference = sum_of_differences(span, constants);
    var mine = walk(span, constants, sum_before(at, difference.parts));
    mine.sums.flags = difference.flags;
    let found = reduce_found(at, mine);
    if (at.lane == 0u && row < params.rows) {
        let exact = (constants.flags & EXACT) != 0u && found.sums.yardstick == 0.0;
        if (usable && !exact && !is_trusted(found, LEAST_SCAN * constants.q.total.high)) {
            constants.flags |= RESCUE;
        }
        constants.flags &= ~EXACT;
        var sums = Sums(vec4<f32>(), vec4<f32>(), constants.q.total.high, found.sums.flags);
        put_found(&sums, found);
        write_record(row, sums, constants);
    }
}
