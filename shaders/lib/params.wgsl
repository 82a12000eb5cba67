// The binding contract: what the host gives to every kernel. A test checks it field by field against `src/backend/gpu/params.rs`.

struct Params {
    rows: u32,
    bins: u32,
    // Elements from one row to the next; 0 where one row serves all.
    p_stride: u32,
    q_stride: u32,
    // Workgroups per row, and the bins that each of them reads.
    parts: u32,
    part_bins: u32,
    // Always 0, but no compiler can know it: see `opaque`.
    zero: u32,
    // Words per result record.
    record: u32,
    // The number of the zero policy in two parts.
    policy_high: f32,
    policy_low: f32,
    // Where the first row begins, in elements.
    p_first: u32,
    q_first: u32,
    // The upper half of the flags in every record of this chunk.
    stamp: u32,
    // For all pairs: the rows of Q that each row of P meets before the next row of P does. Otherwise 0.
    columns: u32,
    // For scans: what the widths of the bins are multiples of, a power of two; whether weight is spread within the bins.
    width_unit: f32,
    within: u32,
    // One entry per slot: A, 1 − A, the exponent of a/q, and the leading bits of that exponent.
    orders: array<vec4<f32>, 8>,
}

// Bindings 0 and 1 are the weights. Each kernel declares them as it reads them: as words, or as vectors that hold four weights.
@group(0) @binding(2) var<storage, read_write> results: array<u32>;
@group(0) @binding(3) var<storage, read_write> partials: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

// Threads that share a row: a power of two, and at most a workgroup.
override THREADS: u32 = 128u;
