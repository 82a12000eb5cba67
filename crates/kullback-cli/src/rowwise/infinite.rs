//! The first row with an infinite value, and why it is infinite.

use kullback::{Divergence, RowStatus, Rows, Side};

use super::pair::BatchPair;
use super::results::Results;
use crate::args::AskedMeasure;
use crate::error::Result;
use crate::inputs::Inputs;

/// A row with an infinite value.
#[derive(Debug)]
pub(crate) struct InfiniteRow {
    /// Its number in the file P.
    pub(crate) row: u64,
    /// The names and values of its key columns.
    pub(crate) key: Vec<(String, String)>,
    /// The first infinite measure, by the name it was asked for.
    pub(crate) measure: String,
    /// `None` if no bin says it.
    pub(crate) reason: Option<InfiniteReason>,
}

/// Why a value is infinite.
#[derive(Debug, PartialEq)]
pub(crate) enum InfiniteReason {
    /// A bin, counted from 0, has weight on one side alone. It is the first one that makes the measure infinite.
    Alone { side: Side, bin: usize, label: Option<String> },
    /// No bin has weight on both sides.
    Disjoint,
}

impl InfiniteRow {
    /// The first infinite row of a batch.
    pub(crate) fn first(
        pair: &BatchPair,
        results: &Results,
        asked: &[AskedMeasure],
        inputs: &Inputs,
    ) -> Result<Option<Self>> {
        let Some(row) = results.status.iter().position(|status| *status == Some(RowStatus::Infinite)) else {
            return Ok(None);
        };
        let mut columns = asked.iter().zip(&results.columns);
        let Some((asked, _)) = columns.find(|(_, values)| values[row].is_infinite()) else { return Ok(None) };
        let (p, q) = (pair.p.rows(), pair.q.rows());
        let labels = inputs.bin_labels(pair.p.file_row(row), p.bins());
        Ok(Some(Self {
            row: pair.p.file_row(row),
            key: pair.key(row, &inputs.keys)?,
            measure: asked.name.clone(),
            reason: reason(asked.measure, ((&p, row), (&q, pair.q_row(row))), labels.as_deref())?,
        }))
    }
}

/// A row of some rows.
type RowOf<'a> = (&'a Rows<'a>, usize);

/// Why the measure of these rows is infinite.
fn reason(
    measure: Divergence,
    (p, q): (RowOf<'_>, RowOf<'_>),
    labels: Option<&[String]>,
) -> Result<Option<InfiniteReason>> {
    let has = |(rows, row): RowOf<'_>, bin: usize| rows.get(row, bin).is_some_and(|weight| weight > 0.0);
    // The measure itself says which side matters: one bin of two has weight on that side alone.
    let is_infinite =
        |p: &[f64; 2], q: &[f64; 2]| -> Result<bool> { Ok(kullback::divergence(measure, p, q)?.is_infinite()) };
    let by_p = is_infinite(&[1.0, 1.0], &[1.0, 0.0])?;
    let by_q = is_infinite(&[1.0, 0.0], &[1.0, 1.0])?;
    let mut bins = 0..p.0.bins();
    if !by_p && !by_q {
        return Ok(bins.all(|bin| !(has(p, bin) && has(q, bin))).then_some(InfiniteReason::Disjoint));
    }
    Ok(bins.find_map(|bin| {
        let side = match (has(p, bin), has(q, bin)) {
            (true, false) if by_p => Side::P,
            (false, true) if by_q => Side::Q,
            _ => return None,
        };
        let label = labels.and_then(|labels| labels.get(bin).cloned());
        Some(InfiniteReason::Alone { side, bin, label })
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_bin_is_on_the_side_that_makes_the_measure_infinite() {
        let (p, q) = ([0.0, 1.0, 2.0, 0.0], [3.0, 1.0, 0.0, 0.0]);
        let (p, q) = (Rows::new(&p, 4).unwrap(), Rows::new(&q, 4).unwrap());
        let labels = ["a", "b", "c", "d"].map(str::to_owned);
        let of = |measure| reason(measure, ((&p, 0), (&q, 0)), Some(&labels)).unwrap();
        let alone = |side, bin: usize| Some(InfiniteReason::Alone { side, bin, label: Some(labels[bin].clone()) });
        assert_eq!(of(Divergence::Kl), alone(Side::P, 2));
        assert_eq!(of(Divergence::ReverseKl), alone(Side::Q, 0));
        assert_eq!(of(Divergence::Jeffreys), alone(Side::Q, 0));
        assert_eq!(of(Divergence::Bhattacharyya), None);
        let apart = [1.0, 0.0, 0.0, 0.0];
        let apart = Rows::new(&apart, 4).unwrap();
        let of = |measure| reason(measure, ((&p, 0), (&apart, 0)), None).unwrap();
        assert_eq!(of(Divergence::Bhattacharyya), Some(InfiniteReason::Disjoint));
        assert_eq!(of(Divergence::Kl), Some(InfiniteReason::Alone { side: Side::P, bin: 1, label: None }));
    }
}
