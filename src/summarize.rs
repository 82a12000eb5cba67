//! Summaries of calls: on a device whose values need not leave it, else of the columns as they come.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

#[cfg(feature = "gpu")]
use crate::backend::Backend;
#[cfg(feature = "gpu")]
use crate::backend::gpu::Gpu;
#[cfg(feature = "gpu")]
use crate::backend::gpu::summary::{self as device, Said};
use crate::divergence::Divergence;
use crate::engine::{Choice, Engine, On};
use crate::error::{Error, Result};
use crate::flow;
use crate::input::Input;
use crate::options::{OnInvalid, Options};
use crate::output::{RowStatus, Stats};
use crate::run::{RETRIES, Run};
use crate::summary::{Largest, Moments, Summaries, SummaryBuilder, Tally, TopRow, ranks};
use crate::values::{Tracker, refusal};

/// Rows from which a device makes the summary itself: below, its tables take longer than the values would.
const DEVICE_FROM_ROWS: usize = if cfg!(test) { 64 } else { 1 << 16 };

/// Bytes of columns that are in memory at once where a summary is made of them.
const COLUMN_BYTES: usize = 64 << 20;

impl Engine {
    /// What the values of [`Engine::rowwise`] say, without their columns: for each measure a [`Summary`](crate::Summary)
    /// and the `top` rows with the largest values. Memory does not grow with the rows.
    ///
    /// On one GPU, of 65,536 rows or more and up to four measures, the values stay there: some kilobytes come back. The
    /// quantiles are approximate then ([`Summary::exact`](crate::Summary::exact)); values of `top` are computed in 64-bit
    /// floats. Of the rows whose values differ by less than the contract's 1e-6 any may be the last of `top`.
    ///
    /// # Errors
    /// As [`Engine::rowwise`].
    pub fn summary<'a>(
        &self,
        measures: &[Divergence],
        p: impl Into<Input<'a>>,
        q: impl Into<Input<'a>>,
        options: &Options,
        top: usize,
    ) -> Result<Summaries> {
        self.summarize(measures, p.into(), q.into(), options, top)
    }

    fn summarize(
        &self,
        measures: &[Divergence],
        p: Input<'_>,
        q: Input<'_>,
        options: &Options,
        top: usize,
    ) -> Result<Summaries> {
        let start = Instant::now();
        let problem = self.problem(measures, &p, &q, options)?;
        let Choice { mut on, mut reason, predicted } = self.choose(&problem, &p, &q);
        let run = Run { engine: self, problem: &problem, p, q };
        #[cfg(feature = "gpu")]
        let on_device = match on {
            On::Gpus { gpus, or_cpu } => match gpus.devices() {
                [gpu] => match Digesting::new(&run, gpu, options, top).map_or(Ok(None), |it| it.run()) {
                    Err(error) if !or_cpu || matches!(error, Error::Cancelled { .. }) => return Err(error),
                    Err(_) => {
                        (on, reason) = (On::Cpu, "the GPU, predicted to be faster, failed");
                        None
                    }
                    Ok(found) => found,
                },
                _ => None,
            },
            _ => None,
        };
        #[cfg(not(feature = "gpu"))]
        let on_device = None;
        let mut summaries = match on_device {
            Some(found) => found,
            None => run.summarize_columns(on, options, top)?,
        };
        let stats = &mut summaries.stats;
        stats.predicted = predicted;
        if stats.reason.is_empty() {
            stats.reason = reason;
        }
        stats.bytes = problem.bytes_per_row() * problem.rows as u64;
        stats.seconds = start.elapsed().as_secs_f64();
        Ok(summaries)
    }
}

impl Run<'_> {
    fn measures(&self) -> Vec<Divergence> {
        self.problem.slots.iter().map(|slots| slots.measure).collect()
    }

    /// The summary of columns that are made some rows at a time.
    fn summarize_columns(&self, on: On<'_>, options: &Options, top: usize) -> Result<Summaries> {
        let (rows, measures) = (self.problem.rows, self.measures());
        let quiet = Options { on_invalid: OnInvalid::Null, ..options.clone() };
        let tracker = Tracker::new(options, rows);
        let mut builders = vec![SummaryBuilder::default(); measures.len()];
        let mut largest = vec![Largest::new(top); measures.len()];
        let mut invalid = Vec::new();
        let mut stats = Stats::default();
        let at_once = (COLUMN_BYTES / (8 * measures.len() + 1)).max(1);
        for start in (0..rows.max(1)).step_by(at_once) {
            let columns = self.engine.execute(on, self, start..rows.min(start + at_once), &quiet, &tracker)?;
            for ((builder, largest), (_, column)) in builders.iter_mut().zip(&mut largest).zip(columns.iter()) {
                builder.extend(column, columns.status());
                (start as u64..).zip(column).for_each(|(row, value)| largest.push(row, *value));
            }
            if options.on_invalid == OnInvalid::Error {
                let is_invalid = |(_, status): &(usize, &RowStatus)| **status == RowStatus::Invalid;
                invalid.extend((start..).zip(columns.status()).filter(is_invalid).map(|(row, _)| row));
            }
            let Stats { device, shares, reason, .. } = columns.stats();
            (stats.device, stats.shares, stats.reason) = (device.clone(), shares.clone(), reason);
            stats.add(columns.stats());
        }
        if !invalid.is_empty() {
            return Err(refusal(self.problem, &self.p.rows, &self.q.rows, invalid.iter().copied()));
        }
        Ok(Summaries {
            measures,
            summaries: builders.iter().map(SummaryBuilder::finish).collect(),
            top: largest.into_iter().map(Largest::finish).collect(),
            stats,
        })
    }
}

/// A summary that a device makes.
#[cfg(feature = "gpu")]
struct Digesting<'a> {
    run: &'a Run<'a>,
    gpu: &'a Gpu,
    options: &'a Options,
    top: usize,
}

/// What the chunks of a device said.
#[cfg(feature = "gpu")]
struct Gathered {
    tallies: Vec<Tally>,
    largest: Vec<Largest>,
    statuses: [u64; 4],
    for_the_host: usize,
    stats: Stats,
}

#[cfg(feature = "gpu")]
impl Gathered {
    fn add(&mut self, said: Said) {
        // Of all chunks so far.
        self.statuses = said.statuses;
        self.for_the_host = said.for_the_host;
        for (tally, blocks) in self.tallies.iter_mut().zip(&said.blocks) {
            for block in blocks {
                tally.infinite += u64::from(block.infinite);
                tally.moments.merge(&Moments {
                    count: u64::from(block.count),
                    mean: f64::from(block.mean),
                    squares: f64::from(block.squares),
                    minimum: f64::from(block.least),
                    maximum: f64::from(block.most),
                });
            }
        }
        for (largest, values) in self.largest.iter_mut().zip(&said.top) {
            values.iter().for_each(|&(row, value)| largest.push(row as u64, f64::from(value)));
        }
        self.stats.chunks += 1;
        self.stats.sent += said.spent.sent;
        self.stats.received += said.spent.received;
        self.stats.compile_seconds += said.spent.compile_seconds;
        self.stats.device_seconds += said.spent.device_seconds;
    }
}

#[cfg(feature = "gpu")]
impl<'a> Digesting<'a> {
    /// `None` where this is not for the device.
    fn new(run: &'a Run<'a>, gpu: &'a Gpu, options: &'a Options, top: usize) -> Option<Self> {
        let fits = run.problem.rows >= DEVICE_FROM_ROWS && top <= device::MOST_TOP;
        (fits && gpu.can_digest(run.problem, run.engine.memory)).then_some(Self { run, gpu, options, top })
    }

    /// The summary; `None` where too much of it is left to the host, or it is an error that the columns tell better.
    /// A device that fails has lost what it had: all is begun anew then, in smaller chunks.
    fn run(&self) -> Result<Option<Summaries>> {
        let mut retries = 0;
        loop {
            let error = match self.attempt(retries) {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            match &error {
                // Without room for the tables the values can still be had.
                Error::DeviceMemory { .. } if retries >= RETRIES => return Ok(None),
                Error::DeviceFailed { .. } | Error::DeviceMemory { .. } if retries < RETRIES => {}
                _ => return Err(error),
            }
            self.gpu.recover().map_err(|_| error)?;
            retries += 1;
        }
    }

    fn attempt(&self, retries: usize) -> Result<Option<Summaries>> {
        let Self { run, gpu, options, top } = *self;
        let (problem, rows) = (run.problem, 0..run.problem.rows);
        let tracker = Tracker::new(options, rows.len());
        let kept = run.kept(&rows, gpu);
        let pieces = kept.map(|kept| kept.map(|kept| (kept.rows.start, &kept.stored)));
        let memory = run.engine.memory - device::table_bytes(problem);
        let chunks = gpu.chunks(problem, rows, memory, pieces)?;
        let chunks = (0..retries).fold(chunks, |chunks, _| chunks.smaller().unwrap_or(chunks));
        let digest = gpu.digest(problem, options.unit, top)?;
        let measures = problem.slots.len();
        let mut gathered = Gathered {
            tallies: vec![Tally::default(); measures],
            largest: vec![Largest::new(top); measures],
            statuses: [0; 4],
            for_the_host: 0,
            stats: Stats { device: gpu.shared_name(), retries: retries as u64, ..Stats::default() },
        };
        let is_too_much = AtomicBool::new(false);
        let start = |chunk: &Range<usize>| {
            let [p, q] = run.rows(chunk);
            digest.start(chunk.start, &run.p.source(&p, kept[0]), &run.q.source(&q, kept[1]))
        };
        let finish = |chunk: Range<usize>, started: device::DigestedChunk| {
            gathered.add(started.finish()?);
            is_too_much.store(gathered.for_the_host > device::MOST_FOR_THE_HOST, Ordering::Relaxed);
            tracker.report(chunk.len())
        };
        let panicked = || {
            let reason = "a thread that filled buffers panicked".to_owned();
            Error::DeviceFailed { device: gpu.name().to_owned(), reason }
        };
        let wanted = chunks.from(0).take_while(|_| !is_too_much.load(Ordering::Relaxed));
        flow::run(wanted, start, finish, panicked)?;
        let refuses = options.on_invalid == OnInvalid::Error;
        if is_too_much.into_inner() || (refuses && gathered.statuses[RowStatus::Invalid as usize] > 0) {
            return Ok(None);
        }
        self.conclude(&digest, gathered)
    }

    /// Adds the rows that were left to the host, and looks up the quantiles.
    fn conclude(&self, digest: &device::Digest<'_>, gathered: Gathered) -> Result<Option<Summaries>> {
        let run = self.run;
        let quiet = Options { progress: None, on_invalid: OnInvalid::Null, ..self.options.clone() };
        let Gathered { tallies, mut largest, statuses, for_the_host, mut stats } = gathered;
        let (sums, list, received) = digest.sums(for_the_host)?;
        let left: Vec<usize> = list.iter().map(|row| *row as usize).collect();
        let on_host = run.again(&left, &quiet)?;
        if self.options.on_invalid == OnInvalid::Error && on_host.status().contains(&RowStatus::Invalid) {
            return Ok(None);
        }
        let mut columns = Vec::new();
        for ((device_tally, sums), (measure, values)) in tallies.into_iter().zip(sums).zip(on_host.iter()) {
            let mut builder = SummaryBuilder::default();
            builder.extend(values, on_host.status());
            let mut tally = Tally { statuses, ..device_tally };
            tally.merge(&builder.tally);
            let bound = measure.finisher(self.options.unit).bound();
            columns.push(Column::new(tally, bound, &sums, &builder.values));
        }
        for (largest, (_, values)) in largest.iter_mut().zip(on_host.iter()) {
            left.iter().zip(values).for_each(|(row, value)| largest.push(*row as u64, *value));
        }
        let groups = |(measure, column): (usize, &Column)| {
            let groups: BTreeSet<usize> = ranks(column.tally.moments.count).map(|rank| column.group(rank)).collect();
            groups.into_iter().map(move |group| (measure, group)).collect::<Vec<_>>()
        };
        let groups: Vec<(usize, usize)> = columns.iter().enumerate().flat_map(groups).collect();
        for ((measure, group), counts) in groups.iter().zip(digest.counts(&groups)?) {
            columns[*measure].learn(*group, &counts);
        }
        stats.received += received + (groups.len() * device::TOGETHER * 4) as u64;
        stats.rescued = for_the_host as u64;
        Ok(Some(Summaries {
            measures: run.measures(),
            summaries: columns.iter().map(|column| column.tally.finish(false, |rank| column.at_rank(rank))).collect(),
            top: self.exactly(largest, &quiet)?,
            stats,
        }))
    }

    /// The largest of each measure with their values in 64-bit floats.
    fn exactly(&self, largest: Vec<Largest>, options: &Options) -> Result<Vec<Vec<TopRow>>> {
        let found: Vec<Vec<TopRow>> = largest.into_iter().map(Largest::finish).collect();
        let rows: Vec<usize> = found.iter().flatten().map(|top| top.row as usize).collect();
        let again = self.run.again(&rows, options)?;
        let mut from = 0;
        let exact = |(found, (_, values)): (&Vec<TopRow>, (_, &[f64]))| {
            let mut largest = Largest::new(found.len());
            let values = &values[from..from + found.len()];
            from += found.len();
            found.iter().zip(values).for_each(|(top, value)| largest.push(top.row, *value));
            largest.finish()
        };
        Ok(found.iter().zip(again.iter()).map(exact).collect())
    }
}

/// The values of a measure by their buckets: those of the device, which are counted there, and those of the host.
#[cfg(feature = "gpu")]
struct Column {
    tally: Tally,
    /// Values in each group of buckets.
    sums: Vec<u64>,
    /// The buckets of the values of the host, but for those above all buckets, which are the last of all.
    on_host: Vec<usize>,
    above: Vec<f64>,
    /// The counts of the buckets of some groups.
    known: Vec<(usize, Vec<u64>)>,
}

#[cfg(feature = "gpu")]
impl Column {
    /// Of values that are at most `bound`: the last rounding of a device may leave one a unit above it.
    fn new(mut tally: Tally, bound: f64, sums: &[u32], on_host: &[f64]) -> Self {
        /// Where the buckets end.
        const END: f64 = (1_u64 << 32) as f64;
        let Moments { mean, minimum, maximum, .. } = &mut tally.moments;
        [mean, minimum, maximum].into_iter().for_each(|value| *value = value.min(bound));
        let mut sums: Vec<u64> = sums.iter().map(|sum| u64::from(*sum)).collect();
        let (mut above, within): (Vec<f64>, Vec<f64>) = on_host.iter().partition(|value| **value >= END);
        above.sort_unstable_by(f64::total_cmp);
        let on_host: Vec<usize> = within.into_iter().map(device::bucket).collect();
        on_host.iter().for_each(|bucket| sums[bucket / device::TOGETHER] += 1);
        Self { tally, sums, on_host, above, known: Vec::new() }
    }

    /// The group that a rank lies in, and how many values are in those before it.
    fn place(&self, rank: u64) -> (usize, u64) {
        let mut before = 0;
        for (group, sum) in self.sums.iter().enumerate() {
            if rank < before + sum {
                return (group, before);
            }
            before += sum;
        }
        (self.sums.len() - 1, before)
    }

    fn group(&self, rank: u64) -> usize {
        self.place(rank).0
    }

    /// Takes the counts of a group on the device.
    fn learn(&mut self, group: usize, counts: &[u32]) {
        let mut counts: Vec<u64> = counts.iter().map(|count| u64::from(*count)).collect();
        let mine = self.on_host.iter().filter(|bucket| **bucket / device::TOGETHER == group);
        mine.for_each(|bucket| counts[bucket % device::TOGETHER] += 1);
        self.known.push((group, counts));
    }

    fn at_rank(&self, rank: u64) -> f64 {
        let Moments { count, minimum, maximum, .. } = self.tally.moments;
        let counted = count - self.above.len() as u64;
        if let Some(above) = rank.checked_sub(counted) {
            return self.above.get(above as usize).copied().unwrap_or(maximum);
        }
        let (group, mut before) = self.place(rank);
        let known = self.known.iter().find(|(known, _)| *known == group);
        for (i, count) in known.iter().flat_map(|(_, counts)| counts).enumerate() {
            before += count;
            if rank < before {
                return device::middle(group * device::TOGETHER + i).clamp(minimum, maximum);
            }
        }
        maximum
    }
}
