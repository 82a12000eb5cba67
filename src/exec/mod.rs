//! How a call is carried out: where it runs, in which chunks, and what becomes of them.

#[cfg(feature = "gpu")]
pub(crate) mod auto;
pub(crate) mod choice;
#[cfg(feature = "gpu")]
mod columns;
#[cfg(feature = "gpu")]
pub(crate) mod digest;
mod flow;
#[cfg(feature = "gpu")]
pub(crate) mod gpus;
pub(crate) mod host;
pub(crate) mod rates;
pub(crate) mod refused;
pub(crate) mod run;
pub(crate) mod tracker;
pub(crate) mod turns;
pub(crate) mod values;
#[cfg(feature = "gpu")]
pub(crate) mod walk;
