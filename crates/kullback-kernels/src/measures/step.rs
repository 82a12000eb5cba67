//! What a term that depends on the order of the bins takes of each bin.

/// One bin of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Q·(F − G) before the bin.
    pub before: f64,
    /// Q·(F − G) after it.
    pub after: f64,
    /// From the position of the bin to the next, or of the bin itself.
    pub width: f64,
    /// Whether weight is spread within the bin, and not at its position.
    pub within: bool,
}
