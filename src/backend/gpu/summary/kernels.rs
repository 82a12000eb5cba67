//! The kernels of the summary, compiled.

use crate::backend::gpu::{pipelines, shaders};

/// The kernels, compiled once a device.
#[derive(Debug)]
pub(in crate::backend::gpu) struct Kernels {
    pub(super) bindings: wgpu::BindGroupLayout,
    pub(super) values: wgpu::ComputePipeline,
    pub(super) blocks: wgpu::ComputePipeline,
    pub(super) top: wgpu::ComputePipeline,
    pub(super) sums: wgpu::ComputePipeline,
}

/// Storage buffers that they are bound to.
pub(super) const STORAGE_BUFFERS: u32 = 6;

impl Kernels {
    /// Compiles them.
    pub(super) fn new(device: &wgpu::Device) -> Self {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let kinds = [true, false, false, false].map(|read_only| Storage { read_only });
        let kinds = kinds.into_iter().chain([Uniform, Storage { read_only: false }, Storage { read_only: false }]);
        let (bindings, layout) = pipelines::layout(device, "summary", kinds);
        let module = pipelines::module(device, shaders::summary());
        let pipeline = |entry| pipelines::pipeline(device, &layout, &module, entry, &[]);
        Self {
            values: pipeline("summary_values"),
            blocks: pipeline("summary_blocks"),
            top: pipeline("summary_top"),
            sums: pipeline("summary_sums"),
            bindings,
        }
    }
}
