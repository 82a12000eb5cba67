//! The kernels of the summary, compiled.

use std::time::Instant;

use wgpu::BufferUsages as Usage;

use super::Params;
use crate::backend::gpu::device::Device;
use crate::backend::gpu::{Opened, pipelines, shaders};
use crate::backend::spent::Spent;
use kullback_kernels::error::Result;

/// The kernels, compiled once per device.
#[derive(Debug)]
pub(in crate::backend::gpu) struct Kernels {
    bindings: wgpu::BindGroupLayout,
    pub(in crate::backend::gpu) values: wgpu::ComputePipeline,
    pub(super) blocks: wgpu::ComputePipeline,
    pub(super) top: wgpu::ComputePipeline,
    pub(super) sums: wgpu::ComputePipeline,
    pub(in crate::backend::gpu) nearest: wgpu::ComputePipeline,
    /// Bound where a kernel does not use a buffer.
    pub(in crate::backend::gpu) unused: [wgpu::Buffer; 3],
}

/// The storage buffers they are bound to.
pub(in crate::backend::gpu) const STORAGE_BUFFERS: u32 = 6;

impl Kernels {
    /// Compiles the kernels.
    fn new(device: &Device) -> Result<Self> {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let kinds = [true, false, false, false].map(|read_only| Storage { read_only });
        let kinds = kinds.into_iter().chain([Uniform, Storage { read_only: false }, Storage { read_only: false }]);
        let (bindings, layout) = pipelines::layout(&device.device, "summary", kinds);
        let module = pipelines::module(device, shaders::summary());
        let pipeline = |entry| pipelines::pipeline(&device.device, &layout, &module, entry, &[]);
        let unused = || device.buffer(256, Usage::STORAGE, false);
        Ok(Self {
            values: pipeline("summary_values"),
            blocks: pipeline("summary_blocks"),
            top: pipeline("summary_top"),
            sums: pipeline("summary_sums"),
            nearest: pipeline("summary_nearest"),
            unused: [unused()?, unused()?, unused()?],
            bindings,
        })
    }

    /// Binds the records, values, state, table, blocks and pairs, and the uniform at an offset.
    pub(in crate::backend::gpu) fn bind(
        &self,
        device: &Device,
        (records, record_bytes): (&wgpu::Buffer, u64),
        buffers: [&wgpu::Buffer; 5],
        (uniform, offset): (&wgpu::Buffer, u64),
    ) -> wgpu::BindGroup {
        let part = |buffer, offset, bytes| {
            let size = std::num::NonZero::new(bytes);
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size })
        };
        let [values, state, table, blocks, pairs] = buffers.map(wgpu::Buffer::as_entire_binding);
        let records = part(records, 0, record_bytes);
        let uniform = part(uniform, offset, size_of::<Params>() as u64);
        let all = [records, values, state, table, uniform, blocks, pairs];
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = (0_u32..).zip(all).map(entry).collect();
        device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("summary"),
            layout: &self.bindings,
            entries: &entries,
        })
    }
}

impl Opened {
    /// The kernels that continue with records. `spent` gets the time to compile them the first time.
    pub(in crate::backend::gpu) fn summary_kernels(&self, spent: &mut Spent) -> Result<&Kernels> {
        let start = Instant::now();
        if let Some(kernels) = self.summary.get() {
            return Ok(kernels);
        }
        let kernels = Kernels::new(&self.device)?;
        spent.compile_seconds += start.elapsed().as_secs_f64();
        // Another thread may have compiled the same kernels first.
        Ok(self.summary.get_or_init(|| kernels))
    }
}
