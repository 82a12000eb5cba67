//! `kullback rowwise`: takes batches of P and Q through the engine, and the results to their destination.

mod against;
pub(crate) mod contributions;
mod details;
mod groups;
pub(crate) mod infinite;
mod join;
mod keys;
mod largest;
mod named;
pub(crate) mod pair;
mod pairing;
pub(crate) mod parts;
mod plot;
mod plot_picture;
pub(crate) mod results;
pub(crate) mod scale;
mod strip;
mod strip_picture;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use kullback::{Columns, Divergence, Engine, OnInvalid, Options, Zeros};
use kullback_arrow::Batch;

use crate::args::{Against, AskedMeasure, BinPositions, HowArgs, InputArgs, PairingArgs, RowwiseArgs, RunArgs};
use crate::error::{Error, PairingError, Result};
use crate::inputs::Inputs;
use crate::invalid::Invalid;
use crate::output::{Destination, RowOutput};
use crate::progress::ProgressDisplay;
use crate::report::{LimitCheck, Report, top::TopRows};
use crate::{Outcome, complain, interrupt};
pub(crate) use against::heavy_rows;
use details::Details;
use infinite::InfiniteRow;
use pair::BatchPair;
use pairing::{Counts, PairStream};
use results::{Results, Schemas};

/// Runs the command.
pub(crate) fn run(args: &RowwiseArgs) -> Result<Outcome> {
    let started = Instant::now();
    let asked = AskedMeasure::once(&args.measure.measures);
    let measures = AskedMeasure::measures(&asked);
    let limits = LimitCheck::new(args.output.fail_above.as_ref(), &asked)?;
    let destination = Destination::choose(&args.file, args.output.json, &args.input)?;
    let join = Some("--join").filter(|_| !args.pairing.join.is_empty());
    if let (None, Some(option)) = (&args.input.q, join.or(args.input.about_q())) {
        return Err(Error::NeedsQ { option });
    }
    if args.input.q.is_none() && args.pairing.against.is_none() && measures != [Divergence::Entropy] {
        return Err(Error::NoReference { p: args.input.p.to_string() });
    }
    let mut details = Details::begin(&args.output, &asked, &destination)?;
    let engine = engine(&args.run)?;
    let inputs =
        Inputs::open(&args.input, Some(&args.pairing), &args.pairing.join, (args.run.memory, has_united_bins(args)))?;
    let args = &RowwiseArgs { how: inputs.with_positions(&args.how, &measures, args.run.quiet)?, ..args.clone() };
    let schemas = Schemas::new(&inputs, &asked, args.output.status)?;
    details.open(args, &inputs)?;
    interrupt::work_begins()?;

    let mut report = Report::new(args, &asked, limits);
    let counts = Arc::new(Counts::default());
    let pairs = pairs(args, &inputs, &counts)?;
    let mut run = RowwiseRun {
        args,
        inputs: &inputs,
        engine: &engine,
        asked: &asked,
        measures: &measures,
        options: options(&args.how),
        schemas: &schemas,
        top: args.output.top.map(|n| TopRows::new(n.get(), schemas.value_columns())),
        details,
        rows: RowOutput::new(destination.clone(), args.output.top),
        invalid: Invalid::default(),
        report: &mut report,
    };
    run.report.seconds.prepare = started.elapsed().as_secs_f64();
    run.all(pairs)?;
    run.check(&counts)?;

    let RowwiseRun { top, details, mut rows, .. } = run;
    report.left_out = counts.left_out();
    report.left_out_of_q = counts.left_out_of_q();
    report.first_left_out = counts.first_left_out().map(str::to_owned);
    report.joined_from = counts.joined().cloned();
    report.text_order = counts.text_order().cloned();
    report.gpus_left_out = engine.left_out();
    let top = top.and_then(TopRows::finish);
    let writing = Instant::now();
    if let (Some(top), false) = (&top, destination.holds_all_rows()) {
        rows.write(top, || report.metadata())?;
    }
    let shown = rows.finish()?;
    let lacking = details.finish(&engine, (&asked, args), &inputs, &mut report)?;
    report.seconds.write += writing.elapsed().as_secs_f64();
    report.seconds.total = started.elapsed().as_secs_f64();
    notes(args, &report, lacking);
    tell_left_out(&args.run, &engine);
    report.show(&args.output, &destination, &shown, top.as_ref())?;
    Ok(exceeded(args, &report))
}

/// The engine that the options ask for.
pub(crate) fn engine(args: &RunArgs) -> Result<Engine> {
    let mut builder = Engine::builder().device(args.device);
    if let Some(threads) = args.threads {
        builder = builder.threads(threads.get());
    }
    if let Some(memory) = args.memory {
        builder = builder.memory(memory);
    }
    Ok(builder.build()?)
}

/// Says which GPUs took no part in the work, and why. An automatic engine knows this only after the work.
pub(crate) fn tell_left_out(args: &RunArgs, engine: &Engine) {
    if !args.quiet {
        for reason in engine.left_out() {
            complain(&format!("a GPU was left out: {reason}"));
        }
    }
}

/// Whether the groups of --by may have the bins of all groups, so that one list of positions is for all: a bin of 0 on both sides adds
/// nothing if no policy and no baseline gives it weight.
fn has_united_bins(args: &RowwiseArgs) -> bool {
    let adds_nothing = args.how.zeros == Zeros::Exact && args.pairing.against != Some(Against::Uniform);
    adds_nothing && matches!(args.how.positions, Some(BinPositions::Labels))
}

/// The options of a call. Invalid rows get no value here, because the whole run decides what they mean.
fn options(args: &HowArgs) -> Options {
    let stop = |_| if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let positions = args.positions.as_ref().and_then(BinPositions::list);
    let on_invalid = OnInvalid::Null;
    Options { unit: args.unit, zeros: args.zeros, positions, on_invalid, progress: Some(Arc::new(stop)) }
}

/// The stream of pairs to compare.
fn pairs<'a>(args: &RowwiseArgs, inputs: &'a Inputs, counts: &Arc<Counts>) -> Result<PairStream<'a>> {
    let (InputArgs { min_total, .. }, PairingArgs { against, join, .. }) = (&args.input, &args.pairing);
    let (p, q, by) = (&inputs.p, inputs.q.as_ref(), &inputs.by);
    let rows = |min_total| pairing::rows(p, min_total, counts);
    let in_order = |by: &[String]| groups::in_order(p, rows(*min_total)?, by, *min_total, counts);
    match (against, q) {
        (Some(Against::Total | Against::Rest), _) if by.is_empty() && !p.source.separating_keys().is_empty() => {
            Err(PairingError::BinsApart { file: p.source.name(), columns: p.source.separating_keys().join("` or `") }
                .into())
        }
        (Some(against @ (Against::Total | Against::Rest)), _) => {
            let progress = ProgressDisplay::new(args.run.progress(), "total", p.source.row_count());
            let how = (args.how.on_invalid.into(), args.run.device.is_gpu());
            let totals = groups::totals(p, by, how, &progress)?;
            let rows = rows(*min_total)?;
            if *against == Against::Rest { Ok(groups::rest(rows, totals)) } else { groups::total(rows, totals) }
        }
        (Some(Against::Row(filter)), Some(q)) => {
            if !by.is_empty() {
                return join::joined(p, rows(*min_total)?, q, by, counts).map_err(|error| of_group(error, filter));
            }
            let baseline = join::Held::read(q)?;
            match &baseline.parts[..] {
                [one] if one.len() == 1 => Ok(pairing::one(rows(*min_total)?, one.clone())),
                _ => {
                    let (file, filter) = (p.source.name(), filter.to_string());
                    Err(PairingError::BaselineRows { file, filter, rows: baseline.len() }.into())
                }
            }
        }
        (Some(Against::Row(_)), None) => Err(Error::NoReference { p: args.input.p.to_string() }),
        (Some(Against::First), _) => groups::first(p, in_order(by)?, by),
        (Some(Against::Uniform), _) => Ok(pairing::uniform(rows(*min_total)?)),
        (Some(Against::Previous), _) => {
            let by = groups_of_previous(args, inputs);
            groups::previous(p, in_order(&by)?, &by)
        }
        (None, None) => Ok(pairing::itself(rows(*min_total)?)),
        (None, Some(_)) if by.iter().any(|column| !inputs.names.contains(column)) => {
            Err(PairingError::GroupsApart { columns: by.join(", ") }.into())
        }
        (None, Some(q)) if !join.is_empty() => join::joined(p, rows(*min_total)?, q, join, counts),
        (None, Some(q)) => {
            let mut batches = pairing::plain(q.source.batches()?);
            let first = batches.next().transpose()?.ok_or_else(|| q.nothing_read())?;
            let second = batches.next().transpose()?;
            // With groups, a row is the reference of its own group at most.
            if first.len() == 1 && second.is_none() && by.is_empty() {
                return Ok(pairing::one(rows(*min_total)?, first));
            }
            let q_rows = Box::new([first].into_iter().chain(second).map(Ok).chain(batches));
            if !inputs.names.is_empty() {
                let pairs = named::by_name((p, rows(None)?), (q, q_rows), &inputs.names, counts)?;
                return Ok(pairing::heavy_pairs(pairs, *min_total));
            }
            inputs.tell_unnamed(args.run.quiet)?;
            known_rows_agree(inputs)?;
            Ok(pairing::by_position((rows(None)?, p.source.name()), (q_rows, q.source.name()), *min_total))
        }
    }
}

/// The error for two baselines of one group.
fn of_group(error: Error, filter: &kullback_arrow::Filter) -> Error {
    let Error::Pairing(pairing) = &error else { return error };
    let PairingError::DuplicateKey { file, key, .. } = &**pairing else { return error };
    PairingError::BaselineOfGroup { file: file.clone(), filter: filter.to_string(), key: key.clone() }.into()
}

/// The columns that say which rows are a series. A note names them where the user did not.
fn groups_of_previous(args: &RowwiseArgs, inputs: &Inputs) -> Vec<String> {
    let by = groups::of_previous(inputs);
    if by != inputs.by && !args.run.quiet {
        let schema = inputs.p.source.key_schema();
        let (last, others) = (schema.fields().last().map_or("", |field| field.name()), by.join(", "));
        complain(&format!(
            "each row is compared with the one before it by {last} that has the same {others}: name other groups with --by"
        ));
    }
    by
}

/// Compares the row counts that the files state. A difference is then found without reading them.
fn known_rows_agree(inputs: &Inputs) -> Result<()> {
    let Inputs { p, q: Some(q), .. } = inputs else { return Ok(()) };
    match (p.source.row_count(), q.source.row_count()) {
        (Some(p_rows), Some(q_rows)) if p_rows != q_rows && p_rows > 0 && p.is_unfiltered() && q.is_unfiltered() => {
            Err(Error::RowsDiffer { p: p.source.name(), p_rows, q: q.source.name(), q_rows })
        }
        _ => Ok(()),
    }
}

/// A run in progress.
struct RowwiseRun<'a> {
    args: &'a RowwiseArgs,
    inputs: &'a Inputs,
    engine: &'a Engine,
    asked: &'a [AskedMeasure],
    measures: &'a [Divergence],
    options: Options,
    schemas: &'a Schemas,
    top: Option<TopRows>,
    details: Details,
    rows: RowOutput,
    invalid: Invalid,
    report: &'a mut Report,
}

impl RowwiseRun<'_> {
    /// Computes every pair, while the next pair is read and the one before is written.
    fn all(&mut self, pairs: PairStream<'_>) -> Result<()> {
        let progress = ProgressDisplay::new(self.args.run.progress(), "rows", self.inputs.p.source.row_count());
        let (engine, measures, options) = (self.engine, self.measures, self.options.clone());
        let (p_name, q_name) = (self.inputs.p.source.name(), self.inputs.q_name());
        let pairs = pairs.map(move |pair| {
            let pair = pair?;
            let (p_bins, q_bins) = (pair.p.rows().bins(), pair.q.rows().bins());
            if p_bins == q_bins {
                return Ok(pair);
            }
            Err(Error::BinsDiffer { p: p_name.clone(), p_bins, q: q_name.clone(), q_bins })
        });
        let mut waiting = Instant::now();
        engine.stream(measures, pairs, &options, |pair, columns| {
            self.report.seconds.wait += waiting.elapsed().as_secs_f64();
            interrupt::check()?;
            self.pair(&pair, columns)?;
            progress.reached(pair.p.file_row(pair.p.len() - 1) + 1);
            waiting = Instant::now();
            Ok(())
        })?;
        interrupt::check()
    }

    fn pair(&mut self, pair: &BatchPair, columns: Columns) -> Result<()> {
        self.report.add_stats(columns.stats());
        self.report.scales.look(self.args.how.zeros, pair);
        let results = Results::new(pair, columns, &mut self.invalid);
        self.report.add_rows(&results);
        if self.report.infinite.is_none() {
            self.report.infinite = InfiniteRow::first(pair, &results, self.asked, self.inputs)?;
        }

        // A run that will be refused writes nothing more.
        if self.args.how.on_invalid == crate::args::OnBad::Error && !self.invalid.is_empty() {
            return Ok(());
        }
        let writing = Instant::now();
        self.details.push(pair, &results, self.inputs)?;
        if self.top.is_some() || self.rows.takes_rows() {
            let batch = self.schemas.table(&pair.p, &results)?;
            if let Some(top) = &mut self.top {
                top.push(&batch)?;
            }
            if self.top.is_none() || self.rows.holds_all_rows() {
                self.rows.write(&batch, || self.report.metadata())?;
            }
        }
        self.report.seconds.write += writing.elapsed().as_secs_f64();
        Ok(())
    }

    /// Checks whether the run as a whole has a result.
    fn check(&self, counts: &Counts) -> Result<()> {
        let Inputs { p, q, .. } = self.inputs;
        if counts.read() == 0 {
            return Err(p.nothing_read());
        }
        if self.report.rows == 0 {
            let q = q.as_ref().filter(|_| counts.left_out() > 0);
            return Err(match (q, self.args.input.min_total) {
                (None, Some(total)) => Error::NothingHeavyEnough { file: p.source.name(), rows: counts.read(), total },
                (None, None) => p.nothing_read(),
                (Some(q), _) => PairingError::NoPartner {
                    p: p.source.name(),
                    p_rows: counts.left_out(),
                    q: q.source.name(),
                    q_rows: q.source.batches()?.map(|batch| batch.as_ref().map_or(0, Batch::len) as u64).sum(),
                    columns: self.inputs.names.join(", "),
                }
                .into(),
            });
        }
        if OnInvalid::from(self.args.how.on_invalid) == OnInvalid::Error {
            let policy = self.args.how.zeros.to_string();
            self.invalid.refuse(self.report.rows, &p.source.name(), &self.inputs.q_name(), &policy)?;
        }
        Ok(())
    }
}

/// Tells the user how rows were paired, about rows that are not in the result or infinite, and about what a picture lacks.
fn notes(args: &RowwiseArgs, report: &Report, lacking: Vec<String>) {
    if args.run.quiet {
        return;
    }
    if let Some((column, key)) = &report.text_order {
        complain(&format!(
            "the rows come in the order of text by {column}, because `{key}` is no number and no time: 2024-9 is after \
             2024-10, and Apr is before Jan"
        ));
    }
    if let Some((row, columns)) = &report.joined_from {
        complain(&format!(
            "from row {row} on, P and Q have other keys in the same row: the rows were paired by {columns}, and Q is in memory"
        ));
    }
    if report.left_out > 0 {
        let rows = report.left_out + report.rows;
        let first = report.first_left_out.as_deref().unwrap_or_default();
        complain(&format!(
            "{} of {rows} rows of P have no partner in Q and were left out; the first is {first}",
            report.left_out
        ));
    }
    if let Some(uneven) = &report.scales.first {
        complain(&uneven.to_string());
    }
    if report.left_out_of_q > 0 {
        complain(&format!("{} rows of Q have no partner in P", report.left_out_of_q));
    }
    for message in report.infinite_message().into_iter().chain(lacking) {
        complain(&message);
    }
}

fn exceeded(args: &RowwiseArgs, report: &Report) -> Outcome {
    let Some(message) = report.exceeded() else { return Outcome::Done };
    if !args.run.quiet {
        complain(&message);
    }
    Outcome::Exceeded
}
