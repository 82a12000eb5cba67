//! The GPUs that an automatic engine may use although the caller did not ask for them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use kullback_kernels::error::{Error, Result};
use kullback_kernels::reason::Reason;
use kullback_kernels::weights::Rows;

use super::gpus::Gpus;
use super::host::Host;
use super::rates;
use crate::backend::StoredRows;
use crate::backend::gpu::OpenOptions;
use crate::options::GpuSet;
use crate::plan::cost::{self, Rates};

/// Rates of all devices.
#[derive(Clone, Debug)]
pub(crate) struct AllRates {
    pub(crate) cpu: Rates,
    pub(crate) gpus: Vec<Rates>,
}

/// The GPUs, if there are any. They are looked for and measured when the first call is worth it.
#[derive(Debug)]
pub(crate) struct Auto {
    set: GpuSet,
    options: OpenOptions,
    /// An error says why there is none.
    found: OnceLock<Result<(Gpus, AllRates)>>,
    looking: AtomicBool,
}

impl Auto {
    pub(crate) fn new(set: GpuSet, options: OpenOptions) -> Self {
        Self { set, options, found: OnceLock::new(), looking: AtomicBool::new(false) }
    }

    /// The GPUs and the rates. `None` if there is no GPU, and while another call looks for them.
    pub(crate) fn candidate(&self, host: &Host) -> Option<&(Gpus, AllRates)> {
        self.found(host)
    }

    /// The GPUs that should keep such rows.
    pub(crate) fn keeps(&self, host: &Host, rows: &Rows<'_>) -> Option<&Gpus> {
        let (count, bins) = (rows.len() as f64, rows.bins() as f64);
        let bytes = rows.len() * rows.bins() * rows.weight_type().size();
        if rows.weight_type().is_wide() || (bytes as u64) < cost::KEEPS_FROM_BYTES {
            return None;
        }
        let (gpus, rates) = self.found(host)?;
        let cpu = rates.cpu.seconds(count, bins, 0.0, 1);
        let faster = rates.gpus.iter().any(|gpu| gpu.seconds(count, bins, 0.0, 1) < cpu);
        faster.then_some(gpus)
    }

    /// Whether a GPU keeps these rows.
    pub(crate) fn has(&self, stored: &StoredRows) -> bool {
        self.opened().is_some_and(|gpus| gpus.have(stored))
    }

    /// Sets rates as if they were measured.
    #[cfg(test)]
    pub(crate) fn believe(&self, rates: AllRates) {
        let found = Gpus::open(self.set, self.options).map(|gpus| {
            gpus.believe(rates.gpus.clone());
            (gpus, rates)
        });
        assert!(found.is_ok() && self.found.set(found).is_ok(), "an adapter that nobody has looked for");
    }

    /// The GPUs that are open.
    pub(crate) fn opened(&self) -> Option<&Gpus> {
        self.found.get()?.as_ref().ok().map(|(gpus, _)| gpus)
    }

    /// Why there is none, as far as that is known.
    pub(crate) fn reason(&self) -> Reason {
        match self.found.get() {
            Some(Err(Error::NoDevice { .. })) | None => Reason::NoGpu,
            _ => Reason::GpusLeftOut,
        }
    }

    /// What was left out, and why.
    pub(crate) fn left_out(&self) -> Vec<String> {
        match self.found.get() {
            Some(Ok((gpus, _))) => gpus.left_out().to_vec(),
            Some(Err(Error::NoDevice { .. })) | None => Vec::new(),
            Some(Err(error)) => vec![error.to_string()],
        }
    }

    fn found(&self, host: &Host) -> Option<&(Gpus, AllRates)> {
        // Nobody waits: on a thread of a pool, the wait could be for work further up its own stack.
        if self.found.get().is_none() && !self.looking.swap(true, Ordering::AcqRel) {
            let found = Gpus::open(self.set, self.options).and_then(|gpus| {
                let rates = gpus.rates(host)?.to_vec();
                Ok((gpus, AllRates { cpu: rates::on_cpu(host)?, gpus: rates }))
            });
            // Only the thread that looks sets it.
            let _ = self.found.set(found);
        }
        self.found.get()?.as_ref().ok()
    }
}
