//! The terms of a call as forms.

use smallvec::SmallVec;

use super::tile;
use crate::arithmetic::logarithm::LN_ERROR;
use crate::measures::finish::Support;
use crate::measures::form::{Form, Inner, Operand};
use crate::measures::hellinger::AFFINITY;
use crate::problem::Problem;
use crate::zeros::Zeros;

/// A sum over the bins, as a form uses it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormSum {
    /// Its place in [`Forms::inners`].
    pub(super) place: usize,
    pub(super) factor: f64,
    /// The size of what is added up, beside the size of the sum itself.
    pub(super) size: f64,
}

/// The terms of a call as forms, and what they need of each row.
#[derive(Clone, Debug)]
pub struct Forms {
    /// One form per term.
    pub(super) forms: SmallVec<[Form; 4]>,
    /// The sums of each form.
    pub(super) parts: SmallVec<[SmallVec<[FormSum; 2]>; 4]>,
    /// Every sum that some form needs, once.
    pub(super) inners: SmallVec<[Inner; 4]>,
    /// Every operand of P and of Q, once.
    pub(super) operands: [SmallVec<[Operand; 2]>; 2],
    pub(super) zeros: Zeros,
    /// The largest error by rounding, as a part of the size of what is added up.
    pub(super) rounding: f64,
    /// The largest error of a value that is kept, as a part of the value.
    pub(super) trusted: f64,
    /// Whether 1e-6 is enough for the contract where weights have few digits.
    pub(super) narrow: bool,
    /// Whether no value is infinite, whichever bins are empty.
    pub(super) finite: bool,
    /// The factor c if the one sum is at least c·(1 − BC) and that bound is quicker to compute.
    pub(super) screen: Option<f64>,
}

impl Forms {
    /// The forms of a problem. `None` if its policy looks at both rows of a pair, or if a term has no form.
    pub fn new(problem: &Problem) -> Option<Self> {
        if matches!(problem.zeros, Zeros::Epsilon(_) | Zeros::Skip) {
            return None;
        }
        let mut inners = SmallVec::new();
        let mut operands = [SmallVec::new(), SmallVec::new()];
        let forms = problem.terms.iter().map(|term| term.form()).collect::<Option<SmallVec<[Form; 4]>>>()?;
        for (inner, _) in forms.iter().flat_map(|form| &form.sums) {
            let (p, q) = inner.operands();
            once(&mut operands[0], p);
            once(&mut operands[1], q);
        }
        let wide = problem.p.is_wide() || problem.q.is_wide();
        // A fifth of what the contract allows. The rest is for the steps that follow.
        let trusted = if wide { 2e-13 } else { 2e-7 };
        let exponents = operands.iter().flatten().map(|operand| match operand {
            Operand::Power(exponent) => exponent.abs(),
            Operand::Share | Operand::Log => 1.0,
        });
        // The first two count the sums in a chain and the chains. The third counts the operands: a share has an error of two
        // units, and a power of it has as many times that as its exponent says.
        let chains = tile::CHAIN.min(problem.bins) + problem.bins.div_ceil(tile::CHAIN);
        let units = chains as f64 + 16.0 + 8.0 * exponents.fold(0.0, f64::max);
        let rounding = units * f64::EPSILON / 2.0;
        let mut part = |&(inner, factor): &(Inner, f64)| {
            let logarithm = if inner == Inner::EntropyOfSum { 2.0 * LN_ERROR / rounding } else { 0.0 };
            FormSum { place: once(&mut inners, inner), factor, size: inner.size() + logarithm }
        };
        let parts = forms.iter().map(|form| form.sums.iter().map(&mut part).collect()).collect();
        Some(Self {
            forms,
            parts,
            inners,
            operands,
            zeros: problem.zeros,
            rounding,
            trusted,
            narrow: !wide,
            finite: problem.slots.iter().all(|slots| (0..8).all(|bits| !slots.infinite.on(Support::from_bits(bits)))),
            screen: None,
        })
    }

    /// Adds a screen, for a call that needs small values only.
    pub fn with_screen(mut self, problem: &Problem) -> Self {
        if let ([term], [inner]) = (&problem.terms[..], &self.inners[..])
            && !matches!(inner, Inner::Product(..))
        {
            self.screen = term.least_of_deficit();
        }
        if self.screen.is_some() {
            let (p, q) = AFFINITY.operands();
            once(&mut self.operands[0], p);
            once(&mut self.operands[1], q);
        }
        self
    }

    /// Whether the forms give values. They do not if the contract asks for more digits than the logarithm has and no bound
    /// leaves out pairs.
    pub fn is_of_use(&self) -> bool {
        self.narrow || self.screen.is_some() || !self.inners.contains(&Inner::EntropyOfSum)
    }

    /// The most bytes that a prepared row of a side takes.
    pub fn bytes_per_row(&self, bins: usize) -> usize {
        let operands = self.operands.iter().map(SmallVec::len).max().unwrap_or(0);
        operands * bins * size_of::<f64>() + bins / 8 + 64
    }

    /// Whether a form needs the entropies of the rows.
    pub(super) fn needs_entropies(&self) -> bool {
        self.forms.iter().any(|form| form.p_entropy != 0.0 || form.q_entropy != 0.0)
    }

    /// The places of the two operands of a sum, in the lists of P and of Q.
    pub(super) fn places(&self, inner: Inner) -> [usize; 2] {
        let (p, q) = inner.operands();
        let place = |side: usize, operand| self.operands[side].iter().position(|known| *known == operand);
        [place(0, p), place(1, q)].map(Option::unwrap_or_default)
    }
}

/// The place of a value in a list. The value is added if the list lacks it.
fn once<T: PartialEq, const N: usize>(list: &mut SmallVec<[T; N]>, value: T) -> usize
where
    [T; N]: smallvec::Array<Item = T>,
{
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}
