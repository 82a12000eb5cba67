//! `Rows`: a borrowed matrix of weights, and the only checks of its shape.

use half::{bf16, f16};

use crate::error::{Error, Result};

/// The element type of a matrix of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WeightType {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    Bf16,
    /// 8-bit count.
    U8,
    /// 16-bit count.
    U16,
    /// 32-bit count.
    U32,
    /// 64-bit count.
    U64,
    /// Signed 32-bit count; negative values are invalid.
    I32,
    /// Signed 64-bit count; negative values are invalid.
    I64,
}

impl WeightType {
    /// Every type, in the order of declaration.
    pub const ALL: [WeightType; 10] = [
        WeightType::F32,
        WeightType::F64,
        WeightType::F16,
        WeightType::Bf16,
        WeightType::U8,
        WeightType::U16,
        WeightType::U32,
        WeightType::U64,
        WeightType::I32,
        WeightType::I64,
    ];

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            WeightType::U8 => 1,
            WeightType::F16 | WeightType::Bf16 | WeightType::U16 => 2,
            WeightType::F32 | WeightType::U32 | WeightType::I32 => 4,
            WeightType::F64 | WeightType::U64 | WeightType::I64 => 8,
        }
    }

    /// Whether the values are computed in 64-bit floats, with the tighter part of the contract.
    #[must_use]
    pub const fn is_wide(self) -> bool {
        self.size() == 8
    }

    /// The name used in messages, reports and file metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            WeightType::F32 => "f32",
            WeightType::F64 => "f64",
            WeightType::F16 => "f16",
            WeightType::Bf16 => "bf16",
            WeightType::U8 => "u8",
            WeightType::U16 => "u16",
            WeightType::U32 => "u32",
            WeightType::U64 => "u64",
            WeightType::I32 => "i32",
            WeightType::I64 => "i64",
        }
    }
}

/// The elements of a matrix, row-major, borrowed from the caller.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Weights<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 64-bit floats.
    F64(&'a [f64]),
    /// Half floats.
    F16(&'a [f16]),
    /// bfloat16.
    Bf16(&'a [bf16]),
    /// 8-bit counts.
    U8(&'a [u8]),
    /// 16-bit counts.
    U16(&'a [u16]),
    /// 32-bit counts.
    U32(&'a [u32]),
    /// 64-bit counts.
    U64(&'a [u64]),
    /// Signed 32-bit counts.
    I32(&'a [i32]),
    /// Signed 64-bit counts.
    I64(&'a [i64]),
}

/// Runs the same expression on the slice inside [`Weights`], whatever its type.
macro_rules! each_weight {
    ($weights:expr, $slice:ident => $body:expr) => {
        match $weights {
            $crate::weights::Weights::F32($slice) => $body,
            $crate::weights::Weights::F64($slice) => $body,
            $crate::weights::Weights::F16($slice) => $body,
            $crate::weights::Weights::Bf16($slice) => $body,
            $crate::weights::Weights::U8($slice) => $body,
            $crate::weights::Weights::U16($slice) => $body,
            $crate::weights::Weights::U32($slice) => $body,
            $crate::weights::Weights::U64($slice) => $body,
            $crate::weights::Weights::I32($slice) => $body,
            $crate::weights::Weights::I64($slice) => $body,
        }
    };
}

impl<'a> Weights<'a> {
    /// The element type.
    #[must_use]
    pub fn weight_type(&self) -> WeightType {
        match self {
            Weights::F32(_) => WeightType::F32,
            Weights::F64(_) => WeightType::F64,
            Weights::F16(_) => WeightType::F16,
            Weights::Bf16(_) => WeightType::Bf16,
            Weights::U8(_) => WeightType::U8,
            Weights::U16(_) => WeightType::U16,
            Weights::U32(_) => WeightType::U32,
            Weights::U64(_) => WeightType::U64,
            Weights::I32(_) => WeightType::I32,
            Weights::I64(_) => WeightType::I64,
        }
    }

    /// Elements in the slice.
    #[must_use]
    pub fn len(&self) -> usize {
        each_weight!(self, slice => slice.len())
    }

    /// Whether the slice has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same elements as bytes, in the form that travels to a device.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        each_weight!(*self, slice => bytemuck::cast_slice(slice))
    }

    /// The element at `index` as a 64-bit float (rounded above 2⁵³), for messages; `None` past the end.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<f64> {
        each_weight!(self, slice => slice.get(index).map(|value| value.to_f64()))
    }
}

/// An element type of [`Weights`]. Sealed: the ten types of [`WeightType`].
pub trait Weight: Copy + Send + Sync + private::Sealed + 'static {
    /// Wraps a slice of this type.
    fn weights(slice: &[Self]) -> Weights<'_>;
    /// The value as a 64-bit float. It is exact except for integers above 2⁵³.
    fn to_f64(self) -> f64;
}

mod private {
    pub trait Sealed {}
}

macro_rules! weight {
    ($($type:ty => $variant:ident, $value:ident => $convert:expr;)*) => {$(
        impl private::Sealed for $type {}
        impl Weight for $type {
            #[inline]
            fn weights(slice: &[Self]) -> Weights<'_> {
                Weights::$variant(slice)
            }
            #[inline]
            fn to_f64(self) -> f64 {
                let $value = self;
                $convert
            }
        }
    )*};
}

weight! {
    f32 => F32, value => f64::from(value);
    f64 => F64, value => value;
    f16 => F16, value => f64::from(value);
    bf16 => Bf16, value => f64::from(value);
    u8 => U8, value => f64::from(value);
    u16 => U16, value => f64::from(value);
    u32 => U32, value => f64::from(value);
    u64 => U64, value => value as f64;
    i32 => I32, value => f64::from(value);
    i64 => I64, value => value as f64;
}

/// A borrowed matrix of weights: `rows × bins`, row-major, any [`WeightType`].
///
/// Rows need not be normalised and need not be next to each other: see [`Rows::stride`].
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    weights: Weights<'a>,
    bins: usize,
    stride: usize,
    rows: usize,
}

impl<'a> Rows<'a> {
    /// A matrix whose rows lie one after the other.
    ///
    /// # Errors
    /// [`Error::ZeroBins`], or [`Error::PartialRow`] when the slice is not a whole number of rows.
    pub fn new<W: Weight>(weights: &'a [W], bins: usize) -> Result<Self> {
        Self::from_weights(W::weights(weights), bins)
    }

    /// The same for a slice that is already wrapped, if the type is known only at run time.
    ///
    /// # Errors
    /// As [`Rows::new`].
    pub fn from_weights(weights: Weights<'a>, bins: usize) -> Result<Self> {
        if bins == 0 {
            return Err(Error::ZeroBins);
        }
        let elements = weights.len();
        let remainder = elements % bins;
        if remainder != 0 {
            return Err(Error::PartialRow { elements, bins, stride: bins, remainder });
        }
        Ok(Self { weights, bins, stride: bins, rows: elements / bins })
    }

    /// The same elements with `stride` elements between the starts of two rows, so that a column range of a wider matrix can be
    /// read in place. The last row may end with its last bin. Use [`Rows::strided`] if the slice is not a whole number of bins.
    ///
    /// # Errors
    /// [`Error::StrideTooShort`], [`Error::PartialRow`].
    pub fn stride(self, stride: usize) -> Result<Self> {
        Self::strided_weights(self.weights, self.bins, stride)
    }

    /// A matrix with `bins` bins per row and `stride` elements between the starts of two rows.
    ///
    /// # Errors
    /// [`Error::ZeroBins`], [`Error::StrideTooShort`], [`Error::PartialRow`].
    pub fn strided<W: Weight>(weights: &'a [W], bins: usize, stride: usize) -> Result<Self> {
        Self::strided_weights(W::weights(weights), bins, stride)
    }

    fn strided_weights(weights: Weights<'a>, bins: usize, stride: usize) -> Result<Self> {
        if bins == 0 {
            return Err(Error::ZeroBins);
        }
        if stride < bins {
            return Err(Error::StrideTooShort { stride, bins });
        }
        let elements = weights.len();
        let remainder = elements % stride;
        let rows = elements / stride + usize::from(remainder >= bins);
        if remainder != 0 && remainder < bins {
            return Err(Error::PartialRow { elements, bins, stride, remainder });
        }
        Ok(Self { weights, bins, stride, rows })
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bins of a row.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Elements between the starts of two rows.
    #[must_use]
    pub fn row_stride(&self) -> usize {
        self.stride
    }

    /// The element type.
    #[must_use]
    pub fn weight_type(&self) -> WeightType {
        self.weights.weight_type()
    }

    /// The elements, gaps between rows included.
    #[must_use]
    pub fn weights(&self) -> Weights<'a> {
        self.weights
    }

    /// The rows `start .. start + count` as a separate matrix. Rows out of range are cut off.
    #[must_use]
    pub fn slice(&self, start: usize, count: usize) -> Rows<'a> {
        let start = start.min(self.rows);
        let count = count.min(self.rows - start);
        let from = (start * self.stride).min(self.weights.len());
        let to = if count == 0 { from } else { (from + (count - 1) * self.stride + self.bins).min(self.weights.len()) };
        let weights = each_weight!(self.weights, slice => Weight::weights(&slice[from..to]));
        Rows { weights, rows: count, ..*self }
    }

    /// Some bins of one row, as a matrix of that row alone. The range must lie in the row.
    pub(crate) fn part(&self, row: usize, from: usize, bins: usize) -> Rows<'a> {
        let from = row * self.stride + from;
        let weights = each_weight!(self.weights, slice => Weight::weights(&slice[from..from + bins]));
        Rows { weights, bins, stride: bins, rows: 1 }
    }

    /// The weight in `row` and `bin` as a 64-bit float, for messages; `None` outside the matrix.
    #[must_use]
    pub fn get(&self, row: usize, bin: usize) -> Option<f64> {
        if row >= self.rows || bin >= self.bins {
            return None;
        }
        self.weights.get(row * self.stride + bin)
    }

    /// Whether every weight of a row is valid: not negative, not NaN, not infinite. A row that is not there is not valid.
    #[must_use]
    pub fn is_valid(&self, row: usize) -> bool {
        if row >= self.rows {
            return false;
        }
        let bins = row * self.stride..row * self.stride + self.bins;
        each_weight!(self.weights, slice => {
            let valid = |weight: f64| (0.0..=f64::MAX).contains(&weight);
            slice[bins].iter().fold(true, |all, weight| all & valid(weight.to_f64()))
        })
    }
}
