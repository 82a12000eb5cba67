// Reads the bins of a row as quads, four bins in one load per side. The length of the row is a multiple of four. A thread has every
// `step`th quad.

fn quad_p_of(span: Span, quad: u32) -> vec4<u32> {
    return quad_p(span.p + 4u * quad);
}

fn quad_q_of(span: Span, quad: u32) -> vec4<u32> {
    return quad_q(span.q + 4u * quad);
}

// Four totals per side. None waits for another.
struct FourGlances {
    p: vec4<f32>,
    q: vec4<f32>,
    p_lost: vec4<f32>,
    q_lost: vec4<f32>,
    least: vec4<u32>,
    most: vec4<u32>,
}

fn no_glances() -> FourGlances {
    let zero = vec4<f32>(0.0);
    return FourGlances(zero, zero, zero, zero, vec4<u32>(ABOVE_ALL), vec4<u32>(0u));
}

fn glance_at_quad(g: ptr<function, FourGlances>, p: vec4<u32>, q: vec4<u32>) {
    (*g).least = min((*g).least, min(p, q));
    (*g).most = max((*g).most, max(p, q));
    let p_next = bitcast<vec4<f32>>(p) - (*g).p_lost;
    let q_next = bitcast<vec4<f32>>(q) - (*g).q_lost;
    let p_sum = opaque_four((*g).p + p_next);
    let q_sum = opaque_four((*g).q + q_next);
    (*g).p_lost = opaque_four(p_sum - (*g).p) - p_next;
    (*g).q_lost = opaque_four(q_sum - (*g).q) - q_next;
    (*g).p = p_sum;
    (*g).q = q_sum;
}

fn sum_of_four(x: vec4<f32>, lost: vec4<f32>) -> TwoPart {
    let first = two_sum(x.x, x.y);
    let second = two_sum(x.z, x.w);
    let sum = two_sum(first.high, second.high);
    return TwoPart(sum.high, (sum.low + (first.low + second.low)) - ((lost.x + lost.y) + (lost.z + lost.w)));
}

fn one_glance(g: FourGlances) -> Glance {
    let least = min(min(g.least.x, g.least.y), min(g.least.z, g.least.w));
    let most = max(max(g.most.x, g.most.y), max(g.most.z, g.most.w));
    let p = sum_of_four(g.p, g.p_lost);
    let q = sum_of_four(g.q, g.q_lost);
    return Glance(p.high, q.high, p.low, q.low, least, most);
}

fn add_quad(block: ptr<function, Sums>, p: vec4<u32>, q: vec4<u32>, c: Usual) {
    add_bin(block, p.x, q.x, c);
    add_bin(block, p.y, q.y, c);
    add_bin(block, p.z, q.z, c);
    add_bin(block, p.w, q.w, c);
}
