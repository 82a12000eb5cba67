//! SIGINT and SIGTERM: work in progress is put down at the next batch, so that no half file is left.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Whether there is work that looks at [`REQUESTED`]; until then there is nothing to put down.
static WORKING: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler. Without one (a second handler in the process) the system's default stays.
pub(crate) fn install() {
    let _ = ctrlc::set_handler(|| {
        let again = REQUESTED.swap(true, Ordering::SeqCst);
        if again || !WORKING.load(Ordering::SeqCst) {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
    });
}

/// From here on the work is put down in order: [`check`] is called often enough.
pub(crate) fn work_begins() -> Result<()> {
    WORKING.store(true, Ordering::SeqCst);
    check()
}

/// Whether the user wants to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// An error when the user wants to stop.
pub(crate) fn check() -> Result<()> {
    if requested() { Err(Error::Interrupted) } else { Ok(()) }
}
