// Finds the largest values. Each workgroup sorts some pairs and keeps the first ones.

// A key and a row. The key is the bits of the value plus one, so that 0 means no value.
var<workgroup> sorted: array<vec2<u32>, 1024>;

// The larger value comes first, and of equal values the earlier row.
fn comes_first(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x > b.x || (a.x == b.x && a.y < b.y);
}

// Bitonic sorting. Source: K. E. Batcher, 1968.
fn sort(thread: u32) {
    for (var size = 2u; size <= SORTED; size = size << 1u) {
        for (var distance = size >> 1u; distance > 0u; distance = distance >> 1u) {
            workgroupBarrier();
            for (var i = thread; i < SORTED / 2u; i += WORKGROUP) {
                let a = 2u * i - (i & (distance - 1u));
                let b = a + distance;
                let forwards = (a & size) == 0u;
                let first = sorted[a];
                let second = sorted[b];
                if (comes_first(second, first) == forwards) {
                    sorted[a] = second;
                    sorted[b] = first;
                }
            }
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(128)
fn summary_top(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = linear(workgroup, workgroups);
    let measure = workgroup.z;
    let from_values = params.pairs == 0u;
    let count = select(params.pairs, params.rows, from_values);
    for (var i = thread; i < SORTED; i += WORKGROUP) {
        let at = group * SORTED + i;
        var pair = vec2<u32>(0u, NONE);
        if (at < count) {
            if (from_values) {
                let value = values[measure * params.rows + at];
                pair = vec2<u32>(select(value + 1u, 0u, value >= NO_VALUE), at);
            } else {
                pair = pairs[params.source + measure * count + at];
            }
        }
        sorted[i] = pair;
    }
    sort(thread);
    let groups = (count + SORTED - 1u) / SORTED;
    if (group < groups) {
        for (var i = thread; i < params.top; i += WORKGROUP) {
            pairs[params.result + (measure * groups + group) * params.top + i] = sorted[i];
        }
    }
}
