//! Prepared rows as the kernel of products reads them. Every number is a power of two of its row times a whole number and a
//! fraction, so that the large part of a sum of products is exact in 32 bits.

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::backend::gpu::constants::{FULL, PANEL, STEP, USABLE};
use kullback_kernels::measures::form::Operand;
use kullback_kernels::pairs::{Prepared, Products};

/// Bits of the whole numbers. The sum of STEP products of two such numbers is exact in a float.
const BITS: u32 = 10;
/// The words of a row before those of its terms: the flags.
const HEAD: usize = 1;
/// The words of a row for each term: a constant in two parts.
const WORDS_OF_A_TERM: usize = 2;
/// The words of a row for each operand: the power of two, the length of its numbers as a vector, and the length of the
/// fractions.
const WORDS_OF_AN_OPERAND: usize = 3;

/// With a larger power of two of a row, either way, a product may leave the range of a float.
const MOST_EXPONENT: i32 = 40;
/// The error of a fraction that is left out, as a part of what rounding does to it. It is at most a quarter of a unit of 2⁻²⁴.
const LEFT_OUT: f64 = 0.02;

/// Layout of one row's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    terms: usize,
    operands: usize,
    bins: usize,
}

impl Words {
    pub(super) fn new(terms: usize, operands: usize, bins: usize) -> Self {
        Self { terms, operands, bins }
    }

    /// The constants of a term.
    pub(super) fn term(&self, term: usize) -> usize {
        HEAD + term * WORDS_OF_A_TERM
    }

    /// The numbers of the operands.
    pub(super) fn operands(&self) -> usize {
        self.term(self.terms)
    }

    /// One bit per bin: whether it has weight.
    pub(super) fn present(&self) -> usize {
        self.operands() + self.operands * WORDS_OF_AN_OPERAND
    }

    /// The words of those bits.
    pub(super) fn present_words(&self) -> usize {
        self.bins.div_ceil(32)
    }

    /// All words of a row.
    pub(super) fn all(&self) -> usize {
        self.present() + self.present_words()
    }
}

/// The rows of one side.
pub(super) struct Slices {
    /// One array per operand, in the order panel, bin. For a bin, it has the whole numbers of all rows and then the fractions.
    pub(super) operands: Vec<Vec<f32>>,
    pub(super) rows: Vec<u32>,
}

/// A number in two floats.
fn in_parts(x: f64) -> [f32; 2] {
    let high = x as f32;
    [high, (x - f64::from(high)) as f32]
}

/// A length, rounded to a float that is no smaller.
fn no_less(x: f64) -> f32 {
    (x * (1.0 + 1e-6)) as f32
}

/// The e such that the largest of some numbers is at most 2ᴮᴵᵀˢ times 2ᵉ. `None` if the kernel cannot use them.
fn exponent(most: f64) -> Option<i32> {
    // The exponent of the next power of two. For numbers that are almost or exactly 0, any exponent will do.
    let exponent = (most.log2().ceil() as i32).saturating_sub(BITS as i32).max(-MOST_EXPONENT);
    (exponent <= MOST_EXPONENT).then_some(exponent)
}

/// Some rows of one panel, to be filled.
struct SlicedPanel<'a> {
    first: usize,
    /// The panel of each operand.
    operands: Vec<&'a mut [f32]>,
    rows: &'a mut [u32],
}

impl Slices {
    /// Takes rows that were prepared in panels of [`PANEL`].
    pub(super) fn new(products: &Products, side: usize, prepared: &Prepared, words: Words) -> Self {
        let (panels, numbers) = (prepared.rows().div_ceil(PANEL), words.bins.next_multiple_of(STEP) * 2 * PANEL);
        let operands = products.operands(side).iter().map(|_| vec![0.0; panels * numbers]).collect();
        let mut slices = Self { operands, rows: vec![0; panels * PANEL * words.all()] };
        let mut operands: Vec<_> = slices.operands.iter_mut().map(|operand| operand.chunks_mut(numbers)).collect();
        let panels = slices.rows.chunks_mut(PANEL * words.all()).enumerate().map(|(i, rows)| SlicedPanel {
            first: i * PANEL,
            operands: operands.iter_mut().filter_map(Iterator::next).collect(),
            rows,
        });
        let panels: Vec<SlicedPanel<'_>> = panels.collect();
        panels.into_par_iter().for_each(|mut panel| panel.fill(products, side, prepared, words));
        slices
    }
}

impl SlicedPanel<'_> {
    fn fill(&mut self, products: &Products, side: usize, prepared: &Prepared, words: Words) {
        let mut numbers = vec![0.0; words.bins];
        let rows = self.first..prepared.rows().min(self.first + PANEL);
        for ((lane, row), to) in rows.enumerate().zip(self.rows.chunks_exact_mut(words.all())) {
            let known = prepared.known(row);
            let mut constants: SmallVec<[f64; 4]> =
                products.terms().iter().map(|term| term.constant(side, prepared.entropies(row)[0])).collect();
            let mut usable = known.usable;
            let operands = products.operands(side).iter().zip(&mut self.operands).enumerate();
            for (place, (operand, panel)) in operands.filter(|_| known.usable) {
                let from = prepared.operand(place, self.first, PANEL);
                numbers.iter_mut().zip(from.chunks_exact(PANEL)).for_each(|(number, bin)| *number = bin[lane]);
                if *operand == Operand::Log {
                    let mean = centre(&mut numbers, prepared.present(row));
                    for (constant, term) in constants.iter_mut().zip(products.terms()) {
                        *constant += mean * term.factor_of(side, place);
                    }
                }
                match cut(&numbers, panel, lane) {
                    Some(found) => {
                        let at = words.operands() + place * WORDS_OF_AN_OPERAND;
                        to[at..at + WORDS_OF_AN_OPERAND].copy_from_slice(&found.map(f32::to_bits));
                    }
                    None => usable = false,
                }
            }
            for (term, constant) in constants.iter().enumerate().filter(|_| usable) {
                let at = words.term(term);
                to[at..at + WORDS_OF_A_TERM].copy_from_slice(&in_parts(*constant).map(f32::to_bits));
            }
            to[0] = if usable { USABLE } else { 0 } | if known.full { FULL } else { 0 };
            let bits = prepared.present(row).iter().flat_map(|word| [*word as u32, (*word >> 32) as u32]);
            to[words.present()..].iter_mut().zip(bits).for_each(|(to, bits)| *to = bits);
        }
    }
}

/// Subtracts their mean from the logarithms of the bins with weight, so that the factors are small. Returns the mean.
fn centre(numbers: &mut [f64], present: &[u64]) -> f64 {
    let has_weight = |bin: usize| present[bin / 64] >> (bin % 64) & 1 == 1;
    let count = (0..numbers.len()).filter(|bin| has_weight(*bin)).count();
    // Without weight it is 0.
    let mean = numbers.iter().sum::<f64>() / count.max(1) as f64;
    numbers.iter_mut().enumerate().filter(|(bin, _)| has_weight(*bin)).for_each(|(_, x)| *x -= mean);
    mean
}

/// Writes the numbers of a row in their two parts. Returns the power of two and the two lengths.
fn cut(numbers: &[f64], to: &mut [f32], lane: usize) -> Option<[f32; 3]> {
    let exponent = exponent(numbers.iter().fold(0.0, |most, x| x.abs().max(most)))?;
    let (scale, part) = (2.0_f64.powi(exponent), 2.0_f64.powi(-exponent));
    let (mut size, mut rest) = (0.0, 0.0);
    for (x, to) in numbers.iter().zip(to.chunks_exact_mut(2 * PANEL)) {
        let x = x * part;
        let whole = x.round();
        let fraction = x - whole;
        (to[lane], to[PANEL + lane]) = (whole as f32, fraction as f32);
        size += x * x;
        rest += fraction * fraction;
    }
    let left_out = LEFT_OUT * (numbers.len() as f64).sqrt();
    Some([scale as f32, no_less(size.sqrt() * scale), no_less((rest.sqrt() + left_out) * scale)])
}
