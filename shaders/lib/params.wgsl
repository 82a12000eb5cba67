// The binding contract: what the host hands to every kernel. Checked field by field against
// `src/backend/gpu/params.rs` by a test.

struct Params {
    rows: u32,
    bins: u32,
    // Elements between two rows; 0 where one row serves all.
    p_stride: u32,
    q_stride: u32,
    // Workgroups a row, and the bins each of them reads.
    parts: u32,
    part_bins: u32,
    // Always 0, which no compiler can know: see `opaque`.
    zero: u32,
    // Words of a result record.
    record: u32,
    // The number of the zero policy in two parts.
    policy_high: f32,
    policy_low: f32,
    // Where the first row begins, in elements.
    p_first: u32,
    q_first: u32,
    // Of this chunk: the upper half of the flags of its records.
    stamp: u32,
    // Of all pairs, rows of Q that each row of P meets before the next one does; else 0.
    columns: u32,
    pad_1: u32,
    pad_2: u32,
    // A, 1 − A, the exponent of a/q, the leading bits of that exponent: one a slot.
    orders: array<vec4<f32>, 8>,
}

// Bindings 0 and 1, the weights, are declared as the kernel reads them: in words, or as many as hold four weights.
@group(0) @binding(2) var<storage, read_write> results: array<u32>;
@group(0) @binding(3) var<storage, read_write> partials: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

// Threads that share a row; a power of two, at most a workgroup.
override THREADS: u32 = 128u;
