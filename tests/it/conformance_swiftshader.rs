//! The conformance suite on SwiftShader, which turns subnormal numbers into 0, as many GPUs do.

use crate::common::*;

conformance_gpu!(flushing, swiftshader(), part);
