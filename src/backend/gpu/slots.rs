//! The buffers of the chunks on their way: a few sets that are kept between calls and only ever grow.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::clock::Ticks;
use super::device::GpuDevice;
use kullback_kernels::error::Result;

/// The most chunks on their way at once: one being filled, one being computed, one being read.
pub(crate) const SLOTS: usize = 3;

/// How long a thread of a pool waits before it looks for a free slot again.
const LOOKS_AGAIN: Duration = Duration::from_micros(100);

/// The buffers of one chunk.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) p: SideBuffers,
    pub(super) q: SideBuffers,
    pub(super) results: ReusableBuffer,
    /// What the host reads, if that is not the results themselves.
    pub(super) readback: ReusableBuffer,
    pub(super) partials: ReusableBuffer,
    pub(super) params: ReusableBuffer,
    /// The values of chunks of all pairs.
    pub(super) values: ReusableBuffer,
    pub(super) value_params: ReusableBuffer,
    pub(super) state: ReusableBuffer,
    /// Set if the device has a clock.
    pub(super) ticks: Option<Ticks>,
}

/// The buffers of one side of a chunk.
#[derive(Debug, Default)]
pub(super) struct SideBuffers {
    /// What the host writes, if that is not what the kernel reads.
    pub(super) staging: ReusableBuffer,
    /// What the kernel reads.
    pub(super) weights: ReusableBuffer,
}

/// One buffer, or none yet.
#[derive(Debug, Default)]
pub(super) struct ReusableBuffer {
    buffer: Option<wgpu::Buffer>,
    /// Whether the host may write to it now.
    mapped: bool,
}

impl ReusableBuffer {
    /// A buffer of at least `bytes` bytes: the existing one if it is large enough. A buffer that the host writes to is returned
    /// mapped.
    pub(super) fn at_least(
        &mut self,
        device: &GpuDevice,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer> {
        let written = usage.contains(wgpu::BufferUsages::MAP_WRITE);
        if let Some(buffer) = &self.buffer
            && buffer.size() >= bytes
            && self.mapped == written
        {
            // It is on its way to the device until `returned` says otherwise.
            self.mapped = false;
            return Ok(buffer.clone());
        }
        // The old buffer is freed first: two of the largest may not fit.
        self.buffer = None;
        self.mapped = false;
        let buffer = device.buffer(aligned(bytes.max(256)), usage, written)?;
        self.buffer = Some(buffer.clone());
        Ok(buffer)
    }

    pub(super) fn get(&self) -> Option<&wgpu::Buffer> {
        self.buffer.as_ref()
    }

    /// Notes that the device has finished with it and the host may write.
    pub(super) fn returned(&mut self) {
        self.mapped = self.buffer.as_ref().is_some_and(|buffer| buffer.usage().contains(wgpu::BufferUsages::MAP_WRITE));
    }
}

/// The slots of one device.
#[derive(Debug, Default)]
pub(super) struct SlotPool {
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

impl SlotPool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot, and waits for one to come back if all are taken. A thread that holds a slot must not call this: threads
    /// that hold slots would wait for each other.
    pub(super) fn take(&self) -> Slot {
        if rayon::current_thread_index().is_some() {
            return self.take_on_a_pool();
        }
        let state = self.state();
        let all_taken = |state: &mut State| state.taken >= SLOTS;
        let mut state = self.returned.wait_while(state, all_taken).unwrap_or_else(PoisonError::into_inner);
        state.take()
    }

    /// A thread of a pool takes up other work of the pool while it waits. That work may be what the holders of slots wait for.
    /// If it leads here again, the thread gets a slot beyond the usual number: waiting within waiting would never end.
    fn take_on_a_pool(&self) -> Slot {
        thread_local! {
            static WAITS: Cell<bool> = const { Cell::new(false) };
        }
        /// Ends the wait when it is dropped.
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

    /// Gives a slot back. `None` if its buffers are in an unknown state.
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

/// The next multiple of 256. Every offset of a binding must be a multiple of 256.
pub(super) const fn aligned(bytes: u64) -> u64 {
    bytes.div_ceil(256) * 256
}
