//! Divergences between distributions, millions of rows at a time, within 1e-6 of the exact value.
#![forbid(unsafe_code)]

mod backend;
mod divergence;
mod engine;
mod error;
mod output;
mod plan;
mod rows;
mod summary;

pub use backend::cpu::SimdLevel;
#[cfg(feature = "gpu")]
pub use backend::gpu::{AdapterInfo, adapters};
pub use divergence::{Divergence, Unit, Zeros};
pub use engine::{Device, Engine, EngineBuilder, OnInvalid, Options, Progress, ProgressCallback};
pub use error::{Error, Result, Side};
pub use output::{Columns, RowStatus, Stats};
pub use rows::{Rows, Weight, WeightType, Weights};
pub use summary::{EXACT_QUANTILES_UP_TO, QUANTILES, Summary, SummaryBuilder};
