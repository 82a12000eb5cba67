// What a column of values says, without its values leaving the device: the records of a chunk become values, these a few
// numbers a block, a histogram, and the largest. Follows a row kernel; `src/backend/gpu/summary.rs` is the other half.

struct Measure {
    // Where its sums stand among the terms; there may be no second.
    first: u32,
    second: u32,
    // Bit s: the value is infinite where the support is s.
    infinite: u32,
    // SCALED, ROOT or LOGARITHM.
    form: u32,
    // The bound of its range, and what the sum is multiplied by.
    most: f32,
    factor: f32,
    // Of a LOGARITHM: what the sum is 1 − Σ times, 1 or −1.
    sign: f32,
    pad: u32,
}

struct Params {
    // Of this chunk.
    rows: u32,
    // Records a row, words a record, terms.
    parts: u32,
    record: u32,
    terms: u32,
    measures: u32,
    // Whether the records are of the kernel for usual rows.
    usual: u32,
    // Always 0, which no compiler can know: see `opaque`.
    zero: u32,
    stamp: u32,
    // The number of the first row in the call.
    first_row: u32,
    // Rows that the list of those for the host can hold.
    capacity: u32,
    // How many of the largest are wanted, from how many pairs of a measure, and where these begin; 0 pairs: from the values.
    top: u32,
    pairs: u32,
    source: u32,
    result: u32,
    // Bit t: term t is lost where it is next to nothing.
    surprise: u32,
    blocks: u32,
    // Of all pairs: rows of Q of this chunk, and the number of the first. Where P is Q, the number of the first row of P;
    // else NONE.
    columns: u32,
    first_column: u32,
    itself: u32,
    pad_0: u32,
    // By term, the smallest sum that can be trusted where totals are not in a power-of-two ratio.
    trusted: array<vec4<f32>, 2>,
    measure: array<Measure, 4>,
}

@group(0) @binding(0) var<storage, read> records: array<u32>;
// The values of a chunk, one measure after the other, as the bits of floats; or NO_VALUE and the status.
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
// Of the whole call: rows by status, rows for the host, records of another chunk, and the list of rows for the host.
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>>;
// Of the whole call: for each measure how many values fell into each bucket.
@group(0) @binding(3) var<storage, read_write> table: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> params: Params;
// Of a chunk: BLOCK_WORDS words for each block of values. At the end: the sums of the buckets.
@group(0) @binding(5) var<storage, read_write> blocks: array<u32>;
// Value and row, where the largest are looked for.
@group(0) @binding(6) var<storage, read_write> pairs: array<vec2<u32>>;

const SCALED: u32 = 0u;
const ROOT: u32 = 1u;
const LOGARITHM: u32 = 2u;

// Words of `state`; the first four count the rows of each status.
const STATUS_OK: u32 = 0u;
const STATUS_INFINITE: u32 = 1u;
const FOR_THE_HOST: u32 = 4u;
const OF_ANOTHER_CHUNK: u32 = 5u;
// Of the last chunk.
const STAMP: u32 = 6u;

const INFINITE: u32 = 0x7f800000u;

// Values are told apart by their exponent and sixteen bits more, from 2⁻⁹⁶ to 2³²; 0 is a bucket of its own, and the
// host does rows with others.
const HIGHEST: u32 = 0x4f800000u;

fn magnitude(x: f32) -> u32 {
    return bitcast<u32>(x) & 0x7fffffffu;
}

fn linear(workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return workgroup.y * workgroups.x + workgroup.x;
}
