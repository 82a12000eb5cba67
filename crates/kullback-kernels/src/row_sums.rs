//! What kernels return: the sums of each row, and what they found out about it.

use smallvec::SmallVec;

use crate::measures::finish::Support;

/// What a kernel found out about a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowFlags(pub u32);

impl RowFlags {
    /// A side has no weight, or the policy left nothing.
    pub const EMPTY: u32 = 8;
    /// A weight of P is negative, NaN or infinite.
    pub const INVALID_P: u32 = 16;
    /// A weight of Q is negative, NaN or infinite.
    pub const INVALID_Q: u32 = 32;
    /// The policy cannot be applied.
    pub const POLICY: u32 = 64;
    /// The precision cannot hold the contract, and the sums of this row mean nothing. If a 32-bit kernel sets it, the row is
    /// computed again in 64 bits. If the 64-bit kernel sets it, the weights span more than a float holds, and the row is
    /// refused.
    pub const RESCUE: u32 = 128;

    /// A row with weight in every bin of both sides.
    pub const USUAL: RowFlags = RowFlags(Support::COMMON.bits());

    #[inline]
    pub fn support(self) -> Support {
        Support::from_bits(self.0)
    }

    /// Whether any of the given flags is set.
    #[inline]
    pub fn any(self, flags: u32) -> bool {
        self.0 & flags != 0
    }
}

/// The sums of some rows: `flags[row]`, and `sums[row * terms + slot]`, each divided by Q. One row or a few rows need no
/// allocation, and the chunks of a call share one.
#[derive(Debug, Default)]
pub struct RowSums {
    pub flags: SmallVec<[RowFlags; 8]>,
    pub sums: SmallVec<[f64; 8]>,
}

impl RowSums {
    /// Resizes to `rows` rows. Old content may remain.
    #[inline]
    pub fn resize(&mut self, rows: usize, terms: usize) {
        self.flags.resize(rows, RowFlags::default());
        self.sums.resize(rows * terms, 0.0);
    }

    /// Copies the sums of some rows of another.
    #[inline]
    pub fn copy_from(&mut self, other: &RowSums, first: usize, rows: usize) {
        let terms = other.sums.len() / other.flags.len().max(1);
        self.resize(rows, terms);
        self.flags.copy_from_slice(&other.flags[first..first + rows]);
        self.sums.copy_from_slice(&other.sums[first * terms..(first + rows) * terms]);
    }
}
