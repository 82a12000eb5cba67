//! What a run reports beside its rows: how it was computed, a summary, the top rows.

mod contributions;
mod infinite;
mod json;
mod limits;
mod number;
mod summary;
pub(crate) mod table;
mod tally;
pub(crate) mod top;

use std::io::{self, Write};

use arrow_array::RecordBatch;
use kullback_arrow::TableFormat;

use crate::args::OutputArgs;
use crate::error::{Error, Result};
use crate::output::{Destination, Shown};

pub(crate) use limits::LimitCheck;
pub(crate) use number::number;
pub(crate) use tally::Report;

impl Report {
    /// Shows what was asked for on stdout. If stdout carries rows as data, the summary and the contributions go to stderr. Below
    /// rows in Markdown there is space for another table.
    pub(crate) fn show(
        &self,
        args: &OutputArgs,
        destination: &Destination,
        shown: &Shown,
        top: Option<&RecordBatch>,
    ) -> Result<()> {
        let mut text;
        if args.json {
            text = format!("{}\n", json::report(self, top)?);
        } else {
            // On a terminal, the top rows are the rows already shown. Beside a file, they are a table of their own.
            let batches = if destination.holds_all_rows() {
                top.map(std::slice::from_ref).unwrap_or_default()
            } else {
                &shown.batches
            };
            text = listed(batches, shown)?;
            if args.summary {
                let table = summary::summary_text(self);
                if destination.is_data_on_stdout() {
                    let _ = io::stderr().write_all(table.as_bytes());
                } else {
                    text.push_str(&table);
                }
            }
            if let Some(found) = &self.contributions {
                match destination {
                    Destination::Data(TableFormat::Markdown) => {
                        print(&format!("\n{}\n\n", contributions::caption(found)))?;
                        contributions::write_markdown(found)?;
                    }
                    Destination::Data(_) => {
                        let _ = io::stderr().write_all(contributions::text(found)?.as_bytes());
                    }
                    _ => text.push_str(&contributions::text(found)?),
                }
            }
        }
        print(&text)
    }
}

/// Rows as a table, and a line that says how many more there are.
pub(crate) fn listed(batches: &[RecordBatch], shown: &Shown) -> Result<String> {
    let mut text = table::rows(batches)?.map_or_else(String::new, |table| format!("{table}\n"));
    let listed: usize = shown.batches.iter().map(RecordBatch::num_rows).sum();
    if shown.rows > listed {
        text.push_str(&format!("… {} more rows, use -o FILE\n", shown.rows - listed));
    }
    Ok(text)
}

/// Writes to stdout. A closed pipe is an error of its own, not a panic.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Stdout)
}
