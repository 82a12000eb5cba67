//! Summaries of calls: on a device whose values need not leave it, else of the columns as they come.

use std::time::Instant;

use crate::engine::Engine;
use crate::exec::choice::{Choice, On, execute};
#[cfg(feature = "gpu")]
use crate::exec::digest::Digesting;
use crate::exec::refused::Refused;
use crate::exec::run::Run;
use crate::exec::tracker::Tracker;
use crate::input::Input;
use crate::options::{OnInvalid, Options};
use crate::output::Stats;
use crate::summary::{Largest, Summaries, SummaryBuilder};
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;
use kullback_kernels::reason::Reason;

/// Bytes of columns that are in memory at once when a summary is made of them.
const COLUMN_BYTES: usize = 64 << 20;

impl Engine {
    /// What the values of [`Engine::rowwise`] say, without their columns: for each measure a [`Summary`](crate::Summary) and
    /// the `top` rows with the largest values. Memory does not grow with the rows.
    ///
    /// On GPUs, for 65,536 rows or more and up to four measures, the values stay there: some kilobytes come back. The quantiles
    /// are approximate then ([`Summary::exact`](crate::Summary::exact)); values of `top` are computed in 64-bit floats. Of rows
    /// whose values differ by less than the contract's 1e-6, any may be the last of `top`.
    ///
    /// ```
    /// use kullback::{Divergence, Engine, Options, Rows};
    ///
    /// let engine = Engine::builder().build()?;
    /// let days = [5_u32, 5, 0, 9, 1, 0, 2, 4, 4];
    /// let usual = [4_u32, 4, 2];
    /// let (p, q) = (Rows::new(&days, 3)?, Rows::new(&usual, 3)?);
    /// let out = engine.summary(&[Divergence::Js], p, q, &Options::default(), 1)?;
    /// let js = out.summary(Divergence::Js)?;
    /// assert_eq!((js.rows, js.finite), (3, 3));
    /// assert!((js.mean - 0.0919003).abs() < 1e-6);
    /// // The day that is least like the usual one.
    /// assert_eq!(out.top(Divergence::Js)?[0].row, 1);
    /// # Ok::<(), kullback::Error>(())
    /// ```
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
        let problem = self.host.problem(measures, &p, &q, options)?;
        let Choice { mut on, mut reason, predicted } = self.runner.choose(&self.host, &problem, &p, &q);
        let run = Run::new(&self.host, &problem, p, q);
        let tracker = Tracker::new(options, problem.rows);
        #[cfg(feature = "gpu")]
        let on_device = match on {
            On::Gpus { gpus, or_cpu } => match Digesting::new(&run, gpus, options, top, &tracker) {
                Some(digesting) => match digesting.run() {
                    Err(error) if !or_cpu || matches!(error, Error::Cancelled { .. }) => return Err(error),
                    Err(_) => {
                        (on, reason) = (On::Cpu, Reason::GpuFailed);
                        None
                    }
                    Ok(found) => found,
                },
                None => None,
            },
            _ => None,
        };
        #[cfg(not(feature = "gpu"))]
        let on_device = None;
        tracker.begin_anew();
        let mut summaries = match on_device {
            Some(found) => found,
            None => run.summarize_columns(on, options, top, &tracker)?,
        };
        let stats = &mut summaries.stats;
        stats.predicted = predicted;
        if stats.reason.is_none() {
            stats.reason = Some(reason);
        }
        stats.bytes = problem.bytes_per_row() * problem.rows as u64;
        stats.seconds = start.elapsed().as_secs_f64();
        Ok(summaries)
    }
}

impl Run<'_> {
    /// The measures, in the order asked for.
    pub(crate) fn measures(&self) -> Vec<Divergence> {
        self.problem.slots.iter().map(|slots| slots.measure).collect()
    }

    /// The summary of columns that are made some rows at a time.
    fn summarize_columns(&self, on: On<'_>, options: &Options, top: usize, tracker: &Tracker<'_>) -> Result<Summaries> {
        let (rows, measures) = (self.problem.rows, self.measures());
        let quiet = Options { on_invalid: OnInvalid::Null, ..options.clone() };
        let mut builders = vec![SummaryBuilder::default(); measures.len()];
        let mut largest = vec![Largest::new(top); measures.len()];
        let mut refused = Refused::default();
        let mut stats = Stats::default();
        let at_once = (COLUMN_BYTES / (8 * measures.len() + 1)).max(1);
        for start in (0..rows.max(1)).step_by(at_once) {
            let columns = execute(on, self, start..rows.min(start + at_once), &quiet, tracker)?;
            for ((builder, largest), (_, column)) in builders.iter_mut().zip(&mut largest).zip(columns.iter()) {
                builder.extend(column, columns.status());
                (start as u64..).zip(column).for_each(|(row, value)| largest.push(row, *value));
            }
            if options.on_invalid == OnInvalid::Error {
                refused.add(self.problem, (&self.p.rows, &self.q.rows), start, columns.status());
            }
            if stats.reason.is_none() {
                // The device of the last rows it could compute. The reason why it could not compute others stays.
                (stats.device, stats.reason) = (columns.stats().device.clone(), columns.stats().reason);
            }
            stats.add(columns.stats());
        }
        if let Some(error) = refused.error(self.problem) {
            return Err(error);
        }
        Ok(Summaries {
            measures,
            summaries: builders.iter().map(SummaryBuilder::finish).collect(),
            top: largest.into_iter().map(Largest::finish).collect(),
            stats,
        })
    }
}
