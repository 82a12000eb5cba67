//! What a chunk reports: where it lies in what the host reads, and what it means.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::backend::gpu::commands::{Submitted, words};
use crate::backend::gpu::constants::{BLOCK_WORDS, DISTANCE_UNIT, STATE_WORDS};
use crate::backend::gpu::device::GpuDevice;
use crate::backend::gpu::guarded::guarded;
use crate::backend::gpu::opened::Opened;
use crate::backend::gpu::slots::Slot;
use crate::backend::spent::Spent;
use kullback_kernels::error::Result;

/// The numbers of a block of values of one measure.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct BlockMoments {
    /// The number of finite values.
    pub(crate) count: u32,
    pub(crate) infinite: u32,
    pub(crate) mean: f32,
    /// Sum of squared distances from the mean, in units of 2⁻⁴⁸.
    pub(crate) squares: f32,
    pub(crate) least: f32,
    pub(crate) most: f32,
}

const _: () = assert!(size_of::<BlockMoments>() == 4 * BLOCK_WORDS);

impl BlockMoments {
    /// Sum of squared distances from the mean.
    pub(crate) fn squares(&self) -> f64 {
        f64::from(self.squares) * DISTANCE_UNIT * DISTANCE_UNIT
    }
}

/// A large value and its row in the chunk. A word of 0 means no value; else the word is the bits of the value plus one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct TopValue {
    value: u32,
    row: u32,
}

/// What a chunk reported.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// One list per measure.
    pub(crate) blocks: Vec<Vec<BlockMoments>>,
    /// The largest values of each measure, and their rows in the call.
    pub(crate) top: Vec<Vec<(usize, f32)>>,
    /// For all rows so far: how many have each status, and below how many were left to the host.
    pub(crate) statuses: [u64; 4],
    pub(crate) for_the_host: usize,
    pub(crate) spent: Spent,
}

/// Where the report of a chunk lies in what the host reads.
pub(super) struct ReportLayout {
    pub(super) first_row: usize,
    pub(super) stamp: u32,
    pub(super) measures: usize,
    /// Blocks of one measure.
    pub(super) blocks: usize,
    pub(super) top: usize,
}

impl ReportLayout {
    pub(super) fn blocks_at(&self) -> u64 {
        (STATE_WORDS * 4) as u64
    }

    pub(super) fn block_bytes(&self) -> u64 {
        (self.measures * self.blocks * size_of::<BlockMoments>()) as u64
    }

    pub(super) fn top_at(&self) -> u64 {
        self.blocks_at() + self.block_bytes()
    }

    pub(super) fn top_bytes(&self) -> u64 {
        (self.measures * self.top * size_of::<TopValue>()) as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.top_at() + self.top_bytes()
    }
}

/// A chunk that has been started.
pub(crate) struct DigestedChunk {
    pub(super) opened: Arc<Opened>,
    pub(super) submitted: Submitted,
    pub(super) layout: ReportLayout,
    pub(super) spent: Spent,
}

impl DigestedChunk {
    /// Waits for the device. Returns what the chunk reported.
    pub(crate) fn finish(self) -> Result<Said> {
        let Self { opened, submitted, layout, spent } = self;
        let read = |device: &GpuDevice, slot: &Slot| {
            let device_seconds = slot.ticks.as_ref().map_or(Ok(0.0), |ticks| ticks.seconds(device))?;
            Ok((words(device, slot, 0..layout.bytes())?, device_seconds))
        };
        let (words, device_seconds) = guarded(&opened, || submitted.finish(read))?;
        let word = |bytes: u64| (bytes / 4) as usize;
        let (state, rest) = words.split_at(word(layout.blocks_at()));
        let (blocks, top) = rest.split_at(word(layout.block_bytes()));
        let [ok, infinite, empty, invalid, for_the_host, of_another_chunk, stamp, _] = state[..] else {
            return Err(opened.device.give_up("it left no state".to_owned()));
        };
        if of_another_chunk != 0 || stamp != layout.stamp {
            return Err(opened.device.give_up("it left results of another time".to_owned()));
        }
        let pairs: &[TopValue] = bytemuck::cast_slice(top);
        let value = |pair: &TopValue| {
            let bits = pair.value.checked_sub(1)?;
            Some((layout.first_row + pair.row as usize, f32::from_bits(bits)))
        };
        let blocks: &[BlockMoments] = bytemuck::cast_slice(blocks);
        Ok(Said {
            blocks: blocks.chunks(layout.blocks.max(1)).map(<[BlockMoments]>::to_vec).collect(),
            top: pairs.chunks(layout.top.max(1)).map(|pairs| pairs.iter().filter_map(value).collect()).collect(),
            statuses: [ok, infinite, empty, invalid].map(u64::from),
            for_the_host: for_the_host as usize,
            spent: Spent { device_seconds, received: layout.bytes(), ..spent },
        })
    }
}
