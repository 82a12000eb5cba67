//! What is told about rows with an infinite value.

use kullback::RowStatus;
use serde_json::{Map, Value, json};

use super::tally::Report;
use crate::rowwise::infinite::{InfiniteReason, InfiniteRow};

/// The zero policies under which every value is finite, as the command line takes them.
const FINITE: [&str; 5] = ["epsilon:E", "additive:A", "floor:E", "mix:L", "skip"];

impl Report {
    /// One line about the infinite rows. `None` if there are none.
    pub(crate) fn infinite_message(&self) -> Option<String> {
        let first = self.infinite.as_ref()?;
        let count = self.count(RowStatus::Infinite);
        let (skip, others) = FINITE.split_last()?;
        let have = if count == 1 { "has" } else { "have" };
        Some(format!(
            "{count} of {} rows {have} an infinite value; the first is {}: {}; for finite values choose --zeros {} ({skip} leaves \
             out the bins that one side lacks, and so this difference)",
            self.rows,
            place(first),
            reason(first),
            others.join(", "),
        ))
    }

    /// The same for a program.
    pub(super) fn infinite_json(&self) -> Value {
        let first = self.infinite.as_ref().map(|first| {
            let key: Map<String, Value> = first.key.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            let mut object = json!({ "row": first.row, "key": key, "measure": first.measure });
            match &first.reason {
                Some(InfiniteReason::Alone { side, bin, label }) => {
                    object["bin"] = json!(bin);
                    object["label"] = json!(label);
                    object["alone_in"] = json!(side.to_string());
                }
                Some(InfiniteReason::Disjoint) => object["disjoint"] = json!(true),
                None => {}
            }
            object
        });
        json!({ "rows": self.count(RowStatus::Infinite), "first": first, "finite_with": FINITE })
    }
}

/// The key of a row, or its number.
fn place(row: &InfiniteRow) -> String {
    if row.key.is_empty() {
        return format!("row {}", row.row);
    }
    let key: Vec<String> = row.key.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("`{}`", key.join(", "))
}

/// Why the row is infinite.
fn reason(row: &InfiniteRow) -> String {
    let measure = &row.measure;
    match &row.reason {
        Some(InfiniteReason::Alone { side, bin, label }) => {
            let named = label.as_ref().map_or_else(String::new, |label| format!(" ({label})"));
            format!("{measure}, because bin {bin}{named} has weight in {side} alone")
        }
        Some(InfiniteReason::Disjoint) => format!("{measure}, because no bin has weight on both sides"),
        None => measure.clone(),
    }
}
