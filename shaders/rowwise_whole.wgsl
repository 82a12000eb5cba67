// A row in one workgroup. Several short rows share a workgroup (THREADS threads each); a long row has one to itself.

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
    var span = span_of(row, at.lane, THREADS, end);
    let constants = row_constants(at, span);
    let usable = (constants.flags & (EMPTY | INVALID_P | INVALID_Q | RESCUE)) == 0u;
    span.end = select(0u, end, usable);
    let sums = reduce_sums(at, scan_terms(span, constants));
    if (at.lane == 0u && row < params.rows) {
        write_record(row, sums, constants);
    }
}
