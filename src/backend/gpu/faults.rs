//! A device that fails where a test wants it to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::device::GpuDevice;
pub(crate) use super::device::Point;
use kullback_kernels::error::{Error, Result};

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The device is destroyed and knows it.
    Lost,
    /// There is no memory.
    NoMemory,
    /// The call that reaches the point fails, and the device keeps working.
    Refused,
    /// The driver panics.
    Panic,
}

/// What is to fail.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<Option<Armed>>,
}

/// A fault at a point: after how many passes that go well, and how many times.
#[derive(Clone, Copy, Debug)]
struct Armed {
    fault: Fault,
    point: Point,
    after: usize,
    times: usize,
}

impl Faults {
    fn armed(&self) -> MutexGuard<'_, Option<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the point fail `times` times, after it has been reached `after` times.
    pub(crate) fn arm(&self, fault: Fault, point: Point, after: usize, times: usize) {
        *self.armed() = Some(Armed { fault, point, after, times });
    }

    /// Removes all faults. Returns whether some of them had not come yet.
    pub(crate) fn disarm(&self) -> bool {
        self.armed().take().is_some()
    }

    pub(super) fn reach(&self, device: &GpuDevice, point: Point) -> Result<()> {
        let fault = {
            let mut armed = self.armed();
            let Some(mut due) = armed.filter(|armed| armed.point == point) else { return Ok(()) };
            if due.after > 0 {
                due.after -= 1;
                *armed = Some(due);
                return Ok(());
            }
            due.times -= 1;
            *armed = (due.times > 0).then_some(due);
            due.fault
        };
        match fault {
            Fault::Lost => {
                device.device.destroy();
                Ok(())
            }
            Fault::NoMemory => Err(Error::DeviceMemory { device: device.name.clone(), bytes: 1 }),
            Fault::Refused => Err(device.failed("refused, as asked".to_owned())),
            Fault::Panic => panic!("as asked"),
        }
    }
}
