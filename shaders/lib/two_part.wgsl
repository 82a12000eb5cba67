// Numbers of about 46 bits as an unevaluated sum of two floats: totals, their ratio, the constants
// of a policy. Compilers may reorder float arithmetic and would simplify these algorithms away;
// `opaque` hides a value behind an integer operation with a number that is only known at run time,
// so that no reordering can reach across it.
// Source of the algorithms: T. J. Dekker, 1971.

struct TwoPart {
    high: f32,
    low: f32,
}

fn opaque(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

fn two_sum(a: f32, b: f32) -> TwoPart {
    let sum = opaque(a + b);
    let back = opaque(sum - a);
    return TwoPart(sum, opaque(a - opaque(sum - back)) + opaque(b - back));
}

// The twelve leading bits: products of two such numbers are exact.
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

fn add_parts(a: TwoPart, b: TwoPart) -> TwoPart {
    let sum = two_sum(a.high, b.high);
    return two_sum(sum.high, sum.low + (a.low + b.low));
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
