//! What is known of a term and of a measure beside their formulas.

use super::finish::{Finisher, Support};
use super::order::Order;
use super::term::Term;

/// How far a sum may be trusted, and what may spoil it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Every addend is of second order in the difference of the rows: an error ε of a total moves the sum by ε².
    SecondOrder,
    /// An error ε of a total moves the sum by ε.
    FirstOrder,
    /// A sum of positive parts of 1. An error ε of a total moves it by ε of itself.
    Positive,
    /// A sum of logarithms of shares. An almost full bin loses digits.
    Surprise,
    /// The logarithm of a sum, or of the largest ratio.
    Logarithm,
}

/// What is known of a term. The order of a term is not: see [`Term::order`].
#[derive(Clone, Copy, Debug)]
pub struct TermFacts {
    /// The function in `shaders/measures/`. A term with an order has it as a second argument. `None`: no shader computes it, because
    /// it leaves the row to the host wherever it is not 0.
    pub shader: Option<&'static str>,
    pub precision: Precision,
    /// Whether it uses the logarithm of a contrast.
    pub log: bool,
    /// Whether it uses z.
    pub z: bool,
    /// Whether it uses the pooled totals.
    pub pooled: bool,
    /// Whether it depends on the order of the bins.
    pub scan: bool,
    /// Whether errors of totals count more than once whatever the order: the sum over Q goes with 1/(PʲQᵏ), j + k = 1, and j
    /// or k is above 1.
    pub amplifies_totals: bool,
    /// Whether it needs both parts of the ratio even where it does not amplify totals.
    pub second_part: bool,
    /// The least sum per bin, before it is divided by Q, in which the loss by subnormal numbers of 32 bits does not show.
    pub least_sum: f64,
    /// The factor c for which the sum is at least c·(1 − BC), for terms that cost more than 1 − BC.
    pub least_of_deficit: Option<f64>,
    /// The orders that 32-bit kernels take.
    pub narrow: fn(Order) -> bool,
    /// The sum at the ratio r·(1 + off) from the sum at r, off and Σq, which is Σa at the new ratio. For terms where the
    /// totals alone connect the two. An error ε of the totals makes an error of ε·off·Σq.
    pub rescaled: Option<fn(f64, f64, f64) -> f64>,
}

impl TermFacts {
    /// A term of second order, by the name of its shader function.
    pub const fn of(shader: &'static str) -> Self {
        Self {
            shader: Some(shader),
            precision: Precision::SecondOrder,
            log: false,
            z: false,
            pooled: false,
            scan: false,
            amplifies_totals: false,
            second_part: false,
            least_sum: 0.0,
            least_of_deficit: None,
            narrow: |_| true,
            rescaled: None,
        }
    }

    /// A term that depends on the order of the bins, by what the names of its shader functions begin with.
    pub const fn scan(shader: &'static str) -> Self {
        Self { precision: Precision::FirstOrder, scan: true, ..Self::of(shader) }
    }

    /// The same as [`TermFacts::of`] for a term that uses the logarithm.
    pub const fn with_log(shader: &'static str) -> Self {
        Self { log: true, ..Self::of(shader) }
    }
}

/// The rows on which the definition is +∞.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Infinite {
    Never,
    /// A bin has weight in p alone.
    OnlyP,
    /// A bin has weight in q alone.
    OnlyQ,
    /// A bin has weight on one side alone.
    Either,
    /// No bin has weight on both sides.
    Disjoint,
}

impl Infinite {
    #[inline]
    pub fn on(self, support: Support) -> bool {
        let (only_p, only_q) = (support.has(Support::ONLY_P), support.has(Support::ONLY_Q));
        match self {
            Infinite::Never => false,
            Infinite::OnlyP => only_p,
            Infinite::OnlyQ => only_q,
            Infinite::Either => only_p || only_q,
            Infinite::Disjoint => !support.has(Support::COMMON),
        }
    }
}

/// What is known of a measure.
#[derive(Clone, Copy, Debug)]
pub struct MeasureFacts {
    /// The one or two sums that the value needs.
    pub terms: (Term, Option<Term>),
    /// From the sums to the value in nats.
    pub finisher: Finisher,
    pub infinite: Infinite,
    /// Whether the value is divided by the logarithm of the unit's base.
    pub has_unit: bool,
    /// Whether the value stays the same if p and q are exchanged.
    pub is_symmetric: bool,
}

impl MeasureFacts {
    /// A measure that is its sum, in \[0, ∞\], without unit.
    pub const fn sum_of(term: Term) -> Self {
        Self {
            terms: (term, None),
            finisher: Finisher::Scaled { most: f64::INFINITY, divisor: 1.0, root: false },
            infinite: Infinite::Never,
            has_unit: false,
            is_symmetric: false,
        }
    }

    /// The same, with the largest value.
    pub const fn bounded(term: Term, most: f64) -> Self {
        Self { finisher: Finisher::Scaled { most, divisor: 1.0, root: false }, ..Self::sum_of(term) }
    }

    /// The same, as the root of the sum.
    pub const fn root_of(term: Term, most: f64) -> Self {
        Self { finisher: Finisher::Scaled { most, divisor: 1.0, root: true }, ..Self::sum_of(term) }
    }
}
