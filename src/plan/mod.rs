//! What to run where: pure data, no device types, tested without a device.

pub(crate) mod caps;
pub(crate) mod chunk;
pub(crate) mod cost;
pub(crate) mod kernel_key;
mod limits;

pub(crate) use caps::Caps;
pub(crate) use chunk::Chunks;
pub(crate) use kernel_key::{KernelKey, Shape};
pub(crate) use limits::LIMITS;
