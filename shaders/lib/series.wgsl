// Our own logarithm and exponential: WGSL promises its `log` only to 2⁻²¹ absolute near 1. Twin of `arithmetic/` in kullback-kernels.
// `src/backend/gpu/shaders.rs` writes the polynomials `atanh_tail`, `jensen_shannon`, `ln_one_plus` and `exp_tail` from the
// coefficients of the CPU, in `arithmetic/coefficients.rs` of kullback-kernels. Arguments are positive and normal; callers select safe ones.

const LN_2_HIGH: f32 = 0.693359375;
const LN_2_LOW: f32 = -2.12194440e-4;
const LN_2: f32 = 0.69314718;
// ln 2 as twelve leading bits and the rest.
const LN_2_LEADING: f32 = 0.693115234375;
const LN_2_REST: f32 = 3.1946185e-5;
const LOG2_E: f32 = 1.44269504;

// ln(a/q) = k·ln 2 + 2·atanh(t) with k even, t = (a − q·2ᵏ)/(a + q·2ᵏ) and |t| ≤ 1/3. If a and q are within a factor of two of each
// other, then k = 0 and t comes from their difference u, in which nothing has cancelled.
struct LogRatio {
    // k binades, as the bits of a float.
    steps: u32,
    t: f32,
    // 2·(atanh(t)/t − 1)/t².
    tail: f32,
}

// The even number k of binades (as bits) with 2ᵏ⁻¹ ≤ a/q < 2ᵏ⁺¹. Read as an integer, the bits of a float grow by one binade exactly
// where the float doubles.
fn even_steps(a: f32, q: f32) -> u32 {
    return (bitcast<u32>(a) - bitcast<u32>(q) + 0x00800000u) & 0xff000000u;
}

// q·2ᵏ.
fn raised(q: f32, steps: u32) -> f32 {
    return bitcast<f32>(bitcast<u32>(q) + steps);
}

// k.
fn whole_binades(steps: u32) -> f32 {
    return f32(bitcast<i32>(steps)) * 1.1920928955078125e-7;
}

// The ratio of a and q, which are positive, with u = a − q.
fn log_ratio_of(a: f32, q: f32, u: f32) -> LogRatio {
    let steps = even_steps(a, q);
    let scaled = raised(q, steps);
    let t = select(a - scaled, u, steps == 0u) / (a + scaled);
    return LogRatio(steps, t, atanh_tail(t * t));
}

// 2·atanh(t): the logarithm without its power of two.
fn log_rest(ratio: LogRatio) -> f32 {
    return ratio.t * (ratio.t * ratio.t) * ratio.tail + (ratio.t + ratio.t);
}

fn log_value(ratio: LogRatio) -> f32 {
    return whole_binades(ratio.steps) * LN_2 + log_rest(ratio);
}

// a·ln(a/q) − a + q ≥ 0 without cancellation. From a·2t = rise + rise·t it is (q − q·2ᵏ) + a·k·ln 2 + t·(rise + a·t²·tail).
// Where k = 0 the first two vanish, unless a compiler adds the third in between.
fn log_excess(ratio: LogRatio, a: f32, q: f32, u: f32) -> f32 {
    let scaled = raised(q, ratio.steps);
    let rise = select(a - scaled, u, ratio.steps == 0u);
    let binades = whole_binades(ratio.steps);
    // The product of the leading bits is exact, and in this order so are both differences, where the parts are largest beside
    // their sum.
    let a_high = leading(a);
    let first = opaque(opaque(a_high * (binades * LN_2_LEADING) - scaled) + q);
    let whole = first + (opaque(a - a_high) * (binades * LN_2_LEADING) + a * (binades * LN_2_REST));
    return (a * (ratio.t * ratio.t) * ratio.tail + rise) * ratio.t + whole;
}

// q·ln(q/a) − q + a ≥ 0: the same with the sides exchanged, and so with a·2⁻ᵏ.
fn log_excess_reversed(ratio: LogRatio, a: f32, q: f32, u: f32) -> f32 {
    let scaled = bitcast<f32>(bitcast<u32>(a) - ratio.steps);
    let rise = select(scaled - q, u, ratio.steps == 0u);
    let power = opaque(-q * (whole_binades(ratio.steps) * LN_2));
    let first = opaque(power - scaled);
    let whole = opaque(first + a);
    // What rounding lost of the first difference. It matters most where a is a little more than 2q.
    let lost = opaque(power - first) - scaled;
    return (rise - q * (ratio.t * ratio.t) * ratio.tail) * ratio.t + opaque(whole + opaque(lost));
}

// eʸ − 1 − y for −1 ≤ y ≤ 2.
fn exp_remainder(y: f32) -> f32 {
    return y * y * exp_tail(y);
}

fn power_of_two(n: f32) -> f32 {
    return bitcast<f32>(u32(i32(n) + 127) << 23u);
}

// base·2ⁿ·eˣ for an integer n and a moderate x. The result stays below the largest float. A result that would be larger comes out
// so large that the host rescues the row.
fn scaled_exp(base: f32, n: f32, x: f32) -> f32 {
    let whole = round(x * LOG2_E);
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let value = 1.0 + (rest + exp_remainder(rest));
    return base * power_of_two(clamp(n + whole, -125.0, 125.0)) * value;
}
