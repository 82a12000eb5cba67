//! Computations with one result on every device: integers, bits, truth values.

use crate::program::Kind;

/// Computes each word from the words of up to three operands.
pub(crate) fn each<const N: usize>(to: &mut [u32], of: [&[u32]; 3], f: impl Fn([u32; N]) -> u32) {
    let [a, b, c] = of.map(|words| &words[..to.len()]);
    for (i, to) in to.iter_mut().enumerate() {
        let all = [a[i], b[i], c[i]];
        *to = f(std::array::from_fn(|operand| all[operand]));
    }
}

fn truth(is: bool) -> u32 {
    u32::from(is).wrapping_neg()
}

fn signed(f: impl Fn(i32, i32) -> i32) -> impl Fn([u32; 2]) -> u32 {
    move |[a, b]| f(a.cast_signed(), b.cast_signed()).cast_unsigned()
}

/// Computes a kind of this file. Returns whether the kind is one of them.
pub(crate) fn compute(kind: Kind, to: &mut [u32], of: [&[u32]; 3]) -> bool {
    match kind {
        Kind::Copy => each(to, of, |[a]| a),
        Kind::Add => each(to, of, |[a, b]| a.wrapping_add(b)),
        Kind::Subtract => each(to, of, |[a, b]| a.wrapping_sub(b)),
        Kind::Multiply => each(to, of, |[a, b]| a.wrapping_mul(b)),
        // WGSL defines x / 0 = x and x % 0 = 0.
        Kind::DivideI => each(to, of, signed(|a, b| if b == 0 { a } else { a.wrapping_div(b) })),
        Kind::DivideU => each(to, of, |[a, b]| a.checked_div(b).unwrap_or(a)),
        Kind::RemainderI => each(to, of, signed(|a, b| if b == 0 { 0 } else { a.wrapping_rem(b) })),
        Kind::RemainderU => each(to, of, |[a, b]| a.checked_rem(b).unwrap_or(0)),
        Kind::Negate => each(to, of, |[a]| a.wrapping_neg()),
        Kind::And => each(to, of, |[a, b]| a & b),
        Kind::Or => each(to, of, |[a, b]| a | b),
        Kind::Xor => each(to, of, |[a, b]| a ^ b),
        Kind::Not => each(to, of, |[a]| !a),
        Kind::ShiftLeft => each(to, of, |[a, b]| a.wrapping_shl(b)),
        Kind::ShiftRightI => each(to, of, |[a, b]| a.cast_signed().wrapping_shr(b).cast_unsigned()),
        Kind::ShiftRightU => each(to, of, |[a, b]| a.wrapping_shr(b)),
        Kind::MinI => each(to, of, signed(i32::min)),
        Kind::MinU => each(to, of, |[a, b]| a.min(b)),
        Kind::MaxI => each(to, of, signed(i32::max)),
        Kind::MaxU => each(to, of, |[a, b]| a.max(b)),
        Kind::AbsI => each(to, of, |[a]| a.cast_signed().unsigned_abs()),
        Kind::SignI => each(to, of, |[a]| a.cast_signed().signum().cast_unsigned()),
        Kind::CountOnes => each(to, of, |[a]| a.count_ones()),
        Kind::LeadingZeros => each(to, of, |[a]| a.leading_zeros()),
        Kind::TrailingZeros => each(to, of, |[a]| a.trailing_zeros()),
        Kind::ReverseBits => each(to, of, |[a]| a.reverse_bits()),
        Kind::FirstTrailingBit => each(to, of, |[a]| if a == 0 { u32::MAX } else { a.trailing_zeros() }),
        Kind::FirstLeadingBitU => each(to, of, |[a]| 31_u32.wrapping_sub(a.leading_zeros())),
        Kind::FirstLeadingBitI => each(to, of, |[a]| {
            let changes = if a.cast_signed() < 0 { !a } else { a };
            31_u32.wrapping_sub(changes.leading_zeros())
        }),
        Kind::ExtractU => each(to, of, |[a, offset, count]| {
            let (offset, count) = field(offset, count);
            if count == 0 { 0 } else { (a << (32 - offset - count)) >> (32 - count) }
        }),
        Kind::ExtractI => each(to, of, |[a, offset, count]| {
            let (offset, count) = field(offset, count);
            let all = if count == 0 { 0 } else { (a << (32 - offset - count)).cast_signed() >> (32 - count) };
            all.cast_unsigned()
        }),
        Kind::Equal => each(to, of, |[a, b]| truth(a == b)),
        Kind::NotEqual => each(to, of, |[a, b]| truth(a != b)),
        Kind::LessI => each(to, of, |[a, b]| truth(a.cast_signed() < b.cast_signed())),
        Kind::LessU => each(to, of, |[a, b]| truth(a < b)),
        Kind::LessEqualI => each(to, of, |[a, b]| truth(a.cast_signed() <= b.cast_signed())),
        Kind::LessEqualU => each(to, of, |[a, b]| truth(a <= b)),
        Kind::Select => each(to, of, |[condition, a, b]| (condition & a) | (!condition & b)),
        _ => return false,
    }
    true
}

/// A field of bits, cut off at the end of the word.
fn field(offset: u32, count: u32) -> (u32, u32) {
    let offset = offset.min(32);
    (offset, count.min(32 - offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, a: u32, b: u32, c: u32) -> u32 {
        let mut to = [0];
        assert!(compute(kind, &mut to, [&[a], &[b], &[c]]));
        to[0]
    }

    #[test]
    fn corners_are_those_of_wgsl() {
        assert_eq!(of(Kind::DivideU, 7, 0, 0), 7);
        assert_eq!(of(Kind::RemainderU, 7, 0, 0), 0);
        assert_eq!(of(Kind::DivideI, 0x8000_0000, u32::MAX, 0), 0x8000_0000);
        assert_eq!(of(Kind::RemainderI, 0x8000_0000, u32::MAX, 0), 0);
        assert_eq!(of(Kind::ShiftLeft, 1, 33, 0), 2);
        assert_eq!(of(Kind::FirstLeadingBitU, 0, 0, 0), u32::MAX);
        assert_eq!(of(Kind::FirstLeadingBitI, u32::MAX, 0, 0), u32::MAX);
        assert_eq!(of(Kind::FirstLeadingBitI, 0xffff_fff0, 0, 0), 3);
        assert_eq!(of(Kind::ExtractU, 0xabcd, 4, 8,), 0xbc);
        assert_eq!(of(Kind::ExtractI, 0xf0, 4, 4), u32::MAX);
        assert_eq!(of(Kind::ExtractU, 0xabcd, 40, 8), 0);
        assert_eq!(of(Kind::Select, u32::MAX, 3, 5), 3);
    }
}
