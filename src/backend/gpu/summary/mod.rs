//! What columns of values say, without the values leaving the device: the host's half of `shaders/summary/`. Chunks go through
//! the row kernels as usual. Their records stay on the device, except for a few numbers per chunk and, at the end, those parts
//! of the histograms in which a quantile lies.

mod chunk;
pub(super) mod kernels;
mod params;

use std::sync::{Arc, Mutex, PoisonError};

use wgpu::BufferUsages as Usage;

pub(crate) use self::chunk::{DigestedChunk, Said};
use self::chunk::{ReportLayout, TopValue};
use self::kernels::{STORAGE_BUFFERS, takes_terms};
pub(crate) use self::params::MOST_FOR_THE_HOST;
use self::params::MOST_MEASURES;
pub(super) use self::params::SummaryParameters;
#[cfg(test)]
pub(super) use self::{chunk::BlockMoments, params::Measure};
pub(crate) use super::constants::TOGETHER;
use super::constants::{BLOCK, BUCKET_SHIFT, BUCKETS, LOWEST, SORTED, STATE_WORDS};
use super::device::GpuDevice;
use super::opened::Opened;
use super::slots::{ReusableBuffer, aligned};
use super::submit::{EncodedChunk, SideRows, prepare};
use crate::backend::spent::Spent;
use crate::plan::LIMITS;
use crate::plan::kernel_key::WORKGROUP;
use kullback_kernels::error::Result;
use kullback_kernels::problem::Problem;

/// The most rows with the largest values that a call can ask for. A workgroup sorts four times as many at once.
pub(crate) const MOST_TOP: usize = 256;
/// The number of sums of a table.
pub(crate) const SUMS: usize = BUCKETS / TOGETHER;

/// The bucket of a value that is neither NaN nor negative. A value out of range gets the first bucket after that of 0, or the
/// last.
pub(crate) fn bucket(value: f64) -> usize {
    let bits = (value as f32).to_bits();
    match (value == 0.0, bits.saturating_sub(LOWEST) >> BUCKET_SHIFT) {
        (true, _) => 0,
        (_, bucket) => (bucket as usize).clamp(1, BUCKETS - 1),
    }
}

/// The value that stands for a bucket: within 2⁻¹⁷ of each value in it.
pub(crate) fn middle(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    f64::from(f32::from_bits(LOWEST + ((bucket as u32) << BUCKET_SHIFT) + (1 << (BUCKET_SHIFT - 1))))
}

/// Bytes that a row of a call takes on the device beside its records: its values, and its share of the pairs.
pub(crate) fn scratch_bytes_per_row(problem: &Problem, top: usize) -> u64 {
    let pairs = (2 * top * size_of::<TopValue>()).div_ceil(SORTED);
    (problem.slots.len() * (size_of::<u32>() + pairs)) as u64
}

/// Bytes that the tables of a call take on the device.
pub(crate) fn table_bytes(problem: &Problem) -> u64 {
    (problem.slots.len() * BUCKETS * 4) as u64
}

/// A step in the search for the largest values.
struct SelectionStep {
    pairs: usize,
    source: usize,
    result: usize,
    groups: usize,
}

/// The steps for `rows` rows. Each result is a place in one of two halves of the pairs.
fn levels(rows: usize, top: usize, measures: usize) -> Vec<SelectionStep> {
    let half = rows.div_ceil(SORTED) * top * measures;
    let first = SelectionStep { pairs: 0, source: 0, result: 0, groups: rows.div_ceil(SORTED) };
    let next = |before: &SelectionStep| {
        let pairs = before.groups * top;
        let step = || SelectionStep {
            pairs,
            source: before.result,
            result: half - before.result,
            groups: pairs.div_ceil(SORTED),
        };
        (before.groups > 1).then(step)
    };
    if top == 0 { Vec::new() } else { std::iter::successors(Some(first), next).collect() }
}

/// A summary on its way through a device.
pub(crate) struct Digest<'a> {
    pub(super) opened: Arc<Opened>,
    pub(super) problem: &'a Problem,
    params: SummaryParameters,
    state: wgpu::Buffer,
    table: wgpu::Buffer,
    scratch: Mutex<ScratchBuffers>,
}

/// What the chunks use one after the other.
#[derive(Default)]
struct ScratchBuffers {
    values: ReusableBuffer,
    blocks: ReusableBuffer,
    pairs: ReusableBuffer,
    params: ReusableBuffer,
}

/// Whether a device can hold the tables of a call in its share of `budget`, and number its rows.
pub(super) fn fits(device: &GpuDevice, problem: &Problem, budget: u64) -> bool {
    let limit = device.caps.binding_bytes().min((budget as f64 * LIMITS.summary_share) as u64);
    let buffers = device.device.limits().max_storage_buffers_per_shader_stage;
    buffers >= STORAGE_BUFFERS
        && problem.slots.len() <= MOST_MEASURES
        && takes_terms(problem)
        && table_bytes(problem) <= limit
        && u32::try_from(problem.rows).is_ok()
}

impl<'a> Digest<'a> {
    /// A summary of no rows yet.
    pub(super) fn new(opened: &Arc<Opened>, problem: &'a Problem, top: usize) -> Result<Self> {
        let device = &opened.device;
        device.check()?;
        let state_bytes = ((STATE_WORDS + MOST_FOR_THE_HOST) * 4) as u64;
        // New buffers are all zeros.
        let state = device.buffer(state_bytes, Usage::STORAGE | Usage::COPY_SRC, false)?;
        let table = device.buffer(table_bytes(problem), Usage::STORAGE | Usage::COPY_SRC, false)?;
        let params = SummaryParameters::new(problem, top);
        Ok(Self { opened: Arc::clone(opened), problem, params, state, table, scratch: Mutex::default() })
    }

    /// Starts on a chunk whose first row is number `first_row` of the call, with kernels that may be wrong.
    pub(super) fn start_as_it_is(
        &self,
        first_row: usize,
        sides: [SideRows<'_>; 2],
        rows: usize,
    ) -> Result<DigestedChunk> {
        let opened = &self.opened;
        let mut prepared = prepare(opened, self.problem, sides, rows, true)?;
        let stamp = u32::from(prepared.stamp());
        let params = SummaryParameters { rows: rows as u32, stamp, first_row: first_row as u32, ..self.params };
        let layout = self.encode(params, &mut prepared)?;
        let EncodedChunk { held, commands, spent, .. } = prepared;
        Ok(DigestedChunk { opened: Arc::clone(opened), submitted: commands.submit(held)?, layout, spent })
    }

    /// The buffers of a chunk: its values, its blocks, the pairs of the search for the largest values, and the uniforms.
    fn buffers(
        &self,
        rows: usize,
        layout: &ReportLayout,
        pair_bytes: u64,
        uniform_bytes: u64,
    ) -> Result<[wgpu::Buffer; 4]> {
        let device = &self.opened.device;
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = Usage::STORAGE | Usage::COPY_SRC;
        let value_bytes = (layout.measures * rows * 4) as u64;
        let block_bytes = layout.block_bytes().max((layout.measures * SUMS * 4) as u64);
        Ok([
            scratch.values.at_least(device, value_bytes, inner)?,
            scratch.blocks.at_least(device, block_bytes, inner)?,
            scratch.pairs.at_least(device, pair_bytes, inner)?,
            scratch.params.at_least(device, uniform_bytes, Usage::UNIFORM | Usage::COPY_DST)?,
        ])
    }

    fn encode(&self, params: SummaryParameters, prepared: &mut EncodedChunk) -> Result<ReportLayout> {
        let device = &self.opened.device;
        let kernels = self.opened.summary_kernels(&mut prepared.spent)?;
        let (rows, measures, top) = (params.rows as usize, params.measures as usize, params.top as usize);
        let blocks_of_one = rows.div_ceil(BLOCK);
        let levels = levels(rows, top, measures);
        let half = rows.div_ceil(SORTED) * top * measures;
        let layout = ReportLayout {
            first_row: params.first_row as usize,
            stamp: params.stamp,
            measures,
            blocks: blocks_of_one,
            top,
        };
        let uniforms = aligned(size_of::<SummaryParameters>() as u64);
        let pair_bytes = (2 * half * size_of::<TopValue>()) as u64;
        let [values, blocks, pairs, uniform] =
            self.buffers(rows, &layout, pair_bytes, (1 + levels.len()) as u64 * uniforms)?;
        let records = (&prepared.results, prepared.result_bytes());
        let buffers = [&values, &self.state, &self.table, &blocks, &pairs];
        let bound = |i: usize, params: SummaryParameters| {
            let offset = i as u64 * uniforms;
            device.queue.write_buffer(&uniform, offset, bytemuck::bytes_of(&params));
            kernels.bind(device, records, buffers, (&uniform, offset))
        };
        let first = bound(0, SummaryParameters { blocks: blocks_of_one as u32, ..params });
        let encoder = &mut prepared.commands.encoder;
        let widest = device.caps.max_workgroups as usize;
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("summary"),
            timestamp_writes: prepared.held.ticks().and_then(|ticks| ticks.writes(false, true)),
        });
        let mut dispatch = |pipeline, group: &wgpu::BindGroup, workgroups: usize, measures: usize| {
            let width = workgroups.clamp(1, widest);
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(width as u32, workgroups.div_ceil(width) as u32, measures as u32);
        };
        dispatch(&kernels.values, &first, rows.div_ceil(WORKGROUP as usize), 1);
        dispatch(&kernels.blocks, &first, blocks_of_one, measures);
        for (i, level) in levels.iter().enumerate() {
            let [pairs, source, result] = [level.pairs, level.source, level.result].map(|n| n as u32);
            dispatch(
                &kernels.top,
                &bound(i + 1, SummaryParameters { pairs, source, result, ..params }),
                level.groups,
                measures,
            );
        }
        drop(pass);
        let last = levels.last().map_or(0, |level| level.result);
        let readback = prepared.held.readback(layout.bytes())?;
        encoder.copy_buffer_to_buffer(&self.state, 0, &readback, 0, layout.blocks_at());
        encoder.copy_buffer_to_buffer(&blocks, 0, &readback, layout.blocks_at(), layout.block_bytes());
        if top > 0 {
            let from = (last * size_of::<TopValue>()) as u64;
            encoder.copy_buffer_to_buffer(&pairs, from, &readback, layout.top_at(), layout.top_bytes());
        }
        prepared.commands.map_after(&readback, wgpu::MapMode::Read);
        prepared.tell_the_time();
        Ok(layout)
    }

    /// Called once every chunk is finished. Returns for each measure the sums of its table; the `for_the_host` rows that were
    /// left to the host; and the bytes read.
    pub(crate) fn sums(&self, for_the_host: usize) -> Result<(Vec<Vec<u32>>, Vec<u32>, u64)> {
        let measures = self.params.measures as usize;
        let sums_bytes = (measures * SUMS * 4) as u64;
        let list_bytes = (for_the_host * 4) as u64;
        let words = self.opened.read(sums_bytes + list_bytes, |device, commands, readback| {
            let kernels = self.opened.summary_kernels(&mut Spent::default())?;
            let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let inner = Usage::STORAGE | Usage::COPY_SRC;
            let blocks = scratch.blocks.at_least(device, sums_bytes, inner)?;
            let [records, values, pairs] = &kernels.unused;
            let uniform = scratch.params.at_least(device, 256, Usage::UNIFORM | Usage::COPY_DST)?;
            device.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&self.params));
            let buffers = [values, &self.state, &self.table, &blocks, pairs];
            let group = kernels.bind(device, (records, 256), buffers, (&uniform, 0));
            let descriptor = wgpu::ComputePassDescriptor { label: Some("sums"), timestamp_writes: None };
            let mut pass = commands.encoder.begin_compute_pass(&descriptor);
            pass.set_pipeline(&kernels.sums);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(SUMS as u32, 1, measures as u32);
            drop(pass);
            commands.encoder.copy_buffer_to_buffer(&blocks, 0, readback, 0, sums_bytes);
            let list = (STATE_WORDS * 4) as u64;
            commands.encoder.copy_buffer_to_buffer(&self.state, list, readback, sums_bytes, list_bytes);
            Ok(())
        })?;
        let (sums, list) = words.split_at(measures * SUMS);
        Ok((sums.chunks(SUMS).map(<[u32]>::to_vec).collect(), list.to_vec(), sums_bytes + list_bytes))
    }

    /// The counts of some groups of [`TOGETHER`] buckets each, given by measure and group.
    pub(crate) fn counts(&self, groups: &[(usize, usize)]) -> Result<Vec<Vec<u32>>> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let each = (TOGETHER * 4) as u64;
        let words = self.opened.read(groups.len() as u64 * each, |_, commands, readback| {
            for (i, (measure, group)) in groups.iter().enumerate() {
                let from = (measure * SUMS + group) as u64 * each;
                commands.encoder.copy_buffer_to_buffer(&self.table, from, readback, i as u64 * each, each);
            }
            Ok(())
        })?;
        Ok(words.chunks(TOGETHER).map(<[u32]>::to_vec).collect())
    }
}
