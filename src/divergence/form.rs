//! A term for all pairs of many rows: numbers of each row alone, plus sums over the bins of something cheap of two
//! numbers prepared once a row.
//!
//! Σ p̂ ln(p̂/q̂) = −H(p̂) − ⟨p̂, ln q̂⟩ is a product of matrices where the rows are many. What such a form gains in
//! speed it loses in digits where the value is small beside its parts; so a form comes with the size of what it adds up,
//! from which follows how far off it may be, and whoever uses it looks at that for each pair.

use smallvec::{SmallVec, smallvec};

/// A number that a bin has on one side: a function of its share of the row, 0 where the share is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operand {
    /// x̂.
    Share,
    /// ln x̂ ≤ 0.
    Log,
    /// x̂ᴬ.
    Power(f64),
}

/// What is summed over the bins of a pair. Every product has one sign whatever the bin, so that the size of the sum is
/// the sum of the sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Inner {
    /// A number of p times a number of q.
    Product(Operand, Operand),
    /// (p̂ + q̂) ln(p̂ + q̂).
    EntropyOfSum,
    /// |p̂ − q̂|.
    Distance,
    /// (p̂ − q̂)²/(p̂ + q̂).
    Triangular,
}

impl Inner {
    /// The operands on the two sides.
    pub(crate) fn operands(self) -> (Operand, Operand) {
        match self {
            Inner::Product(p, q) => (p, q),
            _ => (Operand::Share, Operand::Share),
        }
    }

    /// What is added up beside the size of the sum itself: rounding of the shares, and of logarithms of them, counts
    /// against this.
    pub(crate) fn size(self) -> f64 {
        match self {
            Inner::Product(p, q) => {
                let of = |operand| if operand == Operand::Log { 1.0 } else { 0.0 };
                of(p) + of(q)
            }
            // Where a sum of shares is above 1, its logarithm is of the other sign.
            Inner::EntropyOfSum => 4.0,
            Inner::Distance | Inner::Triangular => 2.0,
        }
    }
}

/// constant + `p_entropy`·H(p̂) + `q_entropy`·H(q̂) + Σ factor·(sum over the bins).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    pub(crate) constant: f64,
    pub(crate) p_entropy: f64,
    pub(crate) q_entropy: f64,
    pub(crate) sums: SmallVec<[(Inner, f64); 2]>,
}

impl Form {
    /// constant + factor·(sum over the bins).
    pub(crate) fn of(constant: f64, inner: Inner, factor: f64) -> Self {
        Self { constant, p_entropy: 0.0, q_entropy: 0.0, sums: smallvec![(inner, factor)] }
    }

    /// This with so much of the entropies of the rows.
    pub(crate) fn with_entropies(self, p_entropy: f64, q_entropy: f64) -> Self {
        Self { p_entropy, q_entropy, ..self }
    }

    /// Both together.
    pub(crate) fn and(mut self, other: Form) -> Self {
        self.sums.extend(other.sums);
        Self {
            constant: self.constant + other.constant,
            p_entropy: self.p_entropy + other.p_entropy,
            q_entropy: self.q_entropy + other.q_entropy,
            sums: self.sums,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::divergence::{js, triangular};

    #[test]
    fn the_bounds_by_the_deficit_hold_for_every_contrast() {
        for i in 1..=100_000 {
            let z = f64::from(i) / 100_000.0;
            let deficit = 0.5 * z * z / (1.0 + (1.0 - z * z).sqrt());
            let low = if z < 1.0 { (1.0 - z) * (-z).ln_1p() } else { 0.0 };
            let js = 0.25 * ((1.0 + z) * z.ln_1p() + low);
            // Below, ¼[…] is rounding; there it is ¼z² + z⁴/24.
            let js = if z < 1e-3 { 0.25 * z * z + z.powi(4) / 24.0 } else { js };
            assert!(js >= js::LEAST_OF_DEFICIT * deficit * (1.0 - 1e-9), "js at {z}");
            assert!(z * z >= triangular::LEAST_OF_DEFICIT * deficit * (1.0 - 1e-12), "triangular at {z}");
        }
    }
}
