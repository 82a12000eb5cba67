//! Decodes weights of any type into the kernel's floats, exactly.

use fearless_simd::{Bytes, Simd, SimdBase, SimdInt, SimdWiden};
use half::slice::HalfFloatSliceExt;

use super::totals::RowWeights;
use crate::arithmetic::lanes::Real;
use crate::arithmetic::powers::power_of_two;
use crate::row_sums::RowFlags;
use crate::weights::{Rows, Weights};
use crate::zeros::Zeros;

/// The target for rows that cannot be read in place.
#[derive(Debug, Default)]
pub(crate) struct Scratch<T> {
    high: Vec<T>,
    low: Vec<T>,
}

/// A decoded row, and what only decoding can see.
pub(crate) struct Decoded<'a, T> {
    pub weights: RowWeights<'a, T>,
    /// Whether this precision cannot hold some value.
    pub inexact: bool,
}

impl<T> Decoded<'_, T> {
    pub(crate) fn flags(p: &Decoded<'_, T>, q: &Decoded<'_, T>) -> u32 {
        if p.inexact || q.inexact { RowFlags::RESCUE } else { 0 }
    }
}

/// A precision that can hold every weight type it takes.
pub(crate) trait Decode: Real {
    /// The weights themselves, where they are floats of this precision.
    fn in_place<'a>(weights: Weights<'a>) -> Option<&'a [Self]>;

    /// Writes the weights from element `from` on into `out`. Returns whether each is exact. Negative counts become negative
    /// floats.
    fn decode<S: Simd>(simd: S, weights: Weights<'_>, from: usize, out: &mut [Self]) -> bool;

    /// Row `row` of a matrix, for the kernel that takes any row.
    fn row<'a, S: Simd>(
        simd: S,
        rows: &Rows<'a>,
        row: usize,
        policy: &Policy<'_>,
        scratch: &'a mut Scratch<Self>,
    ) -> Decoded<'a, Self>;
}

/// What a policy will do to a row, as far as it matters when the row is brought near 1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy<'a> {
    /// The amount it adds to each weight.
    added: f64,
    /// Whether its amounts depend on the total of the row.
    has_amounts: bool,
    /// The other row, if bins that the other row lacks are left out.
    other: Option<(&'a Rows<'a>, usize)>,
}

impl<'a> Policy<'a> {
    /// The policy for a row that meets row `row` of `other`.
    pub(crate) fn new(zeros: Zeros, other: &'a Rows<'a>, row: usize) -> Self {
        Self {
            added: if let Zeros::Additive(amount) = zeros { amount } else { 0.0 },
            has_amounts: !matches!(zeros, Zeros::Exact | Zeros::Skip),
            other: (zeros == Zeros::Skip).then_some((other, row)),
        }
    }

    /// Whether the policy leaves out a bin.
    fn leaves_out(&self, bin: usize) -> bool {
        self.other.is_some_and(|(other, row)| other.get(row, bin) == Some(0.0))
    }
}

/// Writes `$value` for each `$x` from `from` on.
macro_rules! convert {
    ($slice:expr, $from:expr, $out:expr, $x:ident => $value:expr) => {
        for (out, &$x) in $out.iter_mut().zip(&$slice[$from..]) {
            *out = $value;
        }
    };
}

/// Writes 16-bit weights from `from` on, one vector at a time. `$floats` converts each vector of 32-bit integers, and `$value`
/// each weight of the remainder.
macro_rules! convert_16 {
    ($simd:ident, $S:ident, $slice:expr, $from:expr, $out:expr, $x:ident => $floats:expr, $value:expr) => {{
        let (lanes, slice) = ($S::u16s::LEN, &$slice[$from..$from + $out.len()]);
        let (mut ins, mut outs) = (slice.chunks_exact(lanes), $out.chunks_exact_mut(lanes));
        for (x, out) in (&mut ins).zip(&mut outs) {
            let (low, high) = $S::u16s::from_slice($simd, x).widen();
            let (first, second) = out.split_at_mut(lanes / 2);
            for ($x, out) in [(low, first), (high, second)] {
                let floats: $S::f32s = $floats;
                floats.store_slice(out);
            }
        }
        for (&$x, out) in ins.remainder().iter().zip(outs.into_remainder()) {
            *out = $value;
        }
    }};
}

/// Whether the integers from `from` on, as many as `out` holds, are at most `$largest` in size.
macro_rules! at_most {
    ($slice:expr, $from:expr, $out:expr, $largest:expr) => {
        $slice[$from..$from + $out.len()].iter().fold(true, |all, x| all & (x.abs_diff(0) <= $largest))
    };
}

/// Integers up to this one are exact in 24 bits.
pub(crate) const LARGEST_IN_24_BITS: u32 = 1 << 24;
/// Integers up to this one are exact in 53 bits.
const LARGEST_IN_53_BITS: u64 = 1 << 53;

impl Decode for f32 {
    #[inline(always)]
    fn in_place<'a>(weights: Weights<'a>) -> Option<&'a [f32]> {
        if let Weights::F32(slice) = weights { Some(slice) } else { None }
    }

    #[inline(always)]
    fn decode<S: Simd>(simd: S, weights: Weights<'_>, from: usize, out: &mut [f32]) -> bool {
        match weights {
            Weights::F32(slice) => out.copy_from_slice(&slice[from..from + out.len()]),
            Weights::F16(slice) => slice[from..from + out.len()].convert_to_f32_slice(out),
            Weights::Bf16(slice) => {
                let slice: &[u16] = bytemuck::cast_slice(slice);
                convert_16!(simd, S, slice, from, out, x => (x << 16).bitcast(), f32::from_bits(u32::from(x) << 16));
            }
            Weights::U8(slice) => convert!(slice, from, out, x => f32::from(x)),
            Weights::U16(slice) => convert_16!(simd, S, slice, from, out, x => x.to_float(), f32::from(x)),
            Weights::U32(slice) => {
                convert!(slice, from, out, x => x as f32);
                return at_most!(slice, from, out, LARGEST_IN_24_BITS);
            }
            Weights::I32(slice) => {
                convert!(slice, from, out, x => x as f32);
                return at_most!(slice, from, out, LARGEST_IN_24_BITS);
            }
            // The planner sends 64-bit weights to the 64-bit kernel. If it ever does not, the row is marked.
            Weights::F64(_) | Weights::U64(_) | Weights::I64(_) => {
                out.fill(0.0);
                return false;
            }
        }
        true
    }

    #[inline(always)]
    fn row<'a, S: Simd>(
        simd: S,
        rows: &Rows<'a>,
        row: usize,
        _policy: &Policy<'_>,
        scratch: &'a mut Scratch<f32>,
    ) -> Decoded<'a, f32> {
        let from = row * rows.row_stride();
        if let Some(slice) = Self::in_place(rows.weights()) {
            return whole(&slice[from..from + rows.bins()]);
        }
        scratch.high.resize(rows.bins(), 0.0);
        let exact = Self::decode(simd, rows.weights(), from, &mut scratch.high);
        Decoded { inexact: !exact, ..whole(&scratch.high) }
    }
}

impl Decode for f64 {
    #[inline(always)]
    fn in_place<'a>(weights: Weights<'a>) -> Option<&'a [f64]> {
        if let Weights::F64(slice) = weights { Some(slice) } else { None }
    }

    #[inline(always)]
    fn decode<S: Simd>(_simd: S, weights: Weights<'_>, from: usize, out: &mut [f64]) -> bool {
        match weights {
            Weights::F64(slice) => out.copy_from_slice(&slice[from..from + out.len()]),
            Weights::F32(slice) => convert!(slice, from, out, x => f64::from(x)),
            Weights::F16(slice) => slice[from..from + out.len()].convert_to_f64_slice(out),
            Weights::Bf16(slice) => convert!(slice, from, out, x => f64::from(x)),
            Weights::U8(slice) => convert!(slice, from, out, x => f64::from(x)),
            Weights::U16(slice) => convert!(slice, from, out, x => f64::from(x)),
            Weights::U32(slice) => convert!(slice, from, out, x => f64::from(x)),
            Weights::I32(slice) => convert!(slice, from, out, x => f64::from(x)),
            Weights::U64(slice) => {
                convert!(slice, from, out, x => x as f64);
                return at_most!(slice, from, out, LARGEST_IN_53_BITS);
            }
            Weights::I64(slice) => {
                convert!(slice, from, out, x => x as f64);
                return at_most!(slice, from, out, LARGEST_IN_53_BITS);
            }
        }
        true
    }

    #[inline(always)]
    fn row<'a, S: Simd>(
        simd: S,
        rows: &Rows<'a>,
        row: usize,
        policy: &Policy<'_>,
        scratch: &'a mut Scratch<f64>,
    ) -> Decoded<'a, f64> {
        let from = row * rows.row_stride();
        let Scratch { high, low } = scratch;
        low.clear();
        let in_place = Self::in_place(rows.weights()).map(|slice| &slice[from..from + rows.bins()]);
        let exponent = match in_place {
            Some(row) => match outside_range(row, policy) {
                None => return whole(row),
                exponent => {
                    high.clear();
                    high.extend_from_slice(row);
                    exponent
                }
            },
            None => {
                high.resize(rows.bins(), 0.0);
                if !Self::decode(simd, rows.weights(), from, high) {
                    // The exact rest of each weight after rounding to 53 bits.
                    let rest = |x: i128, high: f64| (x - high as i128) as f64;
                    match rows.weights() {
                        Weights::U64(w) => low.extend(w[from..].iter().zip(&*high).map(|(&x, &h)| rest(x.into(), h))),
                        Weights::I64(w) => low.extend(w[from..].iter().zip(&*high).map(|(&x, &h)| rest(x.into(), h))),
                        _ => {}
                    }
                }
                // Integers are never that small.
                outside_range(high, policy)
            }
        };
        let unit = exponent.map_or(1.0, |exponent| scale(high, exponent, policy));
        low.iter_mut().for_each(|rest| *rest *= unit);
        let low = (!low.is_empty()).then_some(low.as_slice());
        Decoded { weights: RowWeights { high, low, unit }, inexact: false }
    }
}

/// A row that needs no correction.
fn whole<T>(high: &[T]) -> Decoded<'_, T> {
    Decoded { weights: RowWeights { high, low: None, unit: 1.0 }, inexact: false }
}

/// The exponent of the largest weight of a row, among the bins that the policy leaves, if the row must be scaled by a power of
/// two first. That is so if the kernel could not hold the total, or if the total is small and the policy makes amounts of it.
fn outside_range(row: &[f64], policy: &Policy<'_>) -> Option<i32> {
    /// Rows are used as they are if the exponent of their largest weight is within this bound, either way.
    const LIMIT: i32 = 800;
    let is_weight = |(bin, x): &(usize, &f64)| **x <= f64::MAX && !policy.leaves_out(*bin);
    let largest = row.iter().enumerate().filter(is_weight).fold(policy.added, |most, (_, &x)| most.max(x));
    if largest == 0.0 {
        return None;
    }
    // A subnormal has no exponent of its own; −1074 + its length in bits is near enough. 2^1022 is the largest unit.
    let exponent = if largest < f64::MIN_POSITIVE {
        (-1074 + (64 - largest.to_bits().leading_zeros() as i32)).max(-1022)
    } else {
        ((largest.to_bits() >> 52) as i32) - 1023
    };
    let least = if policy.has_amounts { 0 } else { -LIMIT };
    (!(least..=LIMIT).contains(&exponent)).then_some(exponent)
}

/// Multiplies a row by 2 to minus `exponent`, without the bins that the policy leaves out. Returns the factor.
fn scale(row: &mut [f64], exponent: i32, policy: &Policy<'_>) -> f64 {
    /// Replaces a weight that would become 0: it still counts as a weight, and a negative one must not become 0.
    const LEAST: f64 = f64::from_bits(1);
    // Two steps, because 2⁻¹⁰²³ is below the normal floats.
    let first = -exponent / 2;
    let (first, second) = (power_of_two(first), power_of_two(-exponent - first));
    for (bin, x) in row.iter_mut().enumerate() {
        let scaled = *x * first * second;
        *x = match *x > 0.0 && policy.leaves_out(bin) {
            true => 0.0,
            false if scaled == 0.0 && *x != 0.0 => LEAST.copysign(*x),
            false => scaled,
        };
    }
    first * second
}
