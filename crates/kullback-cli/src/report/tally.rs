//! `Report`: what a run adds up while it computes.

use std::collections::BTreeMap;

use kullback::{RowStatus, Stats, Summary, SummaryBuilder};

use super::limits::LimitCheck;
use crate::args::{AskedMeasure, RowwiseArgs};
use crate::rowwise::contributions::Contributions;
use crate::rowwise::infinite::InfiniteRow;
use crate::rowwise::results::{NULL, Results};
use crate::rowwise::scale::Scales;

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
    pub(super) p: String,
    pub(super) q: String,
    pub(super) filters: (Vec<String>, Vec<String>),
    pub(super) measures: Vec<AskedMeasure>,
    pub(super) unit: String,
    pub(super) zeros: String,
    /// Where the bins lie, if a measure asks.
    pub(super) positions: Option<String>,
    /// The devices that computed batches, and why these.
    devices: Vec<(String, String)>,
    pub(crate) rows: u64,
    pub(crate) left_out: u64,
    /// The key of the first row of P without a partner.
    pub(crate) first_left_out: Option<String>,
    /// A key column whose text gives the order of the rows, and a key of it that is no number.
    pub(crate) text_order: Option<(String, String)>,
    /// Whether the two sides have the same scale.
    pub(crate) scales: Scales,
    /// Rows of Q without a partner.
    pub(crate) left_out_of_q: u64,
    /// From which row on rows were paired by key, and by which columns.
    pub(crate) joined_from: Option<(u64, String)>,
    /// For each GPU that took no part, the reason.
    pub(crate) gpus_left_out: Vec<String>,
    pub(super) limits: LimitCheck,
    statuses: [u64; RowStatus::ALL.len()],
    nulls: u64,
    /// The first row with an infinite value.
    pub(crate) infinite: Option<InfiniteRow>,
    /// What the bins of the largest rows add, if that is asked for.
    pub(crate) contributions: Option<Contributions>,
    pub(super) chunks: u64,
    pub(super) rescued: u64,
    pub(super) bytes: u64,
    pub(crate) seconds: Seconds,
    /// One builder per measure, if a summary is asked for.
    builders: Vec<SummaryBuilder>,
}

impl Report {
    pub(crate) fn new(args: &RowwiseArgs, measures: &[AskedMeasure], limits: LimitCheck) -> Self {
        let input = &args.input;
        let p = input.p.to_string();
        let q = match (&input.q, &args.pairing.against) {
            (Some(q), _) => q.to_string(),
            (None, Some(against)) => against.to_string(),
            (None, None) => p.clone(),
        };
        let filters = |filters: &[kullback_arrow::Filter]| filters.iter().map(ToString::to_string).collect();
        let summarised = args.output.summary || args.output.json;
        Self {
            p,
            q,
            filters: (filters(&input.where_p), filters(&input.where_q)),
            measures: measures.to_vec(),
            unit: args.how.unit.to_string(),
            zeros: args.how.zeros.to_string(),
            positions: args.how.positions_for(&AskedMeasure::measures(measures)),
            devices: Vec::new(),
            rows: 0,
            left_out: 0,
            first_left_out: None,
            text_order: None,
            scales: Scales::default(),
            left_out_of_q: 0,
            joined_from: None,
            gpus_left_out: Vec::new(),
            limits,
            statuses: [0; RowStatus::ALL.len()],
            nulls: 0,
            infinite: None,
            contributions: None,
            chunks: 0,
            rescued: 0,
            bytes: 0,
            seconds: Seconds::default(),
            builders: if summarised { vec![SummaryBuilder::default(); measures.len()] } else { Vec::new() },
        }
    }

    /// Adds how a batch was computed.
    pub(crate) fn add_stats(&mut self, stats: &Stats) {
        let device = (stats.device.to_string(), stats.reason.map(|reason| reason.to_string()).unwrap_or_default());
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
        self.limits.add(results);
        if self.builders.is_empty() {
            return;
        }
        let status: Vec<RowStatus> = results.status.iter().map(|status| status.unwrap_or(RowStatus::Empty)).collect();
        for (builder, values) in self.builders.iter_mut().zip(&results.columns) {
            builder.extend(values, &status);
        }
    }

    /// Which limits were exceeded, and in how many rows. `None` if none was.
    pub(crate) fn exceeded(&self) -> Option<String> {
        self.limits.message(self.rows)
    }

    /// Every measure, by the name it was asked for, with its summary. Nothing if no summary is asked for.
    pub(super) fn summaries(&self) -> impl Iterator<Item = (&str, Summary)> {
        self.measures.iter().map(|asked| asked.name.as_str()).zip(self.builders.iter().map(SummaryBuilder::finish))
    }

    /// Rows by status, including rows that are null in a file.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = RowStatus::ALL.iter().map(|status| status.name()).chain([NULL]);
        names.zip(self.statuses.iter().copied().chain([self.nulls]))
    }

    /// Rows with this status.
    pub(super) fn count(&self, status: RowStatus) -> u64 {
        self.statuses[status as usize]
    }

    pub(super) fn device(&self) -> String {
        self.devices.iter().map(|(device, _)| device.as_str()).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn reason(&self) -> String {
        self.devices.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// What P and Q are.
    pub(crate) fn sides(&self) -> [&str; 2] {
        [&self.p, &self.q]
    }

    /// The metadata of a result file. The measures have their own names there, whatever the columns are called.
    pub(crate) fn metadata(&self) -> BTreeMap<String, String> {
        let measures = self.measures.iter().map(|asked| asked.measure.to_string()).collect::<Vec<_>>().join(",");
        let pairs = [
            ("kullback_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("measures", measures),
            ("unit", self.unit.clone()),
            ("zeros", self.zeros.clone()),
            ("device", self.device()),
            ("p", self.p.clone()),
            ("q", self.q.clone()),
        ];
        let positions = self.positions.clone().map(|positions| ("positions", positions));
        pairs.into_iter().chain(positions).map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
