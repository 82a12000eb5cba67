//! The kernels of the summary, compiled.

use wgpu::BufferUsages as Usage;

use super::params::{MOST_MEASURES, SummaryParameters};
use crate::backend::gpu::device::GpuDevice;
use crate::backend::gpu::{pipelines, shaders};
use crate::plan::kernel_key::TERMS_PER_DISPATCH;
use kullback_kernels::error::Result;
use kullback_kernels::problem::{Pairing, Problem};

/// The kernels, compiled once per device.
#[derive(Debug)]
pub(crate) struct SummaryKernels {
    bindings: wgpu::BindGroupLayout,
    pub(crate) values: wgpu::ComputePipeline,
    pub(super) blocks: wgpu::ComputePipeline,
    pub(super) top: wgpu::ComputePipeline,
    pub(super) sums: wgpu::ComputePipeline,
    pub(crate) nearest: wgpu::ComputePipeline,
    /// Bound where a kernel does not use a buffer.
    pub(crate) unused: [wgpu::Buffer; 3],
}

/// The storage buffers they are bound to.
pub(crate) const STORAGE_BUFFERS: u32 = 6;

/// Whether the records of a problem can become values on a device: all terms are in one record, and the device knows their unit.
pub(crate) fn takes_terms(problem: &Problem) -> bool {
    problem.terms.len() <= TERMS_PER_DISPATCH && !problem.has_scan()
}

/// Whether a device turns the records of a problem into values.
pub(crate) fn takes_values(device: &GpuDevice, problem: &Problem) -> bool {
    let buffers = device.device.limits().max_storage_buffers_per_shader_stage;
    matches!(problem.pairing, Pairing::All { .. })
        && problem.slots.len() <= MOST_MEASURES
        && takes_terms(problem)
        && buffers >= STORAGE_BUFFERS
}

impl SummaryKernels {
    /// Compiles the kernels.
    pub(crate) fn new(device: &GpuDevice) -> Result<Self> {
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
    pub(crate) fn bind(
        &self,
        device: &GpuDevice,
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
        let uniform = part(uniform, offset, size_of::<SummaryParameters>() as u64);
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
