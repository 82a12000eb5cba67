//! The tests of the engine from outside, in one program: it links once, and the devices share the answers of the oracle.

mod common;

mod conformance_cpu;
#[cfg(feature = "gpu")]
mod conformance_gl;
#[cfg(feature = "gpu")]
mod conformance_swiftshader;
#[cfg(feature = "gpu")]
mod conformance_vulkan;
mod contributions;
mod extremes;
mod margins;
mod ordered;
mod pairs_cpu;
mod properties;
mod small_calls;
#[cfg(feature = "gpu")]
mod soak_vulkan;
mod structure;
