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
