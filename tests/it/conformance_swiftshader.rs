//! The conformance suite on SwiftShader, which turns subnormal numbers into 0, as many GPUs do.

use std::sync::{Arc, OnceLock};

use crate::common::*;
use kullback::Engine;

fn flushing() -> Option<Arc<Engine>> {
    static ENGINE: OnceLock<Option<Arc<Engine>>> = OnceLock::new();
    ENGINE.get_or_init(|| swiftshader().map(|b| Arc::new(b.build().expect("the adapter opens")))).clone()
}

conformance_gpu!(flushing);
