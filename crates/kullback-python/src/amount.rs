//! A note for a zero policy that adds an amount which is large beside the weights of one side.

use kullback::{Rows, Zeros};
use kullback_arrow::Batch;
use pyo3::prelude::*;

use crate::input::InputSide;
use crate::memory::Within;
use crate::uploaded::Uploaded;

/// Rows of each end of a side that are looked at, and the most weights.
const ROWS: usize = 500;
const WEIGHTS: usize = 1 << 20;
/// From this share of a total on, an amount is large.
const LARGE_SHARE: f64 = 0.01;
/// From this quotient on, two totals are far apart.
const FAR_APART: f64 = 10.0;
/// From this share of a total on, an amount outweighs what it is added to.
const OUTWEIGHING_SHARE: f64 = 0.5;

/// One side of a call.
pub(crate) enum Side<'s, 'py> {
    Given(&'s InputSide<'py>),
    /// Rows that an engine keeps.
    Kept(&'s Batch),
}

impl<'s, 'py> Side<'s, 'py> {
    /// Rows that an engine keeps, or else those that the caller gave.
    pub(crate) fn new(kept: Option<&'s Uploaded>, given: Option<&'s InputSide<'py>>) -> Option<Self> {
        kept.map(|kept| Side::Kept(kept.rows.borrow_owner())).or(given.map(Side::Given))
    }

    /// The axes before the bins.
    pub(crate) fn shape(&self) -> Vec<usize> {
        match self {
            Side::Given(side) => side.shape.clone(),
            Side::Kept(batch) => vec![batch.len()],
        }
    }

    /// Where its weights lie.
    pub(crate) fn within(&self) -> &dyn Within {
        match self {
            Side::Given(side) => *side,
            Side::Kept(batch) => *batch,
        }
    }

    fn rows(&self) -> usize {
        match self {
            Side::Given(side) => side.rows,
            Side::Kept(batch) => batch.len(),
        }
    }

    fn bins(&self) -> usize {
        match self {
            Side::Given(side) => side.bins,
            Side::Kept(batch) => batch.bins(),
        }
    }

    /// Adds the totals of `count` rows, from `first` on, to `totals`.
    fn totals(&self, py: Python<'_>, first: usize, count: usize, totals: &mut Vec<f64>) -> PyResult<()> {
        let mut add = |rows: Rows<'_>| {
            for row in 0..rows.len().min(count) {
                let total: f64 = (0..rows.bins()).filter_map(|bin| rows.get(row, bin)).sum();
                totals.extend((total > 0.0 && total.is_finite()).then_some(total));
            }
        };
        match self {
            Side::Given(side) => add(side.from(first)?.0.rows(py, side.bins)?),
            Side::Kept(batch) => add(batch.rows().slice(first, count)),
        }
        Ok(())
    }
}

/// Warns if what `additive` adds to a row is large beside the total of a typical row of either side, and the totals of both sides are
/// far apart, as those of counts and shares are.
pub(crate) fn note(py: Python<'_>, zeros: Zeros, p: &Side<'_, '_>, q: &Side<'_, '_>) -> PyResult<()> {
    let Zeros::Additive(amount) = zeros else { return Ok(()) };
    let (Some(of_p), Some(of_q)) = (typical(py, p)?, typical(py, q)?) else { return Ok(()) };
    let (less, more) = (of_p.min(of_q), of_p.max(of_q));
    if amount * p.bins() as f64 > LARGE_SHARE * less && more > FAR_APART * less {
        py.import("kullback._notes")?.getattr("of_amount")?.call1((amount, p.bins(), of_p, of_q))?;
    }
    Ok(())
}

/// Warns if what `additive` adds to a row outweighs the total of a typical row of P, where Q is uniform. Q has no scale then: it stays
/// uniform whatever the amount.
pub(crate) fn note_uniform(py: Python<'_>, zeros: Zeros, p: &InputSide<'_>) -> PyResult<()> {
    let Zeros::Additive(amount) = zeros else { return Ok(()) };
    let Some(of_p) = typical(py, &Side::Given(p))? else { return Ok(()) };
    if amount * p.bins as f64 > OUTWEIGHING_SHARE * of_p {
        py.import("kullback._notes")?.getattr("of_amount")?.call1((amount, p.bins, of_p, f64::NAN))?;
    }
    Ok(())
}

/// The median of the totals of the first and the last rows. Rows without weight and invalid rows do not count.
fn typical(py: Python<'_>, side: &Side<'_, '_>) -> PyResult<Option<f64>> {
    let rows = side.rows();
    if rows == 0 {
        return Ok(None);
    }
    let count = (WEIGHTS / side.bins()).clamp(1, ROWS);
    let mut totals = Vec::new();
    // The two ends do not overlap.
    let last = rows.saturating_sub(count).max(count);
    for (first, end) in [(0, count.min(rows)), (last, rows)] {
        if first < end {
            side.totals(py, first, end - first, &mut totals)?;
        }
    }
    totals.sort_by(f64::total_cmp);
    Ok(totals.get(totals.len() / 2).copied())
}
