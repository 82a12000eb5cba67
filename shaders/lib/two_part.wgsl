// Numbers of about 46 bits as an unevaluated sum of two floats: totals, their ratio, the constants of a policy.
// Compilers may reorder float arithmetic, and would simplify these algorithms away. `opaque` hides a value behind an integer
// operation with a number that is known only at run time, so no reordering can reach across it.
// Source of the algorithms: T. J. Dekker, 1971.

struct TwoPart {
    high: f32,
    low: f32,
}

fn opaque(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

fn opaque_four(x: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(opaque(x.x), opaque(x.y), opaque(x.z), opaque(x.w));
}

fn two_sum(a: f32, b: f32) -> TwoPart {
    let sum = opaque(a + b);
    let back = opaque(sum - a);
    return TwoPart(sum, opaque(a - opaque(sum - back)) + opaque(b - back));
}

// The twelve leading bits. A product of two such numbers is exact.
fn leading(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

fn two_product(a: f32, b: f32) -> TwoPart {
    let product = opaque(a * b);
    let a_high = leading(a);
    let b_high = leading(b);
    let a_low = opaque(a - a_high);
    let b_low = opaque(b - b_high);
    let first = opaque(opaque(a_high * b_high) - product);
    let second = opaque(first + a_high * b_low);
    let third = opaque(second + a_low * b_high);
    return TwoPart(product, third + a_low * b_low);
}

// Gives the same bits with a and b exchanged. Of two threads that add their values, each may come first.
fn add_parts(a: TwoPart, b: TwoPart) -> TwoPart {
    let sum = two_sum(a.high, b.high);
    return two_sum(sum.high, opaque(sum.low + opaque(a.low + b.low)));
}

fn multiply_parts(a: TwoPart, b: TwoPart) -> TwoPart {
    let product = two_product(a.high, b.high);
    return two_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

fn divide_parts(a: TwoPart, b: TwoPart) -> TwoPart {
    let quotient = opaque(a.high / b.high);
    let product = multiply_parts(TwoPart(quotient, 0.0), b);
    let rest = add_parts(a, TwoPart(-product.high, -product.low));
    return two_sum(quotient, (rest.high + rest.low) / b.high);
}

fn scale_parts(a: TwoPart, factor: f32) -> TwoPart {
    return TwoPart(a.high * factor, a.low * factor);
}

// Adds a number to a sum, and keeps in `low` what the sum has lost, with the other sign: the total is high − low. Source: W. Kahan,
// 1965.
fn add_compensated(total: TwoPart, x: f32) -> TwoPart {
    let next = x - total.low;
    let sum = opaque(total.high + next);
    return TwoPart(sum, opaque(sum - total.high) - next);
}

// p·r − q + low through exact partial products of the halves of r. It is good to 2⁻³³ of p·r (`U_ERROR` on the host).
fn scaled_difference(p: f32, ratio_high: f32, ratio_middle: f32, q: f32, low: f32) -> f32 {
    let p_high = leading(p);
    let p_middle = opaque(p - p_high);
    let first = opaque(opaque(p_high * ratio_high) - q);
    let cross = p_high * ratio_middle + p_middle * ratio_high;
    return first + opaque(cross + (p_middle * ratio_middle + low));
}
