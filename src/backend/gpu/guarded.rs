//! Panics of a driver, as errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::opened::Opened;
use kullback_kernels::error::Result;

/// Runs what may panic inside a driver or wgpu, as they do on a lost device. After a panic the device is given up.
pub(super) fn guarded<R>(opened: &Opened, run: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        opened.device.check()?;
        Err(opened.device.give_up("the driver panicked".to_owned()))
    })
}
