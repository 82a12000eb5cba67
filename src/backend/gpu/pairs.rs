//! All pairs: the device turns records into values. Either all values go to the host, one word each, or only the nearest rows
//! of each row. The host's half of `shaders/summary/values.wgsl` and `nearest.wgsl`.

use std::sync::Arc;

use wgpu::BufferUsages as Usage;

use super::commands::{Submitted, words};
use super::constants::STATE_WORDS;
use super::guarded::guarded;
use super::opened::Opened;
use super::product;
use super::slots::aligned;
use super::submit::{EncodedChunk, SideRows, prepare};
pub(crate) use super::summary::MOST_FOR_THE_HOST;
use super::summary::SummaryParameters;
use crate::backend::spent::Spent;
use crate::plan::kernel_key::WORKGROUP;
use kullback_kernels::error::Result;
use kullback_kernels::problem::Problem;

/// The most neighbours of a row: half of what a workgroup sorts at once.
pub(crate) const MOST_NEIGHBOURS: usize = 512;
/// Bytes of the state that comes to the host with every chunk.
const STATE_BYTES: u64 = aligned((STATE_WORDS * 4) as u64);

/// Encodes what turns the records of a chunk into values, and what finds the nearest rows for `lines` rows of P if these are
/// wanted. Returns the buffer of the values.
fn encode(
    opened: &Opened,
    prepared: &mut EncodedChunk,
    params: &SummaryParameters,
    state: &wgpu::Buffer,
    nearest: Option<(&wgpu::Buffer, usize)>,
) -> Result<wgpu::Buffer> {
    let device = &opened.device;
    let kernels = opened.summary_kernels(&mut prepared.spent)?;
    let bytes = u64::from(params.rows) * u64::from(params.measures) * 4;
    let slot = prepared.held.slot();
    let values = slot.values.at_least(device, bytes, Usage::STORAGE | Usage::COPY_SRC)?;
    let uniform_bytes = aligned(size_of::<SummaryParameters>() as u64);
    let uniform = slot.value_params.at_least(device, uniform_bytes, Usage::UNIFORM | Usage::COPY_DST)?;
    device.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(params));
    let [table, blocks, no_pairs] = &kernels.unused;
    let pairs = nearest.map_or(no_pairs, |(near, _)| near);
    let records = (&prepared.results, prepared.result_bytes());
    let group = kernels.bind(device, records, [&values, state, table, blocks, pairs], (&uniform, 0));
    let ticks = prepared.held.ticks().and_then(|ticks| ticks.writes(false, true));
    let descriptor = wgpu::ComputePassDescriptor { label: Some("pairs"), timestamp_writes: ticks };
    let mut pass = prepared.commands.encoder.begin_compute_pass(&descriptor);
    let mut dispatch = |pipeline, workgroups: usize| {
        let width = workgroups.clamp(1, device.caps.max_workgroups as usize);
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(width as u32, workgroups.div_ceil(width) as u32, 1);
    };
    dispatch(&kernels.values, (params.rows as usize).div_ceil(WORKGROUP as usize));
    if let Some((_, lines)) = nearest {
        dispatch(&kernels.nearest, lines);
    }
    drop(pass);
    Ok(values)
}

/// Work on a chunk whose state comes to the host, with the words that follow the state.
pub(super) struct Returning {
    submitted: Submitted,
    stamp: u32,
    /// Bytes that come back.
    bytes: u64,
    spent: Spent,
}

impl Returning {
    /// Submits the work, with the copy of the state for the host, and of so many bytes of values if they are wanted.
    fn submit(mut prepared: EncodedChunk, state: &wgpu::Buffer, values: Option<(&wgpu::Buffer, u64)>) -> Result<Self> {
        let bytes = STATE_BYTES + values.map_or(0, |(_, bytes)| bytes);
        let stamp = u32::from(prepared.stamp());
        let readback = prepared.held.readback(bytes)?;
        let encoder = &mut prepared.commands.encoder;
        encoder.copy_buffer_to_buffer(state, 0, &readback, 0, (STATE_WORDS * 4) as u64);
        if let Some((values, bytes)) = values {
            encoder.copy_buffer_to_buffer(values, 0, &readback, STATE_BYTES, bytes);
        }
        prepared.commands.map_after(&readback, wgpu::MapMode::Read);
        prepared.tell_the_time();
        let EncodedChunk { held, commands, spent, .. } = prepared;
        Ok(Self { submitted: commands.submit(held)?, stamp, bytes, spent: Spent { received: bytes, ..spent } })
    }

    /// Waits for the device. Returns the words of the state, and those that follow it.
    pub(super) fn finish(self, opened: &Opened) -> Result<([u32; STATE_WORDS], Vec<u32>, Spent)> {
        let Self { submitted, stamp, bytes, spent } = self;
        let (mut words, device_seconds) = submitted.finish(|device, slot| {
            let device_seconds = slot.ticks.as_ref().map_or(Ok(0.0), |ticks| ticks.seconds(device))?;
            Ok((words(device, slot, 0..bytes)?, device_seconds))
        })?;
        let mut state = [0; STATE_WORDS];
        state.copy_from_slice(&words[..STATE_WORDS]);
        let [.., of_another_chunk, seen, _] = state;
        if of_another_chunk != 0 || seen != stamp {
            return Err(opened.device.give_up("it left results of another time".to_owned()));
        }
        words.drain(..(STATE_BYTES / 4) as usize);
        Ok((state, words, Spent { device_seconds, ..spent }))
    }
}

/// Encodes what makes the records of a chunk: products, if the chunk is part of a product.
fn records(
    opened: &Arc<Opened>,
    problem: &Problem,
    sides: [SideRows<'_>; 2],
    rows: usize,
    product: Option<product::ProductTile<'_>>,
) -> Result<EncodedChunk> {
    if let Some(part) = product
        && let Some(on_device) = part.product.sides(opened)?
    {
        let rows = [0, 1].map(|side| sides[side].rows.len());
        return product::prepare(opened, problem, (&part, &on_device), rows);
    }
    prepare(opened, problem, sides, rows, true)
}

/// A chunk whose values come to the host.
pub(super) struct StartedValues(Returning);

/// Starts one chunk, with kernels that may be wrong.
pub(super) fn start(
    opened: &Arc<Opened>,
    problem: &Problem,
    sides: [SideRows<'_>; 2],
    rows: usize,
    product: Option<product::ProductTile<'_>>,
) -> Result<StartedValues> {
    let mut prepared = records(opened, problem, sides, rows, product)?;
    let params = SummaryParameters {
        rows: rows as u32,
        stamp: u32::from(prepared.stamp()),
        capacity: 0,
        ..SummaryParameters::new(problem, 0)
    };
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let state = prepared.held.slot().state.at_least(&opened.device, STATE_BYTES, usage)?;
    prepared.commands.encoder.clear_buffer(&state, 0, None);
    let values = encode(opened, &mut prepared, &params, &state, None)?;
    let bytes = (rows * problem.slots.len() * 4) as u64;
    Returning::submit(prepared, &state, Some((&values, bytes))).map(StartedValues)
}

impl StartedValues {
    /// Waits for the device. Returns the values of each measure, one measure after the other, as the bits of floats or of what
    /// stands in place of a value.
    pub(super) fn finish(self, opened: &Opened) -> Result<(Vec<u32>, Spent)> {
        self.0.finish(opened).map(|(_, values, spent)| (values, spent))
    }
}

/// The nearest rows of Q of a row of P and their values, nearest first.
pub(crate) type NearestOfRow = Vec<(usize, f32)>;

/// The search for the nearest rows of some rows of P.
pub(crate) struct Search<'a> {
    pub(super) opened: Arc<Opened>,
    pub(super) problem: &'a Problem,
    params: SummaryParameters,
    state: wgpu::Buffer,
    nearest: wgpu::Buffer,
    rows: usize,
}

/// A chunk of a search on its way.
pub(crate) struct Searched {
    pub(super) opened: Arc<Opened>,
    pub(super) returning: Returning,
}

/// The number of pairs left to the host so far, and whether any pair is invalid.
pub(crate) struct Left {
    pub(crate) pairs: usize,
    pub(crate) any_invalid: bool,
    pub(crate) spent: Spent,
}

impl Searched {
    /// Waits for the device.
    pub(crate) fn finish(self) -> Result<Left> {
        let Self { opened, returning } = self;
        let (state, _, spent) = guarded(&opened, || returning.finish(&opened))?;
        let [_, _, _, invalid, for_the_host, ..] = state;
        Ok(Left { pairs: for_the_host as usize, any_invalid: invalid > 0, spent })
    }
}

/// The numbers of the first pair of a chunk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct First {
    pub(crate) pair: usize,
    /// The row of Q.
    pub(crate) column: usize,
    /// The row of P if P is Q. A row is not near itself.
    pub(crate) itself: Option<usize>,
}

impl<'a> Search<'a> {
    /// A search that has seen no pairs yet, for [`MOST_NEIGHBOURS`] neighbours of a row at most.
    pub(super) fn new(opened: &Arc<Opened>, problem: &'a Problem, rows: usize, count: usize) -> Result<Self> {
        let device = &opened.device;
        device.check()?;
        // New buffers are all zeros.
        let buffer = |words: usize| device.buffer((words * 4) as u64, Usage::STORAGE | Usage::COPY_SRC, false);
        let (state, nearest) = (buffer(STATE_WORDS + MOST_FOR_THE_HOST)?, buffer(2 * rows * count.max(1))?);
        let params = SummaryParameters::new(problem, count);
        Ok(Self { opened: Arc::clone(opened), problem, params, state, nearest, rows })
    }

    /// Starts on all rows of P against some rows of Q, with kernels that may be wrong.
    pub(super) fn start_as_it_is(
        &self,
        first: First,
        columns: usize,
        sides: [SideRows<'_>; 2],
        rows: usize,
        product: Option<product::ProductTile<'_>>,
    ) -> Result<Returning> {
        let opened = &self.opened;
        let mut prepared = records(opened, self.problem, sides, rows, product)?;
        let params = SummaryParameters {
            rows: rows as u32,
            stamp: u32::from(prepared.stamp()),
            first_row: first.pair as u32,
            columns: columns as u32,
            first_column: first.column as u32,
            itself: first.itself.map_or(u32::MAX, |row| row as u32),
            ..self.params
        };
        encode(opened, &mut prepared, &params, &self.state, Some((&self.nearest, self.rows)))?;
        Returning::submit(prepared, &self.state, None)
    }

    /// Called once every chunk is finished. Returns for each row of P the nearest rows of Q and their values, nearest first;
    /// the numbers of the `left` pairs that were left to the host; and the bytes read.
    pub(crate) fn finish(&self, left: usize) -> Result<(Vec<NearestOfRow>, Vec<u32>, u64)> {
        let count = self.params.top as usize;
        let near_bytes = (2 * self.rows * count * 4) as u64;
        let left_bytes = (left * 4) as u64;
        let words = self.opened.read(near_bytes + left_bytes, |_, commands, readback| {
            let list = (STATE_WORDS * 4) as u64;
            commands.encoder.copy_buffer_to_buffer(&self.nearest, 0, readback, 0, near_bytes);
            commands.encoder.copy_buffer_to_buffer(&self.state, list, readback, near_bytes, left_bytes);
            Ok(())
        })?;
        let (near, left) = words.split_at(2 * self.rows * count);
        // The inverted bits of a value; 0 stands for no value.
        let of_pair = |pair: &[u32]| (pair[0] > 0).then(|| (pair[1] as usize, f32::from_bits(!pair[0])));
        let of_row = |row: &[u32]| row.chunks_exact(2).filter_map(of_pair).collect();
        let nearest = (0..self.rows).map(|row| of_row(&near[2 * row * count..2 * (row + 1) * count])).collect();
        Ok((nearest, left.to_vec(), near_bytes + left_bytes))
    }
}
