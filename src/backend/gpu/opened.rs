//! What one open device keeps for all calls.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::device::GpuDevice;
use super::pipelines::Pipelines;
use super::product::kernels::ProductKernels;
use super::slots::SlotPool;
use super::summary::kernels::SummaryKernels;
use super::trusted::Trusted;
use crate::backend::spent::Spent;
use kullback_kernels::error::Result;

/// A device for as long as it works. The next device has all of this anew.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) device: GpuDevice,
    /// The one layout of bindings that all kernels share.
    pub(super) bindings: wgpu::BindGroupLayout,
    pipelines: Mutex<Pipelines>,
    /// Kernels whose canary rows were right.
    pub(super) trusted: Trusted,
    pub(super) slots: SlotPool,
    /// The kernels that make a summary of records.
    summary: OnceLock<SummaryKernels>,
    /// The kernels of products.
    product: OnceLock<ProductKernels>,
}

impl Opened {
    /// Takes a device on which no kernel has run.
    pub(super) fn new(device: GpuDevice) -> Arc<Self> {
        let (pipelines, bindings) = Pipelines::new(&device.device);
        let pipelines = Mutex::new(pipelines);
        let (slots, summary, product) = (SlotPool::default(), OnceLock::new(), OnceLock::new());
        Arc::new(Self { device, bindings, pipelines, trusted: Trusted::default(), slots, summary, product })
    }

    /// The kernels of rows that are compiled so far.
    pub(super) fn pipelines(&self) -> MutexGuard<'_, Pipelines> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kernels that continue with records. `spent` gets the time to compile them the first time.
    pub(super) fn summary_kernels(&self, spent: &mut Spent) -> Result<&SummaryKernels> {
        let start = Instant::now();
        if let Some(kernels) = self.summary.get() {
            return Ok(kernels);
        }
        let kernels = SummaryKernels::new(&self.device)?;
        spent.compile_seconds += start.elapsed().as_secs_f64();
        // Another thread may have compiled the same kernels first.
        Ok(self.summary.get_or_init(|| kernels))
    }

    /// The kernels of products, and the seconds that it took to compile them.
    pub(super) fn product_kernels(&self) -> (&ProductKernels, f64) {
        let compiling = Instant::now();
        let kernels = self.product.get_or_init(|| ProductKernels::new(&self.device));
        (kernels, compiling.elapsed().as_secs_f64())
    }
}
