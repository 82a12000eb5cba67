//! What the probe found, as callers see it.

/// What a device answered.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeviceAnswers {
    /// Whether `fma` rounds once.
    pub fused_multiply_add: bool,
    /// Whether subnormal numbers become 0.
    pub flushes_subnormals: bool,
    /// The largest error of a quotient, in units of the last place.
    pub division_error: f64,
    /// The largest error of a square root, in units of the last place.
    pub root_error: f64,
    /// Threads of a subgroup, where subgroups are used.
    pub subgroup_size: Option<u32>,
    /// Whether the adapter has subgroups that do not work as the kernels need them.
    pub subgroups_refused: bool,
    /// How long it took to ask, compilation included.
    pub seconds: f64,
}
