//! The report as one JSON object.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use kullback::{QUANTILES, Summary};
use serde_json::{Map, Value, json};

use super::number::number;
use super::tally::Report;
use super::{contributions, table};
use crate::error::Result;

/// The report of a run as JSON.
pub(crate) fn report(report: &Report, top: Option<&RecordBatch>) -> Result<Value> {
    let statuses: Map<String, Value> = report.statuses().map(|(name, count)| (name.to_owned(), json!(count))).collect();
    let summary: Map<String, Value> =
        report.summaries().map(|(measure, s)| (measure.to_string(), summary(&s))).collect();
    let seconds = &report.seconds;
    let mut object = json!({
        "command": "rowwise",
        "version": env!("CARGO_PKG_VERSION"),
        "inputs": {
            "p": report.p, "q": report.q, "where": report.filters.0, "where_q": report.filters.1,
        },
        "measures": report.measures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "unit": report.unit,
        "zeros": report.zeros,
        "device": report.device(),
        "reason": report.reason(),
        "gpus_left_out": report.gpus_left_out,
        "rows": report.rows,
        "left_out": report.left_out,
        "first_left_out": report.first_left_out,
        "text_order": report.text_order.as_ref().map(|(column, key)| json!({ "column": column, "key": key })),
        "left_out_of_q": report.left_out_of_q,
        "other_scale": report.scales.first.as_ref().map(|uneven| json!({ "row": uneven.row, "totals": uneven.totals })),
        "joined_from": report.joined_from.as_ref().map(|(row, columns)| json!({ "row": row, "columns": columns })),
        "rescued": report.rescued,
        "chunks": report.chunks,
        "bytes": report.bytes,
        "seconds": seconds.total,
        "stages": {
            "prepare": seconds.prepare, "wait": seconds.wait, "compute": seconds.compute, "write": seconds.write,
        },
        "statuses": statuses,
        "infinite": report.infinite_json(),
        "summary": summary,
    });
    if let Some(positions) = &report.positions {
        object["positions"] = json!(positions);
    }
    if let Some(limits) = report.limits.json() {
        object["fail_above"] = limits;
    }
    if let Some(top) = top {
        object["top"] = (0..top.num_rows()).map(|row| record(top, row)).collect::<Result<Vec<_>>>()?.into();
    }
    if let Some(found) = &report.contributions {
        object["contributions"] = contributions::json(found);
    }
    Ok(object)
}

fn summary(summary: &Summary) -> Value {
    // The keys are percents, as in the table: "0", "0.1", …, "100".
    let quantiles =
        QUANTILES.iter().zip(summary.quantiles).map(|(q, value)| (table::readable(q * 100.0), number(value)));
    json!({
        "finite": summary.finite,
        "infinite": summary.infinite,
        "mean": number(summary.mean),
        // Quantiles and the standard error are of the same values.
        "mean_of": if summary.infinite > 0 { "finite rows" } else { "rows" },
        "standard_error": number(summary.standard_error),
        "quantiles": quantiles.collect::<Map<String, Value>>(),
        "quantiles_exact": summary.exact,
    })
}

/// A row of the result. Numbers stay numbers, and everything else becomes text.
fn record(batch: &RecordBatch, row: usize) -> Result<Value> {
    let mut object = Map::new();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let value = match column.data_type() {
            _ if column.is_null(row) => Value::Null,
            DataType::Float64 => number(column.as_primitive::<Float64Type>().value(row)),
            DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(row)),
            DataType::Boolean => json!(column.as_boolean().value(row)),
            other => {
                let text = table::cell(column.as_ref(), row)?;
                if other.is_integer() {
                    text.parse().map_or(json!(text), |number: i64| json!(number))
                } else {
                    json!(text)
                }
            }
        };
        object.insert(field.name().clone(), value);
    }
    Ok(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};
    use crate::report::LimitCheck;

    #[test]
    fn a_gpu_that_was_left_out_is_told() {
        let cli = Cli::try_parse_from(["kullback", "rowwise", "p.npy", "q.npy", "--json"]).expect("arguments");
        let Command::Rowwise(args) = cli.command else { panic!("another command") };
        let mut told = Report::new(&args, &[], LimitCheck::default());
        assert_eq!(report(&told, None).expect("json")["gpus_left_out"], json!([]));
        told.gpus_left_out = vec!["gpu:1: quotients are off by 7 units".to_owned()];
        let object = report(&told, None).expect("json");
        assert_eq!(object["gpus_left_out"], json!(["gpu:1: quotients are off by 7 units"]));
    }
}
