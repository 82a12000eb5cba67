// One bin of a scan, with both sides on the scale of q. Twin of `measures/step.rs` of kullback-kernels.

struct Step {
    // Q·(F − G) before the bin and after it.
    before: f32,
    after: f32,
    // From the position of the bin to the next, or of the bin itself.
    width: f32,
    // Whether weight is spread within the bin, and not at its position.
    within: bool,
}
