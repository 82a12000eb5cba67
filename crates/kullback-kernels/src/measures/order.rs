//! The orders of power sums.

/// The order of a power sum, prepared once per call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// A. In Rényi's family it may be infinite.
    pub a: f64,
    /// 1 − A.
    pub b: f64,
    /// Whether âᴬ q̂¹⁻ᴬ is written as q·(a/q)ᴬ (A < ½) or as a·(a/q)^(A−1).
    pub base_is_q: bool,
}

impl Order {
    pub fn new(a: f64) -> Self {
        Self { a, b: 1.0 - a, base_is_q: a < 0.5 }
    }

    /// The exponent of a/q in the chosen form.
    pub fn exponent(self) -> f64 {
        if self.base_is_q { self.a } else { -self.b }
    }
}
