// Total variation: F(z) = ½|z|. Twin of `measures/tv.rs` of kullback-kernels.

fn tv_term(c: Contrast) -> f32 {
    return 0.5 * abs(c.u);
}
