// The term of `skew_js` with the totals of the row as weights. Twin of `measures/pooled_js.rs` of kullback-kernels.

fn pooled_js_term(c: Contrast) -> f32 {
    return skewed(c, c.pooled.x, c.pooled.y);
}
