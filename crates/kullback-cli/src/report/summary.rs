//! The summary of a run, in the order that users of KL expect: counts, mean, and quantiles from the top.

use comfy_table::Table;
use kullback::{QUANTILES, RowStatus, Summary};

use super::table::{Style, readable, table};
use super::tally::Report;

/// What is said below the table if a measure has infinite values.
const FINITE_ALONE: &str = "The mean, its standard error and the quantiles are those of the finite rows alone.\n";

/// The summary of every measure as one table, and what must be said about it.
pub(crate) fn summary_text(report: &Report) -> String {
    let summaries: Vec<Summary> = report.summaries().map(|(_, summary)| summary).collect();
    let has_infinite = summaries.iter().any(|summary| summary.infinite > 0);
    let table = summary_table(report, &summaries, if has_infinite { "mean of finite rows" } else { "mean" });
    format!("{table}\n{}", if has_infinite { FINITE_ALONE } else { "" })
}

fn summary_table(report: &Report, summaries: &[Summary], mean: &str) -> Table {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |name: String, value: &dyn Fn(&Summary) -> String| {
        rows.push([name].into_iter().chain(summaries.iter().map(value)).collect());
    };
    row("rows".to_owned(), &|_| report.rows.to_string());
    row("finite".to_owned(), &|summary| summary.finite.to_string());
    row("infinite".to_owned(), &|summary| summary.infinite.to_string());
    for (status, count) in report.statuses() {
        // The lines of each measure say how many values are finite and how many are infinite.
        let counted = [RowStatus::Ok.name(), RowStatus::Infinite.name()].contains(&status);
        if count > 0 && !counted {
            row(format!("{status} (no value)"), &|_| count.to_string());
        }
    }
    row(mean.to_owned(), &|summary| readable(summary.mean));
    row("± s.e.".to_owned(), &|summary| readable(summary.standard_error));
    for (i, quantile) in QUANTILES.iter().enumerate().rev() {
        let name = match quantile {
            q if *q == 0.0 => "minimum".to_owned(),
            q if *q == 1.0 => "maximum".to_owned(),
            q if *q == 0.5 => "median".to_owned(),
            q => format!("{} %", readable(q * 100.0)),
        };
        row(name, &|summary| readable(summary.quantiles[i]));
    }
    let header = ["".to_owned()].into_iter().chain(report.summaries().map(|(measure, _)| measure.to_string()));
    table(Style::Lines, header.collect(), rows, 1)
}
