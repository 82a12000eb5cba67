// Total variation: F(z) = ½|z|. Twin of src/divergence/tv.rs.

fn tv_term(c: Contrast) -> f32 {
    return 0.5 * abs(c.u);
}
