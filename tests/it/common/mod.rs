//! Bodies of the conformance suite. Each body runs on any engine. The test files name one test per backend.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file uses the bodies it names")]

mod compare;
mod engines;
#[cfg(feature = "gpu")]
mod gpu;
mod matrix;
mod ordered;
mod pairs;
mod rowwise;

pub use compare::*;
pub use engines::*;
#[cfg(feature = "gpu")]
pub use gpu::*;
use kullback::{Divergence, Engine, Error, Options, RowStatus, Rows, Tile};
pub use kullback_conformance::LENGTHS;
pub(crate) use matrix::*;
pub use ordered::*;
pub use pairs::*;
pub use rowwise::*;
