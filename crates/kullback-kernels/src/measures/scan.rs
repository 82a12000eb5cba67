//! Terms that depend on the order of the bins. A scan walks over a row with F − G = Σ(p̂ − q̂) so far, and gives each of its terms
//! what it needs of a step.
//!
//! F − G goes up and down, and what rounding takes from it stays for all bins that follow. So it is summed in two parts of 64 bits:
//! then its error is that of the differences p̂ − q̂ alone, 2⁻⁵³ of the rows at most, whatever the length.

use smallvec::SmallVec;

use super::step::Step;
use super::table::with_function_of;
use super::term::Term;
use crate::arithmetic::double::Double;
use crate::arithmetic::powers::power_of_two;

/// The power of two next below the span of the positions, or of steps of 1. Widths in this unit add up to less than 2, so that no
/// product leaves the range of a float.
pub fn unit_of(positions: &[f64], bins: usize) -> f64 {
    let span = match positions {
        [first, .., last] => last - first,
        _ => bins as f64,
    };
    power_of_two((span.log2().floor() as i32).clamp(-1022, 1022))
}

/// The way from the position of a bin to the next, or over the bin. Nothing lies after the last centre.
#[inline(always)]
fn width(positions: &[f64], bins: usize, bin: usize) -> f64 {
    match positions.get(bin..bin + 2) {
        Some(&[from, to]) => to - from,
        _ if bin + 1 == bins => 0.0,
        _ => 1.0,
    }
}

/// The widths of all bins in the unit of [`unit_of`].
pub fn widths(positions: &[f64], bins: usize) -> impl Iterator<Item = f64> {
    let unit = unit_of(positions, bins);
    (0..bins).map(move |bin| width(positions, bins, bin) / unit)
}

/// A walk over a row for its scan terms.
pub(crate) struct Scan<'a> {
    terms: &'a [Term],
    /// Centres, one per bin, or edges, one more. Empty for steps of 1.
    positions: &'a [f64],
    /// What widths are multiplied by: 1 over their unit.
    scale: f64,
    bins: usize,
    bin: usize,
    /// Q·(F − G).
    off: Double,
    /// The same as one number.
    after: f64,
    /// What each term has found, times Q.
    found: SmallVec<[Double; 2]>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(terms: &'a [Term], positions: &'a [f64], bins: usize) -> Self {
        let scale = if positions.is_empty() { 1.0 } else { 1.0 / unit_of(positions, bins) };
        Self { terms, positions, scale, bins, bin: 0, off: Double::default(), after: 0.0, found: SmallVec::new() }
    }

    /// Starts a row.
    pub(crate) fn begin(&mut self) {
        (self.bin, self.off, self.after) = (0, Double::default(), 0.0);
        self.found.clear();
        self.found.resize(self.terms.len(), Double::default());
    }

    #[inline(always)]
    fn width(&self, bin: usize) -> f64 {
        width(self.positions, self.bins, bin) * self.scale
    }

    /// Takes a − q of the next bin. What comes after the last bin is padding.
    #[inline]
    pub(crate) fn step(&mut self, u: f64) {
        if self.bin == self.bins {
            return;
        }
        let before = self.after;
        self.off = self.off.plus(u);
        self.after = self.off.high + self.off.low;
        let within = self.positions.len() > self.bins;
        let step = Step { before, after: self.after, width: self.width(self.bin), within };
        for (found, term) in self.found.iter_mut().zip(self.terms) {
            macro_rules! take {
                (scan $function:path, $term:expr) => {
                    *found = $function(*found, &step)
                };
                ($other:ident $function:path, $term:expr $(, $order:expr)?) => {{ $(let _ = $order;)? }};
            }
            with_function_of!(*term, take);
        }
        self.bin += 1;
    }

    /// Takes a pair of rows whose totals have the ratio Q/P. The choice of the term stands outside the loop over the bins.
    #[inline(always)]
    pub(crate) fn rows(&mut self, p: &[f64], q: &[f64], ratio: f64) {
        self.begin();
        let within = self.positions.len() > self.bins;
        for slot in 0..self.terms.len() {
            macro_rules! walk {
                (scan $function:path, $term:expr) => {{
                    let (mut found, mut off, mut before) = (Double::default(), Double::default(), 0.0);
                    for (bin, (x, y)) in p.iter().zip(q).enumerate() {
                        off = off.plus(x * ratio - y);
                        let after = off.high + off.low;
                        found = $function(found, &Step { before, after, width: self.width(bin), within });
                        before = after;
                    }
                    self.found[slot] = found;
                }};
                ($other:ident $function:path, $term:expr $(, $order:expr)?) => {{ $(let _ = $order;)? }};
            }
            with_function_of!(self.terms[slot], walk);
        }
    }

    /// Writes what the scan terms have found, divided by Q and in the unit of the positions, over the sums of all terms.
    pub(crate) fn write(&self, q_total: f64, sums: &mut [f64]) {
        for ((sum, found), term) in sums.iter_mut().zip(&self.found).zip(self.terms) {
            if term.is_scan() {
                let scale = if *term == Term::W1 { self.scale } else { 1.0 };
                *sum = (found.high + found.low) / q_total / scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_parts_of_their_span() {
        assert_eq!(widths(&[], 5).collect::<Vec<_>>(), [0.25, 0.25, 0.25, 0.25, 0.0]);
        assert_eq!(widths(&[1.0, 2.0, 7.0], 3).collect::<Vec<_>>(), [0.25, 1.25, 0.0]);
        assert_eq!(widths(&[1e9, 1e9 + 1.0, 1e9 + 2.0], 2).collect::<Vec<_>>(), [0.5, 0.5]);
        assert_eq!((unit_of(&[7.0], 1), unit_of(&[-1e308, 0.5e308], 1)), (1.0, 2f64.powi(1022)));
    }

    /// W1 and KS of rows that each add up to 1.
    fn scanned(positions: &[f64], p: &[f64], q: &[f64]) -> [f64; 2] {
        let terms = [Term::W1, Term::Ks];
        let mut scan = Scan::new(&terms, positions, p.len());
        scan.begin();
        p.iter().zip(q).for_each(|(p, q)| scan.step(p - q));
        scan.step(7.0);
        let mut sums = [0.0; 2];
        scan.write(1.0, &mut sums);
        sums
    }

    #[test]
    fn a_weight_that_moves_costs_its_way() {
        let (p, q) = ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.75, 0.25]);
        assert_eq!(scanned(&[], &p, &q), [2.25, 1.0]);
        assert_eq!(scanned(&[0.0, 1.0, 10.0, 30.0], &p, &q), [15.0, 1.0]);
    }

    #[test]
    fn weight_between_edges_lies_evenly() {
        // The uniform distributions on [0, 2] and [1, 3].
        assert_eq!(scanned(&[0.0, 1.0, 2.0, 3.0], &[0.5, 0.5, 0.0], &[0.0, 0.5, 0.5]), [1.0, 0.5]);
        // F − G goes from ¼ to −¼ in the middle bin.
        let [w1, ks] = scanned(&[0.0, 1.0, 3.0, 4.0], &[0.5, 0.0, 0.5], &[0.25, 0.5, 0.25]);
        assert_eq!([w1, ks], [0.125 + 2.0 * 0.125 + 0.125, 0.25]);
    }

    #[test]
    fn what_went_up_comes_down_to_nothing() {
        let mut p = vec![0.1; 100_000];
        let mut q = p.clone();
        (p[0], q[1]) = (1e6, 1e6);
        let [w1, _] = scanned(&[], &p, &q);
        assert!((w1 - (1e6 - 0.1)).abs() < 1e-9, "{w1}");
    }
}
