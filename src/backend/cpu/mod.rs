//! The CPU backend: one SIMD level and a number of threads.

mod batch;
mod blocks;
mod change;
mod decode;
mod double;
pub(crate) mod pairs;
mod policy;
mod prefetch;
mod row;
mod side;
mod split;
mod stage;
mod sums;
mod totals;

use std::sync::Arc;

use fearless_simd::{Level, Simd, dispatch};
use smallvec::SmallVec;

use self::batch::{Batch, Usual};
use self::decode::{Decode, Decoded, Policy, Scratch};
use self::prefetch::Ahead;
use self::row::{Sums, Task};
use self::split::SPLIT_FROM;
use self::stage::{Layout, Room, stage};
use self::sums::RowTotals;
use super::{RowFlags, RowSums};
use crate::divergence::Zeros;
use crate::divergence::contrast::SET;
use crate::error::{Error, Result};
use crate::plan::Problem;
use crate::rows::Rows;
use side::{Side, asks_two_parts};

/// The instruction set of the CPU kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SimdLevel {
    /// The best level of this machine.
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

/// More threads than any machine has cores would only cost memory.
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
    /// Takes a level and a number of threads; `None` takes all threads of the machine.
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

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Computes the sums of all the rows on this thread and replaces the content of `sums`. Marks rows that the kernel cannot
    /// vouch for with [`RowFlags::RESCUE`].
    pub(crate) fn run(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) {
        let rows = if problem.pairing.shared()[0] { q.len() } else { p.len() };
        sums.resize(rows, problem.terms.len());
        let (flags, sums) = (&mut sums.flags[..], &mut sums.sums[..]);
        let span = Span { problem, p, q };
        let level = self.level;
        let wide = problem.needs_wide().is_some();
        match (problem.zeros, wide) {
            (Zeros::Exact, true) if problem.bins > SPLIT_FROM => self.split::<f64>(problem, p, q, flags, sums),
            (Zeros::Exact, false) if problem.bins > SPLIT_FROM => self.split::<f32>(problem, p, q, flags, sums),
            (_, true) => dispatch!(level, simd => span.usual::<_, f64>(simd, flags, sums)),
            (Zeros::Exact, false) => dispatch!(level, simd => span.usual::<_, f32>(simd, flags, sums)),
            // A policy makes the usual kernel mark more rows. These are too many to compute all of them in 64 bits.
            (_, false) => {
                dispatch!(level, simd => span.usual::<_, f32>(simd, flags, sums));
                dispatch!(level, simd => span.any::<_, f32>(simd, flags, sums));
            }
        }
    }

    /// Computes the marked rows again, one by one, in 64-bit floats. Returns how many were beyond 32 bits. A row that stays
    /// marked is beyond 64 bits.
    pub(crate) fn rescue(&self, problem: &Problem, p: &Rows<'_>, q: &Rows<'_>, sums: &mut RowSums) -> u64 {
        // Nearly always no row is marked. Then this look at all rows is the only cost.
        if sums.flags.iter().fold(0, |any, flags| any | flags.0) & RowFlags::RESCUE == 0 {
            return 0;
        }
        let marked: SmallVec<[usize; 8]> =
            (0..sums.flags.len()).filter(|&row| sums.flags[row].any(RowFlags::RESCUE)).collect();
        let (span, level) = (Span { problem, p, q }, self.level);
        dispatch!(level, simd => span.any::<_, f64>(simd, &mut sums.flags, &mut sums.sums));
        // Rows that turn out invalid or empty were only checked again. So were unusual rows that had been computed in 64 bits
        // before.
        const ONLY_SEEN: u32 = RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::EMPTY;
        let beyond = marked.iter().filter(|&&row| !sums.flags[row].any(ONLY_SEEN)).count();
        if problem.needs_wide().is_some() { 0 } else { beyond as u64 }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `run` on the threads of this backend.
    pub(crate) fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }
}

/// Consecutive rows of a result, computed by one thread.
struct Span<'a> {
    problem: &'a Problem,
    p: &'a Rows<'a>,
    q: &'a Rows<'a>,
}

impl<'a> Span<'a> {
    /// Computes the marked rows, of any kind, one by one.
    #[inline(always)]
    fn any<S: Simd, T: Decode>(&self, simd: S, flags: &mut [RowFlags], sums: &mut [f64])
    where
        Scratch<T>: Default,
    {
        let problem = self.problem;
        let terms = problem.terms.len();
        let task = Task { terms: &problem.terms, zeros: problem.zeros, needs: problem.needs() };
        let mut accumulators = Sums::<S, T>::new(terms);
        let (mut p_scratch, mut q_scratch) = (Scratch::<T>::default(), Scratch::<T>::default());
        for (row, (flags, sums)) in flags.iter_mut().zip(sums.chunks_mut(terms)).enumerate() {
            if !flags.any(RowFlags::RESCUE) {
                continue;
            }
            let [p_row, q_row] = problem.pairing.shared().map(|is_shared| if is_shared { 0 } else { row });
            let policy = |other: &'a Rows<'a>, row: usize| Policy::new(problem.zeros, other, row);
            let p = T::row(simd, self.p, p_row, &policy(self.q, q_row), &mut p_scratch);
            let q = T::row(simd, self.q, q_row, &policy(self.p, p_row), &mut q_scratch);
            let seen = Decoded::flags(&p, &q);
            *flags = if seen == 0 {
                row::row(simd, &task, &p.weights, &q.weights, &mut accumulators, sums)
            } else {
                RowFlags(seen)
            };
        }
    }

    /// Computes usual rows in batches, and marks the others.
    #[inline(always)]
    fn usual<S: Simd, T: Decode + Usual>(&self, simd: S, flags: &mut [RowFlags], sums: &mut [f64])
    where
        Room<T>: Default,
    {
        let problem = self.problem;
        let two_parts = asks_two_parts::<T>(problem.terms.as_slice(), problem.zeros);
        let layout = Layout::new::<S, T>(problem.bins);
        let mut totals = [(); SET].map(|()| RowTotals::new(simd));
        let (mut p_room, mut q_room) = (Room::default(), Room::default());
        let (mut p_shared, mut q_shared) = (Room::default(), Room::default());
        // This is a macro because a closure may be compiled without the instruction set.
        macro_rules! side {
            ($rows:expr, $first:expr, $count:expr, $room:expr) => {
                Side::new(
                    simd,
                    stage::<S, T>(simd, $rows, $first, $count, &layout, &mut $room),
                    $count,
                    &layout,
                    two_parts,
                    &mut totals[0],
                )
            };
        }
        // A row that all others meet is laid out and summed once.
        let [p_is_shared, q_is_shared] = problem.pairing.shared();
        let p_once = if p_is_shared { Some(side!(self.p, 0, 1, p_shared).repeated(&layout)) } else { None };
        let q_once = if q_is_shared { Some(side!(self.q, 0, 1, q_shared).repeated(&layout)) } else { None };
        let bytes = |rows: &Rows<'a>, once: bool| {
            let size = rows.weight_type().size();
            // The shared row is not read again.
            let row = if once { 0 } else { rows.row_stride() * size };
            (rows.weights().as_bytes(), row, if once { 0 } else { layout.lanes * size })
        };
        let (p_bytes, q_bytes) = (bytes(self.p, p_once.is_some()), bytes(self.q, q_once.is_some()));
        let next = |&(bytes, row, vector): &(&'a [u8], usize, usize), first: usize| (bytes, first * row, vector);
        let batches = flags.chunks_mut(layout.rows).zip(sums.chunks_mut(layout.rows * problem.terms.len()));
        for (i, (flags, sums)) in batches.enumerate() {
            let (first, count) = (i * layout.rows, flags.len());
            let p = match p_once {
                Some(side) => side,
                None => side!(self.p, first, count, p_room),
            };
            let q = match q_once {
                Some(side) => side,
                None => side!(self.q, first, count, q_room),
            };
            let ahead = Ahead::new([next(&p_bytes, first + count), next(&q_bytes, first + count)]);
            Batch { simd, layout: &layout, count, two_parts, p, q }.run(problem, &mut totals, &ahead, flags, sums);
        }
    }
}
