//! How long the kernels of a chunk took, by the clock of the device.

use wgpu::BufferUsages as Usage;

use super::device::GpuDevice;
use kullback_kernels::error::Result;

/// Bytes of two ticks.
const BYTES: u64 = 16;

/// The ticks before the first kernel of a chunk and after the last.
#[derive(Debug)]
pub(super) struct Ticks {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
}

impl Ticks {
    /// `device` must have a clock.
    pub(super) fn new(device: &GpuDevice) -> Result<Self> {
        let set = device.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("kullback"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let resolved = device.buffer(BYTES, Usage::QUERY_RESOLVE | Usage::COPY_SRC, false)?;
        let readback = device.buffer(BYTES, Usage::MAP_READ | Usage::COPY_DST, false)?;
        Ok(Self { set, resolved, readback })
    }

    /// What a pass writes; `None` for a pass that is neither first nor last.
    pub(super) fn writes(&self, is_first: bool, is_last: bool) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        (is_first || is_last).then(|| wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: is_first.then_some(0),
            end_of_pass_write_index: is_last.then_some(1),
        })
    }

    /// Encodes the copy of the ticks for the host. Returns the buffer to be mapped.
    pub(super) fn fetch(&self, encoder: &mut wgpu::CommandEncoder) -> &wgpu::Buffer {
        encoder.resolve_query_set(&self.set, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readback, 0, BYTES);
        &self.readback
    }

    /// The seconds between the two ticks, once the device has finished.
    pub(super) fn seconds(&self, device: &GpuDevice) -> Result<f64> {
        let view = self.readback.get_mapped_range(..).map_err(|error| device.give_up(error.to_string()))?;
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        self.readback.unmap();
        let nanoseconds = |ticks: u64| ticks as f64 * f64::from(device.queue.get_timestamp_period());
        Ok(match ticks[..] {
            [first, last] => nanoseconds(last.saturating_sub(first)) * 1e-9,
            _ => 0.0,
        })
    }
}
