//! The progress bar. It is on stderr, and only for a person who watches.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over the rows of a file, or nothing if nobody would see it.
pub(crate) struct ProgressDisplay(Option<ProgressBar>);

impl ProgressDisplay {
    /// A bar of `rows` rows. Without a number, it is a spinner that counts.
    pub(crate) fn new(wanted: bool, what: &'static str, rows: Option<u64>) -> Self {
        if !wanted || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (bar, template) = match rows {
            Some(rows) => (ProgressBar::new(rows), "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left"),
            None => (ProgressBar::new_spinner(), "{msg} {spinner} {human_pos}, {elapsed}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(Some(bar.with_style(style).with_message(what)))
    }

    /// Says that `rows` rows of the file are done.
    pub(crate) fn reached(&self, rows: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(rows);
        }
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
