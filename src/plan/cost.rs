//! Predicted time on each device.
//!
//! One pass over rows in host memory is bound by the memory on any device: to a discrete GPU every
//! byte travels over a bus that is slower than the memory it comes from. Until rows can stay on the
//! device, and until a device's own rates are measured, a call over host rows is predicted to be
//! fastest on the CPU, and the prediction says so instead of pretending a figure.

use super::Problem;

/// Where a call runs, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) reason: &'static str,
}

/// The device for a call over rows in host memory.
pub(crate) fn choose(problem: &Problem) -> Choice {
    Choice {
        reason: problem.needs_wide().unwrap_or(
            "one pass over rows in host memory is bound by reading it, which the CPU does without a bus between",
        ),
    }
}

/// Bytes of weights that one task of the thread pool works on: some twenty microseconds, so that the threads
/// of a call end together, and few enough tasks that handing them out costs nothing.
const TASK_BYTES: usize = 256 << 10;

/// Bytes of weights from which a second thread pays: waking one takes about as long as computing half of
/// these. Measured by `cargo bench --bench rowwise_cpu -- threads`.
const THREADS_FROM_BYTES: usize = 512 << 10;

/// Rows of one task.
pub(crate) fn rows_per_task(problem: &Problem) -> usize {
    let bytes = problem.bins * (problem.p.size() + problem.q.size());
    (TASK_BYTES / bytes.max(1)).max(1)
}

/// Whether so many rows of a problem are worth more than one thread.
pub(crate) fn takes_threads(problem: &Problem, rows: usize) -> bool {
    rows.saturating_mul(problem.bins * (problem.p.size() + problem.q.size())) >= THREADS_FROM_BYTES
}
