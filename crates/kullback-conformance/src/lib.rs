//! The accuracy contract of kullback as code, for its tests and for `kullback verify`.
//!
//! - [`golden`]: rows with the value of every measure from 60-digit arithmetic;
//! - [`hard_rows`]: random rows that hit the hard part (zeros, disjoint and equal supports, one-hot,
//!   near-equal, proportional, subnormal, huge), of every weight type and any length;
//! - [`Tolerance`] and [`Check`]: the contract, and the comparator that holds values to it.
#![forbid(unsafe_code)]

mod check;
mod golden;
mod hard;
mod values;

pub use check::{Check, Tolerance, Worst};
pub use golden::{Case, MEASURES, golden};
pub use hard::{FAMILIES, HardRows, hard_rows};
pub use values::Values;

use kullback::{Divergence, Zeros};

/// Lengths around every lane and workgroup size.
pub const LENGTHS: [usize; 24] =
    [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000];

/// The measures of the golden cases, parsed.
///
/// # Panics
/// Never: the names are constants.
#[must_use]
pub fn measures() -> Vec<Divergence> {
    MEASURES.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Every zero policy with a usual number.
pub const POLICIES: [Zeros; 6] =
    [Zeros::Exact, Zeros::Epsilon(1e-6), Zeros::Additive(0.5), Zeros::Floor(1e-6), Zeros::Mix(0.01), Zeros::Skip];
