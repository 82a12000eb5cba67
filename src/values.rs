//! Sums → values: the columns of a call as they grow, chunk by chunk.

use std::ops::Range;

use smallvec::SmallVec;

use crate::backend::{RowFlags, RowSums};
use crate::divergence::finish::Support;
use crate::divergence::{Divergence, Unit, Zeros};
use crate::error::{Error, Result, Side};
use crate::options::{OnInvalid, Options, Progress};
use crate::output::{Columns, RowStatus, Stats};
use crate::plan::problem::Slots;
use crate::plan::{Pairing, Problem};
use crate::rows::Rows;

/// The columns of a call.
pub(crate) struct Values<'a> {
    problem: &'a Problem,
    options: &'a Options,
    /// Whether any row is invalid.
    pub(crate) any_invalid: bool,
    pub(crate) columns: Columns,
}

impl<'a> Values<'a> {
    /// Room for every row of a call.
    pub(crate) fn new(problem: &'a Problem, options: &'a Options) -> Self {
        let measures: Vec<Divergence> = problem.slots.iter().map(|slots| slots.measure).collect();
        let columns = measures.iter().map(|_| vec![0.0; problem.rows]).collect();
        let status = bytemuck::zeroed_vec(problem.rows);
        let columns = Columns { measures, columns, status, stats: Stats::default() };
        Self { problem, options, any_invalid: false, columns }
    }

    /// The rows of a chunk, `rows` at a time, each to be written by whoever computes it.
    pub(crate) fn pieces(&mut self, chunk: Range<usize>, rows: usize) -> impl Iterator<Item = Piece<'_>> {
        let unit = self.options.unit;
        let slots = &self.problem.slots;
        let terms = self.problem.terms.len();
        let mut columns: SmallVec<[&mut [f64]; 4]> =
            self.columns.columns.iter_mut().map(|column| &mut column[chunk.clone()]).collect();
        let mut status = &mut self.columns.status[chunk.clone()];
        chunk.step_by(rows).map(move |start| {
            let mine = rows.min(status.len());
            let columns = columns.iter_mut().map(|column| split_off(column, mine)).collect();
            Piece { start, unit, slots, terms, columns, status: split_off(&mut status, mine) }
        })
    }

    /// Sets one row: for the backend that has no sums.
    pub(crate) fn set(&mut self, row: usize, values: &[f64], status: RowStatus) {
        for (column, value) in self.columns.columns.iter_mut().zip(values) {
            column[row] = *value;
        }
        self.columns.status[row] = status;
        self.any_invalid |= status == RowStatus::Invalid;
    }

    /// Tells the caller how far the call is.
    pub(crate) fn report(&self, done: usize) -> Result<()> {
        let progress = Progress { done: done as u64, total: self.problem.rows as u64 };
        match &self.options.progress {
            Some(callback) if callback(progress).is_break() => {
                Err(Error::Cancelled { done: progress.done, total: progress.total })
            }
            _ => Ok(()),
        }
    }

    /// The columns, or the error that the first invalid row is.
    pub(crate) fn finish(self, p: &Rows<'_>, q: &Rows<'_>) -> Result<Columns> {
        let invalid = || self.columns.status.iter().enumerate().filter(|(_, s)| **s == RowStatus::Invalid);
        if self.options.on_invalid == OnInvalid::Null || !self.any_invalid {
            return Ok(self.columns);
        }
        let rows = self.problem.rows as u64;
        // Rows with a bad weight and rows that the policy cannot do are told apart by looking.
        let bad = |row: usize| {
            let p_row = if self.problem.pairing == Pairing::OneP { 0 } else { row };
            let q_row = if self.problem.pairing == Pairing::OneQ { 0 } else { row };
            first_invalid(p, p_row)
                .map(|(bin, value)| (Side::P, p_row, bin, value))
                .or_else(|| first_invalid(q, q_row).map(|(bin, value)| (Side::Q, q_row, bin, value)))
        };
        let weights = invalid().filter(|(row, _)| bad(*row).is_some()).count() as u64;
        for (row, _) in invalid() {
            if let Some((side, row, bin, value)) = bad(row) {
                return Err(Error::InvalidWeights { count: weights, rows, row: row as u64, side, bin, value });
            }
        }
        let first = invalid().next().map_or(0, |(row, _)| row as u64);
        let count = invalid().count() as u64;
        if !matches!(self.options.zeros, Zeros::Epsilon(_)) {
            return Err(Error::RangeTooWide { count, rows, row: first });
        }
        Err(Error::PolicyTooLarge { policy: self.options.zeros.to_string(), count, rows, row: first })
    }
}

/// Takes the first elements out of a slice.
fn split_off<'s, T>(slice: &mut &'s mut [T], count: usize) -> &'s mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(count);
    *slice = rest;
    first
}

/// Consecutive rows of the columns.
pub(crate) struct Piece<'a> {
    /// The first row.
    pub(crate) start: usize,
    unit: Unit,
    slots: &'a [Slots],
    terms: usize,
    columns: SmallVec<[&'a mut [f64]; 4]>,
    status: &'a mut [RowStatus],
}

impl Piece<'_> {
    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.status.len()
    }

    /// Turns sums into values; returns whether a row is invalid.
    pub(crate) fn write(&mut self, sums: &RowSums) -> bool {
        let any_invalid = write_status(self.status, &sums.flags);
        for (column, slots) in self.columns.iter_mut().zip(self.slots) {
            write_column(column, self.status, sums, self.terms, slots, self.unit);
        }
        any_invalid
    }
}

/// The statuses that flags alone decide; returns whether a row is invalid.
fn write_status(status: &mut [RowStatus], flags: &[RowFlags]) -> bool {
    const REFUSED: u32 = RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::POLICY | RowFlags::RESCUE;
    for (status, flags) in status.iter_mut().zip(flags) {
        *status = if flags.any(REFUSED) {
            RowStatus::Invalid
        } else if flags.any(RowFlags::EMPTY) {
            RowStatus::Empty
        } else {
            RowStatus::Ok
        };
    }
    flags.iter().fold(0, |any, flags| any | flags.0) & REFUSED != 0
}

/// The values of one measure, from the sums of all terms, `terms` a row; and the status of rows whose value
/// is infinite.
fn write_column(column: &mut [f64], status: &mut [RowStatus], sums: &RowSums, terms: usize, slots: &Slots, unit: Unit) {
    let RowSums { flags, sums } = sums;
    let finish = slots.measure.finisher(unit);
    // Nearly all rows have weight in every bin and a finite value: one tight loop, and a second look
    // only where some row has not.
    let mut usual = true;
    for ((value, flags), sums) in column.iter_mut().zip(flags).zip(sums.chunks_exact(terms)) {
        *value = finish.value(sums[slots.first], slots.second.map(|second| sums[second]));
        usual &= flags.0 == Support::COMMON.bits() && *value < f64::INFINITY;
    }
    if usual {
        return;
    }
    for ((value, flags), status) in column.iter_mut().zip(flags).zip(status) {
        if !status.has_value() {
            *value = f64::NAN;
        } else if slots.measure.is_infinite(flags.support()) || *value == f64::INFINITY {
            *value = f64::INFINITY;
            *status = RowStatus::Infinite;
        }
    }
}

/// The first bin of a row whose weight is negative, NaN or infinite.
fn first_invalid(rows: &Rows<'_>, row: usize) -> Option<(usize, f64)> {
    (0..rows.bins())
        .filter_map(|bin| rows.get(row, bin).map(|value| (bin, value)))
        .find(|(_, value)| !(*value >= 0.0 && value.is_finite()))
}
