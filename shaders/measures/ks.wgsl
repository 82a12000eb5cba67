// max |F − G|. Twin of `measures/ks.rs` of kullback-kernels.

fn ks_step(most: TwoPart, step: Step) -> TwoPart {
    return TwoPart(max(most.high, abs(step.after)), 0.0);
}

// The maxima of two parts of a row.
fn ks_fuse(a: TwoPart, b: TwoPart) -> TwoPart {
    return TwoPart(max(a.high, b.high), 0.0);
}
