//! How a plan is run. A backend goes through the rows it is given and returns sums, one entry per row, in order. It marks the
//! rows it cannot compute and decides nothing.
//!
//! The caller guarantees what [`Problem::new`](kullback_kernels::problem::Problem::new) checked. Both sides have the same number of bins and
//! the weight types of the problem. They have the same number of rows, or one row where the pairing says so. A chunk for a
//! device was cut by [`Chunks::for_device`](crate::plan::Chunks::for_device).

pub(crate) mod cpu;
mod found;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod reference;
mod source;
mod spent;

pub(crate) use found::{ChunkResults, NoValue};
pub(crate) use source::{Source, StoredRows};
pub(crate) use spent::Spent;
