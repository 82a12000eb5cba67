//! The CPU backend: kernels of one instruction set, and a number of threads.

use std::sync::Arc;

use kullback_kernels::error::{Error, Result};
use kullback_kernels::kernels::Kernels;
use kullback_kernels::levels::SimdLevel;
use kullback_kernels::pairs::{Forms, Prepared};
use kullback_kernels::problem::Problem;
use kullback_kernels::row_sums::RowSums;
use kullback_kernels::weights::Rows;
use rayon::prelude::*;

/// More threads than any machine has cores would only cost memory.
const MAX_THREADS: usize = 4096;

/// The CPU as a backend.
#[derive(Debug)]
pub(crate) struct Cpu {
    kernels: Kernels,
    name: Arc<str>,
    pool: Option<rayon::ThreadPool>,
    threads: usize,
}

impl Cpu {
    /// Takes a level and a number of threads; `None` takes all threads of the machine.
    pub(crate) fn new(level: SimdLevel, threads: Option<usize>) -> Result<Self> {
        let no_level = || Error::NoDevice {
            wanted: format!("CPU level {}", level.name()),
            found: SimdLevel::available().iter().map(|l| l.name()).collect::<Vec<_>>().join(", "),
        };
        // Before any thread starts.
        if level != SimdLevel::Auto && !SimdLevel::available().contains(&level) {
            return Err(no_level());
        }
        let pool = match threads {
            None => None,
            Some(threads) if threads > MAX_THREADS => {
                return Err(Error::Threads { threads, reason: format!("at most {MAX_THREADS} are useful anywhere") });
            }
            Some(threads) => Some(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .map_err(|error| Error::Threads { threads, reason: error.to_string() })?,
            ),
        };
        let threads = pool.as_ref().map_or_else(rayon::current_num_threads, rayon::ThreadPool::current_num_threads);
        let kernels = Kernels::new(level, threads).ok_or_else(no_level)?;
        let name = Arc::from(format!("cpu ({}, {threads} threads)", level.name()));
        Ok(Self { kernels, name, pool, threads })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// The kernels, for callers that are on the threads of this backend already.
    pub(crate) fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// [`Kernels::run`]. Rows that threads share are computed on the threads of this backend.
    pub(crate) fn run(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) {
        if self.kernels.are_rows_shared(problem) {
            self.install(|| self.kernels.run(problem, p, q, sums));
        } else {
            self.kernels.run(problem, p, q, sums);
        }
    }

    /// [`Kernels::rescue`].
    pub(crate) fn rescue(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) -> u64 {
        self.kernels.rescue(problem, p, q, sums)
    }

    /// Prepares rows for all pairs, on the threads of this backend.
    pub(crate) fn prepare(&self, forms: &Forms, side: usize, rows: &Rows<'_>) -> Prepared {
        self.install(|| self.kernels.prepare(forms, side, rows))
    }

    /// The same in panels of `panel` rows.
    #[cfg(feature = "gpu")]
    pub(crate) fn prepare_in(&self, forms: &Forms, side: usize, rows: &Rows<'_>, panel: usize) -> Prepared {
        self.install(|| self.kernels.prepare_in(forms, side, rows, panel))
    }

    /// Does a task for each piece, one after the other or on all threads. The sums of a thread go from one piece to the next.
    pub(crate) fn each<T: Send>(
        &self,
        pieces: impl Iterator<Item = T>,
        takes_threads: bool,
        task: impl Fn(&mut RowSums, T) + Send + Sync,
    ) {
        if takes_threads && self.threads > 1 {
            let pieces: Vec<T> = pieces.collect();
            self.install(|| pieces.into_par_iter().for_each_init(RowSums::default, task));
        } else {
            let mut sums = RowSums::default();
            pieces.for_each(|piece| task(&mut sums, piece));
        }
    }

    /// Runs `run` on the threads of this backend.
    pub(crate) fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }
}
