//! The arithmetic of [`kullback`](https://docs.rs/kullback) on a CPU. `kullback` is the API. What is here may change with every
//! release.
//!
//! - [`measures`]: what is computed. One file per measure.
//! - [`weights`], [`problem`], [`row_sums`]: what goes in and what comes out.
//! - [`kernels`]: the entry to everything, for one instruction set ([`levels`]).
//! - [`rows`]: matched rows. [`pairs`]: all pairs.
//! - [`arithmetic`]: logarithms, sums and differences that keep their digits.
#![allow(rustdoc::private_intra_doc_links, reason = "these are notes for its developers, who see private items")]
#![allow(missing_docs, reason = "a name that says it all needs no comment; `kullback` documents what it shows")]

pub mod arithmetic;
pub mod error;
pub mod kernels;
pub mod levels;
pub mod measures;
mod names;
pub mod pairs;
pub mod problem;
pub mod reason;
pub mod row_sums;
pub(crate) mod rows;
pub mod unit;
pub mod weights;
pub mod zeros;
