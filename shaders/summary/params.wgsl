// Summarises a column of values while the values stay on the device. The records of a chunk become values; the values become a few
// numbers per block, a histogram, and the largest values. These kernels follow a row kernel. `src/backend/gpu/summary/` is the
// other half.

struct Measure {
    // The places of its sums among the terms. There may be no second sum.
    first: u32,
    second: u32,
    // Bit s is set if the value is infinite where the support is s.
    infinite: u32,
    // SCALED, ROOT or LOGARITHM.
    form: u32,
    // The bound of the range, and the factor of the sum.
    most: f32,
    factor: f32,
    // For LOGARITHM: 1 or −1. The logarithm is that of 1 − sign·sum.
    sign: f32,
    pad: u32,
}

struct Params {
    // Rows of this chunk.
    rows: u32,
    // Records per row, words per record, and terms.
    parts: u32,
    record: u32,
    terms: u32,
    measures: u32,
    // Whether the kernel for usual rows wrote the records.
    usual: u32,
    // Always 0, but no compiler can know it: see `opaque`.
    zero: u32,
    stamp: u32,
    // The number of the first row in the call.
    first_row: u32,
    // The most rows that the list of rows for the host can hold.
    capacity: u32,
    // How many of the largest values are wanted, from how many pairs per measure, and where these pairs begin. With 0 pairs, the
    // values are the source.
    top: u32,
    pairs: u32,
    source: u32,
    result: u32,
    // Bit t is set if term t is lost where it is nearly 0.
    surprise: u32,
    blocks: u32,
    // For all pairs: the rows of Q of this chunk, and the number of the first of them. Where P is Q, the number of the first row of
    // P; otherwise NONE.
    columns: u32,
    first_column: u32,
    itself: u32,
    pad_0: u32,
    // The smallest sum of each term that can be trusted where totals are not in a power-of-two ratio.
    trusted: array<vec4<f32>, 2>,
    measure: array<Measure, 4>,
}

@group(0) @binding(0) var<storage, read> records: array<u32>;
// The values of a chunk, one measure after the other, as the bits of floats. A row without a value has NO_VALUE and its status.
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
// For the whole call: rows per status, rows for the host, records of another chunk, and the list of rows for the host.
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>>;
// For the whole call: how many values of each measure fell into each bucket.
@group(0) @binding(3) var<storage, read_write> table: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> params: Params;
// For a chunk: BLOCK_WORDS words per block of values. At the end: the sums of the buckets.
@group(0) @binding(5) var<storage, read_write> blocks: array<u32>;
// Pairs of a value and its row, for the search for the largest values.
@group(0) @binding(6) var<storage, read_write> pairs: array<vec2<u32>>;

const SCALED: u32 = 0u;
const ROOT: u32 = 1u;
const LOGARITHM: u32 = 2u;

// The words of `state`. The first four count the rows of each status.
const STATUS_OK: u32 = 0u;
const STATUS_INFINITE: u32 = 1u;
const FOR_THE_HOST: u32 = 4u;
const OF_ANOTHER_CHUNK: u32 = 5u;
// The stamp of the last chunk.
const STAMP: u32 = 6u;

const INFINITE: u32 = 0x7f800000u;

// Buckets tell values from 2⁻⁹⁶ to 2³² apart by their exponent and sixteen more bits. 0 has a bucket of its own. The host computes
// rows with other values.
const HIGHEST: u32 = 0x4f800000u;

fn magnitude(x: f32) -> u32 {
    return bitcast<u32>(x) & 0x7fffffffu;
}

fn linear(workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return workgroup.y * workgroups.x + workgroup.x;
}
