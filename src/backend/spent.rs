//! The statistics of one chunk.

use crate::output::Stats;

/// What a chunk cost on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// Bytes of weights that went to it.
    pub(crate) sent: u64,
    /// Bytes that came back from it.
    pub(crate) received: u64,
    /// Seconds of the kernels that had to be compiled.
    pub(crate) compile_seconds: f64,
    /// Seconds that the kernels ran, by the clock of the device if it has one.
    pub(crate) device_seconds: f64,
}

impl Spent {
    /// Adds this to the statistics of a call.
    pub(crate) fn add_to(&self, stats: &mut Stats) {
        stats.sent += self.sent;
        stats.received += self.received;
        stats.compile_seconds += self.compile_seconds;
        stats.device_seconds += self.device_seconds;
    }
}
