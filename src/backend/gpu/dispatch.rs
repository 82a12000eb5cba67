//! The row kernels of a chunk: where their records lie, and the commands that run them.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use smallvec::SmallVec;
use wgpu::BufferUsages as Usage;

use super::clock::Ticks;
use super::commands::Commands;
use super::constants::{PARTIAL_WORDS, RECORD_HEAD};
use super::device::GpuDevice;
use super::opened::Opened;
use super::params::RowParameters;
use super::slots::{Slot, aligned};
use crate::plan::kernel_key::{WORKGROUP, ZerosKind, dispatches};
use crate::plan::{KernelKey, Shape};
use kullback_kernels::error::Result;
use kullback_kernels::measures::scan;
use kullback_kernels::problem::{Pairing, Problem};

/// Counts the chunks, and wraps around.
static STAMP: AtomicU16 = AtomicU16::new(1);

/// A stamp that is not 0, because fresh memory holds 0.
fn next_stamp() -> u16 {
    match STAMP.fetch_add(1, Ordering::Relaxed) {
        0 => next_stamp(),
        stamp => stamp,
    }
}

/// Where the results of a chunk lie.
pub(super) struct RecordLayout {
    rows: usize,
    /// For all pairs the number of rows of Q, else 0.
    columns: usize,
    pub(super) shape: Shape,
    /// Records of a group: rows × parts.
    pub(super) records: u64,
    /// Written into every record, so that records of another chunk are recognised.
    pub(super) stamp: u16,
    pub(super) groups: Vec<Group>,
}

/// The results of one dispatch.
pub(super) struct Group {
    /// Words of a record.
    pub(super) words: u32,
    /// Bytes of all records, up to where the next group may begin.
    pub(super) bytes: u64,
}

impl RecordLayout {
    /// The layout for `rows` rows of the result, which meet `of_q` rows of Q.
    pub(super) fn new(problem: &Problem, rows: usize, of_q: usize) -> Self {
        let shape = Shape::of(problem);
        let records = rows as u64 * u64::from(shape.parts());
        let group = |terms: &[_]| {
            let words = (RECORD_HEAD + terms.len()) as u32;
            Group { words, bytes: aligned(records * u64::from(words) * 4) }
        };
        let stamp = next_stamp();
        let columns = if matches!(problem.pairing, Pairing::All { .. }) { of_q } else { 0 };
        let groups = dispatches(&problem.terms).map(group).collect();
        Self { rows, columns, shape, records, stamp, groups }
    }

    /// The workgroups of a dispatch: at most `most` side by side, and how many such lines.
    fn workgroups(&self, most: u32) -> [u64; 2] {
        let workgroups = match self.shape {
            Shape::Split { parts } => self.rows as u64 * u64::from(parts),
            whole => (self.rows as u64).div_ceil(u64::from(WORKGROUP / whole.threads())),
        };
        let width = workgroups.min(u64::from(most)).max(1);
        [width, workgroups.div_ceil(width)]
    }

    /// Bytes of all records.
    pub(super) fn bytes(&self) -> u64 {
        self.groups.iter().map(|group| group.bytes).sum()
    }
}

/// Binds the buffers of a kernel, each from an offset on for a number of bytes: the rows of both sides, the results, the partial
/// sums and the uniform.
fn bind(opened: &Opened, buffers: [(&wgpu::Buffer, u64, u64); 5]) -> wgpu::BindGroup {
    let entries: [wgpu::BindGroupEntry<'_>; 5] = std::array::from_fn(|i| {
        let (buffer, offset, bytes) = buffers[i];
        let size = std::num::NonZero::new(bytes);
        let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size });
        wgpu::BindGroupEntry { binding: i as u32, resource }
    });
    opened.device.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("chunk"),
        layout: &opened.bindings,
        entries: &entries,
    })
}

/// The buffer of partial totals, and its bytes. A scan finds the widths of the bins there: no kernel of a row in one workgroup writes
/// to it.
fn partials(
    device: &GpuDevice,
    problem: &Problem,
    layout: &RecordLayout,
    slot: &mut Slot,
) -> Result<(wgpu::Buffer, u64)> {
    let bytes = match layout.shape.parts() {
        1 if problem.has_scan() => 4 * problem.bins as u64,
        1 => 256,
        _ => 2 * layout.records * (PARTIAL_WORDS * 4) as u64,
    };
    let buffer = slot.partials.at_least(device, bytes, Usage::STORAGE | Usage::COPY_DST)?;
    if problem.has_scan() {
        let widths: Vec<f32> = scan::widths(&problem.positions, problem.bins).map(|width| width as f32).collect();
        device.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&widths));
    }
    Ok((buffer, bytes))
}

/// Encodes the dispatches of a chunk. Returns the buffer of their results, and the seconds that it took to compile new kernels.
pub(super) fn dispatch(
    opened: &Opened,
    problem: &Problem,
    layout: &RecordLayout,
    sides: [&(wgpu::Buffer, u64, u32); 2],
    slot: &mut Slot,
    commands: &mut Commands,
    more_follow: bool,
) -> Result<(wgpu::Buffer, f64)> {
    let device = &opened.device;
    let compiling = Instant::now();
    let floors = ZerosKind::of(problem.zeros) == ZerosKind::Floor;
    let groups = dispatches(&problem.terms).map(|terms| {
        let key = KernelKey::new(problem, terms, layout.shape, device.caps.subgroups);
        (terms, opened.pipelines().kernel(device, key, floors))
    });
    let groups: SmallVec<[_; 2]> = groups.collect();
    let compile_seconds = compiling.elapsed().as_secs_f64();
    let results_usage = if device.shared_memory { Usage::MAP_READ } else { Usage::COPY_SRC };
    let results = slot.results.at_least(device, layout.bytes(), Usage::STORAGE | results_usage)?;
    let (partials, partial_bytes) = partials(device, problem, layout, slot)?;
    let uniform_bytes = aligned(size_of::<RowParameters>() as u64);
    let params =
        slot.params.at_least(device, layout.groups.len() as u64 * uniform_bytes, Usage::UNIFORM | Usage::COPY_DST)?;
    let [width, height] = layout.workgroups(device.caps.max_workgroups);
    if slot.ticks.is_none() && device.has_clock {
        slot.ticks = Some(Ticks::new(device)?);
    }
    let (mut passes, mut offset) = (0, 0);
    let all_passes: usize = groups.iter().map(|(_, kernel)| kernel.stages.len()).sum();
    for (i, ((terms, kernel), group)) in groups.iter().zip(&layout.groups).enumerate() {
        let [(_, _, p_first), (_, _, q_first)] = sides;
        let uniform = RowParameters {
            stamp: u32::from(layout.stamp),
            columns: layout.columns as u32,
            ..RowParameters::new(problem, terms, layout.shape, layout.rows, [*p_first, *q_first])
        };
        let uniform_offset = i as u64 * uniform_bytes;
        device.queue.write_buffer(&params, uniform_offset, bytemuck::bytes_of(&uniform));
        let [(p, p_bytes, _), (q, q_bytes, _)] = sides;
        let bind_group = bind(
            opened,
            [
                (p, 0, *p_bytes),
                (q, 0, *q_bytes),
                (&results, offset, layout.records * u64::from(group.words) * 4),
                (&partials, 0, partial_bytes),
                (&params, uniform_offset, size_of::<RowParameters>() as u64),
            ],
        );
        for stage in &kernel.stages {
            passes += 1;
            let ticks = slot.ticks.as_ref();
            let mut pass = commands.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("chunk"),
                timestamp_writes: ticks
                    .and_then(|ticks| ticks.writes(passes == 1, passes == all_passes && !more_follow)),
            });
            pass.set_pipeline(stage);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(width as u32, height as u32, 1);
        }
        offset += group.bytes;
    }
    Ok((results, compile_seconds))
}
