// Checks what the kernels assume about subgroups: the threads of a subgroup follow each other, and a shuffle over a distance brings
// the word of the thread whose number differs in that bit.

@group(0) @binding(0) var<storage, read> asked: array<u32>;
@group(0) @binding(1) var<storage, read_write> answers: array<u32>;

// Threads of the smallest subgroup that the adapter makes.
override SUBGROUP: u32 = 1u;

@compute @workgroup_size(128)
fn subgroups(
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) size: u32,
) {
    let to = thread * LANE_ANSWER;
    answers[to] = lane;
    answers[to + 1u] = size;
    let word = asked[thread];
    var slot = to + 2u;
    for (var distance = 1u; distance < SUBGROUP; distance = distance << 1u) {
        answers[slot] = subgroupShuffleXor(thread, distance);
        answers[slot + 1u] = subgroupShuffleXor(word, distance);
        slot += 2u;
    }
}
