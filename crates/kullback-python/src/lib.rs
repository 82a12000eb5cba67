//! The compiled half of the Python package. The documentation for users is in `crates/kullback-python/python/kullback/_core.pyi`.

// The type of an engine's device is deeply nested.
#![recursion_limit = "512"]
#![allow(clippy::doc_lazy_continuation, reason = "the documentation is for Python, not for rustdoc")]

mod amount;
mod borrowed;
mod call;
mod column;
mod engine;
mod error;
mod functions;
mod input;
mod memory;
mod output;
mod paired;
mod pairs;
mod uploaded;
mod verify;

use pyo3::prelude::*;

/// The module.
#[pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use crate::engine::PyEngine;
    #[pymodule_export]
    use crate::functions::{contributions, devices, matrix, measures, rowwise, summary};
    #[pymodule_export]
    use crate::pairs::{nearest, pairwise};
    #[pymodule_export]
    use crate::uploaded::Uploaded;
    #[pymodule_export]
    use crate::verify::verify;

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        call::at_home();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
