//! Prepares rows that meet many others: computes the numbers that forms use, in panels of a few rows side by side.

use fearless_simd::{Simd, SimdBase};

use super::forms::Forms;
use super::panels::COLUMNS;
use crate::arithmetic::double::Double;
use crate::arithmetic::lanes::{Real, keep, splat};
use crate::arithmetic::log_ratio::{logarithm, reduce_ratio};
use crate::arithmetic::wide_lanes::WideLanes;
use crate::measures::form::Operand;
use crate::rows::decode::{Decode, LARGEST_IN_24_BITS, Policy, Scratch};
use crate::rows::policy::{SideConstants, SideTotals};
use crate::rows::totals::{RowWeights, floored_total, load};
use crate::weights::{Rows, Weights};
use crate::zeros::Zeros;

/// Operands outside these bounds may take digits from a sum.
const LEAST: f64 = 1e-290;
const MOST: f64 = 1e290;

/// What is known of one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowProperties {
    /// Whether forms can compute the row: its weights are valid, not all zero, and in the middle of the range of a float.
    pub usable: bool,
    /// Whether no bin is empty.
    pub full: bool,
}

/// Numbers that begin at a cache line, so that no vector crosses two lines.
#[derive(Debug)]
struct Aligned {
    storage: Vec<f64>,
    start: usize,
    length: usize,
}

impl Aligned {
    const LINE: usize = 64;

    fn zeros(length: usize) -> Self {
        let storage = vec![0.0; length + Self::LINE / size_of::<f64>()];
        // If no aligned place is found, the numbers begin at the start.
        let start = storage.as_ptr().align_offset(Self::LINE).min(storage.len() - length);
        Self { storage, start, length }
    }

    fn values(&self) -> &[f64] {
        &self.storage[self.start..self.start + self.length]
    }

    fn values_mut(&mut self) -> &mut [f64] {
        &mut self.storage[self.start..self.start + self.length]
    }
}

/// The prepared rows of one side.
#[derive(Debug)]
pub struct Prepared {
    rows: usize,
    /// Rows of a panel.
    panel: usize,
    bins: usize,
    /// One array per operand, in the order panel, bin, row.
    operands: Vec<Aligned>,
    /// H(x̂) of each row, padded with zeros to a whole number of [`COLUMNS`].
    entropies: Vec<f64>,
    known: Vec<RowProperties>,
    /// Whether a bin has weight, one bit per bin.
    present: Vec<u64>,
}

/// A few rows of a side, to be filled.
pub struct Panel<'a> {
    first: usize,
    size: usize,
    operands: Vec<&'a mut [f64]>,
    entropies: &'a mut [f64],
    known: &'a mut [RowProperties],
    present: &'a mut [u64],
}

impl Prepared {
    /// Allocates memory for some rows.
    pub fn new(forms: &Forms, side: usize, rows: &Rows<'_>, panel: usize) -> Self {
        let (count, bins) = (rows.len().next_multiple_of(COLUMNS.max(panel)), rows.bins());
        Self {
            rows: rows.len(),
            panel,
            bins,
            operands: forms.operands[side].iter().map(|_| Aligned::zeros(count * bins)).collect(),
            entropies: vec![0.0; count],
            known: vec![RowProperties::default(); count],
            present: vec![0; count * bins.div_ceil(64)],
        }
    }

    /// How many rows are prepared.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The panels, each for the thread that fills it.
    pub fn panels(&mut self) -> Vec<Panel<'_>> {
        let Self { panel, bins, operands, entropies, known, present, .. } = self;
        let (size, words) = (*panel, *panel * bins.div_ceil(64));
        let mut operands: Vec<_> =
            operands.iter_mut().map(|operand| operand.values_mut().chunks_mut(size * *bins)).collect();
        let rest = entropies.chunks_mut(size).zip(known.chunks_mut(size)).zip(present.chunks_mut(words));
        rest.enumerate()
            .map(|(i, ((entropies, known), present))| Panel {
                first: i * size,
                size,
                operands: operands.iter_mut().filter_map(Iterator::next).collect(),
                entropies,
                known,
                present,
            })
            .collect()
    }

    /// The numbers of an operand for at most `count` rows, in whole panels. Row `first` begins a panel.
    pub fn operand(&self, operand: usize, first: usize, count: usize) -> &[f64] {
        let end = (first + count.next_multiple_of(self.panel)).min(self.known.len());
        &self.operands[operand].values()[first * self.bins..end * self.bins]
    }

    /// The entropies of the rows from `first` on.
    pub fn entropies(&self, first: usize) -> &[f64] {
        &self.entropies[first..]
    }

    pub fn known(&self, row: usize) -> RowProperties {
        self.known[row]
    }

    /// Which bins of a row have weight.
    pub fn present(&self, row: usize) -> &[u64] {
        let words = self.bins.div_ceil(64);
        &self.present[row * words..(row + 1) * words]
    }
}

impl Panel<'_> {
    /// Prepares the rows, one by one.
    #[inline(always)]
    pub fn fill<S: Simd>(&mut self, simd: S, forms: &Forms, side: usize, rows: &Rows<'_>) {
        let bins = rows.bins();
        let mut scratch = Scratch::<f64>::default();
        let (mut shares, mut logs, mut values) = (vec![0.0; bins], vec![0.0; bins], vec![0.0; bins]);
        let operands = &forms.operands[side];
        let with_logs = forms.needs_entropies() || operands.contains(&Operand::Log);
        let words = bins.div_ceil(64);
        for i in 0..self.size.min(rows.len().saturating_sub(self.first)) {
            let row = f64::row(simd, rows, self.first + i, &Policy::default(), &mut scratch).weights;
            if forms.narrow && has_more_digits(rows, &row) || !shares_of(simd, forms.zeros, &row, &mut shares) {
                continue;
            }
            let mut full = true;
            for (word, shares) in self.present[i * words..(i + 1) * words].iter_mut().zip(shares.chunks(64)) {
                *word = shares.iter().rev().fold(0, |word, share| word << 1 | u64::from(*share > 0.0));
                full &= word.count_ones() as usize == shares.len();
            }
            if with_logs {
                self.entropies[i] = entropy(simd, &shares, &mut logs);
            }
            let mut usable = true;
            for (to, operand) in self.operands.iter_mut().zip(operands) {
                let values: &[f64] = match *operand {
                    Operand::Share => &shares,
                    Operand::Log => &logs,
                    Operand::Power(exponent) => {
                        power(exponent, &shares, &mut values);
                        &values
                    }
                };
                if *operand != Operand::Log {
                    usable &= values.iter().all(|x| *x == 0.0 || (*x >= LEAST && *x <= MOST));
                }
                for (to, value) in to.chunks_exact_mut(self.size).zip(values) {
                    to[i] = *value;
                }
            }
            if !usable {
                // The other rows of the panel are computed with these entries, which must be numbers.
                for to in &mut self.operands {
                    to.chunks_exact_mut(self.size).for_each(|to| to[i] = 0.0);
                }
            }
            self.known[i] = RowProperties { usable, full };
        }
    }
}

/// Whether a row has weights of more than 24 bits, for which the contract asks for more digits.
fn has_more_digits(rows: &Rows<'_>, row: &RowWeights<'_, f64>) -> bool {
    matches!(rows.weights(), Weights::U32(_) | Weights::I32(_))
        && row.high.iter().any(|x| *x > f64::from(LARGEST_IN_24_BITS))
}

/// Computes the shares of a row after the policy. Returns whether they are all correct, up to the last two digits.
#[inline(always)]
fn shares_of<S: Simd>(simd: S, zeros: Zeros, row: &RowWeights<'_, f64>, shares: &mut [f64]) -> bool {
    let (mut sums, mut valid) = (WideLanes::zero(simd), true);
    let mut at = 0;
    while at < row.high.len() {
        f64::accumulate::<S>(&mut sums, load::<S, f64>(simd, row.high, at));
        at += S::f64s::LEN;
    }
    for x in row.high {
        valid &= *x >= 0.0 && *x <= MOST;
    }
    let total = Double::from(sums.total());
    // Scaled weights are at the end of the range. Low parts come from integers above 2⁵³.
    if !valid || row.low.is_some() || row.unit != 1.0 || total.high > MOST {
        return false;
    }
    let found = SideTotals { total, present: 0, missing: 0, unit: 1.0 };
    let side = SideConstants::new(zeros, &found, row.high.len());
    let total = match zeros {
        Zeros::Floor(_) if total.high > LEAST => floored_total(simd, row, side.fill).high,
        Zeros::Floor(_) => 0.0,
        _ => side.total.high,
    };
    if total.is_nan() || total <= LEAST {
        return false;
    }
    let (add, least) = match zeros {
        Zeros::Floor(_) => (0.0, side.fill.high),
        _ => (side.add.high, 0.0),
    };
    let part = 1.0 / total;
    for (share, x) in shares.iter_mut().zip(row.high) {
        *share = ((x + add).max(least) * part).min(1.0);
    }
    // An amount that is almost nothing in the unit of the row has lost digits.
    if zeros != Zeros::Exact && side.fill.high < LEAST {
        return false;
    }
    // A weight that vanishes beside the total does not make a bin empty. Under a policy no bin is empty.
    let is_empty = |weight: f64| weight == 0.0 && zeros == Zeros::Exact;
    shares.iter().zip(row.high).all(|(share, weight)| *share >= LEAST || is_empty(*weight))
}

/// The logarithms of the shares, with 0 for a share of 0; returns the entropy.
#[inline(always)]
fn entropy<S: Simd>(simd: S, shares: &[f64], logs: &mut [f64]) -> f64 {
    let (zero, one) = (splat::<S, f64>(simd, 0.0), splat::<S, f64>(simd, 1.0));
    let mut sums = WideLanes::zero(simd);
    for (at, logs) in (0..).step_by(S::f64s::LEN).zip(logs.chunks_mut(S::f64s::LEN)) {
        let x = load::<S, f64>(simd, shares, at);
        let (exponent, t) = reduce_ratio::<S, f64>(simd, x.max(splat::<S, f64>(simd, LEAST)), one);
        let log = keep::<S, f64>(simd, x.simd_gt(zero), logarithm::<S, f64>(simd, exponent, t));
        f64::accumulate::<S>(&mut sums, x * log);
        match logs.len() == S::f64s::LEN {
            true => log.store_slice(logs),
            false => logs.copy_from_slice(&log.as_slice()[..logs.len()]),
        }
    }
    -sums.total()
}

/// The powers of the shares, with 0 for a share of 0.
#[inline(always)]
fn power(exponent: f64, shares: &[f64], values: &mut [f64]) {
    macro_rules! each {
        ($x:ident => $value:expr) => {
            for (value, &$x) in values.iter_mut().zip(shares) {
                *value = if $x > 0.0 { $value } else { 0.0 };
            }
        };
    }
    match exponent {
        0.5 => each!(x => x.sqrt()),
        2.0 => each!(x => x * x),
        -1.0 => each!(x => 1.0 / x),
        _ => each!(x => x.powf(exponent)),
    }
}
