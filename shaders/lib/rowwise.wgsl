// The steps of every rowwise kernel: totals, the constants of the row, terms. Twin of `rows/row.rs` of kullback-kernels.

struct Place {
    // The index in the workgroup, and the index among the threads of the row.
    thread: u32,
    lane: u32,
}

struct Totals {
    p: TwoPart,
    q: TwoPart,
    present_p: u32,
    present_q: u32,
    present_any: u32,
    flags: u32,
}

// Sums of up to eight terms, the sum of the triangular yardstick, and flags.
struct Sums {
    first: vec4<f32>,
    second: vec4<f32>,
    yardstick: f32,
    flags: u32,
}

// What the additions lost of the sums of terms.
struct Lost {
    first: vec4<f32>,
    second: vec4<f32>,
}

// The constants of one side of a row: the total after the policy, what a bin with weight gains, and what a bin without weight gets.
struct Side {
    total: TwoPart,
    add: TwoPart,
    fill: TwoPart,
}

struct RowConstants {
    p: Side,
    q: Side,
    scale: f32,
    ratio: TwoPart,
    // The totals of p and of q as stored, as parts of their sum.
    pooled: vec2<f32>,
    flags: u32,
}

// The bins that a thread visits: first, first + step, …, below end. p and q say where the row begins on either side, in elements.
struct Span {
    p: u32,
    q: u32,
    first: u32,
    step: u32,
    end: u32,
}

// The row of a thread, where each row has THREADS threads in one workgroup.
fn whole_row(workgroup: vec3<u32>, workgroups: vec3<u32>, thread: u32) -> u32 {
    let group = workgroup.y * workgroups.x + workgroup.x;
    return group * (WORKGROUP / THREADS) + thread / THREADS;
}

fn whole_number(n: u32) -> TwoPart {
    return two_sum(f32(n & 0xffff0000u), f32(n & 0xffffu));
}

// The span of a row of the result. For all pairs, such a row is one pair of a row of P and a row of Q.
fn span_of(row: u32, first: u32, step: u32, end: u32) -> Span {
    let is_pair = params.columns > 0u;
    let columns = max(params.columns, 1u);
    let p_row = select(row, row / columns, is_pair);
    let q_row = select(row, row % columns, is_pair);
    let p = params.p_first + p_row * params.p_stride;
    return Span(p, params.q_first + q_row * params.q_stride, first, step, end);
}

// Which sides of a bin have weight, and what the bits of the weights say.
fn bin_flags(p: Weight, q: Weight) -> u32 {
    let has_p = p.value > 0.0;
    let has_q = q.value > 0.0;
    return select(0u, COMMON, has_p && has_q) | select(0u, ONLY_P, has_p && !has_q) | select(0u, ONLY_Q, has_q && !has_p)
        | select(0u, INVALID_P, p.invalid) | select(0u, INVALID_Q, q.invalid)
        | select(0u, RESCUE, p.inexact || q.inexact);
}

// Finds the totals, supports and invalid weights of the bins of a span.
fn scan_totals(span: Span) -> Totals {
    var t = empty_totals();
    for (var bin = span.first; bin < span.end; bin += span.step) {
        let p = load_p(span.p + bin);
        let q = load_q(span.q + bin);
        let has_p = p.value > 0.0;
        let has_q = q.value > 0.0;
        let both = has_p && has_q;
        t.flags |= bin_flags(p, q);
        t.present_p += select(0u, 1u, has_p);
        t.present_q += select(0u, 1u, has_q);
        t.present_any += select(0u, 1u, has_p || has_q);
        let kept = both || !SKIPS;
        let sum_p = two_sum(t.p.high, select(0.0, p.value, kept));
        let sum_q = two_sum(t.q.high, select(0.0, q.value, kept));
        t.p = TwoPart(sum_p.high, t.p.low + sum_p.low);
        t.q = TwoPart(sum_q.high, t.q.low + sum_q.low);
    }
    return t;
}

// Σ max(w, threshold) of both sides: the totals that `floor` leaves.
fn scan_floored(span: Span, p_side: Side, q_side: Side) -> Totals {
    var t = empty_totals();
    for (var bin = span.first; bin < span.end; bin += span.step) {
        let p = policy_weight(load_p(span.p + bin).value, true, true, p_side);
        let q = policy_weight(load_q(span.q + bin).value, true, true, q_side);
        let sum_p = two_sum(t.p.high, p.high);
        let sum_q = two_sum(t.q.high, q.high);
        t.p = TwoPart(sum_p.high, t.p.low + (sum_p.low + p.low));
        t.q = TwoPart(sum_q.high, t.q.low + (sum_q.low + q.low));
    }
    return t;
}

fn exponent_of(x: f32) -> i32 {
    return i32((bitcast<u32>(x) >> 23u) & 0xffu) - 127;
}

// The least amount of a policy, in the unit of the weights, of which a device that flushes keeps 48 bits in two parts: 2⁻⁷⁸.
const LEAST_AMOUNT: f32 = 3.308722450212111e-24;

fn is_held(amount: TwoPart) -> bool {
    return amount.high >= LEAST_AMOUNT;
}

// N/(N + M) and M/(N + M) of two totals. The larger part comes from the smaller, so that the two add up to 1. Nothing, if no term asks.
fn pooled_parts(p: TwoPart, q: TwoPart) -> vec2<f32> {
    if (!POOLED) {
        return vec2<f32>(0.0, 0.0);
    }
    let both = add_parts(p, q);
    if (!(both.high > 0.0)) {
        return vec2<f32>(0.5, 0.5);
    }
    let p_is_less = p.high <= q.high;
    let smaller = TwoPart(select(q.high, p.high, p_is_less), select(q.low, p.low, p_is_less));
    let less = divide_parts(smaller, both).high;
    return select(vec2<f32>(1.0 - less, less), vec2<f32>(less, 1.0 - less), p_is_less);
}

// The constants of both sides, before `floor` has found its totals.
fn row_sides(t: Totals) -> RowConstants {
    var flags = t.flags;
    let missing_p = t.present_any - t.present_p;
    let missing_q = t.present_any - t.present_q;
    let p = policy_side(t.p, t.present_p, missing_p);
    let q = policy_side(t.q, t.present_q, missing_q);
    let is_empty = t.present_p == 0u || t.present_q == 0u || (SKIPS && (t.flags & COMMON) == 0u);
    if (is_empty && !ADDS) {
        flags |= EMPTY;
    } else if (!(policy_holds(p, missing_p) && policy_holds(q, missing_q))) {
        flags |= RESCUE;
    }
    let pooled = pooled_parts(t.p, t.q);
    flags |= select(0u, RESCUE, POOLED && min(pooled.x, pooled.y) < LEAST_POOLED);
    return RowConstants(p, q, 1.0, TwoPart(1.0, 0.0), pooled, flags);
}

// Scale and ratio from the totals after the policy.
fn finish_constants(sides: RowConstants) -> RowConstants {
    var c = sides;
    if ((c.flags & (EMPTY | INVALID_P | INVALID_Q | RESCUE)) != 0u) {
        return c;
    }
    let p_exponent = exponent_of(c.p.total.high);
    let q_exponent = exponent_of(c.q.total.high);
    if (abs(p_exponent) > 90 || abs(q_exponent) > 90) {
        c.flags |= RESCUE;
        return c;
    }
    if (FILLS) {
        // The policy fills or drops every bin that would make a value infinite.
        c.flags = (c.flags & ~7u) | COMMON;
    }
    c.scale = bitcast<f32>(u32(127 - q_exponent) << 23u);
    c.q.total = scale_parts(c.q.total, c.scale);
    c.q.add = scale_parts(c.q.add, c.scale);
    c.q.fill = scale_parts(c.q.fill, c.scale);
    c.ratio = divide_parts(c.q.total, c.p.total);
    let power_of_two = (bitcast<u32>(c.ratio.high) & 0x7fffffu) == 0u && c.ratio.low == 0.0;
    if (PLAIN && power_of_two) {
        c.flags |= EXACT;
    }
    return c;
}

// The constants of a row in one workgroup.
fn row_constants(at: Place, span: Span) -> RowConstants {
    var constants = row_sides(reduce_totals(at, scan_totals(span)));
    if (FLOORS) {
        let floored = reduce_totals(at, scan_floored(span, constants.p, constants.q));
        constants.p.total = floored.p;
        constants.q.total = floored.q;
    }
    return finish_constants(constants);
}

// Sums the terms of the bins of a span, in blocks of four.
fn scan_terms(span: Span, c: RowConstants) -> Running {
    var total = nothing_yet();
    var block = empty_sums();
    var in_block = 0u;
    let ratio_high = leading(c.ratio.high);
    let ratio_middle = opaque(c.ratio.high - ratio_high);
    for (var bin = span.first; bin < span.end; bin += span.step) {
        let p_weight = load_p(span.p + bin).value;
        let q_stored = load_q(span.q + bin).value;
        let q_weight = q_stored * c.scale;
        // The stored weights decide: a weight counts even if the scale turns it into 0.
        let has_p = p_weight > 0.0;
        let has_q = q_stored > 0.0;
        let p = policy_weight(p_weight, has_p, has_q, c.p);
        let q = policy_weight(q_weight, has_q, has_p, c.q);
        let low = p.high * c.ratio.low + (p.low * c.ratio.high - q.low);
        let u = scaled_difference(p.high, ratio_high, ratio_middle, q.high, low);
        let a = p.high * c.ratio.high + (p.high * c.ratio.low + p.low * c.ratio.high);
        // Wherever the policy leaves weight, some weight must be there.
        if ((policy_has(has_p, has_q) && !(a >= TINY)) || (policy_has(has_q, has_p) && !(q.high >= TINY))) {
            block.flags |= RESCUE;
        }
        if (EPSILON) {
            // The bin loses (almost) all its weight, so the last digits decide, and the host computes them.
            let almost = 1.0 / 65536.0;
            if ((has_p && p.high <= p_weight * almost) || (has_q && q.high <= q_weight * almost)) {
                block.flags |= RESCUE;
                continue;
            }
        }
        let contrast = make_contrast(p, c.p.total, a, q, c.q.total, u, c.pooled);
        add_terms(&block, contrast);
        block.yardstick += contrast.u * contrast.z;
        in_block += 1u;
        if (in_block == 4u) {
            total = combine_running(total, without_loss(block));
            block = empty_sums();
            in_block = 0u;
        }
    }
    return combine_running(total, without_loss(block));
}

fn write_record(record: u32, sums: Sums, c: RowConstants) {
    let at = record * params.record;
    results[at] = c.flags | sums.flags | (params.stamp << 16u);
    results[at + 1u] = bitcast<u32>(sums.yardstick);
    results[at + 2u] = bitcast<u32>(c.q.total.high);
    results[at + 3u] = bitcast<u32>(c.q.total.low);
    // Writes as many words as there are terms.
    results[at + 4u] = bitcast<u32>(sums.first.x);
    if (params.record > 5u) { results[at + 5u] = bitcast<u32>(sums.first.y); }
    if (params.record > 6u) { results[at + 6u] = bitcast<u32>(sums.first.z); }
    if (params.record > 7u) { results[at + 7u] = bitcast<u32>(sums.first.w); }
    if (params.record > 8u) { results[at + 8u] = bitcast<u32>(sums.second.x); }
    if (params.record > 9u) { results[at + 9u] = bitcast<u32>(sums.second.y); }
    if (params.record > 10u) { results[at + 10u] = bitcast<u32>(sums.second.z); }
    if (params.record > 11u) { results[at + 11u] = bitcast<u32>(sums.second.w); }
}
