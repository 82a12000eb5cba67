//! `rowwise --contributions`: the bins that add most to the largest rows.

use std::num::NonZeroUsize;

use kullback::Engine;

use super::largest::LargestRow;
use super::parts::{PartsSum, parts, shares};
use crate::args::{AskedMeasure, HowArgs};
use crate::error::{OptionError, Result};
use crate::inputs::Inputs;

/// What is asked for: how many bins of each row, and the parts of which measure.
pub(crate) struct AskedContributions {
    bins: usize,
    /// The place of the measure among those asked for.
    at: usize,
    asked: AskedMeasure,
    sum: PartsSum,
}

/// What the bins of the largest rows add to a measure.
pub(crate) struct Contributions {
    /// The measure, by the name it was asked for.
    pub(crate) measure: String,
    /// The unit of the parts; empty if they have none.
    pub(crate) unit: String,
    pub(crate) sum: PartsSum,
    pub(crate) rows: Vec<RowContributions>,
}

/// What the bins of one row add.
pub(crate) struct RowContributions {
    /// Its number in the file P.
    pub(crate) row: u64,
    /// The names and values of its key columns.
    pub(crate) key: Vec<(String, String)>,
    pub(crate) value: f64,
    /// What all parts of the row add up to.
    pub(crate) total: f64,
    /// The bins with the largest parts, largest first.
    pub(crate) bins: Vec<BinContribution>,
}

/// What one bin adds.
pub(crate) struct BinContribution {
    /// Its place in the row.
    pub(crate) bin: usize,
    pub(crate) label: Option<String>,
    /// The shares of P and of Q, before any zero policy.
    pub(crate) shares: [f64; 2],
    pub(crate) part: f64,
    /// The part as a share of the total. A total of 0 and an infinite one have no shares.
    pub(crate) of_total: Option<f64>,
}

impl AskedContributions {
    /// The parts of the first measure that has some.
    ///
    /// # Errors
    /// [`OptionError::NoParts`] if none has.
    pub(crate) fn new(bins: NonZeroUsize, measures: &[AskedMeasure]) -> Result<Self> {
        for (at, asked) in measures.iter().enumerate() {
            if let Some(sum) = PartsSum::of(asked.measure)? {
                return Ok(Self { bins: bins.get(), at, asked: asked.clone(), sum });
            }
        }
        let measures = measures.iter().map(|asked| asked.name.as_str()).collect::<Vec<_>>().join(", ");
        Err(OptionError::NoParts { measures }.into())
    }

    /// Computes the parts of these rows.
    pub(crate) fn of(
        &self,
        engine: &Engine,
        how: &HowArgs,
        inputs: &Inputs,
        rows: &[LargestRow],
    ) -> Result<Contributions> {
        let has_unit = self.sum == PartsSum::Value && self.asked.measure.has_unit();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let parts = parts(engine, how, self.asked.measure, row)?.unwrap_or_default();
            let labels = inputs.bin_labels(row.row, parts.len());
            found.push(self.row(row, &parts, labels.as_deref()));
        }
        Ok(Contributions {
            measure: self.asked.name.clone(),
            unit: if has_unit { how.unit.to_string() } else { String::new() },
            sum: self.sum,
            rows: found,
        })
    }

    fn row(&self, row: &LargestRow, parts: &[f64], labels: Option<&[String]>) -> RowContributions {
        let value = row.values.get(self.at).copied().unwrap_or(f64::NAN);
        let total = if self.sum == PartsSum::Value { value } else { parts.iter().sum() };
        let [p, q] = row.weights.each_ref().map(|weights| shares(weights));
        let bin = |bin: usize| BinContribution {
            bin,
            label: labels.map(|labels| labels[bin].clone()),
            shares: [p[bin], q[bin]],
            part: parts[bin],
            of_total: (value.is_finite() && total.is_finite() && total != 0.0).then(|| parts[bin] / total),
        };
        let bins = largest(parts, self.bins).into_iter().map(bin).collect();
        RowContributions { row: row.row, key: row.key.clone(), value, total, bins }
    }
}

/// The places of the largest parts, whatever their signs. Equal ones keep the order of the bins.
fn largest(parts: &[f64], most: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..parts.len()).collect();
    places.sort_by(|a, b| parts[*b].abs().total_cmp(&parts[*a].abs()));
    places.truncate(most);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_parts_come_first_whatever_their_signs() {
        let parts = [0.5, -2.0, 0.5, f64::INFINITY, 0.0, 2.0];
        assert_eq!(largest(&parts, 4), [3, 1, 5, 0]);
        assert_eq!(largest(&parts, 9), [3, 1, 5, 0, 2, 4]);
    }
}
