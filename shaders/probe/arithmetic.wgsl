// Asks a device about the arithmetic that the kernels rely on: the same functions on numbers whose results the host knows.
// `src/backend/gpu/probe/` makes the questions and judges the answers. This file forms one module with `lib/two_part`.

struct Params {
    // Always 0, but no compiler can know it: see `opaque`.
    zero: u32,
    questions: u32,
    // Where the weights of the totals begin, and how many weights each thread adds.
    weights: u32,
    weights_of_one: u32,
}

@group(0) @binding(0) var<storage, read> asked: array<u32>;
@group(0) @binding(1) var<storage, read_write> answers: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

fn float_at(index: u32) -> f32 {
    return bitcast<f32>(asked[index]);
}

fn parts_at(index: u32) -> TwoPart {
    return TwoPart(float_at(index), float_at(index + 1u));
}

fn answer_parts(index: u32, value: TwoPart) {
    answers[index] = bitcast<u32>(value.high);
    answers[index + 1u] = bitcast<u32>(value.low);
}

// Sixteen products of whole numbers of ten bits, which are cut out of one word.
fn sum_of_products(word: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < 16u; i++) {
        let x = (word >> (i & 7u)) & 0x3ffu;
        let y = (word >> (21u - i)) & 0x3ffu;
        sum += f32(x) * f32(y);
    }
    return sum;
}

fn answer(question: u32) {
    let at = question * QUESTION;
    let to = question * ANSWER;
    let a = float_at(at);
    let b = float_at(at + 1u);
    let c = parts_at(at + 2u);
    let d = parts_at(at + 4u);
    let p = float_at(at + 6u);
    let ratio = parts_at(at + 7u);
    let q = float_at(at + 9u);
    let word = asked[at + 10u];
    answer_parts(to, two_sum(a, b));
    answer_parts(to + 2u, two_product(c.high, d.high));
    answer_parts(to + 4u, add_parts(c, d));
    answer_parts(to + 6u, multiply_parts(c, d));
    answer_parts(to + 8u, divide_parts(c, d));
    answers[to + 10u] = bitcast<u32>(c.high / d.high);
    answers[to + 11u] = bitcast<u32>(sqrt(c.high));
    let ratio_high = leading(ratio.high);
    let u = scaled_difference(p, ratio_high, opaque(ratio.high - ratio_high), q, p * ratio.low);
    answers[to + 12u] = bitcast<u32>(u);
    // Bits that are no number, or that a float operation could change, must survive every operation that only moves words.
    answers[to + 13u] = word;
    answers[to + 14u] = min(word, params.zero - 1u);
    answers[to + 15u] = max(word, params.zero);
    answers[to + 16u] = select(params.zero, word, params.questions > 0u);
    answers[to + 17u] = bitcast<u32>(sum_of_products(asked[at + 11u]));
    let product = two_product(c.high, d.high);
    answers[to + 18u] = bitcast<u32>(fma(c.high, d.high, -product.high));
    // 2⁻¹⁰⁰ times 2⁻³⁰: a subnormal number, or 0.
    answers[to + 19u] = bitcast<u32>(float_at(at + 12u) * float_at(at + 13u));
}

@compute @workgroup_size(128)
fn arithmetic(@builtin(local_invocation_index) thread: u32) {
    for (var question = thread; question < params.questions; question += WORKGROUP) {
        answer(question);
    }
    // A compensated total of one large weight and many small ones, which a plain sum would lose.
    var total = TwoPart(0.0, 0.0);
    for (var i = 0u; i < params.weights_of_one; i++) {
        total = add_compensated(total, float_at(params.weights + thread * params.weights_of_one + i));
    }
    answers[params.questions * ANSWER + thread] = bitcast<u32>(opaque(total.high) - total.low);
}
