//! A term for all pairs of many rows: numbers of each row alone, plus sums over the bins of a cheap function of two numbers
//! that are prepared once per row.
//!
//! Σ p̂ ln(p̂/q̂) = −H(p̂) − ⟨p̂, ln q̂⟩ is a product of matrices if there are many rows. Such a form gains speed, but it loses
//! digits where the value is small beside its parts. So a form comes with the size of what it adds up. The caller derives the
//! possible error from the size and checks it for each pair. See `docs/NUMERICS.md`, "All pairs".

use smallvec::{SmallVec, smallvec};

/// The number of a bin on one side: a function of its share of the row, 0 if the share is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// x̂.
    Share,
    /// ln x̂ ≤ 0.
    Log,
    /// x̂ᴬ.
    Power(f64),
}

/// What is summed over the bins of a pair. Every product has one sign in all bins, so the size of the sum is the sum of the
/// sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inner {
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
    pub fn operands(self) -> (Operand, Operand) {
        match self {
            Inner::Product(p, q) => (p, q),
            _ => (Operand::Share, Operand::Share),
        }
    }

    /// The size of what is added up beside the sum itself. The rounding of the shares, and of their logarithms, counts against
    /// this size.
    pub fn size(self) -> f64 {
        match self {
            Inner::Product(p, q) => {
                let of = |operand| if operand == Operand::Log { 1.0 } else { 0.0 };
                of(p) + of(q)
            }
            // If a sum of shares is above 1, its logarithm has the other sign.
            Inner::EntropyOfSum => 4.0,
            Inner::Distance | Inner::Triangular => 2.0,
        }
    }
}

/// constant + `p_entropy`·H(p̂) + `q_entropy`·H(q̂) + Σ factor·(sum over the bins).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    pub constant: f64,
    pub p_entropy: f64,
    pub q_entropy: f64,
    pub sums: SmallVec<[(Inner, f64); 2]>,
}

impl Form {
    /// constant + factor·(sum over the bins).
    pub fn of(constant: f64, inner: Inner, factor: f64) -> Self {
        Self { constant, p_entropy: 0.0, q_entropy: 0.0, sums: smallvec![(inner, factor)] }
    }

    /// Adds multiples of the entropies of the rows.
    pub fn with_entropies(self, p_entropy: f64, q_entropy: f64) -> Self {
        Self { p_entropy, q_entropy, ..self }
    }

    /// The sum of two forms.
    pub fn and(mut self, other: Form) -> Self {
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
    use crate::measures::{js, triangular};

    #[test]
    fn the_bounds_by_the_deficit_hold_for_every_contrast() {
        for i in 1..=100_000 {
            let z = f64::from(i) / 100_000.0;
            let deficit = 0.5 * z * z / (1.0 + (1.0 - z * z).sqrt());
            let low = if z < 1.0 { (1.0 - z) * (-z).ln_1p() } else { 0.0 };
            let js = 0.25 * ((1.0 + z) * z.ln_1p() + low);
            // For smaller z, ¼[…] is only rounding; it is ¼z² + z⁴/24 there.
            let js = if z < 1e-3 { 0.25 * z * z + z.powi(4) / 24.0 } else { js };
            assert!(js >= js::LEAST_OF_DEFICIT * deficit * (1.0 - 1e-9), "js at {z}");
            assert!(z * z >= triangular::LEAST_OF_DEFICIT * deficit * (1.0 - 1e-12), "triangular at {z}");
        }
    }
}
