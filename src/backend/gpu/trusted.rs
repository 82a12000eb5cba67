//! The kernels of a device that need not be checked again.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::plan::KernelKey;
use kullback_kernels::error::Result;
use kullback_kernels::measures::definition::Definition;
use kullback_kernels::measures::finish::Finisher;
use kullback_kernels::problem::Slots;
use kullback_kernels::unit::Unit;

/// A kernel whose canary rows were right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Checked {
    Row(KernelKey),
    /// The kernel that turns records into values of this kind, and what follows it.
    Values(Finish),
    Nearest,
    Summary,
    /// The products that replace this row kernel.
    Product(KernelKey),
}

/// A way through `shaders/summary/values.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Finish {
    Scaled,
    Root,
    Logarithm { is_of_two_sums: bool, is_of_more_than_one: bool },
}

impl Finish {
    /// The way of the values of a measure.
    pub(super) fn of(slots: &Slots, unit: Unit) -> Self {
        match slots.measure.finisher(unit) {
            Finisher::Scaled { root: true, .. } => Finish::Root,
            Finisher::Scaled { .. } | Finisher::PowerSum { .. } => Finish::Scaled,
            Finisher::Logarithm { sign, .. } => {
                Finish::Logarithm { is_of_two_sums: slots.second.is_some(), is_of_more_than_one: sign < 0.0 }
            }
        }
    }
}

/// All kernels of a device whose canary rows were right.
#[derive(Debug, Default)]
pub(super) struct Trusted(Mutex<HashSet<Checked>>);

impl Trusted {
    /// Runs canary rows unless all these kernels were right before. The kernels are not trusted if `run` found nothing to
    /// compare. Threads that come at once may all run the rows: if one waited for another, the other might wait for a slot that
    /// the first one holds.
    pub(super) fn once(&self, kernels: &[Checked], run: impl FnOnce() -> Result<bool>) -> Result<()> {
        let trusted = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = {
            let known = trusted();
            kernels.iter().all(|kernel| known.contains(kernel))
        };
        if !is_known && run()? {
            trusted().extend(kernels.iter().cloned());
        }
        Ok(())
    }
}
