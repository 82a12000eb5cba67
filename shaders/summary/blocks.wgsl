// Turns values into a few numbers per block, and the histogram.

// The moments of some values: how many are finite and infinite, the mean of the finite values, the sum of their squared distances
// from the mean, and the least and the most of their bits.
struct Moments {
    count: f32,
    infinite: u32,
    mean: f32,
    squares: f32,
    least: u32,
    most: u32,
}

var<workgroup> moments: array<Moments, 128>;

// Source: T. F. Chan, G. H. Golub, R. J. LeVeque, 1979.
fn merged(a: Moments, b: Moments) -> Moments {
    let infinite = a.infinite + b.infinite;
    let least = min(a.least, b.least);
    let most = max(a.most, b.most);
    let count = a.count + b.count;
    let share = b.count / max(count, 1.0);
    let apart = b.mean - a.mean;
    let distance = apart * UNIT;
    let squares = a.squares + b.squares + distance * distance * a.count * share;
    return Moments(count, infinite, a.mean + apart * share, squares, least, most);
}

@compute @workgroup_size(128)
fn summary_blocks(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let block = linear(workgroup, workgroups);
    let measure = workgroup.z;
    var mine = Moments(0.0, 0u, 0.0, 0.0, INFINITE, 0u);
    let end = min((block + 1u) * BLOCK, params.rows);
    for (var row = block * BLOCK + thread; row < end; row += WORKGROUP) {
        let bits = values[measure * params.rows + row];
        if (bits == INFINITE) {
            mine.infinite += 1u;
        } else if (bits < NO_VALUE) {
            let bucket = select((bits - LOWEST) >> BUCKET_SHIFT, 0u, bits == 0u);
            atomicAdd(&table[measure * BUCKETS + bucket], 1u);
            let value = bitcast<f32>(bits);
            let apart = value - mine.mean;
            mine.count += 1.0;
            mine.mean += apart / mine.count;
            mine.squares += (apart * UNIT) * ((value - mine.mean) * UNIT);
            mine.least = min(mine.least, bits);
            mine.most = max(mine.most, bits);
        }
    }
    moments[thread] = mine;
    for (var distance = WORKGROUP / 2u; distance > 0u; distance = distance >> 1u) {
        workgroupBarrier();
        if (thread < distance) {
            moments[thread] = merged(moments[thread], moments[thread + distance]);
        }
    }
    if (thread == 0u && block < params.blocks) {
        let all = moments[0];
        let at = (measure * params.blocks + block) * BLOCK_WORDS;
        blocks[at] = u32(all.count);
        blocks[at + 1u] = all.infinite;
        blocks[at + 2u] = bitcast<u32>(all.mean);
        blocks[at + 3u] = bitcast<u32>(all.squares);
        blocks[at + 4u] = all.least;
        blocks[at + 5u] = all.most;
    }
}
