//! Runs WGSL compute kernels on the host as any device that WGSL allows.
//!
//! WGSL leaves much of float arithmetic to the device and its compiler: subnormal numbers may become 0, products may be fused into
//! sums, sums may be reordered, quotients may be a few units off. A [`Device`] says what one made-up device does about each choice.
//! A [`Kernel`] that gives the right result on many of them does not depend on these choices. A kernel that depends on one shows it
//! here, without any hardware.
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
//! All calls are expanded in place. Values of variables are followed where that needs no analysis of a loop. The choices of a
//! compiler are made on the result, once per run. A workgroup runs in step: each operation runs on all lanes, then the next
//! operation. So lanes access memory in the order of the device, but no lane runs far ahead of another. Besides results, a run
//! finds accesses out of bounds, races for workgroup memory, reads of workgroup memory that no lane has written, barriers that some
//! lanes miss, and loops that do not end.
//!
//! # What it does not do
//!
//! Rounding is to the nearest, ties to even. Sums over the iterations of a loop are not reordered, and nothing is factored out.
//! Races for storage buffers are not found. It supports scalars and vectors of `f32`, `u32`, `i32` and `bool`, arrays, structures
//! and atomics. It does not support matrices, textures or other widths, nor `exp`, `log`, `pow` or trigonometry.
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
