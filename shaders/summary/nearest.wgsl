// Turns all pairs into the nearest rows of Q for each row of P. One workgroup per row sorts the nearest so far with some new ones.

@compute @workgroup_size(128)
fn summary_nearest(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let line = linear(workgroup, workgroups);
    let is_row = line < params.rows / max(params.columns, 1u);
    // A key and a column. The key is the bits of the value inverted, so that the smallest value comes first and 0 means no value.
    for (var i = thread; i < params.top; i += WORKGROUP) {
        sorted[i] = vec2<u32>(0u, NONE);
        if (is_row) {
            sorted[i] = pairs[line * params.top + i];
        }
    }
    for (var first = 0u; first < params.columns; first += SORTED - params.top) {
        for (var i = params.top + thread; i < SORTED; i += WORKGROUP) {
            let column = first + i - params.top;
            let number = params.first_column + column;
            let is_itself = params.itself != NONE && number == params.itself + line;
            var pair = vec2<u32>(0u, NONE);
            if (is_row && column < params.columns && !is_itself) {
                let value = values[line * params.columns + column];
                if (value < NO_VALUE) {
                    pair = vec2<u32>(~value, number);
                }
            }
            sorted[i] = pair;
        }
        sort(thread);
    }
    if (is_row) {
        for (var i = thread; i < params.top; i += WORKGROUP) {
            pairs[line * params.top + i] = sorted[i];
        }
    }
}
