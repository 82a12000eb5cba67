//! The accuracy contract of kullback as code, for its tests and for `kullback verify`.
//!
//! - [`golden`]: rows with the value of every measure, from 60-digit arithmetic;
//! - [`hard_rows`]: random rows that hit the hard part (zeros, disjoint and equal supports, one-hot, near-equal, proportional,
//!   subnormal, huge), of every weight type and any length;
//! - [`Tolerance`] and [`Check`]: the contract, and the comparison of values with it.
#![forbid(unsafe_code)]

mod check;
mod golden;
mod hard;
mod values;

pub use check::{Check, Tolerance, Worst};
pub use golden::{Case, MEASURES, ORDERED_MEASURES, WIDE_MEASURES, golden};
pub use hard::{FAMILIES, GENERATOR, HardRows, hard_rows, hard_rows_of_family};
pub use values::Values;

use kullback::Divergence;
pub use kullback::{WeightType, Zeros};

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

/// The further measures of the golden cases, parsed.
#[must_use]
pub fn wide_measures() -> Vec<Divergence> {
    WIDE_MEASURES.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The measures that depend on the order of the bins, parsed.
#[must_use]
pub fn ordered_measures() -> Vec<Divergence> {
    ORDERED_MEASURES.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Orders at the edges of each family: those that 32-bit kernels take, and those that they leave to 64-bit kernels.
///
/// # Panics
/// Never: the names are constants.
#[must_use]
pub fn edges() -> [Vec<Divergence>; 2] {
    let narrow = ["renyi:1.01", "renyi:1.5", "renyi:1.9", "tsallis:1.9", "alpha:-0.9", "skew_js:0.01", "skew_js:1e-9"];
    let wide = [
        "renyi:0.2",
        "renyi:0.6",
        "renyi:0.95",
        "tsallis:0.8",
        "renyi:2.1",
        "renyi:5",
        "renyi:1e5",
        "renyi:inf",
        "tsallis:2.1",
        "tsallis:5.5",
        "tsallis:1e5",
        "alpha:3",
        "alpha:-4.5",
    ];
    [&narrow[..], &wide].map(|names| names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Zero policies with numbers so small that a 32-bit float cannot hold the smallest.
pub const SMALL_POLICIES: [Zeros; 14] = [
    Zeros::Epsilon(1e-3),
    Zeros::Epsilon(1e-20),
    Zeros::Epsilon(1e-33),
    Zeros::Epsilon(1e-50),
    Zeros::Additive(1e-3),
    Zeros::Additive(1e-20),
    Zeros::Additive(1e-33),
    Zeros::Additive(1e-50),
    Zeros::Floor(1e-3),
    Zeros::Floor(1e-25),
    Zeros::Floor(1e-50),
    Zeros::Mix(1e-3),
    Zeros::Mix(1e-25),
    Zeros::Mix(1e-50),
];

/// Every zero policy with a usual number.
pub const POLICIES: [Zeros; 6] =
    [Zeros::Exact, Zeros::Epsilon(1e-6), Zeros::Additive(0.5), Zeros::Floor(1e-6), Zeros::Mix(0.01), Zeros::Skip];
