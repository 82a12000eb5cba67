//! Devices that are broken on purpose, for the tests of what finds them: sources changed before they are compiled, as a
//! compiler or a driver with a fault would.

use std::borrow::Cow;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breakage {
    /// There is no `opaque`: the compiler rearranges what it keeps apart.
    Opaque,
    /// The compiler knows the number that is 0 at run time, and sees through `opaque`.
    Zero,
    /// Quotients are those of numbers with half the digits.
    Division,
    /// Words that are moved lose their lowest bit.
    Words,
    /// Products of whole numbers lose their lowest bit.
    Products,
    /// The threads of a subgroup are in another order.
    Lanes,
    /// Logarithms of the kernels are a little off, but nothing that is asked of the device.
    Logarithm,
}

impl Breakage {
    /// The source as such a device has it.
    pub(super) fn apply(self, source: &str) -> Cow<'_, str> {
        let (from, to) = match self {
            Breakage::Opaque => ("return bitcast<f32>(bitcast<u32>(x) ^ params.zero);", "return x;"),
            Breakage::Zero => ("bitcast<u32>(x) ^ params.zero", "bitcast<u32>(x) ^ 0u"),
            Breakage::Division => ("c.high / d.high", "c.high / leading(d.high)"),
            Breakage::Words => ("answers[to + 13u] = word;", "answers[to + 13u] = word & ~1u;"),
            Breakage::Products => ("sum += f32(x) * f32(y);", "sum += f32(x & ~1u) * f32(y);"),
            Breakage::Lanes => {
                ("subgroupShuffleXor(thread, distance)", "subgroupShuffleXor(thread ^ (thread >> 1u), distance)")
            }
            Breakage::Logarithm => ("const LN_2: f32 = 0.69314718;", "const LN_2: f32 = 0.69315;"),
        };
        if source.contains(from) { Cow::Owned(source.replace(from, to)) } else { Cow::Borrowed(source) }
    }
}
