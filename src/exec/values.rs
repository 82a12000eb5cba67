//! Sums → values: the columns of a call as they grow, chunk by chunk.

use kullback_kernels::measures::definition::Definition;
use std::ops::Range;

use smallvec::SmallVec;

use super::tracker::Tracker;
use crate::backend::NoValue;
use crate::exec::refused::Refused;
use crate::options::{OnInvalid, Options};
use crate::output::{Columns, RowStatus, Stats};
use kullback_kernels::error::Result;
use kullback_kernels::measures::finish::{Finisher, Support, positive};
use kullback_kernels::problem::Problem;
use kullback_kernels::problem::Slots;
use kullback_kernels::row_sums::{RowFlags, RowSums};
use kullback_kernels::unit::Unit;
use kullback_kernels::weights::Rows;

/// The columns of some rows of a call.
pub(crate) struct Values<'a> {
    problem: &'a Problem,
    options: &'a Options,
    tracker: &'a Tracker<'a>,
    rows: Range<usize>,
    columns: Columns,
}

impl<'a> Values<'a> {
    /// Allocates columns for some rows of a call.
    pub(crate) fn new(
        problem: &'a Problem,
        options: &'a Options,
        tracker: &'a Tracker<'a>,
        rows: Range<usize>,
    ) -> Self {
        Self::within(Columns::default(), problem, options, tracker, rows)
    }

    /// Uses the memory of columns that are no longer needed, whatever they hold. The caller must set every row.
    pub(crate) fn within(
        mut columns: Columns,
        problem: &'a Problem,
        options: &'a Options,
        tracker: &'a Tracker<'a>,
        rows: Range<usize>,
    ) -> Self {
        columns.measures = problem.slots.iter().map(|slots| slots.measure).collect();
        columns.columns.resize_with(problem.slots.len(), Vec::new);
        for column in &mut columns.columns {
            if column.is_empty() {
                *column = vec![0.0; rows.len()];
            }
            column.resize(rows.len(), 0.0);
        }
        if columns.status.is_empty() {
            columns.status = bytemuck::zeroed_vec(rows.len());
        }
        columns.status.resize(rows.len(), RowStatus::Ok);
        columns.stats = Stats::default();
        Self { problem, options, tracker, rows, columns }
    }

    /// Splits the rows into parts, each for one computing thread. `ends` says where each part ends, in order, the last at the
    /// end of all rows.
    pub(crate) fn parts(&mut self, ends: impl IntoIterator<Item = usize>) -> SmallVec<[Part<'_>; 1]> {
        let Self { problem, options, tracker, rows, columns } = self;
        let mut status = columns.status.as_mut_slice();
        let mut columns: SmallVec<[&mut [f64]; 4]> = columns.columns.iter_mut().map(Vec::as_mut_slice).collect();
        let mut start = rows.start;
        let part = |end: usize| {
            let rows = start..end;
            start = end;
            Part {
                problem,
                unit: options.unit,
                tracker,
                done: rows.start,
                columns: columns.iter_mut().map(|column| split_off(column, rows.len())).collect(),
                status: split_off(&mut status, rows.len()),
                rows,
                any_invalid: false,
                stats: Stats::default(),
            }
        };
        ends.into_iter().map(part).collect()
    }

    /// The columns, or the error for the invalid rows.
    pub(crate) fn finish(self, any_invalid: bool, p: &Rows<'_>, q: &Rows<'_>) -> Result<Columns> {
        if self.options.on_invalid == OnInvalid::Null || !any_invalid {
            return Ok(self.columns);
        }
        let mut refused = Refused::default();
        refused.add(self.problem, (p, q), self.rows.start, &self.columns.status);
        match refused.error(self.problem) {
            Some(error) => Err(error),
            None => Ok(self.columns),
        }
    }
}

/// Consecutive rows of the columns, computed in order.
pub(crate) struct Part<'a> {
    problem: &'a Problem,
    unit: Unit,
    tracker: &'a Tracker<'a>,
    pub(crate) rows: Range<usize>,
    /// Where the rows that are not finished begin.
    pub(crate) done: usize,
    columns: SmallVec<[&'a mut [f64]; 4]>,
    status: &'a mut [RowStatus],
    /// Whether any row is invalid.
    pub(crate) any_invalid: bool,
    pub(crate) stats: Stats,
}

impl Part<'_> {
    /// The rows of a chunk, `rows` at a time, each piece to be written by the thread that computes it.
    pub(crate) fn pieces(&mut self, chunk: Range<usize>, rows: usize) -> impl Iterator<Item = Piece<'_>> {
        let (unit, slots, terms) = (self.unit, self.problem.slots.as_slice(), self.problem.terms.len());
        let mine = chunk.start - self.rows.start..chunk.end - self.rows.start;
        let mut columns: SmallVec<[&mut [f64]; 4]> =
            self.columns.iter_mut().map(|column| &mut column[mine.clone()]).collect();
        let mut status = &mut self.status[mine];
        chunk.step_by(rows).map(move |start| {
            let mine = rows.min(status.len());
            let columns = columns.iter_mut().map(|column| split_off(column, mine)).collect();
            Piece { start, unit, slots, terms, columns, status: split_off(&mut status, mine) }
        })
    }

    /// Sets one row, for the backend that has no sums.
    pub(crate) fn set(&mut self, row: usize, values: &[f64], status: RowStatus) {
        let row = row - self.rows.start;
        for (column, value) in self.columns.iter_mut().zip(values) {
            column[row] = *value;
        }
        self.status[row] = status;
        self.any_invalid |= status == RowStatus::Invalid;
    }

    /// Notes that the rows before `end` are finished, and tells the caller.
    pub(crate) fn finished(&mut self, end: usize) -> Result<()> {
        let more = end - self.done;
        self.done = end;
        self.tracker.report(more)
    }
}

/// Takes the first `count` elements out of a slice.
fn split_off<'s, T>(slice: &mut &'s mut [T], count: usize) -> &'s mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(count);
    *slice = rest;
    first
}

/// A few rows of a part.
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
    pub(crate) fn len(&self) -> usize {
        self.status.len()
    }

    /// Turns sums into values. Returns whether a row is invalid.
    pub(crate) fn write(&mut self, sums: &RowSums) -> bool {
        self.write_at(0, sums)
    }

    /// Takes the values that a device has made, by measure and row. Marks the rows that it has left to the host. Returns
    /// whether a row is invalid.
    pub(crate) fn take(&mut self, bits: impl Fn(usize, usize) -> u32, flags: &mut [RowFlags]) -> bool {
        let mut any_invalid = false;
        for (row, (status, flags)) in self.status.iter_mut().zip(flags).enumerate() {
            let seen = NoValue::from_bits(bits(0, row));
            *status = match seen {
                Some(NoValue::Empty) => RowStatus::Empty,
                Some(NoValue::Invalid) => RowStatus::Invalid,
                Some(NoValue::ForTheHost) | None => RowStatus::Ok,
            };
            *flags = RowFlags(if seen == Some(NoValue::ForTheHost) { RowFlags::RESCUE } else { 0 });
            any_invalid |= *status == RowStatus::Invalid;
        }
        for (measure, (column, slots)) in self.columns.iter_mut().zip(self.slots).enumerate() {
            // The last rounding of a device may leave a value a unit above it.
            let most = slots.measure.finisher(self.unit).bound();
            for (row, (value, status)) in column.iter_mut().zip(self.status.iter_mut()).enumerate() {
                let found = f64::from(f32::from_bits(bits(measure, row)));
                *value = if status.has_value() { found.min(most) } else { f64::NAN };
                if found == f64::INFINITY {
                    (*value, *status) = (found, RowStatus::Infinite);
                }
            }
        }
        any_invalid
    }

    /// Turns sums into values for the rows that have any flag: these were marked, and computed again. Returns whether a row is
    /// invalid.
    pub(crate) fn write_again(&mut self, sums: &RowSums) -> bool {
        let mut one = RowSums::default();
        let marked = (0..sums.flags.len()).filter(|row| sums.flags[*row].0 != 0);
        marked.fold(false, |any_invalid, row| {
            one.copy_from(sums, row, 1);
            self.write_at(row, &one) | any_invalid
        })
    }

    /// Turns sums into values for the rows from `start` on. All of them have weight in every bin and finite values.
    pub(crate) fn write_usual(&mut self, start: usize, sums: &RowSums) {
        let rows = start..start + sums.flags.len();
        self.status[rows.clone()].fill(RowStatus::Ok);
        for (column, slots) in self.columns.iter_mut().zip(self.slots) {
            write_usual(&mut column[rows.clone()], &sums.sums, self.terms, slots, self.unit);
        }
    }

    /// Turns sums into values for the rows from `start` on.
    pub(crate) fn write_at(&mut self, start: usize, sums: &RowSums) -> bool {
        let rows = start..start + sums.flags.len();
        let status = &mut self.status[rows.clone()];
        let any_invalid = write_status(status, &sums.flags);
        for (column, slots) in self.columns.iter_mut().zip(self.slots) {
            write_column(&mut column[rows.clone()], status, sums, self.terms, slots, self.unit);
        }
        any_invalid
    }
}

/// The value of one measure of a row, NaN if it has none; and whether the row is invalid.
pub(crate) fn value_of(flags: RowFlags, sums: &[f64], slots: &Slots, finish: Finisher) -> (f64, bool) {
    let mut status = [RowStatus::Ok];
    let is_invalid = write_status(&mut status, &[flags]);
    if !status[0].has_value() {
        return (f64::NAN, is_invalid);
    }
    let value = finish.value(sums[slots.first], slots.second.map(|second| sums[second]));
    (if slots.infinite.on(flags.support()) { f64::INFINITY } else { value }, false)
}

/// The values of one measure, if no row needs a look at its flags.
fn write_usual(column: &mut [f64], sums: &[f64], terms: usize, slots: &Slots, unit: Unit) {
    let finish = slots.measure.finisher(unit);
    match finish {
        // Loops that a compiler can turn into vector code.
        Finisher::Scaled { most, divisor, root: false } if terms == 1 => {
            let bounded = |sum: f64| positive(if sum > most { most } else { sum });
            if divisor == 1.0 {
                column.iter_mut().zip(sums).for_each(|(value, sum)| *value = bounded(*sum));
            } else {
                column.iter_mut().zip(sums).for_each(|(value, sum)| *value = positive(bounded(*sum) / divisor));
            }
        }
        _ => {
            for (value, sums) in column.iter_mut().zip(sums.chunks_exact(terms)) {
                *value = finish.value(sums[slots.first], slots.second.map(|second| sums[second]));
            }
        }
    }
}

/// The statuses that the flags alone decide. Returns whether a row is invalid.
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

/// The values of one measure, from the sums of all terms, `terms` per row; and the status of rows whose value is infinite.
fn write_column(column: &mut [f64], status: &mut [RowStatus], sums: &RowSums, terms: usize, slots: &Slots, unit: Unit) {
    let RowSums { flags, sums } = sums;
    write_usual(column, sums, terms, slots, unit);
    // Nearly all rows have weight in every bin and a finite value. This check branches only if some row does not.
    let has_common = flags.iter().fold(true, |all, flags| all & (flags.0 == Support::COMMON.bits()));
    if has_common && column.iter().fold(true, |all, value| all & (*value < f64::INFINITY)) {
        return;
    }
    for ((value, flags), status) in column.iter_mut().zip(flags).zip(status) {
        if !status.has_value() {
            *value = f64::NAN;
        } else if slots.infinite.on(flags.support()) || *value == f64::INFINITY {
            *value = f64::INFINITY;
            *status = RowStatus::Infinite;
        }
    }
}
