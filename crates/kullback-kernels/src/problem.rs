//! One call as plain values.

use crate::measures::definition::Definition;
use crate::measures::facts::Infinite;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::arithmetic::contrast::Needs;
use crate::arithmetic::powers::power_of_two;
use crate::error::{Error, Result};
use crate::measures::scan::unit_of;
use crate::measures::{Divergence, Term};
use crate::reason::Reason;
use crate::unit::Unit;
use crate::weights::{Rows, WeightType};
use crate::zeros::Zeros;

/// How the rows of the two sides meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Row i against row i.
    Rowwise,
    /// Every row of P against the one row of Q.
    OneQ,
    /// The one row of P against every row of Q.
    OneP,
    /// Every row of P against the same rows of Q: all pairs of one row of P come before those of the next.
    All {
        /// The first row of Q.
        first: usize,
        /// The number of rows of Q.
        columns: usize,
    },
}

impl Pairing {
    /// The rows of either side that consecutive rows of the result come from. For all pairs, the result rows are a few whole
    /// rows of the matrix or a part of one row.
    pub fn ranges(self, rows: &Range<usize>) -> [Range<usize>; 2] {
        match self {
            Pairing::Rowwise => [rows.clone(), rows.clone()],
            Pairing::OneQ => [rows.clone(), 0..1],
            Pairing::OneP => [0..1, rows.clone()],
            Pairing::All { first, columns } => {
                let (line, start) = (rows.start / columns, rows.start % columns);
                if start + rows.len() <= columns {
                    [line..line + 1, first + start..first + start + rows.len()]
                } else {
                    [line..rows.end.div_ceil(columns), first..first + columns]
                }
            }
        }
    }

    /// Which sides have one row for all rows that the CPU computes together. For all pairs these rows belong to one row of P.
    pub fn shared(self) -> [bool; 2] {
        [matches!(self, Pairing::OneP | Pairing::All { .. }), self == Pairing::OneQ]
    }

    /// Rows of the result that a row of P makes before the next row does.
    pub fn line(self) -> usize {
        if let Pairing::All { columns, .. } = self { columns } else { 1 }
    }
}

/// Where the sums of a measure lie among the terms of the problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots {
    pub measure: Divergence,
    /// The rows on which it is +∞.
    pub infinite: Infinite,
    pub first: usize,
    pub second: Option<usize>,
}

/// What is computed, over which shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub rows: usize,
    pub bins: usize,
    pub p: WeightType,
    pub q: WeightType,
    pub pairing: Pairing,
    pub zeros: Zeros,
    pub unit: Unit,
    /// Every sum that some measure needs, once.
    pub terms: SmallVec<[Term; 4]>,
    pub slots: SmallVec<[Slots; 4]>,
    /// How many threads of a GPU share a row, if that is pinned.
    pub row_threads: Option<u32>,
    /// The positions of the bins: one per bin for centres, one more for edges, none for steps of 1.
    pub positions: Arc<[f64]>,
}

/// The most bins over which a device adds up F − G: one workgroup has the row.
pub const MOST_ORDERED_BINS: usize = 16_384;

/// Whether 32-bit floats hold the number of a policy: a small number beside a total of 1, and the sum of a large number over
/// all bins.
fn is_held(zeros: Zeros) -> bool {
    let (least, most) = (2f64.powi(-90), 2f64.powi(60));
    match zeros {
        Zeros::Exact | Zeros::Skip => true,
        Zeros::Epsilon(number) | Zeros::Additive(number) | Zeros::Floor(number) | Zeros::Mix(number) => {
            (least..=most).contains(&number)
        }
    }
}

impl Problem {
    /// Checks the shapes, the measures and the options against each other.
    ///
    /// # Errors
    /// Shapes that do not meet, no measure, or a number outside a definition.
    pub fn new(measures: &[Divergence], p: &Rows<'_>, q: &Rows<'_>, zeros: Zeros, unit: Unit) -> Result<Self> {
        if measures.is_empty() {
            return Err(Error::NoMeasure);
        }
        if p.bins() != q.bins() {
            return Err(Error::BinsDiffer { p: p.bins(), q: q.bins() });
        }
        let (rows, pairing) = match (p.len(), q.len()) {
            (rows, other) if rows == other => (rows, Pairing::Rowwise),
            (rows, 1) => (rows, Pairing::OneQ),
            (1, rows) => (rows, Pairing::OneP),
            (p, q) => return Err(Error::RowsDiffer { p, q }),
        };
        unit.validate()?;
        let mut terms: SmallVec<[Term; 4]> = SmallVec::new();
        let mut slot = |term: Term| {
            terms.iter().position(|t| *t == term).unwrap_or_else(|| {
                terms.push(term);
                terms.len() - 1
            })
        };
        let mut slots = SmallVec::with_capacity(measures.len());
        for &measure in measures {
            let (first, second) = measure.validate()?.terms();
            slots.push(Slots {
                measure,
                infinite: measure.infinite(),
                first: slot(first),
                second: second.map(&mut slot),
            });
        }
        Ok(Self {
            rows,
            bins: p.bins(),
            p: p.weight_type(),
            q: q.weight_type(),
            pairing,
            zeros: zeros.validate()?.effective(),
            unit,
            terms,
            slots,
            row_threads: None,
            positions: Arc::default(),
        })
    }

    /// The same problem with a pinned number of threads per row, if `threads` is set.
    pub fn with_threads(self, threads: Option<u32>) -> Self {
        Self { row_threads: threads, ..self }
    }

    /// The same problem with the positions of the bins.
    ///
    /// # Errors
    /// [`Error::PositionsUnused`], [`Error::PositionCount`], [`Error::Position`], [`Error::PositionOrder`], [`Error::PositionSpan`].
    pub fn with_positions(self, positions: Option<&Arc<[f64]>>) -> Result<Self> {
        let Some(positions) = positions else { return Ok(self) };
        if !self.terms.contains(&Term::W1) {
            return Err(Error::PositionsUnused);
        }
        if positions.len() != self.bins && positions.len() != self.bins + 1 {
            return Err(Error::PositionCount { positions: positions.len(), bins: self.bins });
        }
        if let Some(index) = positions.iter().position(|value| !value.is_finite()) {
            return Err(Error::Position { index, value: positions[index] });
        }
        if let Some(index) = (1..positions.len()).find(|&index| positions[index] <= positions[index - 1]) {
            return Err(Error::PositionOrder { index, value: positions[index], before: positions[index - 1] });
        }
        if let [first, .., last] = positions[..]
            && !(last - first).is_finite()
        {
            return Err(Error::PositionSpan { first, last });
        }
        Ok(Self { positions: positions.clone(), ..self })
    }

    /// Whether a term depends on the order of the bins.
    pub fn has_scan(&self) -> bool {
        self.terms.iter().any(|term| term.is_scan())
    }

    /// Why the whole call must be computed in 64-bit floats, if it must.
    pub fn needs_wide(&self) -> Option<Reason> {
        let is_delicate = |slots: &Slots| !self.terms[slots.first].is_narrow();
        if self.p.is_wide() || self.q.is_wide() {
            Some(Reason::WideWeights)
        } else if !is_held(self.zeros) {
            Some(Reason::WidePolicy)
        } else if self.slots.iter().any(is_delicate) {
            Some(Reason::WideOrder)
        } else {
            None
        }
    }

    /// Why the CPU must compute the call, if it must.
    pub fn is_not_for_a_device(&self) -> Option<Reason> {
        // Each thread would add up too many blocks in 32 bits.
        const MOST_BINS: usize = 1 << 24;
        let unit = unit_of(&self.positions, self.bins);
        let is_held = self.bins <= MOST_ORDERED_BINS && (power_of_two(-60)..=power_of_two(60)).contains(&unit);
        let too_long = (self.bins > MOST_BINS).then_some(Reason::LongRows);
        self.needs_wide().or((self.has_scan() && !is_held).then_some(Reason::OrderedBins)).or(too_long)
    }

    /// What the terms use of a contrast, taken together.
    pub fn needs(&self) -> Needs {
        self.terms.iter().fold(Needs::default(), |all, term| all.and(term.needs()))
    }

    /// Bytes of weights that one row of the result reads.
    pub fn bytes_per_row(&self) -> u64 {
        let p = if self.pairing == Pairing::OneP { 0 } else { self.p.size() };
        let q = if self.pairing == Pairing::OneQ { 0 } else { self.q.size() };
        (self.bins as u64) * (p + q) as u64
    }

    /// The rows of P and of Q that the result rows `start .. start + count` come from.
    pub fn sides<'a>(&self, p: &Rows<'a>, q: &Rows<'a>, start: usize, count: usize) -> (Rows<'a>, Rows<'a>) {
        let [p_rows, q_rows] = self.pairing.ranges(&(start..start + count));
        (p.slice(p_rows.start, p_rows.len()), q.slice(q_rows.start, q_rows.len()))
    }
}
