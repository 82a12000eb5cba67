//! What a term that depends on the order of the bins takes of each bin.

/// One bin of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// F − G before the bin, and below after it.
    pub before: f64,
    pub after: f64,
    /// From the position of the bin to the next, or of the bin itself.
    pub width: f64,
    /// Whether weight is spread within the bin, and not at its position.
    pub within: bool,
}
