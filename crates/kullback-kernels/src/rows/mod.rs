//! The kernels of matched rows: row i of one side against row i of the other.

mod accumulate;
pub(crate) mod batch;
mod blocks;
pub(crate) mod compiled;
pub(crate) mod decode;
pub(crate) mod long;
mod ordered;
pub(crate) mod policy;
mod policy_change;
mod prefetch;
mod row;
mod segment;
mod side;
pub(crate) mod span;
pub(crate) mod stage;
mod sums;
pub(crate) mod totals;
mod usual;
