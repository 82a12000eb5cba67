//! Asking for memory before it is needed.

/// The weights that the next batch will read, asked for line by line while this one is computed.
///
/// The two looks at a batch would otherwise take turns: the first waits for memory, the second computes
/// while memory rests. It has to be spread evenly: a block's lines asked for at once gain nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead<'a> {
    sides: [&'a [u8]; 2],
    vectors: usize,
}

impl<'a> Ahead<'a> {
    /// The bytes of both sides, to be asked for in so many steps.
    pub(super) fn new(p: &'a [u8], q: &'a [u8], vectors: usize) -> Self {
        Self { sides: [p, q], vectors: vectors.max(1) }
    }

    /// The steps from `vector` on.
    #[inline(always)]
    pub(super) fn from(&self, vector: usize) -> Steps {
        let side = |bytes: &[u8]| {
            let step = bytes.len() / self.vectors;
            (bytes.as_ptr().wrapping_add(vector * step), step)
        };
        Steps { sides: self.sides.map(side) }
    }
}

/// Where the lines of a few steps lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    sides: [(*const u8, usize); 2],
}

impl Steps {
    /// Asks for what one step reads of both sides.
    #[inline(always)]
    pub(super) fn fetch(&self, step: usize) {
        for (start, bytes) in self.sides {
            prefetch(start.wrapping_add(step * bytes));
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
