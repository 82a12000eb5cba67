// ∫|F − G|. Twin of `measures/w1.rs` of kullback-kernels.

fn w1_step(total: TwoPart, step: Step) -> TwoPart {
    let first = abs(step.before);
    let last = abs(step.after);
    let both = first + last;
    var mean = last;
    if (step.within) {
        let crosses = (step.before < 0.0) != (step.after < 0.0);
        // Where F − G is next to nothing, its square would be a subnormal number, and no row of such bins is trusted.
        let triangles = (first * first + last * last) / (2.0 * max(both, 1e-15));
        mean = select(0.5 * both, triangles, crosses);
    }
    let sum = two_sum(total.high, mean * step.width);
    return TwoPart(sum.high, total.low + sum.low);
}

// The integrals of two parts of a row.
fn w1_fuse(a: TwoPart, b: TwoPart) -> TwoPart {
    return add_parts(a, b);
}
