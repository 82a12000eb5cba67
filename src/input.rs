//! What a call compares: rows of the host, or rows that a device keeps.

use std::ops::Range;

use smallvec::SmallVec;

use crate::backend::{Source, StoredRows};
use kullback_kernels::weights::Rows;

/// Rows that stay on the device of an [`Engine`](crate::Engine) until this is dropped. Further calls read them there. Made by
/// [`Engine::upload`](crate::Engine::upload).
///
/// The rows themselves stay borrowed, for the few that a device cannot compute in 32 bits, and for a device that fails. On an
/// engine without a device of its own, and for 64-bit weights, this is only the borrow.
#[derive(Debug)]
pub struct Uploaded<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) kept: SmallVec<[DeviceRows; 1]>,
}

/// Rows of a matrix that a device keeps.
#[derive(Debug)]
pub(crate) struct DeviceRows {
    /// The device of the engine that keeps them.
    pub(crate) device: usize,
    /// The rows of the matrix that it keeps.
    pub(crate) rows: Range<usize>,
    pub(crate) stored: StoredRows,
}

impl DeviceRows {
    /// Whether these rows of the matrix lie in one buffer.
    #[cfg(feature = "gpu")]
    pub(crate) fn is_in_one_piece(&self, rows: &Range<usize>) -> bool {
        let piece = |row: usize| (row - self.rows.start) / self.stored.rows_per_buffer();
        piece(rows.start) == piece(rows.end.saturating_sub(1).max(rows.start))
    }
}

impl<'a> Uploaded<'a> {
    /// The rows.
    #[must_use]
    pub fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// Whether a device keeps the rows, or several devices that share calls. This is false once such a device has failed: then
    /// the rows it kept travel with every call.
    #[must_use]
    pub fn is_on_a_device(&self) -> bool {
        !self.kept.is_empty() && self.kept.iter().all(|kept| kept.stored.is_usable())
    }
}

/// One side of a call: [`Rows`], or a reference to [`Uploaded`] rows.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) kept: &'a [DeviceRows],
}

impl<'a> Input<'a> {
    /// What one device keeps of the rows `range`, if it keeps all of them; `has` says which rows the device has.
    pub(crate) fn kept(&self, range: &Range<usize>, has: impl Fn(&StoredRows) -> bool) -> Option<&'a DeviceRows> {
        let covers =
            |kept: &&DeviceRows| kept.rows.start <= range.start && range.end <= kept.rows.end && has(&kept.stored);
        self.kept.iter().find(covers)
    }

    /// The rows `range`, which a device may keep.
    pub(crate) fn source(&self, range: &Range<usize>, kept: Option<&'a DeviceRows>) -> Source<'a> {
        let rows = self.rows.slice(range.start, range.len());
        Source { rows, stored: kept.map(|kept| (&kept.stored, range.start - kept.rows.start)) }
    }
}

impl<'a> From<Rows<'a>> for Input<'a> {
    fn from(rows: Rows<'a>) -> Self {
        Self { rows, kept: &[] }
    }
}

impl<'a> From<&'a Uploaded<'_>> for Input<'a> {
    fn from(uploaded: &'a Uploaded<'_>) -> Self {
        Self { rows: uploaded.rows, kept: &uploaded.kept }
    }
}
