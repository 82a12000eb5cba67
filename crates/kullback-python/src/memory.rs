//! Where inputs and outputs lie in memory, and whether one lies within the other.

use std::ops::Range;

use pyo3::prelude::*;

/// What lies in memory somewhere.
pub(crate) trait Within {
    /// Whether any of it lies within an array, which takes these addresses.
    fn lies_within(&self, array: &Bound<'_, PyAny>, addresses: &Range<usize>) -> PyResult<bool>;
}

impl<T: Within> Within for Option<T> {
    fn lies_within(&self, array: &Bound<'_, PyAny>, addresses: &Range<usize>) -> PyResult<bool> {
        self.as_ref().map_or(Ok(false), |side| side.lies_within(array, addresses))
    }
}

/// The addresses of bytes.
pub(crate) fn addresses(bytes: &[u8]) -> Range<usize> {
    let bytes = bytes.as_ptr_range();
    bytes.start as usize..bytes.end as usize
}

/// Whether two ranges of addresses have one in common.
pub(crate) fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}
