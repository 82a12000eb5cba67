//! How much of a call is done.

use std::sync::{Mutex, PoisonError};

use kullback_kernels::error::{Error, Result};

use crate::options::{Options, Progress, ProgressCallback};

/// How much of a call is done, reported to the caller in order and by one thread at a time, however many compute.
pub(crate) struct Tracker<'a> {
    callback: Option<&'a ProgressCallback>,
    total: u64,
    state: Mutex<Tracked>,
}

#[derive(Default)]
struct Tracked {
    /// The number of rows that the caller was told of.
    done: u64,
    /// Rows finished since the call last started from the beginning.
    finished: u64,
    cancelled: bool,
}

impl<'a> Tracker<'a> {
    /// Takes the number of rows of the call.
    pub(crate) fn new(options: &'a Options, rows: usize) -> Self {
        Self { callback: options.progress.as_ref(), total: rows as u64, state: Mutex::default() }
    }

    /// Notes that all rows start again. The caller hears nothing until more rows are finished than at any time before.
    pub(crate) fn begin_anew(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).finished = 0;
    }

    /// Notes the same for some of the rows.
    #[cfg(feature = "gpu")]
    pub(crate) fn begin_again(&self, rows: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.finished = state.finished.saturating_sub(rows as u64);
    }

    /// Tells the caller that `rows` more rows are finished. A thread that goes on after the call was cancelled learns it here.
    pub(crate) fn report(&self, rows: usize) -> Result<()> {
        let Some(callback) = self.callback else { return Ok(()) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.finished += rows as u64;
        state.done = state.done.max(state.finished);
        let progress = Progress { done: state.done, total: self.total };
        state.cancelled = state.cancelled || callback(progress).is_break();
        if state.cancelled { Err(Error::Cancelled { done: state.done, total: self.total }) } else { Ok(()) }
    }
}
