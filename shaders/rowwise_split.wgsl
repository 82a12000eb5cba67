// A row over several workgroups. One dispatch finds the totals of each part (another the totals for `floor`), and one the terms.
// Each part of the dispatch for terms reads all totals of its row. The host adds the parts.

struct Part {
    row: u32,
    part: u32,
    inside: bool,
}

fn part_of(workgroup: vec3<u32>, workgroups: vec3<u32>) -> Part {
    let group = workgroup.y * workgroups.x + workgroup.x;
    let row = group / params.parts;
    return Part(row, group % params.parts, row < params.rows);
}

fn part_span(part: Part, lane: u32) -> Span {
    let first = part.part * params.part_bins;
    let end = select(0u, min(first + params.part_bins, params.bins), part.inside);
    return span_of(part.row, first + lane, THREADS, end);
}

// `slot` 0 holds totals of the weights, `slot` 1 totals after `floor`.
fn partial_index(row: u32, part: u32, slot: u32) -> u32 {
    return ((slot * params.rows + row) * params.parts + part) * TOTALS_WORDS;
}

fn write_partial(part: Part, slot: u32, t: Totals) {
    let at = partial_index(part.row, part.part, slot);
    partials[at] = bitcast<u32>(t.p.high);
    partials[at + 1u] = bitcast<u32>(t.p.low);
    partials[at + 2u] = bitcast<u32>(t.q.high);
    partials[at + 3u] = bitcast<u32>(t.q.low);
    partials[at + 4u] = t.present_p;
    partials[at + 5u] = t.present_q;
    partials[at + 6u] = t.present_any;
    partials[at + 7u] = t.flags;
}

// Adds the totals of the parts to those of the whole row.
fn gather(at: Place, part: Part, slot: u32) -> Totals {
    var mine = empty_totals();
    let parts = select(0u, params.parts, part.inside);
    for (var i = at.lane; i < parts; i += THREADS) {
        let at_part = partial_index(part.row, i, slot);
        mine = combine_totals(mine, Totals(
            TwoPart(bitcast<f32>(partials[at_part]), bitcast<f32>(partials[at_part + 1u])),
            TwoPart(bitcast<f32>(partials[at_part + 2u]), bitcast<f32>(partials[at_part + 3u])),
            partials[at_part + 4u],
            partials[at_part + 5u],
            partials[at_part + 6u],
            partials[at_part + 7u],
        ));
    }
    return reduce_totals(at, mine);
}

@compute @workgroup_size(128)
fn split_totals(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = Place(thread, thread);
    let part = part_of(workgroup, workgroups);
    let totals = reduce_totals(at, scan_totals(part_span(part, at.lane)));
    if (thread == 0u && part.inside) {
        write_partial(part, 0u, totals);
    }
}

@compute @workgroup_size(128)
fn split_floored(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = Place(thread, thread);
    let part = part_of(workgroup, workgroups);
    let sides = row_sides(gather(at, part, 0u));
    let totals = reduce_totals(at, scan_floored(part_span(part, at.lane), sides.p, sides.q));
    if (thread == 0u && part.inside) {
        write_partial(part, 1u, totals);
    }
}

@compute @workgroup_size(128)
fn split_terms(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = Place(thread, thread);
    let part = part_of(workgroup, workgroups);
    var constants = row_sides(gather(at, part, 0u));
    if (FLOORS) {
        let floored = gather(at, part, 1u);
        constants.p.total = floored.p;
        constants.q.total = floored.q;
    }
    constants = finish_constants(constants);
    let usable = (constants.flags & (EMPTY | INVALID_P | INVALID_Q | RESCUE)) == 0u;
    var span = part_span(part, at.lane);
    span.end = select(0u, span.end, usable);
    let sums = reduce_sums(at, scan_terms(span, constants));
    if (thread == 0u && part.inside) {
        write_record(part.row * params.parts + part.part, sums, constants);
    }
}
