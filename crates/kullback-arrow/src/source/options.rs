//! `ReadOptions`: how a file is read.

use crate::filter::Filter;
use crate::format::Format;
use crate::layout::Layout;

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format. `None` means that the file name decides, or else the first bytes, which cannot tell text formats.
    pub format: Option<Format>,
    /// Where the histograms are.
    pub layout: Layout,
    /// Columns that are carried along. With [`Layout::Long`] these are the key columns of the layout.
    pub keys: Vec<String>,
    /// Further columns that are carried along, if the file has them.
    pub optional_keys: Vec<String>,
    /// Columns that say which rows belong together. They are keys too. In the long layout each group has bins of its own.
    pub groups: Vec<String>,
    /// Only rows that pass all these filters are read.
    pub filters: Vec<Filter>,
    /// The target size of a batch, in bytes of weights.
    pub batch_bytes: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            layout: Layout::default(),
            keys: Vec::new(),
            optional_keys: Vec::new(),
            groups: Vec::new(),
            filters: Vec::new(),
            batch_bytes: 16 << 20,
        }
    }
}
