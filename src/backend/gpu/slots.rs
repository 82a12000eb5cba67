//! The buffers of the chunks on their way: a few sets of them, kept between calls, that only ever grow.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::clock::Ticks;
use super::device::Device;
use crate::error::Result;

/// Chunks that may be on their way at once: one being filled, one being computed, one being read.
pub(crate) const SLOTS: usize = 3;

/// How long a thread of a pool waits before it looks for a free slot again.
const LOOKS_AGAIN: Duration = Duration::from_micros(100);

/// The buffers of one chunk.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) p: SideBuffers,
    pub(super) q: SideBuffers,
    pub(super) results: Kept,
    /// What the host reads, where that is not the results themselves.
    pub(super) readback: Kept,
    pub(super) partials: Kept,
    pub(super) params: Kept,
    /// Of chunks of all pairs.
    pub(super) values: Kept,
    pub(super) value_params: Kept,
    pub(super) state: Kept,
    /// Where the device has a clock.
    pub(super) ticks: Option<Ticks>,
}

/// The buffers of one side of a chunk.
#[derive(Debug, Default)]
pub(super) struct SideBuffers {
    /// What the host writes, where that is not what the kernel reads.
    pub(super) staging: Kept,
    /// What the kernel reads.
    pub(super) weights: Kept,
}

/// One buffer, or none yet.
#[derive(Debug, Default)]
pub(super) struct Kept {
    buffer: Option<wgpu::Buffer>,
    /// Whether the host may write to it now.
    mapped: bool,
}

impl Kept {
    /// A buffer of at least `bytes` bytes: the one that is here if it is large enough. One that the host
    /// writes to comes mapped.
    pub(super) fn at_least(&mut self, device: &Device, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let written = usage.contains(wgpu::BufferUsages::MAP_WRITE);
        if let Some(buffer) = &self.buffer
            && buffer.size() >= bytes
            && self.mapped == written
        {
            // On its way to the device, until it is told otherwise.
            self.mapped = false;
            return Ok(buffer.clone());
        }
        // The old one is freed first: two of the largest may not fit.
        self.buffer = None;
        self.mapped = false;
        let buffer = device.buffer(aligned(bytes.max(256)), usage, written)?;
        self.buffer = Some(buffer.clone());
        Ok(buffer)
    }

    /// The buffer, if there is one.
    pub(super) fn get(&self) -> Option<&wgpu::Buffer> {
        self.buffer.as_ref()
    }

    /// Notes that the device is done with it and the host may write.
    pub(super) fn returned(&mut self) {
        self.mapped = self.buffer.as_ref().is_some_and(|buffer| buffer.usage().contains(wgpu::BufferUsages::MAP_WRITE));
    }
}

/// The slots of one device.
#[derive(Debug, Default)]
pub(super) struct Slots {
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    free: Vec<Slot>,
    taken: usize,
}

impl State {
    fn take(&mut self) -> Slot {
        self.taken += 1;
        self.free.pop().unwrap_or_default()
    }
}

impl Slots {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot, waiting for one to come back if all are taken. Not for whoever holds one already: those who
    /// hold would wait for each other.
    pub(super) fn take(&self) -> Slot {
        if rayon::current_thread_index().is_some() {
            return self.take_on_a_pool();
        }
        let state = self.state();
        let all_taken = |state: &mut State| state.taken >= SLOTS;
        let mut state = self.returned.wait_while(state, all_taken).unwrap_or_else(PoisonError::into_inner);
        state.take()
    }

    /// A thread of a pool takes up what the pool has to do meanwhile, which may be what those who hold slots wait for. Where
    /// that leads to here again, it is given one more than there are: waiting within waiting would have no end.
    fn take_on_a_pool(&self) -> Slot {
        thread_local! {
            static WAITS: Cell<bool> = const { Cell::new(false) };
        }
        /// Over when it is dropped.
        struct Waiting;
        impl Drop for Waiting {
            fn drop(&mut self) {
                WAITS.set(false);
            }
        }
        if WAITS.replace(true) {
            return self.state().take();
        }
        let _waiting = Waiting;
        loop {
            if let Some(slot) = self.try_take() {
                return slot;
            }
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                thread::sleep(LOOKS_AGAIN);
            }
        }
    }

    /// Takes a slot if there is one.
    pub(super) fn try_take(&self) -> Option<Slot> {
        let mut state = self.state();
        (state.taken < SLOTS).then(|| state.take())
    }

    /// Gives one back; `None` where its buffers are in a state that nobody knows.
    pub(super) fn put(&self, slot: Option<Slot>) {
        let mut state = self.state();
        state.taken -= 1;
        if state.free.len() < SLOTS {
            state.free.extend(slot);
        }
        self.returned.notify_one();
    }

    /// Frees the buffers that are not in use.
    pub(super) fn free(&self) {
        self.state().free.clear();
    }
}

/// The next multiple of 256, which every offset of a binding must be.
pub(super) const fn aligned(bytes: u64) -> u64 {
    bytes.div_ceil(256) * 256
}
