//! Asking for memory before it is needed.

/// Bytes of a cache line on every machine with a prefetch instruction below.
const LINE: usize = 64;

/// The weights that the next batch will read, asked for piece by piece while this one is computed.
///
/// The two looks at a batch would otherwise take turns: the first waits for memory, the second computes
/// while memory rests. Measured on two cores of an EPYC 9004 (64 bins, f32, `kl`): 0.53 of the speed of a
/// plain read without, 0.64 with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead<'a> {
    sides: [&'a [u8]; 2],
    pieces: usize,
}

impl<'a> Ahead<'a> {
    /// The bytes of both sides, to be asked for in so many pieces.
    pub(super) fn new(p: &'a [u8], q: &'a [u8], pieces: usize) -> Self {
        Self { sides: [p, q], pieces: pieces.max(1) }
    }

    /// Asks for one piece.
    #[inline(always)]
    pub(super) fn fetch(&self, piece: usize) {
        for side in self.sides {
            let bytes = side.len().div_ceil(self.pieces).next_multiple_of(LINE);
            let from = (piece * bytes).min(side.len());
            let to = (from + bytes).min(side.len());
            for line in side[from..to].chunks(LINE) {
                prefetch(line);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "the standard library has no safe form; the benefit stands at `Ahead`")]
fn prefetch(line: &[u8]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of x86_64, and a prefetch reads nothing and faults on no address; this one
    // points into a slice besides.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
}

/// No stable instruction: the hardware's own prefetching has to do.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch(_line: &[u8]) {}
