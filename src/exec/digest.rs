//! Summaries that devices make. It puts the reports of their chunks together, and adds the rows that they leave to the host.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::definition::Definition;

use super::gpus::Gpus;
use super::run::Run;
use super::tracker::Tracker;
use super::walk::{Session, Sink, walk};
use crate::backend::Spent;
use crate::backend::gpu::Gpu;
use crate::backend::gpu::summary::{self as device, Said};
use crate::input::DeviceRows;
use crate::options::{OnInvalid, Options};
use crate::output::{RowStatus, Share, Stats};
use crate::plan::{Chunks, LIMITS};
use crate::summary::{Largest, Moments, Summaries, SummaryBuilder, Tally, TopRow, ranks};

/// A summary on its way.
pub(crate) struct Digesting<'a> {
    run: &'a Run<'a>,
    gpus: &'a Gpus,
    options: &'a Options,
    top: usize,
    tracker: &'a Tracker<'a>,
}

/// What the chunks of a device reported.
struct Gathered {
    tallies: Vec<Tally>,
    largest: Vec<Largest>,
    statuses: [u64; 4],
    for_the_host: usize,
    /// Values in each group of buckets, by measure, and the rows left to the host. Set at the end.
    sums: Vec<Vec<u32>>,
    left: Vec<u32>,
    stats: Stats,
}

/// Rows that have been through a device.
struct Walked<'a> {
    digest: Option<device::Digest<'a>>,
    gathered: Gathered,
    /// False if the walk ended before its last row, or left too many rows to the host.
    is_whole: bool,
    rows: usize,
}

impl Gathered {
    /// No values yet, for this number of measures.
    fn new(measures: usize, top: usize, gpu: &Gpu) -> Self {
        Self {
            tallies: vec![Tally::default(); measures],
            largest: vec![Largest::new(top); measures],
            statuses: [0; 4],
            for_the_host: 0,
            sums: Vec::new(),
            left: Vec::new(),
            stats: Stats { device: gpu.shared_name(), ..Stats::default() },
        }
    }

    fn add(&mut self, said: Said) {
        // These numbers cover all chunks so far.
        self.statuses = said.statuses;
        self.for_the_host = said.for_the_host;
        for (tally, blocks) in self.tallies.iter_mut().zip(&said.blocks) {
            for block in blocks {
                tally.infinite += u64::from(block.infinite);
                tally.moments.merge(&Moments {
                    count: u64::from(block.count),
                    mean: f64::from(block.mean),
                    squares: block.squares(),
                    minimum: f64::from(block.least),
                    maximum: f64::from(block.most),
                });
            }
        }
        for (largest, values) in self.largest.iter_mut().zip(&said.top) {
            values.iter().for_each(|&(row, value)| largest.push(row as u64, f64::from(value)));
        }
        self.stats.chunks += 1;
    }
}

impl<'a> Digesting<'a> {
    /// `None` if the devices should not make this summary.
    pub(crate) fn new(
        run: &'a Run<'a>,
        gpus: &'a Gpus,
        options: &'a Options,
        top: usize,
        tracker: &'a Tracker<'a>,
    ) -> Option<Self> {
        let fits = run.problem.rows >= LIMITS.summary_rows && top <= device::MOST_TOP;
        let can = |gpu: &Gpu| gpu.can_digest(run.problem, run.host.memory);
        (fits && gpus.devices().iter().all(can)).then_some(Self { run, gpus, options, top, tracker })
    }

    /// Makes the summary. `None` if too much of it is left to the host, or if there is an error that the columns report better.
    /// Also `None` if a device fails again and again, which may be because of the tables, or if one fails once more when its
    /// rows are done and their values are counted.
    pub(crate) fn run(&self) -> Result<Option<Summaries>> {
        let shares = self.gpus.shares(self.run, 0..self.run.problem.rows)?;
        let mut tasks: Vec<(Range<usize>, Option<Result<Walked<'_>>>)> =
            shares.into_iter().map(|rows| (rows, None)).collect();
        let ended = AtomicBool::new(false);
        self.gpus.all(&mut tasks, |gpu, (rows, walked)| {
            // A device that is given no rows may be one that does not work.
            if rows.start < rows.end {
                let result = self.walk(gpu, rows.clone(), &ended);
                ended.fetch_or(!result.as_ref().is_ok_and(|walked| walked.is_whole), Ordering::Relaxed);
                *walked = Some(result);
            }
        });
        let mut walked: Vec<Result<Walked<'_>>> = tasks.into_iter().filter_map(|(_, walked)| walked).collect();
        // What the caller wants counts more than what a device does.
        walked.sort_by_key(|walked| !matches!(walked, Err(Error::Cancelled { .. })));
        let walked: Result<Vec<Walked<'_>>> = walked.into_iter().collect();
        match walked.and_then(|walked| self.conclude(&walked)) {
            Err(Error::DeviceFailed { .. } | Error::DeviceMemory { .. } | Error::RowTooLarge { .. }) => Ok(None),
            other => other,
        }
    }

    /// Sends rows through a device, and stops early once `ended` is set.
    fn walk(&self, gpu: &'a Gpu, rows: Range<usize>, ended: &AtomicBool) -> Result<Walked<'a>> {
        let gathered = Gathered::new(self.run.problem.slots.len(), self.top, gpu);
        let mut sink = DigestSink { digesting: self, gpu, ended, done: rows.start, rows: rows.clone(), gathered };
        let session = walk(&mut sink, gpu, self.run.host.submission_seconds)?;
        let DigestSink { done, gathered, .. } = sink;
        let is_whole = done == rows.end && gathered.for_the_host <= device::MOST_FOR_THE_HOST;
        Ok(Walked { digest: session.map(|session| session.digest), gathered, is_whole, rows: rows.len() })
    }

    /// Puts together what the devices have, adds the rows that were left to the host, and looks up the quantiles.
    fn conclude(&self, walked: &[Walked<'_>]) -> Result<Option<Summaries>> {
        let run = self.run;
        let quiet = Options { progress: None, on_invalid: OnInvalid::Null, ..self.options.clone() };
        let refuses = self.options.on_invalid == OnInvalid::Error;
        let invalid = |walked: &Walked<'_>| walked.gathered.statuses[RowStatus::Invalid as usize] > 0;
        if !walked.iter().all(|walked| walked.is_whole) || (refuses && walked.iter().any(invalid)) {
            return Ok(None);
        }
        let mut stats = Stats { device: self.gpus.name(), ..Stats::default() };
        let (mut sums, mut left) = (vec![vec![0; device::SUMS]; run.problem.slots.len()], Vec::new());
        for Walked { gathered, rows, .. } in walked {
            for (sums, more) in sums.iter_mut().zip(&gathered.sums) {
                sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += u64::from(*more));
            }
            left.extend(gathered.left.iter().map(|row| *row as usize));
            stats.add(&gathered.stats);
            if walked.len() > 1 {
                stats.shares.push(Share { device: gathered.stats.device.clone(), rows: *rows as u64 });
            }
        }
        // Sorted in the order of the rows. The device lists them as they come, and the last bits of a mean would show it.
        left.sort_unstable();
        let on_host = run.again(&left, &quiet)?;
        if refuses && on_host.status().contains(&RowStatus::Invalid) {
            return Ok(None);
        }
        stats.rescued = left.len() as u64;
        let (mut columns, mut largest) = (Vec::new(), Vec::new());
        for (i, ((measure, values), sums)) in on_host.iter().zip(sums).enumerate() {
            let mut builder = SummaryBuilder::default();
            builder.extend(values, on_host.status());
            let (mut tally, mut most) = (builder.tally, Largest::new(self.top));
            left.iter().zip(values).for_each(|(row, value)| most.push(*row as u64, *value));
            for Walked { gathered, .. } in walked {
                tally.merge(&Tally { statuses: gathered.statuses, ..gathered.tallies[i] });
                gathered.largest[i].clone().finish().iter().for_each(|top| most.push(top.row, top.value));
            }
            columns.push(Column::new(tally, measure.finisher(self.options.unit).bound(), sums, &builder.values));
            largest.push(most);
        }
        let groups = |(measure, column): (usize, &Column)| {
            let groups: BTreeSet<usize> = ranks(column.tally.moments.count).map(|rank| column.group(rank)).collect();
            groups.into_iter().map(move |group| (measure, group)).collect::<Vec<_>>()
        };
        let groups: Vec<(usize, usize)> = columns.iter().enumerate().flat_map(groups).collect();
        for digest in walked.iter().filter_map(|walked| walked.digest.as_ref()) {
            for ((measure, group), counts) in groups.iter().zip(digest.counts(&groups)?) {
                columns[*measure].learn(*group, &counts);
            }
            stats.received += (groups.len() * device::TOGETHER * 4) as u64;
        }
        Ok(Some(Summaries {
            measures: run.measures(),
            summaries: columns.iter().map(|column| column.tally.finish(false, |rank| column.at_rank(rank))).collect(),
            top: self.exactly(largest, &quiet)?,
            stats,
        }))
    }

    /// The largest rows of each measure, with their values in 64-bit floats.
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

/// The sink of a summary: the device keeps its tables, and each chunk reports its blocks.
struct DigestSink<'w, 'a> {
    digesting: &'w Digesting<'a>,
    gpu: &'a Gpu,
    /// Set when another device has ended the summary.
    ended: &'w AtomicBool,
    rows: Range<usize>,
    done: usize,
    gathered: Gathered,
}

/// The tables of a device, and the rows that it keeps.
struct DigestSession<'a> {
    run: &'a Run<'a>,
    digest: device::Digest<'a>,
    kept: [Option<&'a DeviceRows>; 2],
}

impl<'a> Sink for DigestSink<'_, 'a> {
    type Session = DigestSession<'a>;

    const STAYS: bool = false;

    fn open(&mut self) -> Result<Option<(DigestSession<'a>, Chunks)>> {
        let Digesting { run, top, tracker, .. } = *self.digesting;
        // The tables were on the device that failed.
        tracker.begin_again(self.done - self.rows.start);
        self.done = self.rows.start;
        let retries = self.gathered.stats.retries;
        self.gathered = Gathered::new(run.problem.slots.len(), top, self.gpu);
        self.gathered.stats.retries = retries;
        let memory = run.host.memory - device::table_bytes(run.problem);
        let scratch = device::scratch_bytes_per_row(run.problem, top);
        let (chunks, kept) = run.chunks(self.gpu, &self.rows, (memory, scratch))?;
        let digest = self.gpu.digest(run.problem, top)?;
        Ok(Some((DigestSession { run, digest, kept }, chunks)))
    }

    fn finish(&mut self, _: &DigestSession<'a>, chunk: Range<usize>, started: device::DigestedChunk) -> Result<Spent> {
        let said = started.finish()?;
        let spent = said.spent;
        self.gathered.add(said);
        self.done = chunk.end;
        self.digesting.tracker.report(chunk.len())?;
        Ok(spent)
    }

    fn close(&mut self, session: &DigestSession<'a>) -> Result<()> {
        if !self.has_enough() {
            let (sums, left, received) = session.digest.sums(self.gathered.for_the_host)?;
            (self.gathered.sums, self.gathered.left) = (sums, left);
            self.gathered.stats.received += received;
        }
        Ok(())
    }

    fn done(&self) -> usize {
        self.done
    }

    fn has_enough(&self) -> bool {
        self.gathered.for_the_host > device::MOST_FOR_THE_HOST || self.ended.load(Ordering::Relaxed)
    }

    fn stats(&mut self) -> &mut Stats {
        &mut self.gathered.stats
    }
}

impl Session for DigestSession<'_> {
    type Started = device::DigestedChunk;

    fn start(&self, chunk: &Range<usize>) -> Result<device::DigestedChunk> {
        let [p, q] = self.run.sources(chunk, self.kept);
        self.digest.start(chunk.start, &p, &q)
    }
}

/// The values of a measure by their buckets: values of the device, which are counted there, and values of the host.
struct Column {
    tally: Tally,
    /// Values in each group of buckets.
    sums: Vec<u64>,
    /// The buckets of the values of the host. Values above all buckets come after all others, in `above`.
    on_host: Vec<usize>,
    above: Vec<f64>,
    /// The counts of the buckets of some groups.
    known: BTreeMap<usize, Vec<u64>>,
}

impl Column {
    /// Takes values that are at most `bound`: the last rounding of a device may leave a value a unit above it.
    fn new(mut tally: Tally, bound: f64, mut sums: Vec<u64>, on_host: &[f64]) -> Self {
        /// The end of the buckets.
        const END: f64 = (1_u64 << 32) as f64;
        let Moments { mean, minimum, maximum, .. } = &mut tally.moments;
        [mean, minimum, maximum].into_iter().for_each(|value| *value = value.min(bound));
        let (mut above, within): (Vec<f64>, Vec<f64>) = on_host.iter().partition(|value| **value >= END);
        above.sort_unstable_by(f64::total_cmp);
        let on_host: Vec<usize> = within.into_iter().map(device::bucket).collect();
        on_host.iter().for_each(|bucket| sums[bucket / device::TOGETHER] += 1);
        Self { tally, sums, on_host, above, known: BTreeMap::new() }
    }

    /// The group of a rank, and the number of values in the groups before it.
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

    /// Adds the counts that a device has for a group.
    fn learn(&mut self, group: usize, counts: &[u32]) {
        let on_host = || {
            let mut counts = vec![0; device::TOGETHER];
            let mine = self.on_host.iter().filter(|bucket| **bucket / device::TOGETHER == group);
            mine.for_each(|bucket| counts[bucket % device::TOGETHER] += 1);
            counts
        };
        let known = self.known.entry(group).or_insert_with(on_host);
        known.iter_mut().zip(counts).for_each(|(known, more)| *known += u64::from(*more));
    }

    fn at_rank(&self, rank: u64) -> f64 {
        let Moments { count, minimum, maximum, .. } = self.tally.moments;
        let counted = count - self.above.len() as u64;
        if let Some(above) = rank.checked_sub(counted) {
            return self.above.get(above as usize).copied().unwrap_or(maximum);
        }
        let (group, mut before) = self.place(rank);
        for (i, count) in self.known.get(&group).into_iter().flatten().enumerate() {
            before += count;
            if rank < before {
                return device::middle(group * device::TOGETHER + i).clamp(minimum, maximum);
            }
        }
        maximum
    }
}
