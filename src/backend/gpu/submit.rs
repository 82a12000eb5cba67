//! Takes one chunk through the device: fill mapped memory, copy it (if the kernel cannot read that memory itself), dispatch,
//! read back. It has two halves, so that the host fills one chunk and reads another while the device works on a third.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_intrusive::channel::TryReceiveError;
use futures_intrusive::channel::shared::{Receiver, Sender, channel};
use wgpu::BufferUsages as Usage;

use super::clock::Ticks;
use super::collect::Records;
use super::device::{Device, Point};
use super::dispatch::{Layout, dispatch};
use super::fill::{fill, packed_bytes};
use super::slots::{SideBuffers, Slot};
use super::stored::StoredPart;
use super::{Opened, canary, guarded};
use crate::backend::spent::Spent;
use kullback_kernels::error::Result;
use kullback_kernels::problem::Problem;
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
    pub(super) fn new(device: &Device) -> Self {
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
    fn bring(&mut self, device: &Device, side: &mut SideBuffers, rows: &Rows<'_>) -> Result<wgpu::Buffer> {
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
        device: &Device,
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
    pub(super) fn finish<R>(mut self, read: impl FnOnce(&Device, &Slot) -> Result<R>) -> Result<R> {
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
        encode: impl FnOnce(&Device, &mut Commands, &wgpu::Buffer) -> Result<()>,
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
pub(super) fn words(device: &Device, slot: &Slot, range: Range<u64>) -> Result<Vec<u32>> {
    let Some(buffer) = slot.readback.get() else { return Err(device.give_up("nothing to read".to_owned())) };
    let view = buffer.get_mapped_range(range).map_err(|error| device.give_up(error.to_string()))?;
    let words = bytemuck::pod_collect_to_vec(&view);
    drop(view);
    buffer.unmap();
    Ok(words)
}

/// One side of a chunk: rows of the host, or rows that the device has.
pub(super) struct SideRows<'a> {
    pub(super) rows: &'a Rows<'a>,
    pub(super) stored: Option<StoredPart<'a>>,
}

/// A chunk with its row kernels encoded. The caller decides what happens to the records.
pub(super) struct Prepared {
    pub(super) held: Held,
    pub(super) commands: Commands,
    pub(super) results: wgpu::Buffer,
    pub(super) spent: Spent,
    pub(super) layout: Layout,
}

impl Prepared {
    /// The stamp in every record of the chunk.
    pub(super) fn stamp(&self) -> u16 {
        self.layout.stamp
    }

    /// Bytes of all records.
    pub(super) fn result_bytes(&self) -> u64 {
        self.layout.bytes()
    }

    /// Copies the time that the kernels took for the host. Called after the last kernel is encoded.
    pub(super) fn tell_the_time(&mut self) {
        if let Some(ticks) = &self.held.slot.ticks {
            let buffer = ticks.fetch(&mut self.commands.encoder);
            self.commands.map_after(buffer, wgpu::MapMode::Read);
        }
    }
}

/// Brings the rows of a chunk to the device and encodes its row kernels, once these are known to be right. `more_follow` says
/// whether other kernels follow.
pub(super) fn prepare(
    opened: &Arc<Opened>,
    problem: &Problem,
    sides: [SideRows<'_>; 2],
    rows: usize,
    more_follow: bool,
) -> Result<Prepared> {
    canary::check(opened, problem)?;
    prepare_as_it_is(opened, problem, sides, rows, more_follow)
}

fn prepare_as_it_is(
    opened: &Arc<Opened>,
    problem: &Problem,
    [p, q]: [SideRows<'_>; 2],
    rows: usize,
    more_follow: bool,
) -> Result<Prepared> {
    let device = &opened.device;
    device.check()?;
    let mut held = Held::take(opened);
    let mut commands = Commands::new(device);
    device.reach(Point::Upload)?;
    let mut sent = 0;
    let mut side = |side: &SideRows<'_>, buffers: &mut SideBuffers| match &side.stored {
        Some(part) => Ok((part.buffer.clone(), part.buffer.size() & !3, part.first_element)),
        None => {
            sent += packed_bytes(side.rows);
            commands.bring(device, buffers, side.rows).map(|buffer| (buffer, packed_bytes(side.rows), 0))
        }
    };
    let layout = Layout::new(problem, rows, q.rows.len());
    let (p, q) = (side(&p, &mut held.slot.p)?, side(&q, &mut held.slot.q)?);
    let slot = &mut held.slot;
    let (results, compile_seconds) = dispatch(opened, problem, &layout, [&p, &q], slot, &mut commands, more_follow)?;
    Ok(Prepared { held, commands, results, spent: Spent { sent, compile_seconds, ..Spent::default() }, layout })
}

/// Starts one chunk whose records come to the host.
pub(super) fn start(opened: &Arc<Opened>, problem: &Problem, sides: [SideRows<'_>; 2], rows: usize) -> Result<Started> {
    canary::check(opened, problem)?;
    start_as_it_is(opened, problem, sides, rows)
}

/// Does the same with kernels that may be wrong.
pub(super) fn start_as_it_is(
    opened: &Arc<Opened>,
    problem: &Problem,
    sides: [SideRows<'_>; 2],
    rows: usize,
) -> Result<Started> {
    let mut prepared = prepare_as_it_is(opened, problem, sides, rows, false)?;
    prepared.tell_the_time();
    let Prepared { mut held, mut commands, results, spent, layout } = prepared;
    let device = &opened.device;
    if device.shared_memory {
        commands.map_after(&results, wgpu::MapMode::Read);
    } else {
        let readback = held.readback(layout.bytes())?;
        commands.encoder.copy_buffer_to_buffer(&results, 0, &readback, 0, layout.bytes());
        commands.map_after(&readback, wgpu::MapMode::Read);
    }
    let spent = Spent { received: layout.bytes(), ..spent };
    Ok(Started { submitted: commands.submit(held)?, layout, spent })
}

/// A chunk that has been started.
pub(super) struct Started {
    submitted: Submitted,
    layout: Layout,
    spent: Spent,
}

impl Started {
    /// Waits for the device and takes the records.
    pub(super) fn finish(self) -> Result<(Records, Spent)> {
        let Self { submitted, layout, spent } = self;
        submitted.finish(|device, slot| {
            let kept = if device.shared_memory { &slot.results } else { &slot.readback };
            let Some(buffer) = kept.get() else { return Err(device.give_up("no results".to_owned())) };
            let view = buffer.get_mapped_range(0..layout.bytes()).map_err(|error| device.give_up(error.to_string()))?;
            let mut from = 0;
            let groups = layout.groups.iter().map(|group| {
                let bytes = (layout.records * u64::from(group.words) * 4) as usize;
                // Copied out once: reading mapped memory twice can be far slower than reading ordinary memory.
                let words = bytemuck::pod_collect_to_vec(&view[from..from + bytes]);
                from += group.bytes as usize;
                words
            });
            let groups = groups.collect();
            drop(view);
            buffer.unmap();
            let device_seconds = slot.ticks.as_ref().map_or(Ok(0.0), |ticks| ticks.seconds(device))?;
            Ok((Records { stamp: layout.stamp, shape: layout.shape, groups }, Spent { device_seconds, ..spent }))
        })
    }
}
