//! The CPU backend: SIMD level × threads.

mod batch;
mod decode;
mod double;
mod policy;
mod prefetch;
mod row;
mod stage;
mod sums;
mod totals;

use std::sync::Arc;

use fearless_simd::{Level, Simd, dispatch};
use rayon::prelude::*;

use self::batch::{Batch, Side, Usual};
use self::decode::{Decode, Decoded, Scratch};
use self::prefetch::Ahead;
use self::row::{Sums, Task};
use self::stage::{Layout, Room, stage};
use self::sums::RowTotals;
use super::{Backend, RowFlags, RowSums};
use crate::divergence::Zeros;
use crate::error::{Error, Result};
use crate::plan::{Pairing, Problem};
use crate::rows::Rows;

/// The instruction set of the CPU kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SimdLevel {
    /// The best this machine has.
    #[default]
    Auto,
    /// AVX-512 as on Ice Lake and Zen 4 and later.
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// SSE 4.2.
    Sse42,
    /// NEON.
    Neon,
    /// No vector instructions asked for.
    Scalar,
}

impl SimdLevel {
    /// The level as a proof that the machine has it, or `None`.
    fn resolve(self) -> Option<Level> {
        let best = Level::new();
        match self {
            SimdLevel::Auto => Some(best),
            SimdLevel::Scalar => Some(Level::fallback()),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            SimdLevel::Avx512 => best.as_avx512().map(Level::Avx512),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            SimdLevel::Avx2 => best.as_avx2().map(Level::Avx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            SimdLevel::Sse42 => best.as_sse4_2().map(Level::Sse4_2),
            #[cfg(target_arch = "aarch64")]
            SimdLevel::Neon => best.as_neon().map(Level::Neon),
            #[allow(unreachable_patterns, reason = "which levels are left depends on the architecture")]
            _ => None,
        }
    }

    /// The levels of this machine, best first.
    #[must_use]
    pub fn available() -> Vec<SimdLevel> {
        let all = [SimdLevel::Avx512, SimdLevel::Avx2, SimdLevel::Sse42, SimdLevel::Neon, SimdLevel::Scalar];
        all.into_iter().filter(|level| level.resolve().is_some()).collect()
    }

    /// The name used in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SimdLevel::Auto => Self::available().first().map_or("scalar", |level| level.name()),
            SimdLevel::Avx512 => "avx512",
            SimdLevel::Avx2 => "avx2",
            SimdLevel::Sse42 => "sse4.2",
            SimdLevel::Neon => "neon",
            SimdLevel::Scalar => "scalar",
        }
    }
}

/// Bytes of weights that one task of the thread pool works on: a few microseconds, so that the
/// threads end together, and few enough tasks that handing them out costs nothing.
const TASK_BYTES: usize = 256 << 10;

/// Threads beyond any machine's cores only cost memory.
const MAX_THREADS: usize = 4096;

/// The CPU as a backend.
#[derive(Debug)]
pub(crate) struct Cpu {
    level: Level,
    name: Arc<str>,
    pool: Option<rayon::ThreadPool>,
    threads: usize,
}

impl Cpu {
    /// With a level and a number of threads; `None` takes all the machine has.
    pub(crate) fn new(level: SimdLevel, threads: Option<usize>) -> Result<Self> {
        let resolved = level.resolve().ok_or_else(|| Error::NoDevice {
            wanted: format!("CPU level {}", level.name()),
            found: SimdLevel::available().iter().map(|l| l.name()).collect::<Vec<_>>().join(", "),
        })?;
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
        let name = Arc::from(format!("cpu ({}, {threads} threads)", level.name()));
        Ok(Self { level: resolved, name, pool, threads })
    }

    /// The name used in reports.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The sums of some rows in 64-bit floats: rescue. `rows` are indices into the result.
    pub(crate) fn rescue(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, rows: &[usize]) -> RowSums {
        let mut out = RowSums::default();
        self.compute::<f64>(problem, p, q, rows.len(), |i| rows[i], false, &mut out);
        out
    }

    /// The sums of the rows `index(0) .. index(count)`, in the precision T.
    fn compute<T: Decode + Usual>(
        &self,
        problem: &Problem,
        p: &Rows<'_>,
        q: &Rows<'_>,
        count: usize,
        index: impl Fn(usize) -> usize + Sync,
        plain: bool,
        out: &mut RowSums,
    ) where
        Scratch<T>: Default + Send,
        Room<T>: Default,
    {
        let terms = problem.terms.len();
        out.resize(count, terms);
        let per_task = (TASK_BYTES / (problem.bins * (problem.p.size() + problem.q.size())).max(1)).max(1);
        let level = self.level;
        let task = |(i, (flags, sums)): (usize, (&mut [RowFlags], &mut [f64]))| {
            let span = Span { problem, p, q, index: &index, first: i * per_task };
            if plain {
                dispatch!(level, simd => span.plain::<_, T>(simd, flags, sums));
            } else {
                dispatch!(level, simd => span.any::<_, T>(simd, false, flags, sums));
            }
        };
        if count <= per_task || self.threads == 1 {
            out.flags.chunks_mut(per_task).zip(out.sums.chunks_mut(per_task * terms)).enumerate().for_each(task);
            return;
        }
        self.install(|| {
            out.flags
                .par_chunks_mut(per_task)
                .zip(out.sums.par_chunks_mut(per_task * terms))
                .enumerate()
                .for_each(task);
        });
    }

    /// Runs something that uses threads on those of this backend.
    pub(crate) fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }
}

impl Backend for Cpu {
    fn run(&self, problem: &Problem, p: Rows<'_>, q: Rows<'_>, sums: &mut RowSums) -> Result<()> {
        let rows = if problem.pairing == Pairing::OneP { q.len() } else { p.len() };
        let plain = problem.zeros == Zeros::Exact;
        if problem.needs_wide().is_some() {
            self.compute::<f64>(problem, &p, &q, rows, |i| i, plain, sums);
        } else {
            self.compute::<f32>(problem, &p, &q, rows, |i| i, plain, sums);
        }
        Ok(())
    }
}

/// Consecutive rows of a result, computed by one thread.
struct Span<'a, F> {
    problem: &'a Problem,
    p: &'a Rows<'a>,
    q: &'a Rows<'a>,
    index: &'a F,
    first: usize,
}

impl<'a, F: Fn(usize) -> usize> Span<'a, F> {
    /// Any row, one by one; or those that are marked among the rows of a 64-bit batch.
    #[inline(always)]
    fn any<S: Simd, T: Decode>(&self, simd: S, marked_only: bool, flags: &mut [RowFlags], sums: &mut [f64])
    where
        Scratch<T>: Default,
    {
        let problem = self.problem;
        let terms = problem.terms.len();
        let task = Task { terms: &problem.terms, zeros: problem.zeros, needs: problem.needs() };
        let added = if let Zeros::Additive(amount) = problem.zeros { amount } else { 0.0 };
        let mut accumulators = Sums::<S, T>::new(terms);
        let (mut p_scratch, mut q_scratch) = (Scratch::<T>::default(), Scratch::<T>::default());
        for (i, (flags, sums)) in flags.iter_mut().zip(sums.chunks_mut(terms)).enumerate() {
            if marked_only && !flags.any(RowFlags::RESCUE) {
                continue;
            }
            let row = (self.index)(self.first + i);
            let p_row = if problem.pairing == Pairing::OneP { 0 } else { row };
            let q_row = if problem.pairing == Pairing::OneQ { 0 } else { row };
            let p = T::row(self.p, p_row, added, &mut p_scratch);
            let q = T::row(self.q, q_row, added, &mut q_scratch);
            let seen = Decoded::flags(&p, &q);
            *flags = if seen == 0 {
                row::row(simd, &task, &p.weights, &q.weights, &mut accumulators, sums)
            } else {
                RowFlags(seen)
            };
        }
    }

    /// Rows of a plain problem, in batches.
    #[inline(always)]
    fn plain<S: Simd, T: Decode + Usual>(&self, simd: S, flags: &mut [RowFlags], sums: &mut [f64])
    where
        Room<T>: Default,
    {
        let problem = self.problem;
        let terms = problem.terms.as_slice();
        let layout = Layout::new::<S, T>(problem.bins);
        let mut totals = RowTotals::new(simd);
        let (mut p_room, mut q_room) = (Room::default(), Room::default());
        let (mut p_shared, mut q_shared) = (Room::default(), Room::default());
        // A row that all others meet is laid out and summed once.
        let p_once = if problem.pairing == Pairing::OneP {
            Some(Side::new(simd, stage::<S, T>(simd, self.p, 0, 1, &layout, &mut p_shared), 1, &layout, &mut totals).repeated(&layout))
        } else {
            None
        };
        let q_once = if problem.pairing == Pairing::OneQ {
            Some(Side::new(simd, stage::<S, T>(simd, self.q, 0, 1, &layout, &mut q_shared), 1, &layout, &mut totals).repeated(&layout))
        } else {
            None
        };
        let batches = flags.chunks_mut(layout.rows).zip(sums.chunks_mut(layout.rows * terms.len()));
        for (i, (flags, sums)) in batches.enumerate() {
            let (first, count) = (self.first + i * layout.rows, flags.len());
            let p = match p_once {
                Some(side) => side,
                None => Side::new(simd, stage::<S, T>(simd, self.p, first, count, &layout, &mut p_room), count, &layout, &mut totals),
            };
            let q = match q_once {
                Some(side) => side,
                None => Side::new(simd, stage::<S, T>(simd, self.q, first, count, &layout, &mut q_room), count, &layout, &mut totals),
            };
            let next = |rows: &Rows<'a>, once: bool| {
                if once { &[] } else { rows.slice(first + count, layout.rows).weights().as_bytes() }
            };
            let ahead = Ahead::new(next(self.p, p_once.is_some()), next(self.q, q_once.is_some()), layout.units(count) * layout.vectors);
            Batch::new(simd, &layout, count, p, q).run(terms, &mut totals, &ahead, flags, sums);
        }
        if size_of::<T>() == 8 {
            self.any::<S, f64>(simd, true, flags, sums);
        }
    }
}
