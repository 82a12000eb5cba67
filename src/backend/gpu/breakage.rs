//! Devices that are broken on purpose, to test what finds them. Sources are changed before they are compiled, as a faulty
//! compiler or driver would change them.

use std::borrow::Cow;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breakage {
    /// There is no `opaque`: the compiler rearranges what it keeps apart.
    Opaque,
    /// The compiler knows the number that is 0 at run time, and sees through `opaque`.
    Zero,
    /// Quotients are computed from numbers with half the digits.
    Division,
    /// Words that are moved lose their lowest bit.
    Words,
    /// Products of whole numbers lose their lowest bit.
    Products,
    /// The threads of a subgroup are in another order.
    Lanes,
    /// Logarithms of the kernels are a little wrong, but no answer of the probe is.
    Logarithm,
    /// Sorting gives the reverse order.
    Sorting,
    /// The largest values are wrong.
    Largest,
    /// Counts of a histogram are one too high.
    Histogram,
    /// Means of a block are a little wrong.
    Mean,
    /// Products of rows of all pairs lose their lowest bit.
    PairProducts,
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
            Breakage::Logarithm => ("const LN_2_REST: f32 = 3.1946185e-5;", "const LN_2_REST: f32 = 3.5e-5;"),
            Breakage::Sorting => ("return a.x > b.x ||", "return a.x < b.x ||"),
            Breakage::Largest => ("select(value + 1u, 0u,", "select(value + 2u, 0u,"),
            Breakage::Histogram => ("blocks[group] = partial_sums[0];", "blocks[group] = partial_sums[0] + 1u;"),
            Breakage::Mean => ("bitcast<u32>(all.mean)", "bitcast<u32>(all.mean * 1.001)"),
            Breakage::PairProducts => ("whole_b += p.y * q;", "whole_b += p.y * (2.0 * floor(0.5 * q));"),
        };
        if source.contains(from) { Cow::Owned(source.replace(from, to)) } else { Cow::Borrowed(source) }
    }
}
