// Turns records into values, with one thread per row.

var<workgroup> counts: array<atomic<u32>, 4>;

fn record_at(row: u32, part: u32) -> u32 {
    return (row * params.parts + part) * params.record;
}

fn sum_of(row: u32, word: u32) -> TwoPart {
    var sum = TwoPart(0.0, 0.0);
    for (var part = 0u; part < params.parts; part++) {
        sum = add_parts(sum, TwoPart(bitcast<f32>(records[record_at(row, part) + word]), 0.0));
    }
    return sum;
}

// The total of q.
fn total_of(row: u32) -> TwoPart {
    let at = record_at(row, 0u);
    return TwoPart(bitcast<f32>(records[at + 2u]), bitcast<f32>(records[at + 3u]));
}

// A sum divided by Q.
fn share_of(row: u32, term: u32, total: TwoPart) -> f32 {
    let share = divide_parts(sum_of(row, HEAD + term), total);
    return share.high + share.low;
}

// Whether 32 bits could not hold a row. `collect` asks the same on the host. No test lets a NaN pass: the bits are compared before
// the values.
fn is_lost(row: u32, flags: u32, total: TwoPart) -> bool {
    let exact = (flags & EXACT) != 0u;
    var lost = false;
    for (var term = 0u; term < params.terms; term++) {
        let sum = sum_of(row, HEAD + term);
        lost = lost || magnitude(sum.high) >= LARGEST || magnitude(sum.low) >= LARGEST;
        let share = share_of(row, term, total);
        lost = lost || magnitude(share) >= INFINITE;
        let trusted = params.trusted[term >> 2u][term & 3u];
        lost = lost || (!exact && !(abs(share) >= trusted));
        let surprises = ((params.surprise >> term) & 1u) != 0u;
        lost = lost || (surprises && share > 0.0 && share < LEAST_SURPRISE);
    }
    if (params.usual == 0u && !exact) {
        let yardstick = sum_of(row, 1u).high;
        lost = lost || magnitude(yardstick) >= INFINITE || yardstick < LEAST * total.high;
    }
    return lost;
}

fn root(x: f32) -> f32 {
    if (x <= 0.0) {
        return 0.0;
    }
    // A device may be a few units off, so one Newton step follows.
    let near = sqrt(x);
    let square = two_product(near, near);
    return near + (opaque(x - square.high) - square.low) / (near + near);
}

// −ln(1 − x), from 1 − x itself if that is given and small. Twin of `Finisher::Logarithm`.
fn minus_log(x: f32, row: u32, second: u32, total: TwoPart) -> f32 {
    if (abs(x) <= 0.5) {
        let t = x / (2.0 - x);
        return log_rest(LogRatio(0u, t, atanh_tail(t * t)));
    }
    var rest = 1.0 - x;
    if (second != NONE && x > 0.5) {
        rest = share_of(row, second, total);
    }
    // A number that is nearly 0 comes out so large that the row goes to the host.
    if (rest < 1e-30) {
        return 1e30;
    }
    return -log_value(log_ratio_of(rest, 1.0, rest - 1.0));
}

// The bits of a value.
fn value_of(row: u32, flags: u32, total: TwoPart, measure: Measure) -> u32 {
    if (((measure.infinite >> (flags & 7u)) & 1u) != 0u) {
        return INFINITE;
    }
    let sum = share_of(row, measure.first, total);
    var value: f32;
    if (measure.form == LOGARITHM) {
        value = minus_log(measure.sign * sum, row, measure.second, total) * measure.factor;
    } else {
        value = min(sum, measure.most) * measure.factor;
        if (measure.form == ROOT) {
            value = root(value);
        }
    }
    return select(0u, bitcast<u32>(value), value > 0.0);
}

fn out_of_range(value: u32) -> bool {
    let finite = value != 0u && value != INFINITE;
    return finite && (value < LOWEST + (1u << BUCKET_SHIFT) || value >= HIGHEST);
}

@compute @workgroup_size(128)
fn summary_values(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if (thread < 4u) {
        atomicStore(&counts[thread], 0u);
    }
    workgroupBarrier();
    let row = linear(workgroup, workgroups) * WORKGROUP + thread;
    if (row < params.rows) {
        let status = write_values(row);
        if (status < 4u) {
            atomicAdd(&counts[status], 1u);
        }
    }
    workgroupBarrier();
    if (thread < 4u) {
        atomicAdd(&state[thread], atomicLoad(&counts[thread]));
    }
    if (row == 0u) {
        atomicStore(&state[STAMP], params.stamp);
    }
}

// Writes the values of a row. Returns the status of the row, or FOR_THE_HOST.
fn write_values(row: u32) -> u32 {
    var flags = 0u;
    for (var part = 0u; part < params.parts; part++) {
        let word = records[record_at(row, part)];
        if ((word >> 16u) != params.stamp) {
            atomicStore(&state[OF_ANOTHER_CHUNK], 1u);
        }
        flags |= word & 0xffffu;
    }
    var status = STATUS_OK;
    let total = total_of(row);
    if ((flags & (INVALID_P | INVALID_Q)) != 0u) {
        status = STATUS_INVALID;
    } else if ((flags & RESCUE) != 0u) {
        status = FOR_THE_HOST;
    } else if ((flags & POLICY) != 0u) {
        status = STATUS_INVALID;
    } else if ((flags & EMPTY) != 0u) {
        status = STATUS_EMPTY;
    } else if (is_lost(row, flags, total)) {
        status = FOR_THE_HOST;
    } else {
        for (var i = 0u; i < params.measures; i++) {
            let value = value_of(row, flags, total, params.measure[i]);
            values[i * params.rows + row] = value;
            if (out_of_range(value)) {
                status = FOR_THE_HOST;
            } else if (value == INFINITE && status == STATUS_OK) {
                status = STATUS_INFINITE;
            }
        }
    }
    if (status > STATUS_INFINITE) {
        for (var i = 0u; i < params.measures; i++) {
            values[i * params.rows + row] = NO_VALUE | status;
        }
    }
    if (status == FOR_THE_HOST) {
        let place = atomicAdd(&state[FOR_THE_HOST], 1u);
        if (place < params.capacity) {
            atomicStore(&state[LIST + place], params.first_row + row);
        }
    }
    return status;
}
