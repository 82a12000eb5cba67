//! One chunk through the device: fill staging memory, copy, dispatch, read back, wait.
//!
//! The only place of the engine that waits for a device. Chunks run one after another; overlapping
//! the upload of the next with the work on this one belongs here and changes nothing elsewhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use super::buffers::{Buffers, aligned};
use super::device::Device;
use super::params::{PARTIAL_WORDS, Params, RECORD_WORDS};
use super::pipelines::Pipelines;
use crate::error::Result;
use crate::plan::kernel_key::{TERMS_PER_DISPATCH, WORKGROUP, ZerosKind};
use crate::plan::{KernelKey, Problem, Shape};
use crate::rows::Rows;

/// What a chunk leaves: for each group of terms the records of its rows and parts, as words.
pub(super) struct Records {
    pub(super) groups: Vec<Vec<u32>>,
}

/// Copies the rows next to each other; `out` is a whole number of words.
fn pack(rows: &Rows<'_>, mut write: impl FnMut(usize, &[u8])) {
    let size = rows.weight_type().size();
    let bytes = rows.weights().as_bytes();
    let row_bytes = rows.bins() * size;
    if rows.row_stride() == rows.bins() {
        write(0, &bytes[..rows.len() * row_bytes]);
        return;
    }
    for row in 0..rows.len() {
        let from = row * rows.row_stride() * size;
        write(row * row_bytes, &bytes[from..from + row_bytes]);
    }
}

fn packed_bytes(rows: &Rows<'_>) -> u64 {
    ((rows.len() * rows.bins() * rows.weight_type().size()) as u64).div_ceil(4) * 4
}

/// Waits until the device has done everything it was given. Polling a lost device may panic.
fn wait(device: &Device) -> Result<()> {
    let poll = || device.device.poll(wgpu::PollType::wait_indefinitely());
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Ok(_)) => device.check(),
        Ok(Err(error)) => Err(device.failed(error.to_string())),
        Err(_) => {
            device.check()?;
            Err(device.failed("the driver panicked while waiting".to_owned()))
        }
    }
}

/// Maps a buffer and waits for it.
fn map(device: &Device, buffer: &wgpu::Buffer, mode: wgpu::MapMode, bytes: u64) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    buffer.map_async(mode, 0..bytes, move |result| {
        let _ = sender.send(result);
    });
    wait(device)?;
    match receiver.try_recv() {
        Ok(Ok(())) => Ok(()),
        _ => {
            device.check()?;
            Err(device.failed("a buffer could not be mapped".to_owned()))
        }
    }
}

/// Runs one chunk.
pub(super) fn run(
    device: &Device,
    pipelines: &mut Pipelines,
    buffers: &mut Buffers,
    problem: &Problem,
    p: &Rows<'_>,
    q: &Rows<'_>,
    rows: usize,
) -> Result<Records> {
    use wgpu::BufferUsages as Usage;
    let gpu = &device.device;
    let shape = Shape::for_bins(problem.bins);
    let floors = ZerosKind::of(problem.zeros) == ZerosKind::Floor;
    let records = rows as u64 * u64::from(shape.parts());
    let group_bytes = aligned(records * (RECORD_WORDS * 4) as u64);
    let groups: Vec<&[crate::divergence::Term]> = problem.terms.chunks(TERMS_PER_DISPATCH).collect();
    let results_bytes = group_bytes * groups.len() as u64;
    let (p_bytes, q_bytes) = (packed_bytes(p), packed_bytes(q));
    let q_offset = aligned(p_bytes);
    let staging_bytes = q_offset + q_bytes;

    let staging = buffers.staging.at_least(gpu, staging_bytes, Usage::MAP_WRITE | Usage::COPY_SRC);
    let p_buffer = buffers.p.at_least(gpu, p_bytes, Usage::STORAGE | Usage::COPY_DST);
    let q_buffer = buffers.q.at_least(gpu, q_bytes, Usage::STORAGE | Usage::COPY_DST);
    let results = buffers.results.at_least(gpu, results_bytes, Usage::STORAGE | Usage::COPY_SRC);
    let readback = buffers.readback.at_least(gpu, results_bytes, Usage::MAP_READ | Usage::COPY_DST);
    let partial_bytes = if shape.parts() > 1 { 2 * records * (PARTIAL_WORDS * 4) as u64 } else { 256 };
    let partials = buffers.partials.at_least(gpu, partial_bytes, Usage::STORAGE);
    let params = buffers.params.at_least(
        gpu,
        groups.len() as u64 * aligned(size_of::<Params>() as u64),
        Usage::UNIFORM | Usage::COPY_DST,
    );
    device.check()?;

    map(device, &staging, wgpu::MapMode::Write, staging_bytes)?;
    {
        let mut view = staging.get_mapped_range_mut(0..staging_bytes).map_err(|e| device.failed(e.to_string()))?;
        pack(p, |at, bytes| view.slice(at..at + bytes.len()).copy_from_slice(bytes));
        let base = q_offset as usize;
        pack(q, |at, bytes| view.slice(base + at..base + at + bytes.len()).copy_from_slice(bytes));
    }
    staging.unmap();

    let mut encoder = gpu.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("chunk") });
    encoder.copy_buffer_to_buffer(&staging, 0, &p_buffer, 0, p_bytes);
    encoder.copy_buffer_to_buffer(&staging, q_offset, &q_buffer, 0, q_bytes);
    let workgroups = match shape {
        Shape::Split { parts } => rows as u64 * u64::from(parts),
        whole => (rows as u64).div_ceil(u64::from(WORKGROUP / whole.threads())),
    };
    let width = workgroups.min(u64::from(device.caps.max_workgroups)).max(1);
    let height = workgroups.div_ceil(width);
    for (i, terms) in groups.iter().enumerate() {
        let i = i as u64;
        let key = KernelKey::new(problem, terms, shape, device.caps.subgroups);
        let kernel = pipelines.kernel(device, key, floors);
        let uniform = Params::new(problem, terms, shape, rows);
        let uniform_offset = i * aligned(size_of::<Params>() as u64);
        device.queue.write_buffer(&params, uniform_offset, bytemuck::bytes_of(&uniform));
        let bound = |buffer, offset, size| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size: std::num::NonZero::new(size) })
        };
        let bind_group = gpu.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("chunk"),
            layout: &pipelines.bindings,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: bound(&p_buffer, 0, p_bytes) },
                wgpu::BindGroupEntry { binding: 1, resource: bound(&q_buffer, 0, q_bytes) },
                wgpu::BindGroupEntry { binding: 2, resource: bound(&results, i * group_bytes, group_bytes) },
                wgpu::BindGroupEntry { binding: 3, resource: bound(&partials, 0, partial_bytes) },
                wgpu::BindGroupEntry {
                    binding: 4,
                    resource: bound(&params, uniform_offset, size_of::<Params>() as u64),
                },
            ],
        });
        for stage in &kernel.stages {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(stage);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(width as u32, height as u32, 1);
        }
    }
    encoder.copy_buffer_to_buffer(&results, 0, &readback, 0, results_bytes);
    device.queue.submit([encoder.finish()]);
    device.check()?;

    map(device, &readback, wgpu::MapMode::Read, results_bytes)?;
    let words = (records as usize) * RECORD_WORDS;
    let records = {
        let view = readback.get_mapped_range(0..results_bytes).map_err(|e| device.failed(e.to_string()))?;
        let group = |i: usize| {
            let from = i * group_bytes as usize;
            // Copied out once: reading mapped memory twice can be far slower than memory of our own.
            bytemuck::pod_collect_to_vec(&view[from..from + words * 4])
        };
        Records { groups: (0..groups.len()).map(group).collect() }
    };
    readback.unmap();
    device.check()?;
    Ok(records)
}
