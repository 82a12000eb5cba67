// A stored weight as a float, and what its bits say. Negative, NaN and infinite values are found before any float operation,
// because an implementation may assume that there are none. −0 is 0.

struct Weight {
    value: f32,
    invalid: bool,
    // The weight is not exact in a float, or has digits that a device may flush. The row is rescued.
    inexact: bool,
}

// The bits of 2⁻¹⁰². Below it, the last digits of a float are subnormal numbers once the float is cut into two parts, and many
// devices turn those into 0.
const LEAST_EXACT: u32 = 0x0c800000u;
// The bits of 2⁹⁰. Totals of larger weights are left to the host, so no sum overflows.
const MOST_EXACT: u32 = 0x6c800000u;

fn decode_f32(word: u32, part: u32) -> Weight {
    let magnitude = word & 0x7fffffffu;
    let invalid = magnitude >= 0x7f800000u || (word > 0x80000000u);
    let inexact = (magnitude > 0u && magnitude < LEAST_EXACT) || magnitude >= MOST_EXACT;
    let value = bitcast<f32>(select(magnitude, 0u, invalid || inexact));
    return Weight(value, invalid, inexact && !invalid);
}

fn decode_bf16(word: u32, part: u32) -> Weight {
    return decode_f32(((word >> (16u * part)) & 0xffffu) << 16u, 0u);
}

fn decode_f16(word: u32, part: u32) -> Weight {
    let bits = (word >> (16u * part)) & 0xffffu;
    let magnitude = bits & 0x7fffu;
    let invalid = magnitude >= 0x7c00u || bits > 0x8000u;
    let normal = bitcast<f32>((magnitude << 13u) + (112u << 23u));
    // A subnormal weight is `magnitude` units of 2⁻²⁴.
    let small = f32(magnitude) * bitcast<f32>(103u << 23u);
    let value = select(normal, small, magnitude < 0x0400u);
    return Weight(select(value, 0.0, invalid), invalid, false);
}

fn decode_u8(word: u32, part: u32) -> Weight {
    return Weight(f32((word >> (8u * part)) & 0xffu), false, false);
}

fn decode_u16(word: u32, part: u32) -> Weight {
    return Weight(f32((word >> (16u * part)) & 0xffffu), false, false);
}

fn decode_u32(word: u32, part: u32) -> Weight {
    return Weight(f32(word), false, word > 0x1000000u);
}

fn decode_i32(word: u32, part: u32) -> Weight {
    let invalid = (word >> 31u) != 0u;
    return Weight(f32(select(word, 0u, invalid)), invalid, !invalid && word > 0x1000000u);
}

// A stored weight as the bits of a float, in one or two operations. Negative, NaN and infinite weights come out above the bits of
// the largest float, inexact ones below LEAST_EXACT.

const ABOVE_ALL: u32 = 0x7f800000u;

fn bits_f32(word: u32, part: u32) -> u32 {
    return word;
}

fn bits_bf16(word: u32, part: u32) -> u32 {
    return ((word >> (16u * part)) & 0xffffu) << 16u;
}

fn bits_f16(word: u32, part: u32) -> u32 {
    let weight = decode_f16(word, part);
    return select(bitcast<u32>(weight.value), ABOVE_ALL, weight.invalid);
}

fn bits_u8(word: u32, part: u32) -> u32 {
    return bitcast<u32>(decode_u8(word, part).value);
}

fn bits_u16(word: u32, part: u32) -> u32 {
    return bitcast<u32>(decode_u16(word, part).value);
}

fn bits_u32(word: u32, part: u32) -> u32 {
    return select(bitcast<u32>(f32(word)), 1u, word > 0x1000000u);
}

fn bits_i32(word: u32, part: u32) -> u32 {
    return select(bits_u32(word, part), ABOVE_ALL, (word >> 31u) != 0u);
}
