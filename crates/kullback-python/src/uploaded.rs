//! Rows that stay on the device of an engine.

use std::sync::Arc;

use kullback::Engine;
use kullback_arrow::Batch;
use pyo3::prelude::*;
use self_cell::self_cell;

type Kept<'a> = kullback::Uploaded<'a>;

self_cell!(
    pub(crate) struct Resident {
        owner: Batch,
        #[covariant]
        dependent: Kept,
    }
);

/// Rows that an engine keeps; made by Engine.upload.
#[pyclass(frozen, module = "kullback")]
pub(crate) struct Uploaded {
    pub(crate) engine: Arc<Engine>,
    pub(crate) rows: Resident,
}

#[pymethods]
impl Uploaded {
    fn __len__(&self) -> usize {
        self.rows.borrow_owner().len()
    }

    /// Bins of a row.
    #[getter]
    fn bins(&self) -> usize {
        self.rows.borrow_owner().bins()
    }

    /// Whether a device has them.
    #[getter]
    fn is_on_a_device(&self) -> bool {
        self.rows.borrow_dependent().is_on_a_device()
    }
}
