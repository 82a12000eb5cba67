//! What a backend is given: rows of the host, which a device may keep already.

use kullback_kernels::weights::Rows;

/// Rows kept on a device.
#[cfg(feature = "gpu")]
pub(crate) use super::gpu::stored::StoredRows;

/// Rows kept on a device. This build has none.
#[cfg(not(feature = "gpu"))]
#[derive(Debug)]
pub(crate) enum StoredRows {}

#[cfg(not(feature = "gpu"))]
impl StoredRows {
    pub(crate) fn is_usable(&self) -> bool {
        match *self {}
    }
}

/// One side of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) rows: Rows<'a>,
    /// The rows on a device if they are there already, and the number of the first of them.
    pub(crate) stored: Option<(&'a StoredRows, usize)>,
}
