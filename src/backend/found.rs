//! What a backend returns for the rows of a chunk.

use kullback_kernels::row_sums::RowSums;

/// What a device found for the rows of a chunk.
#[derive(Debug)]
pub(crate) enum ChunkResults {
    Sums(RowSums),
    /// The values of each measure, one measure after the other, as the bits of 32-bit floats, or a [`NoValue`] in place of a
    /// value.
    Values(Vec<u32>),
}

#[cfg(feature = "gpu")]
impl ChunkResults {
    /// Nothing found yet.
    pub(crate) fn new() -> Self {
        ChunkResults::Sums(RowSums::default())
    }

    /// Takes the sums out, to use their memory again.
    pub(crate) fn take_sums(&mut self) -> RowSums {
        if let ChunkResults::Sums(sums) = self { std::mem::take(sums) } else { RowSums::default() }
    }
}

/// What a device reports in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    Empty,
    Invalid,
    /// 32 bits could not hold the value.
    ForTheHost,
}

impl NoValue {
    /// The bits from which on there is no value. No value has bits as large as this.
    pub(crate) const FROM: u32 = 0xffff_fff0;
    /// Added to them if a side has no weight; below, if a weight is invalid.
    pub(crate) const EMPTY: u32 = 2;
    pub(crate) const INVALID: u32 = 3;

    /// Reads the bits; `None` for the bits of a value.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        match bits.checked_sub(Self::FROM)? {
            Self::EMPTY => Some(NoValue::Empty),
            Self::INVALID => Some(NoValue::Invalid),
            _ => Some(NoValue::ForTheHost),
        }
    }
}
