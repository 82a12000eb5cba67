//! Copies rows of the host into memory that the device can see.

use std::ops::Range;
use std::thread;

use super::device::GpuDevice;
use kullback_kernels::error::Result;
use kullback_kernels::weights::Rows;

/// Bytes that one thread copies before a second thread is worth starting.
const BYTES_PER_THREAD: u64 = 4 << 20;

/// Bytes of the packed rows, in whole words.
pub(super) fn packed_bytes(rows: &Rows<'_>) -> u64 {
    ((rows.len() * rows.bins() * rows.weight_type().size()) as u64).div_ceil(4) * 4
}

/// Writes rows to the beginning of a mapped buffer and hands it to the device.
pub(super) fn fill(device: &GpuDevice, buffer: &wgpu::Buffer, rows: &Rows<'_>) -> Result<()> {
    let total = packed_bytes(rows);
    let threads = (total / BYTES_PER_THREAD).clamp(1, device.threads as u64);
    // Parts of mapped memory begin at multiples of eight bytes.
    let part = total.div_ceil(threads).next_multiple_of(wgpu::MAP_ALIGNMENT);
    let write = |i: u64| write(device, buffer, rows, (i * part).min(total)..((i + 1) * part).min(total));
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|i| scope.spawn(move || write(i))).collect();
        let mine = write(0);
        let panicked = |_| Err(device.give_up("a thread that filled a buffer panicked".to_owned()));
        others.into_iter().fold(mine, |all, other| all.and(other.join().unwrap_or_else(panicked)))
    })?;
    buffer.unmap();
    Ok(())
}

/// Writes the bytes `range` of the packed rows.
fn write(device: &GpuDevice, buffer: &wgpu::Buffer, rows: &Rows<'_>, range: Range<u64>) -> Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let size = rows.weight_type().size();
    let bytes = rows.weights().as_bytes();
    let (mut row_bytes, mut stride) = (rows.bins() * size, rows.row_stride() * size);
    let total = rows.len() * row_bytes;
    if stride == row_bytes {
        // Packed rows are one long row.
        (row_bytes, stride) = (total, total);
    }
    let (first, end) = (range.start as usize, (range.end as usize).min(total));
    let mut view = buffer.get_mapped_range_mut(range).map_err(|error| device.give_up(error.to_string()))?;
    let mut at = first;
    while at < end {
        let (row, within) = (at / row_bytes, at % row_bytes);
        let count = (row_bytes - within).min(end - at);
        let from = row * stride + within;
        view.slice(at - first..at - first + count).copy_from_slice(&bytes[from..from + count]);
        at += count;
    }
    Ok(())
}
