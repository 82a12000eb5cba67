//! SIGINT and SIGTERM. Work stops at the next batch, so that no half-written file is left.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Whether some work checks [`REQUESTED`]. Until then there is nothing to stop in order.
static WORKING: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler. If that fails (the process has another handler), the system's default stays.
pub(crate) fn install() {
    let _ = ctrlc::set_handler(|| {
        let again = REQUESTED.swap(true, Ordering::SeqCst);
        if again || !WORKING.load(Ordering::SeqCst) {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
    });
}

/// Says that from here on the work stops in order: it calls [`check`] often enough.
pub(crate) fn work_begins() -> Result<()> {
    WORKING.store(true, Ordering::SeqCst);
    check()
}

/// Whether the user wants to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// An error if the user wants to stop.
pub(crate) fn check() -> Result<()> {
    if requested() { Err(Error::Interrupted) } else { Ok(()) }
}
