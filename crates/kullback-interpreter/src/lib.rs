//! Runs WGSL compute kernels on the host as any device that WGSL allows.
//!
//! WGSL leaves much of float arithmetic to the device and its compiler: subnormal numbers may become 0, products may be
//! fused into sums, sums may be reordered, quotients may be a few units off. A [`Device`] says what one made-up device
//! does about each. A [`Kernel`] that gives what it should on many of them does not depend on what is open; one that
//! does not shows it here, without any hardware.
//!
//! ```
//! use kullback_interpreter::{Device, Kernel};
//!
//! let source = "
//!     @group(0) @binding(0) var<storage, read_write> x: array<f32>;
//!     @compute @workgroup_size(4)
//!     fn main(@builtin(local_invocation_index) i: u32) { x[i] = (x[i] + 1e8) - 1e8; }";
//! let kernel = Kernel::new(source, "main", &[])?;
//! let run = |device: &Device| {
//!     let mut bindings = [vec![1.0_f32.to_bits(); 4]];
//!     kernel.run(&mut bindings, [1, 1, 1], device).map(|()| f32::from_bits(bindings[0][0]))
//! };
//! assert_eq!(run(&Device::exact())?, 0.0);
//! let reordered = (0..50).map(|seed| run(&Device { seed, reassociate: true, ..Device::exact() }));
//! assert!(reordered.collect::<Result<Vec<_>, _>>()?.contains(&1.0));
//! # Ok::<(), kullback_interpreter::Error>(())
//! ```
//!
//! # How it runs
//!
//! All calls are expanded in place, values of variables are followed where that needs no look at a loop, and the choices of
//! a compiler are made on what comes out, once for a run. A workgroup runs in step: each operation on all its lanes, then
//! the next. So lanes meet at memory in the order of the device, but never does one run far ahead of another. Beyond
//! results, a run finds accesses out of bounds, races for workgroup memory, reads of workgroup memory that nobody has
//! written, barriers that some lanes miss, and loops that do not end.
//!
//! # What it does not do
//!
//! Rounding is to the nearest, ties to even. Sums over the iterations of a loop are not reordered, and nothing is factored
//! out. Races for storage buffers are not found. There are scalars and vectors of `f32`, `u32`, `i32` and `bool`, arrays,
//! structures and atomics; no matrices, textures, or other widths, and no `exp`, `log`, `pow` or trigonometry.
#![forbid(unsafe_code)]

mod device;
mod error;
mod hash;
mod kernel;
mod lower;
mod program;
mod rewrite;
mod run;

pub use device::{Device, LaneOrder};
pub use error::{Error, Place};
pub use kernel::Kernel;
