//! What a run reports beside its rows: how it was computed, a summary, the top rows.

mod json;
mod summary;
pub(crate) mod table;
pub(crate) mod top;

use std::collections::BTreeMap;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use kullback::{Divergence, RowStatus, Stats, Summary, SummaryBuilder};

use crate::args::{Against, OutputArgs, RowwiseArgs};
use crate::error::{Error, Result};
use crate::output::{Destination, Shown};
use crate::rowwise::{NULL, Results};

pub(crate) use json::number;

/// Wall time by stage. `prepare` is the time to open the files, and the first pass of `--against total`. Reading, computing and
/// writing run at the same time; `wait` is the time that writing waited.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seconds {
    pub(crate) prepare: f64,
    pub(crate) wait: f64,
    pub(crate) compute: f64,
    pub(crate) write: f64,
    pub(crate) total: f64,
}

/// What a run reports.
pub(crate) struct Report {
    p: String,
    q: String,
    filters: (Vec<String>, Vec<String>),
    measures: Vec<Divergence>,
    unit: String,
    zeros: String,
    /// The devices that computed batches, and why these.
    devices: Vec<(String, String)>,
    pub(crate) rows: u64,
    pub(crate) left_out: u64,
    /// For each GPU that took no part, the reason.
    pub(crate) gpus_left_out: Vec<String>,
    /// Rows with a value above the limit.
    pub(crate) above: u64,
    limit: Option<f64>,
    statuses: [u64; RowStatus::ALL.len()],
    nulls: u64,
    chunks: u64,
    rescued: u64,
    bytes: u64,
    pub(crate) seconds: Seconds,
    /// One builder per measure, if a summary is asked for.
    builders: Vec<SummaryBuilder>,
}

impl Report {
    pub(crate) fn new(args: &RowwiseArgs, measures: &[Divergence]) -> Self {
        let input = &args.input;
        let p = input.p.to_string();
        let q = match (&input.q, args.pairing.against) {
            (Some(q), _) => q.to_string(),
            (None, Some(Against::Total)) => "total".to_owned(),
            (None, Some(Against::Uniform)) => "uniform".to_owned(),
            (None, Some(Against::Previous)) => "previous".to_owned(),
            (None, None) => p.clone(),
        };
        let filters = |filters: &[kullback_arrow::Filter]| {
            filters.iter().map(|filter| format!("{}={}", filter.column, filter.value)).collect()
        };
        let summarised = args.output.summary || args.output.json;
        Self {
            p,
            q,
            filters: (filters(&input.where_p), filters(&input.where_q)),
            measures: measures.to_vec(),
            unit: args.how.unit.to_string(),
            zeros: args.how.zeros.to_string(),
            devices: Vec::new(),
            rows: 0,
            left_out: 0,
            gpus_left_out: Vec::new(),
            above: 0,
            limit: args.output.fail_above,
            statuses: [0; RowStatus::ALL.len()],
            nulls: 0,
            chunks: 0,
            rescued: 0,
            bytes: 0,
            seconds: Seconds::default(),
            builders: if summarised { vec![SummaryBuilder::default(); measures.len()] } else { Vec::new() },
        }
    }

    /// Adds how a batch was computed.
    pub(crate) fn add_stats(&mut self, stats: &Stats) {
        let device = (stats.device.to_string(), stats.reason.to_owned());
        if !self.devices.contains(&device) {
            self.devices.push(device);
        }
        self.chunks += stats.chunks;
        self.rescued += stats.rescued;
        self.bytes += stats.bytes;
        self.seconds.compute += stats.seconds;
    }

    /// Adds the values of a batch.
    pub(crate) fn add_rows(&mut self, results: &Results) {
        self.rows += results.status.len() as u64;
        for status in &results.status {
            match status {
                Some(status) => self.statuses[*status as usize] += 1,
                None => self.nulls += 1,
            }
        }
        if let Some(limit) = self.limit {
            let above = |row: &usize| results.columns.iter().any(|values| values[*row] > limit);
            self.above += (0..results.status.len()).filter(above).count() as u64;
        }
        if self.builders.is_empty() {
            return;
        }
        let status: Vec<RowStatus> = results.status.iter().map(|status| status.unwrap_or(RowStatus::Empty)).collect();
        for (builder, values) in self.builders.iter_mut().zip(&results.columns) {
            builder.extend(values, &status);
        }
    }

    /// Every measure with its summary, if summaries are asked for.
    fn summaries(&self) -> impl Iterator<Item = (Divergence, Summary)> {
        self.measures.iter().copied().zip(self.builders.iter().map(SummaryBuilder::finish))
    }

    /// Rows by status, including rows that are null in a file.
    fn statuses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = RowStatus::ALL.iter().map(|status| status.name()).chain([NULL]);
        names.zip(self.statuses.iter().copied().chain([self.nulls]))
    }

    fn device(&self) -> String {
        self.devices.iter().map(|(device, _)| device.as_str()).collect::<Vec<_>>().join("; ")
    }

    fn reason(&self) -> String {
        self.devices.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// The metadata of a result file.
    pub(crate) fn metadata(&self) -> BTreeMap<String, String> {
        let measures = self.measures.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let pairs = [
            ("kullback_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("measures", measures),
            ("unit", self.unit.clone()),
            ("zeros", self.zeros.clone()),
            ("device", self.device()),
            ("p", self.p.clone()),
            ("q", self.q.clone()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Shows what was asked for on stdout. If stdout carries rows as data, the summary goes to stderr.
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
                let table = format!("{}\n", summary::summary_table(self));
                if destination.is_data_on_stdout() {
                    let _ = io::stderr().write_all(table.as_bytes());
                } else {
                    text.push_str(&table);
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
