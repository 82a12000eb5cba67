//! Sums → values: the columns of a call as they grow, chunk by chunk.

use rayon::prelude::*;

use crate::backend::{RowFlags, RowSums};
use crate::divergence::finish::Support;
use crate::divergence::{Divergence, Unit, Zeros};
use crate::error::{Error, Result, Side};
use crate::options::{OnInvalid, Options, Progress};
use crate::output::{Columns, RowStatus, Stats};
use crate::plan::problem::Slots;
use crate::plan::{Pairing, Problem};
use crate::rows::Rows;

/// Rows that one task turns into values: some ten microseconds.
const PIECE: usize = 8192;

/// The columns of a call.
pub(crate) struct Values<'a> {
    problem: &'a Problem,
    options: &'a Options,
    pub(crate) columns: Columns,
}

impl<'a> Values<'a> {
    /// Room for every row of a call.
    pub(crate) fn new(problem: &'a Problem, options: &'a Options) -> Self {
        let measures: Vec<Divergence> = problem.slots.iter().map(|slots| slots.measure).collect();
        let columns = measures.iter().map(|_| vec![0.0; problem.rows]).collect();
        let status = vec![RowStatus::Ok; problem.rows];
        Self { problem, options, columns: Columns { measures, columns, status, stats: Stats::default() } }
    }

    /// Whether so many rows are worth more than one thread.
    pub(crate) fn takes_threads(rows: usize) -> bool {
        rows > 2 * PIECE
    }

    /// Turns the sums of the rows from `start` on into values, on the threads of the pool it is called in
    /// where [`Values::takes_threads`].
    pub(crate) fn write(&mut self, start: usize, sums: &RowSums) {
        let (rows, terms, unit) = (sums.flags.len(), self.problem.terms.len(), self.options.unit);
        let (flags, sums) = (&sums.flags[..], &sums.sums[..]);
        let status = &mut self.columns.status[start..start + rows];
        let columns = self.columns.columns.iter_mut().zip(&self.problem.slots);
        if !Self::takes_threads(rows) {
            write_status(status, flags);
            columns.for_each(|(column, slots)| {
                write_column(&mut column[start..start + rows], status, flags, sums, terms, slots, unit);
            });
            return;
        }
        status.par_chunks_mut(PIECE).zip(flags.par_chunks(PIECE)).for_each(|(status, flags)| write_status(status, flags));
        for (column, slots) in columns {
            column[start..start + rows]
                .par_chunks_mut(PIECE)
                .zip(status.par_chunks_mut(PIECE))
                .zip(flags.par_chunks(PIECE).zip(sums.par_chunks(PIECE * terms)))
                .for_each(|((column, status), (flags, sums))| {
                    write_column(column, status, flags, sums, terms, slots, unit);
                });
        }
    }

    /// Sets one row: for the backend that has no sums.
    pub(crate) fn set(&mut self, row: usize, values: &[f64], status: RowStatus) {
        for (column, value) in self.columns.columns.iter_mut().zip(values) {
            column[row] = *value;
        }
        self.columns.status[row] = status;
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
        if self.options.on_invalid == OnInvalid::Null || invalid().next().is_none() {
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

/// The statuses that flags alone decide.
fn write_status(status: &mut [RowStatus], flags: &[RowFlags]) {
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
}

/// The values of one measure, from the sums of all terms, `terms` a row; and the status of rows whose value
/// is infinite.
fn write_column(
    column: &mut [f64],
    status: &mut [RowStatus],
    flags: &[RowFlags],
    sums: &[f64],
    terms: usize,
    slots: &Slots,
    unit: Unit,
) {
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
