//! Tables for people.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::error::Result;

/// Digits of a value in a table. These are more than the contract promises, and fewer than a float64 has.
const DIGITS: i32 = 10;

/// The style of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Lines, for a terminal.
    Lines,
    /// Markdown, for a document.
    Markdown,
}

/// A table with a header. The first `texts` columns are aligned left, the others right.
pub(crate) fn table(style: Style, header: Vec<String>, rows: Vec<Vec<String>>, texts: usize) -> Table {
    let mut table = Table::new();
    table.load_style(match style {
        Style::Lines => presets::UTF8_FULL_CONDENSED,
        Style::Markdown => presets::ASCII_MARKDOWN,
    });
    table.set_header(header);
    for row in rows {
        table.add_row(
            row.into_iter()
                .enumerate()
                .map(|(column, text)| {
                    let alignment = if column < texts { CellAlignment::Left } else { CellAlignment::Right };
                    Cell::new(text).set_alignment(alignment)
                })
                .collect::<Vec<_>>(),
        );
    }
    table
}

/// Rows of the result as a table.
pub(crate) fn rows(batches: &[RecordBatch]) -> Result<Option<Table>> {
    let Some(first) = batches.first() else { return Ok(None) };
    let schema = first.schema();
    let header = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| cell(column.as_ref(), row));
            rows.push(cells.collect::<Result<Vec<String>>>()?);
        }
    }
    let texts = schema.fields().iter().take_while(|field| !field.data_type().is_numeric()).count();
    Ok(Some(table(Style::Lines, header, rows, texts)))
}

/// A value as text. A missing value is a dash.
pub(crate) fn cell(column: &dyn Array, row: usize) -> Result<String> {
    if column.is_null(row) {
        return Ok("–".to_owned());
    }
    if column.data_type() == &DataType::Float64 {
        return Ok(readable(column.as_primitive::<Float64Type>().value(row)));
    }
    Ok(ArrayFormatter::try_new(column, &FormatOptions::default())?.value(row).to_string())
}

/// A number with at most ten digits, and without an exponent if its size is usual.
pub(crate) fn readable(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-5..DIGITS).contains(&exponent) {
        let text = format!("{value:.*e}", DIGITS as usize - 1);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    trimmed(&format!("{value:.*}", (DIGITS - 1 - exponent).max(0) as usize)).to_owned()
}

/// A number with three digits.
pub(crate) fn rounded(value: f64) -> String {
    readable(format!("{value:.2e}").parse().unwrap_or(value))
}

/// The number without the zeros at the end of its fraction.
fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_people_can_read() {
        for (value, text) in [
            (7.499_190_193_83, "7.499190194"),
            (0.065_351_398_725_96, "0.06535139873"),
            (0.0, "0"),
            (1.0, "1"),
            (348_120_517.0, "348120517"),
            (1.5e-12, "1.5e-12"),
            (1e300, "1e300"),
            (f64::INFINITY, "∞"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(readable(value), text);
        }
    }
}
