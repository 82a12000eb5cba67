// Triangular discrimination: F(z) = z². Twin of src/divergence/triangular.rs.

fn triangular_term(c: Contrast) -> f32 {
    return c.u * c.z;
}
