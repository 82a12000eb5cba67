//! Asking for memory before it is needed.

/// The weights that the next batch will read, asked for line by line while this one is computed.
///
/// The two looks at a batch would otherwise take turns: the first waits for memory, the second computes
/// while memory rests. It has to be spread evenly: a block's lines asked for at once gain nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// Where the next read of each side begins, and the bytes that a vector is made of.
    sides: [(*const u8, usize); 2],
}

impl Ahead {
    /// Of two sides, each with its bytes, the first that will be read next (anywhere: nothing is read that
    /// is not there), and how many make a vector.
    #[inline(always)]
    pub(super) fn new(sides: [(&[u8], usize, usize); 2]) -> Self {
        Self { sides: sides.map(|(bytes, first, vector)| (bytes.as_ptr().wrapping_add(first), vector)) }
    }

    /// Asks for the bytes of one vector of both sides.
    #[inline(always)]
    pub(super) fn fetch(&self, vector: usize) {
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

/// No stable instruction: the hardware's own prefetching has to do.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch(_address: *const u8) {}
