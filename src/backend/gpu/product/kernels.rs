//! The kernels of products, compiled.

use crate::backend::gpu::device::GpuDevice;
use crate::backend::gpu::{pipelines, shaders};
use kullback_kernels::pairs::MOST_PRODUCTS;

/// The kernels, by the number of products of a term.
#[derive(Debug)]
pub(crate) struct ProductKernels {
    pub(super) bindings: wgpu::BindGroupLayout,
    pub(super) by_products: [wgpu::ComputePipeline; MOST_PRODUCTS],
}

impl ProductKernels {
    /// Compiles the kernels.
    pub(crate) fn new(device: &GpuDevice) -> Self {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let storage = [true, true, true, true, false].map(|read_only| Storage { read_only });
        let kinds = storage.into_iter().chain([Uniform]);
        let (bindings, layout) = pipelines::layout(&device.device, "product", kinds);
        let module = pipelines::module(device, shaders::product());
        let pipeline = |products: usize| {
            let constants = [("PRODUCTS", (products + 1) as f64)];
            pipelines::pipeline(&device.device, &layout, &module, "product", &constants)
        };
        Self { by_products: std::array::from_fn(pipeline), bindings }
    }
}
