//! Rows that stay on a device.

use std::collections::VecDeque;
use std::sync::Arc;

use wgpu::BufferUsages as Usage;

use super::commands::{Commands, Held, Submitted};
use super::device::Point;
use super::fill::{fill, packed_bytes};
use super::opened::Opened;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::weights::Rows;

/// A matrix on a device. Each buffer holds as many rows as one binding takes.
#[derive(Debug)]
pub(crate) struct StoredRows {
    opened: Arc<Opened>,
    buffers: Vec<wgpu::Buffer>,
    rows_per_buffer: usize,
}

/// Some rows of it.
pub(super) struct StoredPart<'a> {
    pub(super) buffer: &'a wgpu::Buffer,
    /// The element at which the first row begins.
    pub(super) first_element: u32,
}

/// Bytes of one copy to the device: small enough that the host fills the next copy meanwhile.
const COPY_BYTES: u64 = 32 << 20;

impl StoredRows {
    /// Copies a matrix to a device.
    pub(super) fn upload(opened: &Arc<Opened>, rows: &Rows<'_>) -> Result<Self> {
        let device = &opened.device;
        let size = rows.weight_type().size();
        let row_bytes = (rows.bins() * size) as u64;
        let limit = device.caps.binding_bytes();
        if limit.saturating_sub(4) < row_bytes {
            return Err(Error::RowTooLarge { needed: row_bytes + 4, limit });
        }
        let rows_within = |bytes: u64| usize::try_from(bytes / row_bytes.max(1)).unwrap_or(usize::MAX).max(1);
        let rows_per_buffer = rows_within(limit - 4);
        // A copy begins at a whole word, and four rows of any type end at one.
        let rows_per_copy = rows_within(COPY_BYTES).next_multiple_of(if row_bytes.is_multiple_of(4) { 1 } else { 4 });
        let mut buffers = Vec::with_capacity(rows.len().div_ceil(rows_per_buffer));
        let mut on_their_way: VecDeque<Submitted> = VecDeque::new();
        for first in (0..rows.len()).step_by(rows_per_buffer) {
            let part = rows.slice(first, rows_per_buffer.min(rows.len() - first));
            device.check()?;
            if device.shared_memory {
                device.reach(Point::Upload)?;
                let buffer = device.buffer(packed_bytes(&part), Usage::STORAGE | Usage::MAP_WRITE, true)?;
                fill(device, &buffer, &part)?;
                buffers.push(buffer);
                continue;
            }
            let buffer = device.buffer(packed_bytes(&part), Usage::STORAGE | Usage::COPY_DST, false)?;
            for first in (0..part.len()).step_by(rows_per_copy) {
                let mut held = slot(opened, &mut on_their_way)?;
                let mut commands = Commands::new(device);
                device.reach(Point::Upload)?;
                let rows = part.slice(first, rows_per_copy.min(part.len() - first));
                commands.bring_to(device, held.side(), &rows, &buffer, first as u64 * row_bytes)?;
                on_their_way.push_back(commands.submit(held)?);
            }
            buffers.push(buffer);
        }
        for submitted in on_their_way {
            submitted.finish(|_, _| Ok(()))?;
        }
        device.check()?;
        Ok(Self { opened: Arc::clone(opened), buffers, rows_per_buffer })
    }

    /// Whether the device that keeps the rows still works.
    pub(crate) fn is_usable(&self) -> bool {
        self.opened.device.check().is_ok()
    }

    /// Whether the rows are on this device.
    pub(super) fn is_on(&self, opened: &Arc<Opened>) -> bool {
        Arc::ptr_eq(&self.opened, opened)
    }

    /// The rows of one buffer. No chunk may hold rows of two buffers.
    pub(crate) fn rows_per_buffer(&self) -> usize {
        self.rows_per_buffer
    }

    /// Where a row lies.
    pub(super) fn part(&self, first: usize, bins: usize) -> Option<StoredPart<'_>> {
        let buffer = self.buffers.get(first / self.rows_per_buffer)?;
        Some(StoredPart { buffer, first_element: ((first % self.rows_per_buffer) * bins) as u32 })
    }
}

/// A slot for the next copy: a free one, or else the slot of the oldest copy on its way.
fn slot(opened: &Arc<Opened>, on_their_way: &mut VecDeque<Submitted>) -> Result<Held> {
    loop {
        match on_their_way.pop_front() {
            None => return Ok(Held::take(opened)),
            Some(oldest) => match Held::try_take(opened) {
                Some(held) => {
                    on_their_way.push_front(oldest);
                    return Ok(held);
                }
                None => oldest.finish(|_, _| Ok(()))?,
            },
        }
    }
}
