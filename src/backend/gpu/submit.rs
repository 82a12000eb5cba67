//! Takes one chunk through the device: fill mapped memory, copy it (if the kernel cannot read that memory itself), dispatch,
//! read back. It has two halves, so that the host fills one chunk and reads another while the device works on a third. Its
//! kernels may be wrong: the caller has them checked.

use std::sync::Arc;

use super::collect::Records;
use super::commands::{Commands, Held, Submitted};
use super::device::Point;
use super::dispatch::{RecordLayout, dispatch};
use super::fill::packed_bytes;
use super::opened::Opened;
use super::slots::SideBuffers;
use super::stored::StoredPart;
use crate::backend::source::Source;
use crate::backend::spent::Spent;
use kullback_kernels::error::Result;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::weights::Rows;

/// One side of a chunk: rows of the host, or rows that the device has.
pub(super) struct SideRows<'a> {
    pub(super) rows: &'a Rows<'a>,
    pub(super) stored: Option<StoredPart<'a>>,
}

/// The sides of a chunk as this device has them, and its rows.
pub(super) fn side_rows<'s>(
    opened: &Arc<Opened>,
    problem: &Problem,
    p: &'s Source<'_>,
    q: &'s Source<'_>,
) -> ([SideRows<'s>; 2], usize) {
    let rows = match problem.pairing {
        Pairing::OneP => q.rows.len(),
        Pairing::Rowwise | Pairing::OneQ => p.rows.len(),
        Pairing::All { .. } => p.rows.len() * q.rows.len(),
    };
    let sides = [p, q].map(|source| {
        let stored = source.stored.filter(|(stored, _)| stored.is_on(opened));
        let stored = stored.and_then(|(stored, first)| stored.part(first, problem.bins));
        SideRows { rows: &source.rows, stored }
    });
    (sides, rows)
}

/// A chunk with its row kernels encoded. The caller decides what happens to the records.
pub(super) struct EncodedChunk {
    pub(super) held: Held,
    pub(super) commands: Commands,
    pub(super) results: wgpu::Buffer,
    pub(super) spent: Spent,
    pub(super) layout: RecordLayout,
}

impl EncodedChunk {
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
        if let Some(ticks) = self.held.ticks() {
            let buffer = ticks.fetch(&mut self.commands.encoder);
            self.commands.map_after(buffer, wgpu::MapMode::Read);
        }
    }
}

/// Brings the rows of a chunk to the device and encodes its row kernels. `more_follow` says whether other kernels follow.
pub(super) fn prepare(
    opened: &Arc<Opened>,
    problem: &Problem,
    [p, q]: [SideRows<'_>; 2],
    rows: usize,
    more_follow: bool,
) -> Result<EncodedChunk> {
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
    let layout = RecordLayout::new(problem, rows, q.rows.len());
    let (p, q) = (side(&p, &mut held.slot().p)?, side(&q, &mut held.slot().q)?);
    let slot = held.slot();
    let (results, compile_seconds) = dispatch(opened, problem, &layout, [&p, &q], slot, &mut commands, more_follow)?;
    Ok(EncodedChunk { held, commands, results, spent: Spent { sent, compile_seconds, ..Spent::default() }, layout })
}

/// Starts one chunk whose records come to the host.
pub(super) fn start(opened: &Arc<Opened>, problem: &Problem, sides: [SideRows<'_>; 2], rows: usize) -> Result<Started> {
    let mut prepared = prepare(opened, problem, sides, rows, false)?;
    prepared.tell_the_time();
    let EncodedChunk { mut held, mut commands, results, spent, layout } = prepared;
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
    layout: RecordLayout,
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
