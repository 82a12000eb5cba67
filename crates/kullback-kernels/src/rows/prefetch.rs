//! Asks for memory before it is needed.

/// The weights that the next batch will read. They are asked for line by line while this batch is computed.
///
/// Without this the two passes over a batch would take turns: the first waits for memory, and the second computes while memory
/// rests. The requests must be spread evenly: to ask for all lines of a block at once gains nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// Where the next read of each side begins, and the number of bytes in a vector.
    sides: [(*const u8, usize); 2],
}

impl Ahead {
    /// Takes for each side its bytes, the index of the byte that is read next, and the bytes of a vector. The index may lie
    /// anywhere: nothing is read that is not there.
    #[inline(always)]
    pub(crate) fn new(sides: [(&[u8], usize, usize); 2]) -> Self {
        Self { sides: sides.map(|(bytes, first, vector)| (bytes.as_ptr().wrapping_add(first), vector)) }
    }

    /// Asks for the bytes of one vector of both sides.
    #[inline(always)]
    pub(crate) fn fetch(&self, vector: usize) {
        for (start, bytes) in self.sides {
            prefetch(start.wrapping_add(vector * bytes));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "the standard library has no safe form; the benefit stands at `Ahead`")]
fn prefetch(address: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of x86_64, and a prefetch reads nothing and faults on no address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
}

/// There is no stable instruction, so this relies on the hardware's own prefetching.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch(_address: *const u8) {}
