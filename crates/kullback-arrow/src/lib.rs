//! Arrow columns and files as rows of weights for [`kullback`], and its results as files.
//!
//! - [`Source`] reads Parquet, CSV, TSV, NPY, Arrow IPC (file and stream) and NDJSON. Histograms may be in a list column, in one
//!   column per bin, or in long form ([`Layout`]), with key columns and filters. A file of any size streams as [`Batch`]es of
//!   bounded size, any number of times.
//! - [`Batch`] is rows of weights: a view of the Arrow buffer wherever the rows lie next to each other. [`Batch::rows`] gives them
//!   to the engine as [`kullback::Rows`]. Nulls end here: a null row becomes zeros and a flag.
//! - [`Writer`] writes result tables, also as JSON and as Markdown ([`TableFormat`]). A file has a temporary name until it is complete.
//!
//! Weights keep their type, with these exceptions. Signed integers of 8 and 16 bits become 32-bit integers. Columns of several
//! types become `f64` if one of them is a float, otherwise `u64` if one is `u64`, otherwise `i64`. NDJSON and CSV numbers are `i64`
//! or `f64`. Counts of the long layout are `i64`, `u64` or `f64`.
//!
//! Messages count rows and bins from 0, and rows as they lie in the file.
//!
//! ```no_run
//! use kullback_arrow::{Location, ReadOptions, Source};
//!
//! let options = ReadOptions { keys: vec!["name".into()], filters: vec!["sex=F".parse()?], ..ReadOptions::default() };
//! let source = Source::open(&Location::from("babynames.parquet"), &options)?;
//! for batch in source.batches()? {
//!     let batch = batch?;
//!     println!("{} rows of {} bins from row {}", batch.len(), batch.bins(), batch.first_row());
//! }
//! # Ok::<(), kullback_arrow::Error>(())
//! ```

#![forbid(unsafe_code)]

mod batch;
mod error;
mod file_rows;
mod filter;
mod format;
mod format_name;
mod labels;
mod layout;
mod lists;
mod location;
mod matrix;
mod source;
mod types;
mod wide;
mod writer;

pub use batch::Batch;
pub use error::{Error, Result};
pub use filter::{Comparison, Filter};
pub use format::{Format, TableFormat};
pub use labels::{LabelBytes, rows_in_order, without_order};
pub use layout::Layout;
pub use location::{Location, Target};
pub use source::{Batches, BinPairing, ReadOptions, Source, is_decoding};
pub use types::ArrowWeight;
pub use writer::{WholeFile, Writer};
