//! What the kernel of any row does with the contrasts of a row: it sums terms, finds a logarithm, or walks over the bins in order.

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::arithmetic::contrast::{BLOCK, BothSides, Contrast};
use crate::arithmetic::double::Double;
use crate::arithmetic::lanes::{Real, splat};
use crate::arithmetic::pooled::Pooled;
use crate::measures::Term;
use crate::measures::order::Order;
use crate::measures::scan::Scan;

/// The bins that are added up together.
pub(super) struct ContrastBlock<S: Simd, T: Real> {
    pub(super) contrasts: Vec<Contrast<S, T>>,
    /// Empty, unless a term needs the weights.
    pub(super) weights: Vec<BothSides<S, T>>,
    pub(super) pooled: Pooled<S, T>,
}

impl<S: Simd, T: Real> ContrastBlock<S, T> {
    pub(super) fn new(simd: S) -> Self {
        Self { contrasts: Vec::with_capacity(BLOCK), weights: Vec::new(), pooled: Pooled::none(simd) }
    }
}

/// Adds up the bins of a row, block by block.
pub(super) trait Accumulate<S: Simd, T: Real> {
    /// Starts a row.
    fn begin(&mut self);
    /// Adds a block.
    fn add(&mut self, simd: S, terms: &[Term], block: &ContrastBlock<S, T>);
}

/// Accumulators, kept between rows so that a row allocates nothing.
pub(super) struct Accumulators<S: Simd, T: Real> {
    pub(super) block: ContrastBlock<S, T>,
    pub(super) totals: Totals,
}

/// One sum per term, and one for the yardstick.
pub(super) struct Totals(pub(super) Vec<Double>);

impl<S: Simd, T: Real> Accumulators<S, T> {
    /// Takes the number of terms.
    pub(super) fn new(simd: S, terms: usize) -> Self {
        let block = ContrastBlock::new(simd);
        Self { block, totals: Totals(vec![Double::default(); terms + 1]) }
    }
}

impl<S: Simd, T: Real> Accumulate<S, T> for Totals {
    fn begin(&mut self) {
        self.0.fill(Double::default());
    }

    /// It is a function of its own so that it is compiled once for all callers.
    fn add(&mut self, simd: S, terms: &[Term], block: &ContrastBlock<S, T>) {
        simd.vectorize(
            #[inline(always)]
            || {
                let (zero, pooled) = (splat::<S, T>(simd, 0.0), block.pooled);
                let Some((yardstick, totals)) = self.0.split_last_mut() else { return };
                for (total, term) in totals.iter_mut().zip(terms) {
                    let sum = term.sum(&block.contrasts, &block.weights, pooled, zero);
                    *total = total.plus(sum.reduce_sum().to_f64());
                }
                let sum = Term::Triangular.sum(&block.contrasts, &[], pooled, zero);
                *yardstick = yardstick.plus(sum.reduce_sum().to_f64());
            },
        );
    }
}

/// ln Σ aᴬq¹⁻ᴬ of a sum that may leave the range of a float, computed through its largest addend: a·(a/q)ᴬ⁻¹, or q·(a/q)ᴬ. For
/// A = ∞ it is the largest ln(a/q), the limit of the logarithm divided by A − 1.
pub(super) struct LogSum {
    order: Order,
    /// The largest logarithm so far.
    largest: f64,
    /// The sum divided by the exponential of that.
    sum: f64,
}

impl LogSum {
    pub(super) fn new(order: Order) -> Self {
        Self { order, largest: f64::NEG_INFINITY, sum: 0.0 }
    }

    /// The logarithm of the sum divided by Q.
    pub(super) fn value(&self, total: f64) -> f64 {
        if self.order.a == f64::INFINITY { self.largest } else { self.largest + (self.sum / total).ln() }
    }
}

impl<S: Simd, T: Real> Accumulate<S, T> for LogSum {
    fn begin(&mut self) {
        (self.largest, self.sum) = (f64::NEG_INFINITY, 0.0);
    }

    fn add(&mut self, _simd: S, _terms: &[Term], block: &ContrastBlock<S, T>) {
        for contrast in &block.contrasts {
            let (both, logarithms) = (contrast.both().to_bitmask(), contrast.log_ratio());
            let base = if self.order.base_is_q { contrast.q } else { contrast.a };
            let lanes = logarithms.as_slice().iter().zip(base.as_slice()).enumerate();
            for (_, (logarithm, base)) in lanes.filter(|(lane, _)| both >> lane & 1 == 1) {
                let logarithm = logarithm.to_f64();
                if self.order.a == f64::INFINITY {
                    self.largest = self.largest.max(logarithm);
                    continue;
                }
                let exponent = logarithm.mul_add(self.order.exponent(), base.to_f64().ln());
                if exponent > self.largest {
                    self.sum *= (self.largest - exponent).exp();
                    self.largest = exponent;
                }
                self.sum += (exponent - self.largest).exp();
            }
        }
    }
}

impl<S: Simd, T: Real> Accumulate<S, T> for Scan<'_> {
    fn begin(&mut self) {
        Scan::begin(self);
    }

    fn add(&mut self, _simd: S, _terms: &[Term], block: &ContrastBlock<S, T>) {
        for contrast in &block.contrasts {
            contrast.u.as_slice().iter().for_each(|u| self.step(u.to_f64()));
        }
    }
}
