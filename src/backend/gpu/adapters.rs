//! The adapters of this machine, looked for once per process.

use std::sync::{Mutex, PoisonError};

use kullback_kernels::error::{Error, Result};

/// One adapter of this machine, as [`adapters`] lists it.
#[cfg_attr(test, derive(Default))]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterInfo {
    /// The n of [`Device::GpuAt`](crate::Device::GpuAt).
    pub index: usize,
    /// Name of the hardware.
    pub name: String,
    /// The interface it is reached through: vulkan, metal, dx12, gl.
    pub backend: String,
    /// discrete gpu, integrated gpu, virtual gpu, cpu, other.
    pub device_type: String,
    /// Whether it is a CPU in disguise: never chosen unless named by its index.
    pub is_software: bool,
    /// Driver and its version.
    pub driver: String,
    /// Bytes one binding may have.
    pub max_binding_bytes: u64,
    /// Bytes one buffer may have.
    pub max_buffer_bytes: u64,
    /// Workgroups in one dimension of a dispatch.
    pub max_workgroups: u32,
    /// Whether it has subgroup operations.
    pub subgroups: bool,
    /// Threads of its smallest and largest subgroup.
    pub subgroup_size: (u32, u32),
    /// Optional features it has that matter here.
    pub features: String,
}

/// Every adapter of this machine, software ones included, as it was when this process first asked. Empty without a driver.
/// Adapters of GL are listed only if there is no other, because they lead to the same cards.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    with_adapters(Interface::Any, describe_all)
}

/// Which adapter is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AdapterChoice {
    /// The first hardware adapter: discrete before integrated before virtual.
    Hardware,
    /// The adapter with this index.
    At(usize),
    /// The first adapter that is reached through GL.
    Gl,
}

impl AdapterChoice {
    /// The adapter and its description.
    pub(super) fn find(self) -> Result<(wgpu::Adapter, AdapterInfo)> {
        let interface = if self == AdapterChoice::Gl { Interface::Gl } else { Interface::Any };
        with_adapters(interface, |adapters| {
            let described = describe_all(adapters);
            let chosen = match self {
                AdapterChoice::At(index) => described.get(index),
                AdapterChoice::Gl => described.first(),
                AdapterChoice::Hardware => {
                    // Of equal adapters, the first one.
                    described.iter().filter(|info| !info.is_software).min_by_key(|info| rank(info))
                }
            };
            let found = chosen.and_then(|info| Some((adapters.get(info.index)?.clone(), info.clone())));
            found.ok_or_else(|| self.missing(&described))
        })
    }

    /// Whether there is such an adapter.
    #[cfg(test)]
    pub(crate) fn exists(self) -> bool {
        self.find().is_ok()
    }

    /// The name of an adapter in reports.
    pub(super) fn name(self, info: &AdapterInfo) -> String {
        match self {
            AdapterChoice::Gl => format!("gl {} ({})", info.name, info.backend),
            _ => format!("gpu:{} {} ({})", info.index, info.name, info.backend),
        }
    }

    fn missing(self, described: &[AdapterInfo]) -> Error {
        let list = |info: &AdapterInfo| {
            let software = if info.is_software { ", software" } else { "" };
            format!("gpu:{} {} ({}{software})", info.index, info.name, info.backend)
        };
        let found: Vec<String> = described.iter().map(list).collect();
        let wanted = match self {
            AdapterChoice::Hardware => "hardware GPU".to_owned(),
            AdapterChoice::At(index) => format!("adapter gpu:{index}"),
            AdapterChoice::Gl => "adapter of GL".to_owned(),
        };
        Error::NoDevice { wanted, found: if found.is_empty() { "none".to_owned() } else { found.join(", ") } }
    }
}

/// The place of an adapter in the order of preference.
fn rank(info: &AdapterInfo) -> usize {
    let kinds = ["discrete gpu", "integrated gpu", "virtual gpu"];
    kinds.iter().position(|kind| *kind == info.device_type).unwrap_or(kinds.len())
}

/// Which interfaces are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interface {
    /// Vulkan, Metal and Direct3D, and GL if those have no adapter.
    Any,
    Gl,
}

/// Adapters, and the instance they come from.
struct AdapterList {
    _instance: wgpu::Instance,
    adapters: Vec<wgpu::Adapter>,
}

/// What this process has found.
#[derive(Default)]
struct AdapterCache {
    process: u32,
    any: Option<AdapterList>,
    gl: Option<AdapterList>,
}

static CACHE: Mutex<Option<AdapterCache>> = Mutex::new(None);

/// Calls `run` with the adapters of an interface, which are looked for first if nobody has done so.
fn with_adapters<R>(interface: Interface, run: impl FnOnce(&[wgpu::Adapter]) -> R) -> R {
    let mut known = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if known.as_ref().is_some_and(|known| known.process != std::process::id()) {
        // What a fork leaves of an instance has no threads, and cannot even be dropped.
        std::mem::forget(known.take());
    }
    let known = known.get_or_insert_with(|| AdapterCache { process: std::process::id(), ..AdapterCache::default() });
    if interface == Interface::Any {
        let any = known.any.get_or_insert_with(|| look(wgpu::Backends::PRIMARY));
        if !any.adapters.is_empty() {
            return run(&any.adapters);
        }
    }
    run(&known.gl.get_or_insert_with(|| look(wgpu::Backends::GL)).adapters)
}

/// Forgets what was found, so that the next caller looks again. Used after a device was lost.
pub(super) fn look_again() {
    drop(CACHE.lock().unwrap_or_else(PoisonError::into_inner).take());
}

fn look(backends: wgpu::Backends) -> AdapterList {
    // WGPU_BACKEND and its kin are honoured, as users of wgpu expect.
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends &= backends;
    let backends = descriptor.backends;
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    AdapterList { _instance: instance, adapters }
}

fn describe_all(adapters: &[wgpu::Adapter]) -> Vec<AdapterInfo> {
    adapters.iter().enumerate().map(|(index, adapter)| describe(index, adapter)).collect()
}

fn describe(index: usize, adapter: &wgpu::Adapter) -> AdapterInfo {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let features = adapter.features();
    let device_type = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete gpu",
        wgpu::DeviceType::IntegratedGpu => "integrated gpu",
        wgpu::DeviceType::VirtualGpu => "virtual gpu",
        wgpu::DeviceType::Cpu => "cpu",
        wgpu::DeviceType::Other => "other",
    };
    let known = [
        (wgpu::Features::SUBGROUP, "subgroup"),
        (wgpu::Features::MAPPABLE_PRIMARY_BUFFERS, "mappable primary buffers"),
        (wgpu::Features::TIMESTAMP_QUERY, "timestamp query"),
    ];
    let present: Vec<&str> = known.iter().filter(|(f, _)| features.contains(*f)).map(|(_, name)| *name).collect();
    AdapterInfo {
        index,
        // GL names its software renderers without saying that they run on CPUs.
        is_software: info.device_type == wgpu::DeviceType::Cpu
            || ["llvmpipe", "softpipe", "swiftshader", "lavapipe"].iter().any(|s| info.name.to_lowercase().contains(s)),
        name: info.name,
        backend: info.backend.to_str().to_owned(),
        device_type: device_type.to_owned(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
        max_workgroups: limits.max_compute_workgroups_per_dimension,
        subgroups: features.contains(wgpu::Features::SUBGROUP),
        subgroup_size: (info.subgroup_min_size, info.subgroup_max_size),
        features: present.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discrete_cards_come_before_integrated_and_virtual_ones() {
        let info = |kind: &str| AdapterInfo { device_type: kind.to_owned(), ..AdapterInfo::default() };
        let kinds = ["other", "virtual gpu", "integrated gpu", "discrete gpu"].map(info);
        let ranks = kinds.map(|info| rank(&info));
        assert!(ranks.is_sorted_by(|a, b| a > b), "{ranks:?}");
    }
}
