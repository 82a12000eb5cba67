// Pearson's and Neyman's χ²: u²/q and u²/a. Twin of `measures/chi2.rs` of kullback-kernels.

fn chi2_term(c: Contrast) -> f32 {
    return c.u * quotient(c.u, c.q);
}

fn neyman_chi2_term(c: Contrast) -> f32 {
    return c.u * quotient(c.u, c.a);
}
