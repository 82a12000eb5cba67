//! `kullback pairwise` and `kullback nearest`: all rows of one file against all rows of another file, or of the same file.

mod averaged;
pub(crate) mod matrix;
pub(crate) mod nearest;
mod picture;
mod png;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use kullback::{Divergence, OnInvalid, Options, Rows, Side, Stats};
use kullback_arrow::Batch;

use crate::args::{BinPositions, HowArgs, InputArgs, RunArgs};
use crate::error::{Error, Result};
use crate::inputs::{InputFile, Inputs};
use crate::invalid::{Invalid, invalid_weight};
use crate::progress::ProgressDisplay;
use crate::rowwise::heavy_rows;
use crate::{complain, interrupt};

/// The rows of both files, in memory.
pub(crate) struct LoadedSides {
    inputs: Inputs,
    p: Batch,
    /// `None` if P is compared with itself.
    q: Option<Batch>,
}

impl LoadedSides {
    /// Reads the files. The key columns are those of both. Every weight is checked before any work, unless rows with invalid
    /// weights are to have no value. `without_nulls` leaves out the rows that are null.
    fn read(args: &InputArgs, how: &HowArgs, run: &RunArgs, without_nulls: bool) -> Result<Self> {
        if let (None, Some(option)) = (&args.q, args.about_q()) {
            return Err(Error::NeedsQ { option });
        }
        let inputs = Inputs::open(args, None, &args.key, (run.memory, false))?;
        interrupt::work_begins()?;
        let p = read(&inputs.p, args.min_total, without_nulls, run)?;
        let q = inputs.q.as_ref().map(|q| read(q, args.min_total, without_nulls, run)).transpose()?;
        if let Some(q) = q.as_ref().filter(|q| q.bins() != p.bins()) {
            let (p_name, q_name) = (inputs.p.source.name(), inputs.q_name());
            return Err(Error::BinsDiffer { p: p_name, p_bins: p.bins(), q: q_name, q_bins: q.bins() });
        }
        let sides = Self { inputs, p, q };
        if OnInvalid::from(how.on_invalid) == OnInvalid::Error {
            sides.check(Side::P, &sides.p)?;
            sides.q.as_ref().map_or(Ok(()), |q| sides.check(Side::Q, q))?;
        }
        Ok(sides)
    }

    /// Refuses invalid weights of a side.
    fn check(&self, side: Side, batch: &Batch) -> Result<()> {
        let rows = batch.rows();
        let mut invalid = Invalid::default();
        for row in 0..batch.len() {
            if let Some((bin, value)) = invalid_weight(&rows, row) {
                invalid.note_weight(side, batch.file_row(row), bin, value);
            }
        }
        invalid.refuse(batch.len() as u64, &self.inputs.p.source.name(), &self.inputs.q_name(), "")
    }

    fn p(&self) -> Rows<'_> {
        self.p.rows()
    }

    fn q(&self) -> Option<Rows<'_>> {
        self.q.as_ref().map(Batch::rows)
    }

    /// The rows that those of P are compared with.
    fn others(&self) -> &Batch {
        self.q.as_ref().unwrap_or(&self.p)
    }

    /// The key columns of the rows of P, and those of the rows they are compared with.
    fn keys(&self) -> Result<[RecordBatch; 2]> {
        let of_q = match &self.inputs.q {
            Some(q) => q.key_positions(self.inputs.carried()),
            None => self.inputs.keys.clone(),
        };
        Ok([self.p.keys.project(&self.inputs.keys)?, self.others().keys.project(&of_q)?])
    }

    /// Turns an error of the engine about pairs of rows of P, from row `first` on, into one about rows of the file.
    fn error(&self, how: &HowArgs, error: kullback::Error, first: usize) -> Error {
        let file = self.inputs.p.source.name();
        let of = |row: u64| self.p.file_row(first + usize::try_from(row).unwrap_or(usize::MAX - first));
        match error {
            kullback::Error::PolicyTooLarge { row, .. } => {
                Error::PolicyOfPair { policy: how.zeros.to_string(), row: of(row), file }
            }
            kullback::Error::RangeTooWide { row, .. } => Error::RangeOfPair { row: of(row), file },
            error => error.into(),
        }
    }
}

/// Reads all rows of a file, except those that are too light and, if asked, those that are null.
fn read(input: &InputFile, min_total: Option<f64>, without_nulls: bool, run: &RunArgs) -> Result<Batch> {
    let progress = ProgressDisplay::new(run.progress(), "reading", input.source.row_count());
    let mut batches = Vec::new();
    let mut rows = 0;
    for batch in input.source.batches()? {
        interrupt::check()?;
        let batch = batch?;
        rows += batch.len() as u64;
        let mut kept = match min_total {
            Some(total) => batch.take(&heavy_rows(&batch.rows(), total))?,
            None => batch,
        };
        if without_nulls && kept.null_count() > 0 {
            kept = kept.take(&(0..kept.len()).filter(|row| !kept.is_null(*row)).collect::<Vec<_>>())?;
        }
        if !kept.is_empty() {
            progress.reached(kept.file_row(kept.len() - 1) + 1);
            batches.push(kept);
        }
    }
    match (batches.is_empty(), min_total) {
        (true, Some(total)) if rows > 0 => Err(Error::NothingHeavyEnough { file: input.source.name(), rows, total }),
        (true, _) => Err(input.nothing_read()),
        (false, _) => Ok(Batch::concat(&batches)?),
    }
}

/// A run over the pairs: how it computes, and how far it is.
struct PairsRun<'a> {
    how: &'a HowArgs,
    progress: Arc<ProgressDisplay>,
}

impl<'a> PairsRun<'a> {
    fn new(how: &'a HowArgs, run: &RunArgs, pairs: u64) -> Self {
        Self { how, progress: Arc::new(ProgressDisplay::new(run.progress(), "pairs", Some(pairs))) }
    }

    /// The options of a call. `done` pairs were done before it.
    fn options(&self, done: u64) -> Options {
        let bar = Arc::clone(&self.progress);
        let progress = move |progress: kullback::Progress| {
            bar.reached(done + progress.done);
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let on_invalid: OnInvalid = self.how.on_invalid.into();
        let positions = self.how.positions.as_ref().and_then(BinPositions::list);
        let (unit, zeros) = (self.how.unit, self.how.zeros);
        Options { unit, zeros, positions, on_invalid, progress: Some(Arc::new(progress)) }
    }
}

/// The metadata of a result file.
fn metadata(args: &InputArgs, how: &HowArgs, measure: Divergence, device: &str) -> BTreeMap<String, String> {
    let p = args.p.to_string();
    let pairs = [
        ("kullback_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("measures", measure.to_string()),
        ("unit", how.unit.to_string()),
        ("zeros", how.zeros.to_string()),
        ("device", device.to_owned()),
        ("q", args.q.as_ref().map_or_else(|| p.clone(), ToString::to_string)),
        ("p", p),
    ];
    let positions = how.positions_for(&[measure]).map(|positions| ("positions", positions));
    pairs.into_iter().chain(positions).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Prints a note on stderr after a run that took a while.
fn note(run: &RunArgs, pairs: u64, stats: &Stats) {
    if !run.quiet && stats.seconds >= 1.0 {
        let rate = pairs as f64 / stats.seconds;
        let way = if stats.products > 0 { ", as products of matrices" } else { "" };
        complain(&format!("{pairs} pairs in {:.1} s, {rate:.3e} per second, on {}{way}", stats.seconds, stats.device));
    }
}

/// One label per row: its keys, or its number in the file.
fn labels(keys: &RecordBatch, batch: &Batch) -> Result<Vec<String>> {
    if keys.num_columns() == 0 {
        return Ok((0..batch.len()).map(|row| batch.file_row(row).to_string()).collect());
    }
    let options = FormatOptions::default();
    let columns = keys.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    let label = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ");
    Ok((0..keys.num_rows()).map(label).collect())
}
