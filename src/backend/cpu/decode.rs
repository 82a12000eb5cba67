//! Weights of any type → the kernel's floats, row by row, exactly.

use half::slice::HalfFloatSliceExt;

use super::row::power_of_two;
use super::totals::RowWeights;
use crate::backend::RowFlags;
use crate::divergence::lanes::Real;
use crate::rows::{Rows, Weights};

/// Where rows that cannot be read in place are decoded to.
#[derive(Debug, Default)]
pub(crate) struct Scratch<T> {
    high: Vec<T>,
    low: Vec<T>,
}

/// A decoded row, and what decoding alone could see.
pub(crate) struct Decoded<'a, T> {
    pub(crate) weights: RowWeights<'a, T>,
    /// A negative count.
    pub(crate) negative: bool,
    /// A value that this precision cannot hold.
    pub(crate) inexact: bool,
}

impl<T> Decoded<'_, T> {
    /// The flags of a pair of rows.
    pub(crate) fn flags(p: &Decoded<'_, T>, q: &Decoded<'_, T>) -> u32 {
        let mut flags = 0;
        if p.negative {
            flags |= RowFlags::INVALID_P;
        }
        if q.negative {
            flags |= RowFlags::INVALID_Q;
        }
        if flags == 0 && (p.inexact || q.inexact) {
            flags |= RowFlags::RESCUE;
        }
        flags
    }
}

/// A precision that every weight type it takes can be decoded to.
pub(crate) trait Decode: Real {
    /// The row at `row` of a matrix. `added` is what a policy will add to its weights.
    fn row<'a>(rows: &Rows<'a>, row: usize, added: f64, scratch: &'a mut Scratch<Self>) -> Decoded<'a, Self>;
}

/// The elements of one row.
macro_rules! elements {
    ($slice:expr, $rows:expr, $row:expr) => {{
        let from = $row * $rows.row_stride();
        &$slice[from..from + $rows.bins()]
    }};
}

fn in_place<T>(high: &[T]) -> Decoded<'_, T> {
    Decoded { weights: RowWeights { high, low: None, unit: 1.0 }, negative: false, inexact: false }
}

impl Decode for f32 {
    fn row<'a>(rows: &Rows<'a>, row: usize, _added: f64, scratch: &'a mut Scratch<f32>) -> Decoded<'a, f32> {
        /// Integers up to here are exact in 24 bits.
        const LARGEST: u32 = 1 << 24;
        let bins = rows.bins();
        let high = &mut scratch.high;
        high.clear();
        let mut negative = false;
        let mut largest = 0;
        match rows.weights() {
            Weights::F32(slice) => return in_place(elements!(slice, rows, row)),
            Weights::F16(slice) => {
                high.resize(bins, 0.0);
                elements!(slice, rows, row).convert_to_f32_slice(high);
            }
            Weights::Bf16(slice) => {
                high.resize(bins, 0.0);
                elements!(slice, rows, row).convert_to_f32_slice(high);
            }
            Weights::U8(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f32::from(x))),
            Weights::U16(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f32::from(x))),
            Weights::U32(slice) => {
                let row = elements!(slice, rows, row);
                largest = row.iter().fold(0, |most, &x| most.max(x));
                high.extend(row.iter().map(|&x| x as f32));
            }
            Weights::I32(slice) => {
                let row = elements!(slice, rows, row);
                negative = row.iter().fold(false, |any, &x| any | (x < 0));
                largest = row.iter().fold(0, |most, &x| most.max(x)).cast_unsigned();
                high.extend(row.iter().map(|&x| x as f32));
            }
            // The planner sends 64-bit weights to the 64-bit kernel; marked, were it ever not so.
            Weights::F64(_) | Weights::U64(_) | Weights::I64(_) => largest = u32::MAX,
        }
        Decoded {
            weights: RowWeights { high: &scratch.high, low: None, unit: 1.0 },
            negative,
            inexact: largest > LARGEST,
        }
    }
}

impl Decode for f64 {
    fn row<'a>(rows: &Rows<'a>, row: usize, added: f64, scratch: &'a mut Scratch<f64>) -> Decoded<'a, f64> {
        /// Integers up to here are exact in 53 bits.
        const LARGEST: u64 = 1 << 53;
        let Scratch { high, low } = scratch;
        high.clear();
        low.clear();
        let mut negative = false;
        match rows.weights() {
            Weights::F64(slice) => {
                let row = elements!(slice, rows, row);
                return match outside_range(row, added) {
                    None => in_place(row),
                    Some(exponent) => scaled(row, exponent, &mut scratch.high),
                };
            }
            Weights::F32(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::F16(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::Bf16(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::U8(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::U16(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::U32(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::I32(slice) => high.extend(elements!(slice, rows, row).iter().map(|&x| f64::from(x))),
            Weights::U64(slice) => {
                let row = elements!(slice, rows, row);
                high.extend(row.iter().map(|&x| x as f64));
                if row.iter().any(|&x| x > LARGEST) {
                    low.extend(row.iter().map(|&x| (i128::from(x) - x as f64 as i128) as f64));
                }
            }
            Weights::I64(slice) => {
                let row = elements!(slice, rows, row);
                negative = row.iter().any(|&x| x < 0);
                high.extend(row.iter().map(|&x| x as f64));
                if row.iter().any(|&x| x.unsigned_abs() > LARGEST) {
                    low.extend(row.iter().map(|&x| (i128::from(x) - x as f64 as i128) as f64));
                }
            }
        }
        let low = (!scratch.low.is_empty()).then_some(scratch.low.as_slice());
        Decoded { weights: RowWeights { high: &scratch.high, low, unit: 1.0 }, negative, inexact: false }
    }
}

/// The exponent of the largest weight of a row whose total the kernel could not hold, or could hold
/// only among the subnormals; such rows are scaled by a power of two first.
fn outside_range(row: &[f64], added: f64) -> Option<i32> {
    /// Rows whose largest weight has an exponent within this bound either way are used as they are.
    const LIMIT: i32 = 800;
    let largest = row.iter().fold(added, |most: f64, &x| if x > most && x <= f64::MAX { x } else { most });
    if largest == 0.0 {
        return None;
    }
    // A subnormal has no exponent of its own; −1074 + its length in bits is near enough.
    let exponent = if largest < f64::MIN_POSITIVE {
        -1074 + (64 - largest.to_bits().leading_zeros() as i32)
    } else {
        ((largest.to_bits() >> 52) as i32) - 1023
    };
    (exponent.abs() > LIMIT).then_some(exponent)
}

fn scaled<'a>(row: &[f64], exponent: i32, high: &'a mut Vec<f64>) -> Decoded<'a, f64> {
    // In two steps: 2^1074 is not a float.
    let first = -exponent / 2;
    let (first, second) = (power_of_two(first), power_of_two(-exponent - first));
    high.extend(row.iter().map(|&x| x * first * second));
    let unit = first * second;
    // A weight that scaling makes subnormal or nothing is beyond what a float can compare.
    let inexact = row.iter().zip(&*high).any(|(&x, &scaled)| x > 0.0 && scaled < f64::MIN_POSITIVE);
    Decoded { weights: RowWeights { high, low: None, unit }, negative: false, inexact }
}
