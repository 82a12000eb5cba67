//! Divergences between distributions, millions of rows at a time. It runs on a GPU through WGSL compute shaders and on a CPU
//! with SIMD and threads. Every value is within 1e-6 of the exact value.
//!
//! ```
//! use kullback::{Device, Divergence, Engine, Options, Rows, Unit};
//!
//! let engine = Engine::builder().device(Device::Auto).build()?;
//! // Two rows of three bins each: counts against probabilities, any weight type on either side.
//! let observed = [42_u32, 31, 27, 10, 80, 10];
//! let expected = [0.25_f32, 0.5, 0.25, 0.25, 0.5, 0.25];
//! let p = Rows::new(&observed, 3)?;
//! let q = Rows::new(&expected, 3)?;
//! let options = Options { unit: Unit::Bits, ..Options::default() };
//! let out = engine.rowwise(&[Divergence::Kl, Divergence::Js], p, q, &options)?;
//! assert!((out[Divergence::Kl][0] - 0.130538).abs() < 1e-6);
//! # Ok::<(), kullback::Error>(())
//! ```
//!
//! For one pair of rows there is a function per measure: `kullback::kl(&[42_u32, 31, 27], &[0.25_f32, 0.5, 0.25])?`.
//!
//! - [`Rows`] is a borrowed matrix of [weights](WeightType): counts, probabilities, anything non-negative. The engine
//!   normalises every row, so scaling a row changes nothing.
//! - [`Divergence`] names the measures with their definitions. Any set of them costs one read.
//! - [`Zeros`] says what happens to zeros. The default is the definition: no hidden epsilon.
//! - [`Columns`] holds one `f64` column per measure and one [`RowStatus`] per row.
//!
//! # The contract
//!
//! For the stored values, on every device, for every measure and policy, the relative error is at most 1e-6 if the weights have
//! at most 24 significant bits (f32, f16, bf16, u8, u16, and u32 and i32 up to 2²⁴). For f64 and larger integers it is at most
//! 1e-12. An absolute error of 1e-24 is always allowed (1e-12 for `tv`, `hellinger` and `js_distance`). Values are never
//! negative, exactly 0 for equal rows, and infinite exactly where the definition is. They have the same bits whatever the chunk
//! size, the thread count or the place of the row. `docs/NUMERICS.md` says how that is kept.
//!
//! # Features
//!
//! `gpu` (default): the GPU backend. Without it, or on a machine without any adapter, everything works except [`Device::Gpu`]
//! and [`Device::GpuAt`].
#![deny(unsafe_code)]
#![cfg_attr(
    not(feature = "gpu"),
    allow(
        dead_code,
        unused_imports,
        unused_mut,
        reason = "what only a device uses is compiled without one too, so that both builds stay whole"
    )
)]

#[cfg(all(test, feature = "gpu"))]
mod auto_tests;
mod backend;
mod builder;
mod calibrate;
pub mod contract;
mod contributions;
mod engine;
mod exec;
#[cfg(all(test, feature = "gpu"))]
mod fault_tests;
#[cfg(all(test, feature = "gpu"))]
mod gpus_tests;
mod grid;
mod input;
mod nearest;
mod options;
mod output;
mod pair;
mod pairwise;
#[cfg(all(test, feature = "gpu"))]
mod pairwise_tests;
mod plan;
#[cfg(all(test, feature = "gpu"))]
mod probe_tests;
mod stream;
mod summarize;
#[cfg(all(test, feature = "gpu"))]
mod summarize_tests;
mod summary;
#[cfg(all(test, feature = "gpu"))]
mod test_devices;
mod tile;

#[cfg(feature = "gpu")]
pub use backend::gpu::{AdapterInfo, DeviceAnswers, adapters};
pub use builder::EngineBuilder;
pub use engine::Engine;
pub use input::{Input, Uploaded};
pub use kullback_kernels::error::{Error, Result, Side};
pub use kullback_kernels::levels::SimdLevel;
pub use kullback_kernels::measures::Divergence;
pub use kullback_kernels::reason::Reason;
pub use kullback_kernels::unit::Unit;
pub use kullback_kernels::weights::{Rows, Weight, WeightType, Weights};
pub use kullback_kernels::zeros::Zeros;
pub use nearest::Neighbours;
pub use options::{Device, GpuOptions, GpuSet, OnInvalid, Options, Progress, ProgressCallback};
pub use output::{Columns, RowStatus, Share, Stats};
pub use pair::{
    alpha, bhattacharyya, chi2, cross_entropy, divergence, entropy, hellinger, jeffreys, js, js_distance, kl, ks,
    lin_k, neyman_chi2, pooled_js, renyi, reverse_kl, skew_js, triangular, tsallis, tv, w1,
};
pub use plan::cost::{Predicted, Rates};
pub use stream::RowPair;
pub use summary::{EXACT_QUANTILES_UP_TO, QUANTILES, Summaries, Summary, SummaryBuilder, TopRow};
pub use tile::Tile;
