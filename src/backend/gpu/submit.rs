//! One chunk through the device: fill mapped memory, copy it (where the kernel cannot read that itself),
//! dispatch, read back. In two halves, so that the host fills one chunk and reads another while the device
//! works on a third.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_intrusive::channel::TryReceiveError;
use futures_intrusive::channel::shared::{Receiver, Sender, channel};
use smallvec::SmallVec;
use wgpu::BufferUsages as Usage;

use super::Opened;
use super::clock::Ticks;
use super::collect::Records;
use super::device::{Device, Point};
use super::fill::{fill, packed_bytes};
use super::params::{PARTIAL_WORDS, Params, RECORD_HEAD};
use super::slots::{SideBuffers, Slot, aligned};
use super::stored::StoredPart;
use crate::backend::Spent;
use crate::error::Result;
use crate::plan::kernel_key::{TERMS_PER_DISPATCH, WORKGROUP, ZerosKind};
use crate::plan::{KernelKey, Problem, Shape};
use crate::rows::Rows;

/// Buffers of a chunk that are mapped at the most: one a side, the results and the ticks.
const MAPPINGS: usize = 4;

/// A slot that work uses. One that is not [done](Held::done) when it is dropped belongs to work that failed or
/// was given up: its buffers are in a state that nobody knows, and freed.
pub(super) struct Held {
    opened: Arc<Opened>,
    slot: Slot,
    done: bool,
}

impl Held {
    /// Takes a slot, waiting for one if need be.
    pub(super) fn take(opened: &Arc<Opened>) -> Self {
        Self { opened: Arc::clone(opened), slot: opened.slots.take(), done: false }
    }

    /// Takes a slot if there is one.
    pub(super) fn try_take(opened: &Arc<Opened>) -> Option<Self> {
        let slot = opened.slots.try_take()?;
        Some(Self { opened: Arc::clone(opened), slot, done: false })
    }

    /// A buffer that the host reads.
    pub(super) fn readback(&mut self, device: &Device, bytes: u64) -> Result<wgpu::Buffer> {
        self.slot.readback.at_least(device, bytes, Usage::MAP_READ | Usage::COPY_DST)
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

/// Commands for a device, and the buffers that are to be mapped when it is done.
pub(super) struct Commands {
    pub(super) encoder: wgpu::CommandEncoder,
    sender: Sender<bool>,
    mappings: Receiver<bool>,
    wanted: usize,
}

impl Commands {
    /// None yet.
    pub(super) fn new(device: &Device) -> Self {
        let encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("kullback") });
        let (sender, mappings) = channel(MAPPINGS);
        Self { encoder, sender, mappings, wanted: 0 }
    }

    /// Has a buffer mapped once the device is done.
    pub(super) fn map_after(&mut self, buffer: &wgpu::Buffer, mode: wgpu::MapMode) {
        let sender = self.sender.clone();
        self.wanted += 1;
        self.encoder.map_buffer_on_submit(buffer, mode, .., move |result| {
            // An error only says that nobody waits any more.
            let _ = sender.try_send(result.is_ok());
        });
    }

    /// Writes rows to a side's buffers; returns the one that the kernel reads.
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

    /// Writes rows to some place of a buffer, by way of a side's staging memory.
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

/// Whether so many buffers could be mapped. The device is done with them; but where another thread submits
/// at the same time it may be that thread which is about to say so.
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

/// Work that a device has been given.
pub(super) struct Submitted {
    held: Held,
    submission: wgpu::SubmissionIndex,
    mappings: Receiver<bool>,
    wanted: usize,
}

impl Submitted {
    /// Waits until the device is done and has given its buffers back; then reads what it left.
    pub(super) fn finish<R>(mut self, read: impl FnOnce(&Device, &Slot) -> Result<R>) -> Result<R> {
        let device = &self.held.opened.device;
        device.wait(self.submission)?;
        device.reach(Point::Map)?;
        if !all_mapped(&self.mappings, self.wanted, device.patience) {
            device.check()?;
            return Err(device.give_up("a buffer could not be mapped".to_owned()));
        }
        let out = read(device, &self.held.slot)?;
        // A lost device completes everything as if it had run: nothing it left counts before this.
        device.check()?;
        let Slot { p, q, .. } = &mut self.held.slot;
        for kept in [&mut p.staging, &mut p.weights, &mut q.staging, &mut q.weights] {
            kept.returned();
        }
        self.held.done = true;
        Ok(out)
    }
}

/// One side of a chunk: rows of the host, or rows that the device has.
pub(super) struct SideRows<'a> {
    pub(super) rows: &'a Rows<'a>,
    pub(super) stored: Option<StoredPart<'a>>,
}

/// A chunk whose row kernels are encoded: what becomes of their records is up to whoever has it.
pub(super) struct Prepared {
    pub(super) held: Held,
    pub(super) commands: Commands,
    pub(super) results: wgpu::Buffer,
    pub(super) spent: Spent,
    layout: Layout,
}

impl Prepared {
    /// What every record of the chunk bears.
    pub(super) fn stamp(&self) -> u16 {
        self.layout.stamp
    }
}

/// Brings the rows of a chunk to the device and encodes its row kernels.
pub(super) fn prepare(
    opened: &Arc<Opened>,
    problem: &Problem,
    [p, q]: [SideRows<'_>; 2],
    rows: usize,
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
    let (p, q) = (side(&p, &mut held.slot.p)?, side(&q, &mut held.slot.q)?);
    let layout = Layout::new(problem, rows);
    let (results, compile_seconds) = dispatch(opened, problem, &layout, [&p, &q], &mut held.slot, &mut commands)?;
    Ok(Prepared { held, commands, results, spent: Spent { sent, compile_seconds, ..Spent::default() }, layout })
}

/// Starts one chunk, of which the records come to the host.
pub(super) fn start(opened: &Arc<Opened>, problem: &Problem, sides: [SideRows<'_>; 2], rows: usize) -> Result<Started> {
    let Prepared { mut held, mut commands, results, spent, layout } = prepare(opened, problem, sides, rows)?;
    let device = &opened.device;
    if device.shared_memory {
        commands.map_after(&results, wgpu::MapMode::Read);
    } else {
        let readback = held.readback(device, layout.bytes())?;
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
                // Copied out once: reading mapped memory twice can be far slower than memory of our own.
                let words = bytemuck::pod_collect_to_vec(&view[from..from + bytes]);
                from += group.bytes as usize;
                words
            });
            let groups = groups.collect();
            drop(view);
            buffer.unmap();
            let device_seconds = slot.ticks.as_ref().map_or(Ok(0.0), |ticks| ticks.seconds(device))?;
            Ok((Records { stamp: layout.stamp, groups }, Spent { device_seconds, ..spent }))
        })
    }
}

/// Counts the chunks, round and round.
static STAMP: AtomicU16 = AtomicU16::new(1);

/// Where the results of a chunk lie.
struct Layout {
    rows: usize,
    shape: Shape,
    /// Records of a group: rows × parts.
    records: u64,
    /// What is written into every record, so that one of another chunk is told apart.
    stamp: u16,
    groups: Vec<Group>,
}

/// The results of one dispatch.
struct Group {
    /// Words of a record.
    words: u32,
    /// Bytes of all, up to where the next group may begin.
    bytes: u64,
}

impl Layout {
    fn new(problem: &Problem, rows: usize) -> Self {
        let shape = problem.shape;
        let records = rows as u64 * u64::from(shape.parts());
        let group = |terms: &[_]| {
            let words = (RECORD_HEAD + terms.len()) as u32;
            Group { words, bytes: aligned(records * u64::from(words) * 4) }
        };
        let stamp = STAMP.fetch_add(1, Ordering::Relaxed);
        Self { rows, shape, records, stamp, groups: problem.terms.chunks(TERMS_PER_DISPATCH).map(group).collect() }
    }

    fn bytes(&self) -> u64 {
        self.groups.iter().map(|group| group.bytes).sum()
    }
}

/// Encodes the dispatches of a chunk; returns the buffer of their results, and the seconds that new kernels took to
/// compile.
fn dispatch(
    opened: &Opened,
    problem: &Problem,
    layout: &Layout,
    sides: [&(wgpu::Buffer, u64, u32); 2],
    slot: &mut Slot,
    commands: &mut Commands,
) -> Result<(wgpu::Buffer, f64)> {
    let device = &opened.device;
    let compiling = Instant::now();
    let floors = ZerosKind::of(problem.zeros) == ZerosKind::Floor;
    let groups = problem.terms.chunks(TERMS_PER_DISPATCH).map(|terms| {
        let key = KernelKey::new(problem, terms, layout.shape, device.caps.subgroups);
        (terms, opened.pipelines().kernel(device, key, floors))
    });
    let groups: SmallVec<[_; 2]> = groups.collect();
    let compile_seconds = compiling.elapsed().as_secs_f64();
    let results_usage = if device.shared_memory { Usage::MAP_READ } else { Usage::COPY_SRC };
    let results = slot.results.at_least(device, layout.bytes(), Usage::STORAGE | results_usage)?;
    let partial_bytes = if layout.shape.parts() > 1 { 2 * layout.records * (PARTIAL_WORDS * 4) as u64 } else { 256 };
    let partials = slot.partials.at_least(device, partial_bytes, Usage::STORAGE)?;
    let uniform_bytes = aligned(size_of::<Params>() as u64);
    let params =
        slot.params.at_least(device, layout.groups.len() as u64 * uniform_bytes, Usage::UNIFORM | Usage::COPY_DST)?;
    let workgroups = match layout.shape {
        Shape::Split { parts } => layout.rows as u64 * u64::from(parts),
        whole => (layout.rows as u64).div_ceil(u64::from(WORKGROUP / whole.threads())),
    };
    let width = workgroups.min(u64::from(device.caps.max_workgroups)).max(1);
    let height = workgroups.div_ceil(width);
    if slot.ticks.is_none() && device.has_clock {
        slot.ticks = Some(Ticks::new(device)?);
    }
    let (mut passes, mut offset) = (0, 0);
    let all_passes: usize = groups.iter().map(|(_, kernel)| kernel.stages.len()).sum();
    for (i, ((terms, kernel), group)) in groups.iter().zip(&layout.groups).enumerate() {
        let [(_, _, p_first), (_, _, q_first)] = sides;
        let uniform = Params {
            stamp: u32::from(layout.stamp),
            ..Params::new(problem, terms, layout.shape, layout.rows, [*p_first, *q_first])
        };
        let uniform_offset = i as u64 * uniform_bytes;
        device.queue.write_buffer(&params, uniform_offset, bytemuck::bytes_of(&uniform));
        let bound = |binding, buffer, offset, size| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: std::num::NonZero::new(size),
            }),
        };
        let [(p, p_bytes, _), (q, q_bytes, _)] = sides;
        let bind_group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("chunk"),
            layout: &opened.bindings,
            entries: &[
                bound(0, p, 0, *p_bytes),
                bound(1, q, 0, *q_bytes),
                bound(2, &results, offset, layout.records * u64::from(group.words) * 4),
                bound(3, &partials, 0, partial_bytes),
                bound(4, &params, uniform_offset, size_of::<Params>() as u64),
            ],
        });
        for stage in &kernel.stages {
            passes += 1;
            let ticks = slot.ticks.as_ref();
            let mut pass = commands.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("chunk"),
                timestamp_writes: ticks.and_then(|ticks| ticks.writes(passes == 1, passes == all_passes)),
            });
            pass.set_pipeline(stage);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(width as u32, height as u32, 1);
        }
        offset += group.bytes;
    }
    if let Some(ticks) = &slot.ticks {
        let buffer = ticks.fetch(&mut commands.encoder);
        commands.map_after(buffer, wgpu::MapMode::Read);
    }
    Ok((results, compile_seconds))
}
