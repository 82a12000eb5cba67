//! An open device, with its faults caught.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::adapters::AdapterChoice;
use crate::options::GpuOptions;
use crate::plan::Caps;
use kullback_kernels::error::{Error, Result};

/// How a device is to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenOptions {
    pub(crate) adapter: AdapterChoice,
    pub(crate) gpu: GpuOptions,
    /// Threads that copy.
    pub(crate) threads: usize,
    /// What a test breaks in the device.
    #[cfg(test)]
    pub(crate) breakage: Option<super::breakage::Breakage>,
}

/// A device, its queue, its limits in plain numbers, and what went wrong on it so far.
#[derive(Debug)]
pub(super) struct GpuDevice {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) caps: Caps,
    /// Threads of the smallest subgroup; 1 if subgroups are not used.
    pub(super) subgroup: u32,
    /// Whether kernels can read what the host writes, without a copy.
    pub(super) shared_memory: bool,
    /// Whether it tells the time that its kernels take.
    pub(super) has_clock: bool,
    pub(super) checked_shaders: bool,
    pub(super) threads: usize,
    /// How long it may take over what it was given.
    pub(super) patience: Duration,
    pub(super) name: String,
    /// What devices that compute alike have in common: the hardware, the interface and the driver.
    pub(super) kind: String,
    #[cfg(test)]
    pub(super) breakage: Option<super::breakage::Breakage>,
    fault: Arc<Mutex<Option<String>>>,
    #[cfg(test)]
    pub(super) faults: Arc<super::faults::Faults>,
    /// Dropped last, when the handles above are gone.
    gone: Option<Sender<()>>,
}

/// The last handle of a queue waits for it, without a limit. A queue that may never end is waited for on another thread.
impl Drop for GpuDevice {
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
        // Without a thread the wait happens here after all.
        let _ = thread::Builder::new().name("kullback: lost device".to_owned()).spawn(wait);
    }
}

impl GpuDevice {
    /// Opens the adapter that is wanted.
    pub(super) fn open(options: &OpenOptions) -> Result<Self> {
        let (adapter, info) = options.adapter.find()?;
        let failed = |reason: String| Error::DeviceFailed { device: info.name.clone(), reason };
        let use_subgroups = info.subgroups && info.subgroup_size.0 > 1 && options.gpu.subgroups != Some(false);
        // On a separate card, mapped memory belongs to the host, and kernels would read it through the bus.
        let near = matches!(adapter.get_info().device_type, wgpu::DeviceType::Cpu | wgpu::DeviceType::IntegratedGpu);
        let near = options.gpu.staging.map_or(near, |staging| !staging);
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
            max_binding_bytes: info.max_binding_bytes.min(options.gpu.binding_limit.unwrap_or(u64::MAX)),
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
            checked_shaders: options.gpu.checked_shaders,
            threads: options.threads,
            patience: options.gpu.patience,
            name: options.adapter.name(&info),
            kind: format!("{} {} {}", info.name, info.backend, info.driver),
            fault,
            #[cfg(test)]
            breakage: options.breakage,
            #[cfg(test)]
            faults: Arc::default(),
            gone: None,
        })
    }

    /// Returns what went wrong since the device was made. Called before a result is trusted: a lost device completes every
    /// later call as if it had run.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(reason) => Err(self.failed(reason.lines().collect::<Vec<_>>().join(" "))),
        }
    }

    /// What devices that compute alike have in common, and how the device is used.
    pub(super) fn likeness(&self) -> String {
        let Self { kind, subgroup, shared_memory, checked_shaders, .. } = self;
        let likeness =
            format!("{kind}, subgroups {subgroup}, shared memory {shared_memory}, checked shaders {checked_shaders}");
        #[cfg(test)]
        return format!("{likeness}, {:?}", self.breakage);
        #[cfg(not(test))]
        likeness
    }

    /// An error that names this device.
    pub(super) fn failed(&self, reason: String) -> Error {
        Error::DeviceFailed { device: self.name.clone(), reason }
    }

    /// Gives the device up for a reason that it cannot know itself.
    pub(super) fn give_up(&self, reason: String) -> Error {
        note(&self.fault, reason.clone());
        self.failed(reason)
    }

    /// A new buffer. If memory runs out, the device stays as it was.
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

    /// Waits until the device has finished everything up to a submission. A device that takes too long is given up.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        self.reach(Point::Poll)?;
        let start = Instant::now();
        loop {
            let timeout = Some(self.patience.saturating_sub(start.elapsed()));
            match self.device.poll(wgpu::PollType::Wait { submission_index: Some(submission.clone()), timeout }) {
                Ok(_) => return self.check(),
                // Some interfaces wait for two seconds at most.
                Err(wgpu::PollError::Timeout) if start.elapsed() < self.patience => {}
                Err(wgpu::PollError::Timeout) => {
                    return Err(self.give_up(format!("no answer within {} s", self.patience.as_secs_f64())));
                }
                Err(error) => return Err(self.give_up(error.to_string())),
            }
        }
    }

    /// Marks a place where a device may fail, for the tests that make it fail there.
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
