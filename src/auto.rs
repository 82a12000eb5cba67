//! The GPU that calls may be given to without being asked for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::backend::StoredRows;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Gpu, GpuOptions};
use crate::engine::{Engine, On};
use crate::plan::cost::{self, Rates};
use crate::rows::Rows;

/// Rates of both devices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BothRates {
    pub(crate) cpu: Rates,
    pub(crate) gpu: Rates,
}

/// A GPU, if there is one, looked for and measured when the first call is worth it.
#[cfg(feature = "gpu")]
#[derive(Debug)]
pub(crate) struct Auto {
    options: GpuOptions,
    found: OnceLock<Option<(Gpu, BothRates)>>,
    looking: AtomicBool,
}

#[cfg(feature = "gpu")]
impl Auto {
    pub(crate) fn new(options: GpuOptions) -> Self {
        Self { options, found: OnceLock::new(), looking: AtomicBool::new(false) }
    }

    /// The GPU and the rates; `None` where there is none, and while another call looks for it.
    pub(crate) fn candidate(&self, engine: &Engine) -> Option<(On<'_>, &BothRates)> {
        let (gpu, rates) = self.found(engine)?;
        Some((On::Gpu { gpu, or_cpu: true }, rates))
    }

    /// The GPU that such rows are to be kept on.
    pub(crate) fn keeps(&self, engine: &Engine, rows: &Rows<'_>) -> Option<&Gpu> {
        let (count, bins) = (rows.len() as f64, rows.bins() as f64);
        let bytes = rows.len() * rows.bins() * rows.weight_type().size();
        if rows.weight_type().is_wide() || (bytes as u64) < cost::KEEPS_FROM_BYTES {
            return None;
        }
        let (gpu, rates) = self.found(engine)?;
        let faster = rates.gpu.seconds(count, bins, 0.0, 1) < rates.cpu.seconds(count, bins, 0.0, 1);
        faster.then_some(gpu)
    }

    /// Whether the GPU keeps these rows.
    pub(crate) fn has(&self, stored: &StoredRows) -> bool {
        self.found.get().and_then(Option::as_ref).is_some_and(|(gpu, _)| gpu.has(stored))
    }

    /// Takes rates for measured.
    #[cfg(test)]
    pub(crate) fn believe(&self, rates: BothRates) {
        let found = Gpu::open(self.options).ok().map(|gpu| (gpu, rates));
        assert!(found.is_some() && self.found.set(found).is_ok(), "an adapter that nobody has looked for");
    }

    /// The device that a test makes fail.
    #[cfg(test)]
    pub(crate) fn gpu(&self) -> Option<&Gpu> {
        self.found.get()?.as_ref().map(|(gpu, _)| gpu)
    }

    fn found(&self, engine: &Engine) -> Option<&(Gpu, BothRates)> {
        // Nobody waits: on a thread of a pool that wait could be for work further up its own stack.
        if self.found.get().is_none() && !self.looking.swap(true, Ordering::AcqRel) {
            let found = Gpu::open(self.options).ok().and_then(|gpu| {
                let on = On::Gpu { gpu: &gpu, or_cpu: false };
                let rates = BothRates { cpu: engine.rates_on(On::Cpu).ok()?, gpu: engine.rates_on(on).ok()? };
                Some((gpu, rates))
            });
            // Only the one who looks sets it.
            let _ = self.found.set(found);
        }
        self.found.get()?.as_ref()
    }
}

/// There is no GPU in this build.
#[cfg(not(feature = "gpu"))]
#[derive(Debug, Default)]
pub(crate) struct Auto;

#[cfg(not(feature = "gpu"))]
impl Auto {
    pub(crate) fn has(&self, stored: &StoredRows) -> bool {
        stored.is_usable()
    }

    pub(crate) fn candidate(&self, _: &Engine) -> Option<(On<'_>, &BothRates)> {
        None
    }
}
