//! A note for a zero policy that adds an amount which is large beside the weights of one side.

use kullback::Zeros;
use pyo3::prelude::*;

use crate::input::InputSide;

/// Rows of each end of a side that are looked at, and the most weights.
const ROWS: usize = 500;
const WEIGHTS: usize = 1 << 20;
/// From this share of a total on, an amount is large.
const LARGE_SHARE: f64 = 0.01;
/// From this quotient on, two totals are far apart.
const FAR_APART: f64 = 10.0;

/// Warns if what `additive` adds to a row is large beside the total of a typical row of either side, and the totals of both sides are
/// far apart, as those of counts and shares are.
pub(crate) fn note(py: Python<'_>, zeros: Zeros, p: &InputSide<'_>, q: &InputSide<'_>) -> PyResult<()> {
    let Zeros::Additive(amount) = zeros else { return Ok(()) };
    let (Some(of_p), Some(of_q)) = (typical(py, p)?, typical(py, q)?) else { return Ok(()) };
    let (less, more) = (of_p.min(of_q), of_p.max(of_q));
    if amount * p.bins as f64 > LARGE_SHARE * less && more > FAR_APART * less {
        py.import("kullback._notes")?.getattr("of_amount")?.call1((amount, p.bins, of_p, of_q))?;
    }
    Ok(())
}

/// The median of the totals of the first and the last rows. Rows without weight and invalid rows do not count.
fn typical(py: Python<'_>, side: &InputSide<'_>) -> PyResult<Option<f64>> {
    if side.rows == 0 {
        return Ok(None);
    }
    let count = (WEIGHTS / side.bins).clamp(1, ROWS);
    let mut totals = Vec::new();
    // The two ends do not overlap.
    let last = side.rows.saturating_sub(count).max(count);
    for (first, end) in [(0, count.min(side.rows)), (last, side.rows)] {
        if first >= end {
            continue;
        }
        let part = side.from(first)?.0;
        let rows = part.rows(py, side.bins)?;
        for row in 0..rows.len().min(end - first) {
            let total: f64 = (0..side.bins).filter_map(|bin| rows.get(row, bin)).sum();
            totals.extend((total > 0.0 && total.is_finite()).then_some(total));
        }
    }
    totals.sort_by(f64::total_cmp);
    Ok(totals.get(totals.len() / 2).copied())
}
