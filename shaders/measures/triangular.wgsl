// Triangular discrimination: F(z) = z². Twin of `measures/triangular.rs` of kullback-kernels.

fn triangular_term(c: Contrast) -> f32 {
    return c.u * c.z;
}
