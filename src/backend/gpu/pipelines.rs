//! Compiled kernels, one per key, each made once.

use std::collections::HashMap;
use std::sync::Arc;

use super::device::GpuDevice;
use super::shaders;
use crate::plan::KernelKey;

/// The dispatches of a kernel, in order.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) stages: Vec<wgpu::ComputePipeline>,
}

/// The cache of kernels.
#[derive(Debug)]
pub(super) struct Pipelines {
    layout: wgpu::PipelineLayout,
    kernels: HashMap<KernelKey, Arc<Kernel>>,
}

impl Pipelines {
    /// An empty cache, and the one layout of bindings that all kernels share.
    pub(super) fn new(device: &wgpu::Device) -> (Self, wgpu::BindGroupLayout) {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let storage = [true, true, false, false].map(|read_only| Storage { read_only });
        let (bindings, layout) = layout(device, "rowwise", storage.into_iter().chain([Uniform]));
        (Self { layout, kernels: HashMap::new() }, bindings)
    }

    /// The kernel of a key, compiled on first use. A compilation that fails shows in [`GpuDevice::check`].
    pub(super) fn kernel(&mut self, device: &GpuDevice, key: KernelKey, floors: bool) -> Arc<Kernel> {
        if let Some(kernel) = self.kernels.get(&key) {
            return Arc::clone(kernel);
        }
        let module = module(device, shaders::source(&key));
        let mut constants = vec![("THREADS", f64::from(key.threads))];
        if key.subgroups {
            constants.push(("SUBGROUP", f64::from(device.subgroup)));
        }
        let entries: &[&str] = match (key.split, floors) {
            (false, _) => &["whole"],
            (true, false) => &["split_totals", "split_terms"],
            (true, true) => &["split_totals", "split_floored", "split_terms"],
        };
        let stage = |entry: &&str| pipeline(&device.device, &self.layout, &module, entry, &constants);
        let kernel = Arc::new(Kernel { stages: entries.iter().map(stage).collect() });
        self.kernels.insert(key, Arc::clone(&kernel));
        kernel
    }
}

/// A layout of bindings in their order, and the pipeline layout made of it.
pub(super) fn layout(
    device: &wgpu::Device,
    label: &str,
    bindings: impl Iterator<Item = wgpu::BufferBindingType>,
) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(bindings).map(entry).collect();
    let bindings =
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &[Some(&bindings)],
        immediate_size: 0,
    });
    (bindings, layout)
}

/// Compiles one entry point of a module. A compilation that fails shows in [`GpuDevice::check`].
pub(super) fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    entry: &str,
    constants: &[(&str, f64)],
) -> wgpu::ComputePipeline {
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout: Some(layout),
        module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants,
            // Every word is written before it is read.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    })
}

/// Makes a shader module. It has checks of array bounds and of the end of loops only if the device is to have them: a bound on
/// every loop alone has been seen to cost more than the loop.
#[expect(unsafe_code, reason = "the checked form is many times slower on some drivers; the argument stands below")]
pub(super) fn module(device: &GpuDevice, source: String) -> wgpu::ShaderModule {
    #[cfg(test)]
    let source = device.breakage.map_or(source.clone(), |breakage| breakage.apply(&source).into_owned());
    let checks = if device.checked_shaders {
        wgpu::ShaderRuntimeChecks::checked()
    } else {
        wgpu::ShaderRuntimeChecks { bounds_checks: false, force_loop_bounding: false, ..Default::default() }
    };
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some("rowwise"), source: wgpu::ShaderSource::Wgsl(source.into()) };
    // SAFETY: the sources are those of this crate. Every loop counts up to a number of bins, rows or parts in steps of at least
    // one. Every index is below rows × bins, rows × parts, rows × measures or a constant length, and the host has sized the
    // bindings for these. Threads beyond the last row visit no bin and write nothing. Products read whole panels, up to those
    // that hold the last row of either side, and the host has sized the buffers for these too. Tests run the same sources with
    // the checks as well, on rows of every length around a workgroup.
    unsafe { device.device.create_shader_module_trusted(descriptor, checks) }
}
