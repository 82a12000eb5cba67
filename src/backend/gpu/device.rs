//! Adapters, and a device with its faults caught.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::plan::Caps;

/// One adapter of this machine, as [`adapters`] lists it.
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

fn instance() -> wgpu::Instance {
    // WGPU_BACKEND and its kin are honoured, as users of wgpu expect.
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env())
}

fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
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
        // GL names its software renderers without saying that they are CPUs.
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

/// Every adapter of this machine, software ones included; empty without a driver.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    enumerate(&instance()).iter().enumerate().map(|(index, adapter)| describe(index, adapter)).collect()
}

/// How a device is to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GpuOptions {
    /// The adapter; without, the first that is hardware.
    pub(crate) index: Option<usize>,
    pub(crate) binding_limit: Option<u64>,
    pub(crate) subgroups: Option<bool>,
    /// Whether rows are copied even where kernels could read the host's memory.
    pub(crate) staging: Option<bool>,
    /// Threads that copy.
    pub(crate) threads: usize,
    /// How long a device may take over what it was given.
    pub(crate) patience: Duration,
}

/// A device, its queue, its limits in plain numbers, and what went wrong on it so far.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) caps: Caps,
    /// Threads of the smallest subgroup, 1 where subgroups are not used.
    pub(super) subgroup: u32,
    /// Whether kernels can read what the host writes, without a copy.
    pub(super) shared_memory: bool,
    /// Whether it tells the time its kernels take.
    pub(super) has_clock: bool,
    pub(super) threads: usize,
    /// How long it may take over what it was given.
    pub(super) patience: Duration,
    pub(super) name: String,
    fault: Arc<Mutex<Option<String>>>,
    #[cfg(test)]
    pub(super) faults: Arc<super::faults::Faults>,
    /// Dropped last, when the handles above are gone.
    gone: Option<Sender<()>>,
}

/// The last handle of a queue waits for it, without a limit. One that may never end is waited for elsewhere.
impl Drop for Device {
    fn drop(&mut self) {
        if self.check().is_ok() {
            return;
        }
        let (gone, all_gone) = channel();
        self.gone = Some(gone);
        let handles = (self.device.clone(), self.queue.clone());
        let wait = move || {
            let _ = all_gone.recv();
            drop(handles);
        };
        // Without a thread it is waited for here after all.
        let _ = thread::Builder::new().name("kullback: lost device".to_owned()).spawn(wait);
    }
}

impl Device {
    /// The adapter with the given index, or the first that is hardware.
    pub(super) fn open(options: &GpuOptions) -> Result<Self> {
        let adapters = enumerate(&instance());
        let described: Vec<AdapterInfo> = adapters.iter().enumerate().map(|(i, a)| describe(i, a)).collect();
        let chosen = match options.index {
            Some(index) => described.get(index),
            None => described.iter().find(|info| !info.is_software),
        };
        let none = || {
            let list = |info: &AdapterInfo| {
                let software = if info.is_software { ", software" } else { "" };
                format!("gpu:{} {} ({}{software})", info.index, info.name, info.backend)
            };
            let found: Vec<String> = described.iter().map(list).collect();
            Error::NoDevice {
                wanted: options.index.map_or_else(|| "hardware GPU".to_owned(), |i| format!("adapter gpu:{i}")),
                found: if found.is_empty() { "none".to_owned() } else { found.join(", ") },
            }
        };
        let info = chosen.ok_or_else(none)?;
        let adapter = adapters.get(info.index).ok_or_else(none)?;
        let failed = |reason: String| Error::DeviceFailed { device: info.name.clone(), reason };
        let use_subgroups = info.subgroups && info.subgroup_size.0 > 1 && options.subgroups != Some(false);
        // On a card of its own mapped memory is the host's, and kernels would read it through the bus.
        let near = matches!(adapter.get_info().device_type, wgpu::DeviceType::Cpu | wgpu::DeviceType::IntegratedGpu);
        let near = options.staging.map_or(near, |staging| !staging);
        let shared_memory = near && adapter.features().contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);
        let has_clock = adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let mut features = wgpu::Features::empty();
        features.set(wgpu::Features::TIMESTAMP_QUERY, has_clock);
        features.set(wgpu::Features::SUBGROUP, use_subgroups);
        features.set(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS, shared_memory);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("kullback"),
            required_features: features,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| failed(error.to_string()))?;
        let fault = Arc::new(Mutex::new(None));
        let lost = Arc::clone(&fault);
        device.set_device_lost_callback(move |_, message| note(&lost, format!("device lost: {message}")));
        let uncaptured = Arc::clone(&fault);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&uncaptured, error.to_string())));
        let caps = Caps {
            max_binding_bytes: info.max_binding_bytes.min(options.binding_limit.unwrap_or(u64::MAX)),
            max_buffer_bytes: info.max_buffer_bytes,
            max_workgroups: info.max_workgroups,
            subgroups: use_subgroups,
        };
        Ok(Self {
            device,
            queue,
            caps,
            subgroup: if use_subgroups { info.subgroup_size.0 } else { 1 },
            shared_memory,
            has_clock,
            threads: options.threads,
            patience: options.patience,
            name: format!("gpu:{} {} ({})", info.index, info.name, info.backend),
            fault,
            #[cfg(test)]
            faults: Arc::default(),
            gone: None,
        })
    }

    /// What went wrong since the device was made, if anything did. Checked before a result is trusted:
    /// a lost device completes every later call as if it had run.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(reason) => Err(self.failed(reason.lines().collect::<Vec<_>>().join(" "))),
        }
    }

    /// An error that names this device.
    pub(super) fn failed(&self, reason: String) -> Error {
        Error::DeviceFailed { device: self.name.clone(), reason }
    }

    /// Gives the device up, for a reason that it does not know itself.
    pub(super) fn give_up(&self, reason: String) -> Error {
        note(&self.fault, reason.clone());
        self.failed(reason)
    }

    /// A new buffer; running out of memory leaves the device as it was.
    pub(super) fn buffer(&self, bytes: u64, usage: wgpu::BufferUsages, mapped: bool) -> Result<wgpu::Buffer> {
        self.reach(Point::Allocate)?;
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("kullback"),
            size: bytes.max(4),
            usage,
            mapped_at_creation: mapped,
        });
        match pollster::block_on(scope.pop()) {
            None => Ok(buffer),
            Some(_) => Err(Error::DeviceMemory { device: self.name.clone(), bytes }),
        }
    }

    /// Waits until the device has done what it was given up to a submission. One that takes too long is given
    /// up.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        self.reach(Point::Poll)?;
        let start = Instant::now();
        loop {
            let timeout = Some(self.patience.saturating_sub(start.elapsed()));
            match self.device.poll(wgpu::PollType::Wait { submission_index: Some(submission.clone()), timeout }) {
                Ok(_) => return self.check(),
                // Some interfaces wait for two seconds at the most.
                Err(wgpu::PollError::Timeout) if start.elapsed() < self.patience => {}
                Err(wgpu::PollError::Timeout) => {
                    return Err(self.give_up(format!("no answer within {} s", self.patience.as_secs_f64())));
                }
                Err(error) => return Err(self.give_up(error.to_string())),
            }
        }
    }

    /// Told that the work comes by a place where a device may fail, for the tests that make it fail there.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the form for tests uses both")]
    pub(super) fn reach(&self, _point: Point) -> Result<()> {
        Ok(())
    }

    /// Fails, or lets the device fail, where a test wants it.
    #[cfg(test)]
    pub(super) fn reach(&self, point: Point) -> Result<()> {
        self.faults.reach(self, point)
    }
}

/// Keeps the first reason.
fn note(fault: &Mutex<Option<String>>, what: String) {
    fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
}

/// Places where a device may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Allocate,
    Upload,
    Submit,
    Poll,
    Map,
}
