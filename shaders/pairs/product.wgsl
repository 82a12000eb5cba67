// The sums of one term for all pairs of some rows of P and of Q, where those sums are products: constant of p + constant of q +
// factor·⟨x, y⟩ (+ another product). `src/backend/gpu/product/` is the other half.
//
// A number is a power of two of its row times a whole number of at most 2¹⁰ plus a fraction. Products of the whole numbers are
// exact. So are sums of STEP of them, in whatever order a compiler adds them; these sums are then added as integers. Rounding
// affects the fractions alone. They are at most ½, where the whole numbers reach 2¹⁰.

struct Params {
    // The rows of P and of Q of this chunk, and the first row of either side among the prepared rows.
    rows: u32,
    columns: u32,
    first_row: u32,
    first_column: u32,
    // A multiple of STEP.
    bins: u32,
    // Always 0, but no compiler can know it: see `opaque`.
    zero: u32,
    stamp: u32,
    // The words per record, the word of this term, and whether this term is the first of its record.
    record: u32,
    word: u32,
    is_first: u32,
    // Bit s is set if every value asked of this term is infinite where the support is s.
    infinite: u32,
    pad_0: u32,
    // Words per row of either side, then where three parts of a row begin: the constants of the term, those of the operands, and
    // the bits of the bins.
    p_words: u32,
    q_words: u32,
    constants: u32,
    p_operands: u32,
    q_operands: u32,
    p_present: u32,
    q_present: u32,
    present_words: u32,
    // Quads that one operand of all rows takes.
    p_quads: u32,
    q_quads: u32,
    // The most that a product loses, relative to its size, and the part of a sum that may be lost.
    rounding: f32,
    trusted: f32,
    // The operands of each product, and its factor in two parts.
    product: array<vec4<u32>, 2>,
}

// The layout of an operand: panel after panel of PANEL rows. A panel holds bin after bin. A bin holds the whole numbers of all rows
// of the panel, then their fractions.
@group(0) @binding(0) var<storage, read> p_slices: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> q_slices: array<vec4<f32>>;
// The layout of a row: its flags; for each term a constant in two parts; for each operand the power of two, the length of its
// numbers as a vector, and the length of the fractions and of what is left out; then one bit per bin.
@group(0) @binding(2) var<storage, read> p_rows: array<u32>;
@group(0) @binding(3) var<storage, read> q_rows: array<u32>;
@group(0) @binding(4) var<storage, read_write> results: array<u32>;
@group(0) @binding(5) var<uniform> params: Params;

// Quads per bin of a panel.
const QUADS: u32 = PANEL / 2u;
const HALF: u32 = QUADS / 2u;

// Products of the term.
override PRODUCTS: u32 = 1u;

// The most that two-part sums lose of what they add (2⁻⁴¹).
const LOST_BY_PARTS: f32 = 4.5e-13;

var<workgroup> p_tile: array<vec4<f32>, 512>;
var<workgroup> q_tile: array<vec4<f32>, 512>;

// Products of four rows of P (one vector each) with four rows of Q: sums of the whole numbers, and the rest.
struct Sums {
    whole_a: vec4<i32>,
    whole_b: vec4<i32>,
    whole_c: vec4<i32>,
    whole_d: vec4<i32>,
    rest_a: vec4<f32>,
    rest_b: vec4<f32>,
    rest_c: vec4<f32>,
    rest_d: vec4<f32>,
}

// The four rows of either side that a thread computes: their panels, and their quad in those panels.
struct Place {
    p_panel: u32,
    q_panel: u32,
    p_quad: u32,
    q_quad: u32,
}

// Sums all pairs of two panels. Every thread of a workgroup calls it at once.
fn sums_of(at: Place, thread: u32, product: vec4<u32>) -> Sums {
    var all = Sums();
    let p_first = product.x * params.p_quads + at.p_panel * params.bins * QUADS;
    let q_first = product.y * params.q_quads + at.q_panel * params.bins * QUADS;
    for (var bin = 0u; bin < params.bins; bin += STEP) {
        workgroupBarrier();
        for (var i = thread; i < STEP * QUADS; i += WORKGROUP) {
            p_tile[i] = p_slices[p_first + bin * QUADS + i];
            q_tile[i] = q_slices[q_first + bin * QUADS + i];
        }
        workgroupBarrier();
        var whole_a = vec4<f32>();
        var whole_b = vec4<f32>();
        var whole_c = vec4<f32>();
        var whole_d = vec4<f32>();
        var rest_a = vec4<f32>();
        var rest_b = vec4<f32>();
        var rest_c = vec4<f32>();
        var rest_d = vec4<f32>();
        for (var i = 0u; i < STEP; i++) {
            let p = p_tile[i * QUADS + at.p_quad];
            let p_rest = p_tile[i * QUADS + HALF + at.p_quad];
            let q = q_tile[i * QUADS + at.q_quad];
            let q_rest = q_tile[i * QUADS + HALF + at.q_quad];
            let q_all = q + q_rest;
            whole_a += p.x * q;
            whole_b += p.y * q;
            whole_c += p.z * q;
            whole_d += p.w * q;
            rest_a += p.x * q_rest + p_rest.x * q_all;
            rest_b += p.y * q_rest + p_rest.y * q_all;
            rest_c += p.z * q_rest + p_rest.z * q_all;
            rest_d += p.w * q_rest + p_rest.w * q_all;
        }
        all.whole_a += vec4<i32>(whole_a);
        all.whole_b += vec4<i32>(whole_b);
        all.whole_c += vec4<i32>(whole_c);
        all.whole_d += vec4<i32>(whole_d);
        all.rest_a += rest_a;
        all.rest_b += rest_b;
        all.rest_c += rest_c;
        all.rest_d += rest_d;
    }
    return all;
}

// A sum so far, and how much of it may be lost.
struct Total {
    value: TwoPart,
    lost: f32,
}

fn constant_of(word: u32, is_p: bool) -> TwoPart {
    if (is_p) {
        return TwoPart(bitcast<f32>(p_rows[word]), bitcast<f32>(p_rows[word + 1u]));
    }
    return TwoPart(bitcast<f32>(q_rows[word]), bitcast<f32>(q_rows[word + 1u]));
}

// Adds a product of two rows to a total.
fn add_product(total: Total, p_row: u32, q_row: u32, product: vec4<u32>, whole: i32, rest: f32) -> Total {
    let p = p_row * params.p_words + params.p_operands + 3u * product.x;
    let q = q_row * params.q_words + params.q_operands + 3u * product.y;
    let scale = bitcast<f32>(p_rows[p]) * bitcast<f32>(q_rows[q]);
    let p_size = bitcast<f32>(p_rows[p + 1u]);
    let p_rest = bitcast<f32>(p_rows[p + 2u]);
    let q_size = bitcast<f32>(q_rows[q + 1u]);
    let q_rest = bitcast<f32>(q_rows[q + 2u]);
    // Each of the two is exact as a float.
    let in_parts = two_sum(f32(whole >> 12u) * 4096.0, f32(whole & 0xfff));
    let sum = scale_parts(add_parts(in_parts, TwoPart(rest, 0.0)), scale);
    let factor = TwoPart(bitcast<f32>(product.z), bitcast<f32>(product.w));
    let term = multiply_parts(sum, factor);
    // The Cauchy–Schwarz inequality bounds the loss.
    let size = p_size * q_rest + p_rest * q_size + p_rest * q_rest;
    let lost = abs(factor.high) * params.rounding * size + LOST_BY_PARTS * abs(term.high);
    return Total(add_parts(total.value, term), total.lost + lost);
}

// The support of a pair: which sides have weight in some bin where the other side has weight, and where it has none.
fn support_of(p_row: u32, q_row: u32, both_full: bool) -> u32 {
    if (both_full) {
        return COMMON;
    }
    var support = 0u;
    let p = p_row * params.p_words + params.p_present;
    let q = q_row * params.q_words + params.q_present;
    for (var i = 0u; i < params.present_words; i++) {
        let has_p = p_rows[p + i];
        let has_q = q_rows[q + i];
        support |= select(0u, COMMON, (has_p & has_q) != 0u) | select(0u, ONLY_P, (has_p & ~has_q) != 0u)
            | select(0u, ONLY_Q, (has_q & ~has_p) != 0u);
    }
    return support;
}

// Writes the record of two rows, or one sum of it.
fn write_pair(p_row: u32, q_row: u32, whole: vec2<i32>, rest: vec2<f32>) {
    // Rows before the first of the chunk wrap around and come out beyond the last.
    let row = p_row - params.first_row;
    let column = q_row - params.first_column;
    if (row >= params.rows || column >= params.columns) {
        return;
    }
    let p_flags = p_rows[p_row * params.p_words];
    let q_flags = q_rows[q_row * params.q_words];
    let p_constant = constant_of(p_row * params.p_words + params.constants, true);
    let q_constant = constant_of(q_row * params.q_words + params.constants, false);
    let lost = LOST_BY_PARTS * (abs(p_constant.high) + abs(q_constant.high));
    var total = Total(add_parts(p_constant, q_constant), lost);
    total = add_product(total, p_row, q_row, params.product[0], whole.x, rest.x);
    if (PRODUCTS > 1u) {
        total = add_product(total, p_row, q_row, params.product[1], whole.y, rest.y);
    }
    let sum = total.value.high + total.value.low;
    let support = support_of(p_row, q_row, (p_flags & q_flags & FULL) != 0u);
    let is_finite = ((params.infinite >> support) & 1u) == 0u;
    // The comparison fails for every NaN: the host takes whatever is not surely good.
    let is_good = total.lost <= params.trusted * abs(sum) && abs(sum) < 1e30;
    let is_lost = (p_flags & q_flags & USABLE) == 0u || (is_finite && !is_good);
    let flags = support | select(EXACT, RESCUE, is_lost);
    let at = (row * params.columns + column) * params.record;
    if (params.is_first != 0u) {
        results[at] = (params.stamp << 16u) | flags;
        results[at + 1u] = 0u;
        results[at + 2u] = bitcast<u32>(1.0);
        results[at + 3u] = 0u;
    } else {
        results[at] |= flags;
    }
    // The support says which values are infinite, so any sum would do here.
    results[at + params.word] = select(0u, bitcast<u32>(sum), is_good);
}

fn write_quad(p_row: u32, q_row: u32, whole: vec4<i32>, whole_2: vec4<i32>, rest: vec4<f32>, rest_2: vec4<f32>) {
    write_pair(p_row, q_row, vec2<i32>(whole.x, whole_2.x), vec2<f32>(rest.x, rest_2.x));
    write_pair(p_row, q_row + 1u, vec2<i32>(whole.y, whole_2.y), vec2<f32>(rest.y, rest_2.y));
    write_pair(p_row, q_row + 2u, vec2<i32>(whole.z, whole_2.z), vec2<f32>(rest.z, rest_2.z));
    write_pair(p_row, q_row + 3u, vec2<i32>(whole.w, whole_2.w), vec2<f32>(rest.w, rest_2.w));
}

@compute @workgroup_size(256)
fn product(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first_panel = params.first_column / PANEL;
    let panels = (params.first_column + params.columns - 1u) / PANEL - first_panel + 1u;
    let group = workgroup.y * workgroups.x + workgroup.x;
    let last_row = params.first_row + params.rows - 1u;
    // Workgroups beyond the last repeat the last panel, and write nothing.
    let p_panel = min(params.first_row / PANEL + group / panels, last_row / PANEL);
    let at = Place(p_panel, first_panel + group % panels, thread / HALF, thread % HALF);
    let sums = sums_of(at, thread, params.product[0]);
    var second = Sums();
    if (PRODUCTS > 1u) {
        second = sums_of(at, thread, params.product[1]);
    }
    if (params.first_row / PANEL + group / panels > last_row / PANEL) {
        return;
    }
    let p = at.p_panel * PANEL + at.p_quad * 4u;
    let q = at.q_panel * PANEL + at.q_quad * 4u;
    write_quad(p, q, sums.whole_a, second.whole_a, sums.rest_a, second.rest_a);
    write_quad(p + 1u, q, sums.whole_b, second.whole_b, sums.rest_b, second.rest_b);
    write_quad(p + 2u, q, sums.whole_c, second.whole_c, sums.rest_c, second.rest_c);
    write_quad(p + 3u, q, sums.whole_d, second.whole_d, sums.rest_d, second.rest_d);
}
