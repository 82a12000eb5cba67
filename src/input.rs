//! What a call compares: rows of the host, or rows that a device keeps.

use std::ops::Range;

use crate::backend::{Source, StoredRows};
use crate::rows::Rows;

/// Rows that stay on the device of an [`Engine`](crate::Engine) until this is dropped: what is asked again
/// about them reads them there. Made by [`Engine::upload`](crate::Engine::upload).
///
/// The rows themselves stay borrowed, for the few that a device cannot do in 32 bits, and for a device that
/// fails. On an engine without a device of its own, and for 64-bit weights, it is only that borrow.
#[derive(Debug)]
pub struct Uploaded<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) stored: Option<StoredRows>,
}

impl<'a> Uploaded<'a> {
    /// The rows.
    #[must_use]
    pub fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// Whether a device keeps them. Not any more once it has failed: then they travel with every call.
    #[must_use]
    pub fn is_on_a_device(&self) -> bool {
        self.stored.as_ref().is_some_and(StoredRows::is_usable)
    }
}

/// One side of a call: [`Rows`], or a reference to [`Uploaded`] ones.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) stored: Option<&'a StoredRows>,
}

impl<'a> Input<'a> {
    /// The rows of a chunk; all of them where one row meets every row of the other side.
    pub(crate) fn chunk(&self, once: bool, chunk: &Range<usize>) -> Source<'a> {
        let (rows, first) =
            if once { (self.rows, 0) } else { (self.rows.slice(chunk.start, chunk.len()), chunk.start) };
        Source { rows, stored: self.stored.map(|stored| (stored, first)) }
    }
}

impl<'a> From<Rows<'a>> for Input<'a> {
    fn from(rows: Rows<'a>) -> Self {
        Self { rows, stored: None }
    }
}

impl<'a> From<&'a Uploaded<'_>> for Input<'a> {
    fn from(uploaded: &'a Uploaded<'_>) -> Self {
        Self { rows: uploaded.rows, stored: uploaded.stored.as_ref() }
    }
}
