//! Builds the error for invalid rows: rows with no value because a weight is invalid or the policy cannot be applied.

use rayon::prelude::*;

use crate::output::RowStatus;
use kullback_kernels::error::{Error, Side};
use kullback_kernels::problem::Problem;
use kullback_kernels::weights::Rows;
use kullback_kernels::zeros::Zeros;

/// The invalid rows of a call: how many, and the first. The weights of a row show which of two kinds it is: one with a bad
/// weight, or one that the policy cannot be applied to.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    weights: u64,
    first: Option<(Side, usize, usize, f64)>,
    others: u64,
    first_other: Option<usize>,
}

impl Refused {
    /// Takes the statuses of more rows; `start` is the number of the first of them.
    pub(crate) fn add(
        &mut self,
        problem: &Problem,
        (p, q): (&Rows<'_>, &Rows<'_>),
        start: usize,
        status: &[RowStatus],
    ) {
        let invalid = (start..).zip(status).filter(|(_, status)| **status == RowStatus::Invalid);
        for (row, _) in invalid {
            let [p_row, q_row] = problem.pairing.ranges(&(row..row + 1)).map(|rows| rows.start);
            let bad = first_invalid(p, p_row)
                .map(|(bin, value)| (Side::P, p_row, bin, value))
                .or_else(|| first_invalid(q, q_row).map(|(bin, value)| (Side::Q, q_row, bin, value)));
            if bad.is_some() {
                self.weights += 1;
                self.first = self.first.or(bad);
            } else {
                self.others += 1;
                self.first_other = self.first_other.or(Some(row));
            }
        }
    }

    /// The error for the rows of one side, if any has an invalid weight.
    pub(crate) fn of_side(side: Side, rows: &Rows<'_>) -> Option<Error> {
        let is_bad = |row: &usize| !rows.is_valid(*row);
        let row = (0..rows.len()).into_par_iter().find_first(is_bad)?;
        let count = (row..rows.len()).into_par_iter().filter(is_bad).count() as u64;
        let (bin, value) = first_invalid(rows, row)?;
        Some(Error::InvalidWeights { count, rows: rows.len() as u64, row: row as u64, side, bin, value })
    }

    /// The error for entries whose weights are all valid: the policy cannot be applied to them, or their weights span too much.
    pub(crate) fn by_policy(problem: &Problem, count: usize, row: usize) -> Error {
        let (rows, count, row) = (problem.rows as u64, count as u64, row as u64);
        match problem.zeros {
            Zeros::Epsilon(_) => Error::PolicyTooLarge { policy: problem.zeros.to_string(), count, rows, row },
            _ => Error::RangeTooWide { count, rows, row },
        }
    }

    /// The error for all invalid rows, if there are any.
    pub(crate) fn error(&self, problem: &Problem) -> Option<Error> {
        if let Some((side, row, bin, value)) = self.first {
            let rows = problem.rows as u64;
            return Some(Error::InvalidWeights { count: self.weights, rows, row: row as u64, side, bin, value });
        }
        Some(Self::by_policy(problem, self.others as usize, self.first_other?))
    }
}

/// The first bin of a row whose weight is negative, NaN or infinite.
fn first_invalid(rows: &Rows<'_>, row: usize) -> Option<(usize, f64)> {
    (0..rows.bins())
        .filter_map(|bin| rows.get(row, bin).map(|value| (bin, value)))
        .find(|(_, value)| !(*value >= 0.0 && value.is_finite()))
}
