//! Commands for a device: a slot to work in, buffers that are mapped when the device is done, and the wait for it.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_intrusive::channel::TryReceiveError;
use futures_intrusive::channel::shared::{Receiver, Sender, channel};
use wgpu::BufferUsages as Usage;

use super::clock::Ticks;
use super::device::{GpuDevice, Point};
use super::fill::{fill, packed_bytes};
use super::guarded::guarded;
use super::opened::Opened;
use super::slots::{SideBuffers, Slot};
use kullback_kernels::error::Result;
use kullback_kernels::weights::Rows;

/// The most buffers of a chunk that are mapped: one per side, the results and the ticks.
const MAPPINGS: usize = 4;

/// A slot in use. If it is dropped before it is [done](Held::done), its work failed or was given up. Then its buffers are in an
/// unknown state and are freed.
pub(super) struct Held {
    opened: Arc<Opened>,
    slot: Slot,
    done: bool,
}

impl Held {
    /// Takes a slot, and waits for one if necessary.
    pub(super) fn take(opened: &Arc<Opened>) -> Self {
        Self { opened: Arc::clone(opened), slot: opened.slots.take(), done: false }
    }

    /// Takes a slot if there is one.
    pub(super) fn try_take(opened: &Arc<Opened>) -> Option<Self> {
        let slot = opened.slots.try_take()?;
        Some(Self { opened: Arc::clone(opened), slot, done: false })
    }

    /// A buffer that the host reads.
    pub(super) fn readback(&mut self, bytes: u64) -> Result<wgpu::Buffer> {
        self.slot.readback.at_least(&self.opened.device, bytes, Usage::MAP_READ | Usage::COPY_DST)
    }

    pub(super) fn slot(&mut self) -> &mut Slot {
        &mut self.slot
    }

    /// Set if the device has a clock.
    pub(super) fn ticks(&self) -> Option<&Ticks> {
        self.slot.ticks.as_ref()
    }

    /// The buffers of one side.
    pub(super) fn side(&mut self) -> &mut SideBuffers {
        &mut self.slot.p
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let slot = std::mem::take(&mut self.slot);
        if self.done {
            self.opened.slots.put(Some(slot));
            return;
        }
        self.opened.slots.put(None);
        // Drivers have panicked over the buffers of a lost device.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(slot)));
    }
}

/// Commands for a device, and the buffers to be mapped when they are done.
pub(super) struct Commands {
    pub(super) encoder: wgpu::CommandEncoder,
    sender: Sender<bool>,
    mappings: Receiver<bool>,
    wanted: usize,
}

impl Commands {
    /// No commands yet.
    pub(super) fn new(device: &GpuDevice) -> Self {
        let encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("kullback") });
        let (sender, mappings) = channel(MAPPINGS);
        Self { encoder, sender, mappings, wanted: 0 }
    }

    /// Maps a buffer once the device has finished.
    pub(super) fn map_after(&mut self, buffer: &wgpu::Buffer, mode: wgpu::MapMode) {
        let sender = self.sender.clone();
        self.wanted += 1;
        self.encoder.map_buffer_on_submit(buffer, mode, .., move |result| {
            // An error only says that nobody waits any more.
            let _ = sender.try_send(result.is_ok());
        });
    }

    /// Writes rows to the buffers of a side. Returns the buffer that the kernel reads.
    pub(super) fn bring(
        &mut self,
        device: &GpuDevice,
        side: &mut SideBuffers,
        rows: &Rows<'_>,
    ) -> Result<wgpu::Buffer> {
        let bytes = packed_bytes(rows);
        if device.shared_memory {
            let weights = side.weights.at_least(device, bytes, Usage::STORAGE | Usage::MAP_WRITE)?;
            fill(device, &weights, rows)?;
            self.map_after(&weights, wgpu::MapMode::Write);
            return Ok(weights);
        }
        let weights = side.weights.at_least(device, bytes, Usage::STORAGE | Usage::COPY_DST)?;
        self.bring_to(device, side, rows, &weights, 0)?;
        Ok(weights)
    }

    /// Writes rows to a place in a buffer, through the staging memory of a side.
    pub(super) fn bring_to(
        &mut self,
        device: &GpuDevice,
        side: &mut SideBuffers,
        rows: &Rows<'_>,
        target: &wgpu::Buffer,
        offset: u64,
    ) -> Result<()> {
        let bytes = packed_bytes(rows);
        let staging = side.staging.at_least(device, bytes, Usage::MAP_WRITE | Usage::COPY_SRC)?;
        fill(device, &staging, rows)?;
        self.encoder.copy_buffer_to_buffer(&staging, 0, target, offset, bytes);
        self.map_after(&staging, wgpu::MapMode::Write);
        Ok(())
    }

    /// Hands everything to the device.
    pub(super) fn submit(self, held: Held) -> Result<Submitted> {
        let device = &held.opened.device;
        device.reach(Point::Submit)?;
        let submission = device.queue.submit([self.encoder.finish()]);
        device.check()?;
        Ok(Submitted { held, submission, mappings: self.mappings, wanted: self.wanted })
    }
}

/// Whether `wanted` buffers could be mapped. The device has finished with them. But if another thread submits at the same time,
/// that thread may be the one that is about to report it.
fn all_mapped(mappings: &Receiver<bool>, wanted: usize, patience: Duration) -> bool {
    let start = Instant::now();
    let mut mapped = 0;
    while mapped < wanted {
        match mappings.try_receive() {
            Ok(true) => mapped += 1,
            Err(TryReceiveError::Empty) if start.elapsed() <= patience => thread::yield_now(),
            Ok(false) | Err(TryReceiveError::Empty | TryReceiveError::Closed) => return false,
        }
    }
    true
}

/// Work that was given to a device.
pub(super) struct Submitted {
    held: Held,
    submission: wgpu::SubmissionIndex,
    mappings: Receiver<bool>,
    wanted: usize,
}

impl Submitted {
    /// Waits until the device has finished and returned its buffers, then reads the results.
    pub(super) fn finish<R>(mut self, read: impl FnOnce(&GpuDevice, &Slot) -> Result<R>) -> Result<R> {
        let device = &self.held.opened.device;
        device.wait(self.submission)?;
        device.reach(Point::Map)?;
        if !all_mapped(&self.mappings, self.wanted, device.patience) {
            device.check()?;
            return Err(device.give_up("a buffer could not be mapped".to_owned()));
        }
        let out = read(device, &self.held.slot)?;
        // A lost device completes everything as if it had run. So nothing counts before this check.
        device.check()?;
        let Slot { p, q, .. } = &mut self.held.slot;
        for kept in [&mut p.staging, &mut p.weights, &mut q.staging, &mut q.weights] {
            kept.returned();
        }
        self.held.done = true;
        Ok(out)
    }
}

impl Opened {
    /// Reads `bytes` bytes that `encode` has copied.
    pub(super) fn read(
        self: &Arc<Self>,
        bytes: u64,
        encode: impl FnOnce(&GpuDevice, &mut Commands, &wgpu::Buffer) -> Result<()>,
    ) -> Result<Vec<u32>> {
        guarded(self, || {
            let device = &self.device;
            device.check()?;
            let mut held = Held::take(self);
            let mut commands = Commands::new(device);
            let readback = held.readback(bytes)?;
            encode(device, &mut commands, &readback)?;
            device.reach(Point::Upload)?;
            commands.map_after(&readback, wgpu::MapMode::Read);
            commands.submit(held)?.finish(|device, slot| words(device, slot, 0..bytes))
        })
    }
}

/// Copies words out of the buffer that the host reads, and returns the buffer.
pub(super) fn words(device: &GpuDevice, slot: &Slot, range: Range<u64>) -> Result<Vec<u32>> {
    let Some(buffer) = slot.readback.get() else { return Err(device.give_up("nothing to read".to_owned())) };
    let view = buffer.get_mapped_range(range).map_err(|error| device.give_up(error.to_string()))?;
    let words = bytemuck::pod_collect_to_vec(&view);
    drop(view);
    buffer.unmap();
    Ok(words)
}
