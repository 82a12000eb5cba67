// Logarithm and exponential of our own: WGSL's `log` is only good to 2⁻²¹ absolute near 1. The twin of
// `src/divergence/lanes.rs`, which also writes the polynomials `atanh_tail`, `jensen_shannon` and
// `exp_tail` from its own coefficients. Arguments are positive and normal; callers select safe ones.

const LN_2_HIGH: f32 = 0.693359375;
const LN_2_LOW: f32 = -2.12194440e-4;
const LN_2: f32 = 0.69314718;
const LOG2_E: f32 = 1.44269504;

// ln(a/q) = exponent·ln 2 + rest, rest = 2·atanh(t), tail = (atanh(t)/t − 1)/t².
struct LogRatio {
    exponent: f32,
    rest: f32,
    tail: f32,
}

// The exponent k nearest to log2(a/q) and t = (a − q·2ᵏ)/(a + q·2ᵏ).
fn reduce_ratio(a: f32, q: f32) -> vec2<f32> {
    let steps = (bitcast<u32>(a) - bitcast<u32>(q) + 0x80400000u) >> 23u;
    let scaled = bitcast<f32>(bitcast<u32>(q) + ((steps << 23u) + 0x80000000u));
    return vec2<f32>(f32(i32(steps) - 256), (a - scaled) / (a + scaled));
}

fn log_ratio_from(exponent: f32, t: f32) -> LogRatio {
    let w = t * t;
    let tail = atanh_tail(w);
    let twice = t + t;
    return LogRatio(exponent, twice + twice * w * tail, tail);
}

fn log_value(ratio: LogRatio) -> f32 {
    return ratio.exponent * LN_2_HIGH + (ratio.exponent * LN_2_LOW + ratio.rest);
}

fn log_of_ratio(a: f32, q: f32) -> f32 {
    let reduced = reduce_ratio(a, q);
    return log_value(log_ratio_from(reduced.x, reduced.y));
}

// eʸ − 1 − y for |y| ≤ 1.
fn exp_remainder(y: f32) -> f32 {
    return y * y * exp_tail(y);
}

fn power_of_two(n: f32) -> f32 {
    return bitcast<f32>(u32(i32(n) + 127) << 23u);
}

// base·2ⁿ·eˣ for an integer n and a moderate x. Stays below the largest float: what would be larger
// comes out so large that the host rescues the row.
fn scaled_exp(base: f32, n: f32, x: f32) -> f32 {
    let whole = round(x * LOG2_E);
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let value = 1.0 + (rest + exp_remainder(rest));
    return base * power_of_two(clamp(n + whole, -125.0, 125.0)) * value;
}
