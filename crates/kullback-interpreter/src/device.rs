//! Made-up devices. Each says what it does where WGSL leaves a choice.

use std::fmt;

use crate::hash::{Draws, mix, of_text};

/// The order in which the lanes of a workgroup access memory, and in which the workgroups of a dispatch run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneOrder {
    /// The first comes first.
    Forwards,
    /// The last comes first.
    Backwards,
    /// An order drawn from the seed.
    Shuffled,
}

/// One made-up device. What it does is a function of its fields, the instruction, and the bits of the operands. So the same
/// instruction with the same operands gives the same bits in every lane, workgroup and run.
///
/// An instruction is an expression of a function of the source. All calls are expanded in place, as compilers do.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The source of every choice that the other fields allow.
    pub seed: u64,
    /// Subnormal operands and results of float arithmetic are 0. The seed decides whether that is +0 or keeps the sign, and whether
    /// minima, maxima and comparisons flush too. Bits that are only moved stay: loads, stores, `select`, bitcasts, shuffles, signs.
    pub flush: bool,
    /// A product may stay unrounded until it is added or subtracted. Each instruction decides.
    pub contract: bool,
    /// The builtin `fma` rounds once; otherwise it rounds twice.
    pub fuse: bool,
    /// Sums and products are reordered, across variables and calls, in an order that each instruction decides. Terms that differ
    /// only in sign may cancel. Sums over the iterations of a loop keep their order.
    pub reassociate: bool,
    /// Where products are reordered, quotients among their factors are reordered too: `(a * b) / c` may be `(a / c) * b`, and `(a /
    /// c) * (b / c)` may be `(a * b) / (c * c)`, which may overflow or vanish. The text of WGSL allows this, but few compilers
    /// would do it. [`Device::random`] never sets it.
    pub reorder_division: bool,
    /// The largest error of a quotient, in units in the last place. WGSL says 2.5, and up to 0.5 is rounding. Even `x / 1` and `x /
    /// x` may be inexact; 0 divided by anything is 0. WGSL promises nothing if the divisor is above 2¹²⁶ or below 2⁻¹²⁶ in size:
    /// there a quotient may be 0 or infinite.
    pub division_ulp: f32,
    /// A square root may have an error of up to 4.5 units in the last place, as `1 / inverseSqrt(x)` has, and `inverseSqrt` one of
    /// 2. The square root of 0 is 0.
    pub rough_sqrt: bool,
    /// Results that are infinite or NaN may be anything, and so may comparisons with NaN.
    pub assumes_finite: bool,
    /// Each expansion of a function decides for itself, as if it were another instruction. [`Device::random`] never sets it.
    pub splits_copies: bool,
    /// Lanes per subgroup: 4, 8, 16, 32, 64 or 128. They are consecutive by local invocation index.
    pub subgroup: u32,
    /// The order of the lanes.
    pub lanes: LaneOrder,
}

/// The sizes that a subgroup may have.
pub(crate) const SUBGROUPS: [u32; 6] = [4, 8, 16, 32, 64, 128];

impl Device {
    /// A device that rounds correctly, keeps subnormals, reorders nothing, and fuses nothing but `fma`.
    pub fn exact() -> Self {
        Self {
            seed: 0,
            flush: false,
            contract: false,
            fuse: true,
            reassociate: false,
            reorder_division: false,
            division_ulp: 0.0,
            rough_sqrt: false,
            assumes_finite: false,
            splits_copies: false,
            subgroup: 32,
            lanes: LaneOrder::Forwards,
        }
    }

    /// A device whose choices are drawn from a seed.
    pub fn random(seed: u64) -> Self {
        let mut draws = Draws::new(mix(of_text("device"), seed));
        let mut often = || !draws.one_in(3);
        let (flush, contract, fuse, reassociate) = (often(), often(), often(), often());
        let (rough_sqrt, assumes_finite) = (often(), often());
        Self {
            seed,
            flush,
            contract,
            fuse,
            reassociate,
            reorder_division: false,
            division_ulp: [0.0, 1.0, 2.5, 2.5][draws.below(4)],
            rough_sqrt,
            assumes_finite,
            splits_copies: false,
            subgroup: SUBGROUPS[draws.below(SUBGROUPS.len())],
            lanes: [LaneOrder::Forwards, LaneOrder::Backwards, LaneOrder::Shuffled][draws.below(3)],
        }
    }

    /// Makes one choice for the whole device, from the seed and a text.
    fn says(&self, what: &str) -> bool {
        mix(mix(self.seed, 0), of_text(what)) & 1 == 1
    }

    /// Whether a flushed number keeps its sign.
    pub(crate) fn keeps_sign(&self) -> bool {
        self.says("sign of what is flushed")
    }

    /// Whether minima and maxima flush.
    pub(crate) fn flushes_extremes(&self) -> bool {
        self.flush && self.says("flushed extremes")
    }

    /// Whether comparisons flush.
    pub(crate) fn flushes_comparisons(&self) -> bool {
        self.flush && self.says("flushed comparisons")
    }

    /// The numbers below `count` in the order of the device.
    pub(crate) fn order(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        match self.lanes {
            LaneOrder::Forwards => {}
            LaneOrder::Backwards => order.reverse(),
            LaneOrder::Shuffled => Draws::new(mix(self.seed, of_text("order"))).shuffle(&mut order),
        }
        order
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}:", self.seed)?;
        if self.flush {
            write!(f, " flushes to {}", if self.keeps_sign() { "±0" } else { "+0" })?;
            let also = [(self.flushes_extremes(), "extremes"), (self.flushes_comparisons(), "comparisons")];
            for (_, what) in also.iter().filter(|(flushes, _)| *flushes) {
                write!(f, " and in {what}")?;
            }
            write!(f, ",")?;
        }
        let switches = [
            (self.contract, "contracts"),
            (!self.fuse, "fma rounds twice"),
            (self.reassociate, "reorders sums and products"),
            (self.reorder_division, "reorders quotients"),
            (self.rough_sqrt, "rough square roots"),
            (self.assumes_finite, "assumes finite numbers"),
            (self.splits_copies, "copies decide alone"),
        ];
        for (_, what) in switches.iter().filter(|(is_on, _)| *is_on) {
            write!(f, " {what},")?;
        }
        let lanes = match self.lanes {
            LaneOrder::Forwards => "forwards",
            LaneOrder::Backwards => "backwards",
            LaneOrder::Shuffled => "shuffled",
        };
        write!(f, " division to {} ulp, subgroups of {}, lanes {lanes}", self.division_ulp, self.subgroup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_device_and_seeds_differ() {
        let devices: Vec<Device> = (0..100).map(Device::random).collect();
        assert_eq!(devices, (0..100).map(Device::random).collect::<Vec<_>>());
        for subgroup in SUBGROUPS {
            assert!(devices.iter().any(|device| device.subgroup == subgroup));
        }
        assert!(devices.iter().any(|device| device.flush && device.contract && device.reassociate));
        assert!(devices.iter().any(|device| !device.flush && !device.contract && !device.reassociate));
    }

    #[test]
    fn a_device_is_named_in_one_line() {
        let name = Device { flush: true, contract: true, ..Device::exact() }.to_string();
        assert!(name.contains("flushes") && name.contains("contracts") && !name.contains('\n'), "{name}");
    }

    #[test]
    fn every_order_has_every_lane() {
        for lanes in [LaneOrder::Forwards, LaneOrder::Backwards, LaneOrder::Shuffled] {
            let mut order = Device { lanes, ..Device::exact() }.order(64);
            order.sort_unstable();
            assert_eq!(order, (0..64).collect::<Vec<_>>());
        }
    }
}
