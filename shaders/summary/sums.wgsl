// Turns the histogram into the sums of its buckets, some buckets at a time.

var<workgroup> partial_sums: array<u32, 128>;

@compute @workgroup_size(128)
fn summary_sums(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = workgroup.z * (BUCKETS / TOGETHER) + workgroup.x;
    var sum = 0u;
    for (var i = thread; i < TOGETHER; i += WORKGROUP) {
        sum += atomicLoad(&table[group * TOGETHER + i]);
    }
    partial_sums[thread] = sum;
    for (var distance = WORKGROUP / 2u; distance > 0u; distance = distance >> 1u) {
        workgroupBarrier();
        if (thread < distance) {
            partial_sums[thread] += partial_sums[thread + distance];
        }
    }
    if (thread == 0u) {
        blocks[group] = partial_sums[0];
    }
}
