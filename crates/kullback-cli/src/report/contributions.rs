//! What the bins of the largest rows add, as a table and for a program.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use kullback_arrow::{TableFormat, Target, Writer};
use serde_json::{Map, Value, json};

use super::number::number;
use super::table;
use crate::error::Result;
use crate::rowwise::contributions::{BinContribution, Contributions, RowContributions};
use crate::rowwise::parts::PartsSum;

/// A caption and a table, for a person.
pub(super) fn text(found: &Contributions) -> Result<String> {
    let batch = batch(found)?;
    let table = table::rows(std::slice::from_ref(&batch))?.filter(|_| batch.num_rows() > 0);
    Ok(format!("{}\n{}", caption(found), table.map_or_else(String::new, |table| format!("{table}\n"))))
}

/// Writes the table alone to stdout, in Markdown.
pub(super) fn write_markdown(found: &Contributions) -> Result<()> {
    let batch = batch(found)?;
    let mut writer = Writer::create(&Target::Stdout, TableFormat::Markdown, batch.schema(), BTreeMap::new())?;
    writer.write(&batch)?;
    Ok(writer.finish()?)
}

/// The same for a program.
pub(super) fn json(found: &Contributions) -> Value {
    let of_bin = |bin: &BinContribution| {
        json!({
            "bin": bin.bin,
            "label": bin.label,
            "p": number(bin.shares[0]),
            "q": number(bin.shares[1]),
            "part": number(bin.part),
            "of_total": bin.of_total.map(number),
        })
    };
    let of_row = |row: &RowContributions| {
        let key: Map<String, Value> = row.key.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "row": row.row,
            "key": key,
            "value": number(row.value),
            "total": number(row.total),
            "bins": row.bins.iter().map(of_bin).collect::<Vec<_>>(),
        })
    };
    json!({
        "measure": found.measure,
        "unit": found.unit,
        "total_is": if found.sum == PartsSum::Value { "value" } else { "sum behind the value" },
        "rows": found.rows.iter().map(of_row).collect::<Vec<_>>(),
    })
}

/// What the table shows.
pub(super) fn caption(found: &Contributions) -> String {
    let unit = if found.unit.is_empty() { String::new() } else { format!(" in {}", found.unit) };
    let rows = match found.rows.len() {
        0 => return format!("No row has a value, so no bin adds to {}.", found.measure),
        1 => "In the largest row".to_owned(),
        rows => format!("In the {rows} largest rows"),
    };
    format!("{rows}, {} {}{unit}, largest parts first:", found.sum.meaning(), found.measure)
}

/// One line per bin: the key of its row, then what is known of the bin.
fn batch(found: &Contributions) -> Result<RecordBatch> {
    let lines: Vec<(&RowContributions, &BinContribution)> =
        found.rows.iter().flat_map(|row| row.bins.iter().map(move |bin| (row, bin))).collect();
    let texts = |of: &dyn Fn(&RowContributions, &BinContribution) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(lines.iter().map(|(row, bin)| of(row, bin))))
    };
    let numbers = |of: &dyn Fn(&BinContribution) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(lines.iter().map(|(_, bin)| of(bin))))
    };
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let names = found.rows.first().map(|row| row.key.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    for (place, name) in names.unwrap_or_default().into_iter().enumerate() {
        columns.push((name, texts(&|row, _| row.key.get(place).map(|(_, value)| value.clone()).unwrap_or_default())));
    }
    if columns.is_empty() {
        columns.push(("row".to_owned(), texts(&|row, _| row.row.to_string())));
    }
    let of_sum = if found.sum == PartsSum::Value { found.measure.as_str() } else { "the sum" };
    columns.extend([
        ("bin".to_owned(), texts(&|_, bin| bin.label.clone().unwrap_or_else(|| bin.bin.to_string()))),
        ("share of P".to_owned(), numbers(&|bin| Some(bin.shares[0]))),
        ("share of Q".to_owned(), numbers(&|bin| Some(bin.shares[1]))),
        ("part".to_owned(), numbers(&|bin| Some(bin.part))),
        (format!("share of {of_sum}"), numbers(&|bin| bin.of_total)),
    ]);
    let is_text = |column: &ArrayRef| column.data_type() == &DataType::Utf8;
    let field = |(name, column): &(String, ArrayRef)| Field::new(name, column.data_type().clone(), !is_text(column));
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())?)
}
