//! `LimitCheck`: how many rows are above the limits of `--fail-above`.

use serde_json::{Map, Value, json};

use super::number::number;
use crate::args::{AskedMeasure, FailAbove};
use crate::error::Result;
use crate::rowwise::results::Results;

/// The limits, and the rows above them so far.
#[derive(Debug, Default)]
pub(crate) struct LimitCheck {
    /// The limit, if all measures have the same one.
    every: Option<f64>,
    limits: Vec<MeasureLimit>,
    /// Rows with a value above its limit.
    rows: u64,
}

/// The limit of one measure.
#[derive(Debug)]
struct MeasureLimit {
    name: String,
    /// The place of the measure among those that are computed.
    column: usize,
    limit: f64,
    rows: u64,
}

impl LimitCheck {
    /// The limits that were asked for, if any. A limit of a measure that is not computed is an error.
    pub(crate) fn new(asked: Option<&FailAbove>, measures: &[AskedMeasure]) -> Result<Self> {
        let Some(asked) = asked else { return Ok(Self::default()) };
        let limits = asked.of(measures)?.into_iter().zip(measures).enumerate();
        let limits = limits.filter_map(|(column, (limit, asked))| {
            Some(MeasureLimit { name: asked.name.clone(), column, limit: limit?, rows: 0 })
        });
        let every = if let FailAbove::Every(limit) = asked { Some(*limit) } else { None };
        Ok(Self { every, limits: limits.collect(), rows: 0 })
    }

    /// Counts the rows of a batch that are above.
    pub(super) fn add(&mut self, results: &Results) {
        if self.limits.is_empty() {
            return;
        }
        for row in 0..results.status.len() {
            let mut is_above = false;
            for limit in &mut self.limits {
                if results.columns[limit.column][row] > limit.limit {
                    limit.rows += 1;
                    is_above = true;
                }
            }
            self.rows += u64::from(is_above);
        }
    }

    /// Says which measures are above their limits, and in how many of `rows` rows. `None` if none is.
    pub(super) fn message(&self, rows: u64) -> Option<String> {
        if self.rows == 0 {
            return None;
        }
        let above = self.limits.iter().filter(|limit| limit.rows > 0);
        let (what, parts): (String, Vec<String>) = match self.every {
            Some(limit) => (limit.to_string(), above.map(|of| format!("{} in {}", of.name, of.rows)).collect()),
            None => {
                let part = |of: &MeasureLimit| format!("{} in {} (limit {})", of.name, of.rows, of.limit);
                ("a limit".to_owned(), above.map(part).collect())
            }
        };
        Some(format!("{} of {rows} rows have a value above {what}: {}", self.rows, parts.join(", ")))
    }

    /// The same for a program. `None` if there is no limit.
    pub(super) fn json(&self) -> Option<Value> {
        if self.limits.is_empty() {
            return None;
        }
        let of = |of: &MeasureLimit| json!({ "limit": number(of.limit), "rows_above": of.rows });
        let measures: Map<String, Value> = self.limits.iter().map(|limit| (limit.name.clone(), of(limit))).collect();
        let mut object = json!({ "rows_above": self.rows, "measures": measures });
        if let Some(limit) = self.every {
            object["limit"] = number(limit);
        }
        Some(object)
    }
}
