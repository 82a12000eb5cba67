//! Predicted time on each device, from rates measured on it; and when a second thread pays.

use kullback_kernels::measures::Divergence;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::reason::Reason;

/// Lengths of rows at which rates are measured.
pub(crate) const LENGTHS: [usize; 3] = [16, 64, 1024];

/// How fast a device was measured to be, with `kl` of 32-bit floats. Made by [`Engine::calibrate`](crate::Engine::calibrate).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rates {
    /// Seconds that a call over one row takes.
    pub call_seconds: f64,
    /// Bytes of weights per second that go to the device and through it. Infinite if nothing has to be sent.
    pub sent_bytes_per_second: f64,
    /// Bins per second (a bin of both sides counts once) of rows that the device keeps, or reads in place, for rows of 16, 64
    /// and 1,024 bins.
    pub bins_per_second: [f64; 3],
}

impl Rates {
    /// The rates of a device that cannot be measured: it never ends.
    pub(crate) const NEVER: Rates =
        Rates { call_seconds: f64::INFINITY, sent_bytes_per_second: 0.0, bins_per_second: [0.0; 3] };

    /// Bins per second for rows of a length. Between two measured lengths it is a line over the logarithm of the length. Beyond
    /// them it is the value of the nearest length, and rows shorter than any measured count as if they were as long.
    fn bins_per_second(&self, bins: f64) -> f64 {
        let [first, .., last] = LENGTHS.map(|length| length as f64);
        let at = bins.clamp(first, last).ln();
        let steps = LENGTHS.windows(2).zip(self.bins_per_second.windows(2));
        let mut rate = self.bins_per_second[0];
        for (lengths, rates) in steps {
            let [low, high] = [lengths[0], lengths[1]].map(|length| (length as f64).ln());
            if at > low {
                rate = rates[0] + (rates[1] - rates[0]) * ((at - low) / (high - low)).min(1.0);
            }
        }
        rate * (bins / first).min(1.0)
    }

    /// Predicted seconds of a call over `rows` rows of `bins` bins, of which `sent` bytes have to be sent, for `terms` sums per
    /// row. Sending and computing overlap.
    #[must_use]
    pub fn seconds(&self, rows: f64, bins: f64, sent: f64, terms: usize) -> f64 {
        // A second term shares the reads and some of the arithmetic of the first.
        let terms = 0.5 + 0.5 * terms.max(1) as f64;
        let compute = rows * bins * terms / self.bins_per_second(bins);
        self.call_seconds + compute.max(sent / self.sent_bytes_per_second)
    }

    /// The number of rows of `bins` bins from which a call is predicted to be faster here than at `other` rates, if each bin of
    /// a pair of rows takes `sent` bytes to send here. `None` if it never is.
    #[must_use]
    pub fn wins_from(&self, other: &Rates, bins: usize, sent: usize) -> Option<u64> {
        let bins = bins as f64;
        let a_row = |rates: &Rates, sent: f64| rates.seconds(1.0, bins, sent, 1) - rates.call_seconds;
        let gain = a_row(other, 0.0) - a_row(self, sent as f64 * bins);
        let head_start = self.call_seconds - other.call_seconds;
        (gain > 0.0).then(|| (head_start / gain).max(0.0).ceil() as u64)
    }
}

/// The predicted time of a call on each device.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Predicted {
    /// On the CPU.
    pub cpu_seconds: f64,
    /// On the GPU, or on all GPUs that share the call.
    pub gpu_seconds: f64,
}

/// The bytes from which a call is worth a search for a faster GPU. To find one, open it and measure it takes about a second,
/// once per process.
const ASKS_FROM_BYTES: u64 = 256 << 20;

/// Why a call is not offered to a GPU, if it is not. `kept` says that a device already has rows of it.
pub(crate) fn refuses_gpu(problem: &Problem, kept: bool) -> Option<Reason> {
    if let Some(reason) = problem.is_not_for_a_device() {
        return Some(reason);
    }
    let bytes = problem.bytes_per_row() * problem.rows as u64;
    (!kept && bytes < ASKS_FROM_BYTES).then_some(Reason::Small)
}

/// The bytes of rows from which keeping them is offered to a GPU.
pub(crate) const KEEPS_FROM_BYTES: u64 = 1 << 20;

/// Seconds on the CPU and on the GPUs of a call of which `sent` bytes would have to be sent.
pub(crate) fn predict(problem: &Problem, sent: u64, cpu: &Rates, gpus: &[Rates]) -> Predicted {
    let (rows, bins, terms) = (problem.rows as f64, problem.bins as f64, problem.terms.len());
    Predicted { cpu_seconds: cpu.seconds(rows, bins, 0.0, terms), gpu_seconds: shares(problem, sent, gpus).1 }
}

/// How devices of such rates best share the rows of a call of which `sent` bytes would have to be sent in all. Returns the
/// number of rows for each device, so that all end at the same time, and that time. A device that would only finish too late
/// gets no rows.
pub(crate) fn shares(problem: &Problem, sent: u64, rates: &[Rates]) -> (Vec<usize>, f64) {
    let rows = problem.rows as f64;
    let a_row = |rates: &Rates| {
        (rates.seconds(rows, problem.bins as f64, sent as f64, problem.terms.len()) - rates.call_seconds)
            / rows.max(1.0)
    };
    let mut order: Vec<usize> = (0..rates.len()).collect();
    order.sort_by(|&a, &b| rates[a].call_seconds.total_cmp(&rates[b].call_seconds));
    // The rows per second of the devices that take part, and the rows by which they are late. They end at (rows + late)/speed.
    let (mut speed, mut late, mut end) = (0.0, 0.0, f64::INFINITY);
    for &i in &order {
        if rates[i].call_seconds < end {
            speed += 1.0 / a_row(&rates[i]);
            late += rates[i].call_seconds / a_row(&rates[i]);
            end = (rows + late) / speed;
        }
    }
    let mut given = 0;
    let mut upto = 0.0;
    let mut shares = Vec::with_capacity(rates.len());
    for rates in rates {
        if rates.call_seconds < end {
            upto += (end - rates.call_seconds) / a_row(rates);
        }
        let next = (upto.round() as usize).clamp(given, problem.rows);
        shares.push(next - given);
        given = next;
    }
    // The rest that rounding left.
    if let Some(largest) = shares.iter_mut().max() {
        *largest += problem.rows - given;
    }
    (shares, end)
}

/// The measure with which rates are measured.
pub(crate) const MEASURED: [Divergence; 1] = [Divergence::Kl];

/// Bytes of weights for one task of the thread pool: some twenty microseconds of work. So the threads of a call end together,
/// and the tasks are few enough that handing them out costs nothing.
const TASK_BYTES: usize = 256 << 10;

/// Bytes of weights from which a second thread pays. Waking a thread takes about as long as computing half of these. Measured
/// by `cargo bench --bench rowwise_cpu -- threads`.
const THREADS_FROM_BYTES: usize = 512 << 10;

/// Rows of one task. For all pairs, these are the pairs of one row of P.
pub(crate) fn rows_per_task(problem: &Problem) -> usize {
    if let Pairing::All { columns, .. } = problem.pairing {
        return columns;
    }
    let bytes = problem.bins * (problem.p.size() + problem.q.size());
    (TASK_BYTES / bytes.max(1)).max(1)
}

/// Whether `rows` rows of a problem are worth more than one thread.
pub(crate) fn takes_threads(problem: &Problem, rows: usize) -> bool {
    rows.saturating_mul(problem.bins * (problem.p.size() + problem.q.size())) >= THREADS_FROM_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use kullback_kernels::unit::Unit;
    use kullback_kernels::weights::Rows;
    use kullback_kernels::zeros::Zeros;

    /// 10 G bins per second, nothing to send.
    const CPU: Rates =
        Rates { call_seconds: 1e-6, sent_bytes_per_second: f64::INFINITY, bins_per_second: [5e9, 1e10, 1e10] };
    /// 100 G bins per second behind a bus of 25 GB/s.
    const GPU: Rates = Rates { call_seconds: 1e-4, sent_bytes_per_second: 2.5e10, bins_per_second: [5e10, 1e11, 2e11] };

    #[test]
    fn rates_lie_between_those_measured() {
        for (bins, want) in [(1.0, 5e9 / 16.0), (16.0, 5e9), (32.0, 7.5e9), (64.0, 1e10), (1024.0, 1e10), (1e6, 1e10)] {
            let got = CPU.bins_per_second(bins);
            assert!((got - want).abs() < 1e-6 * want, "{bins} bins: {got} for {want}");
        }
        assert_eq!(GPU.bins_per_second(1e6), 2e11);
    }

    #[test]
    fn a_call_takes_its_slowest_stage() {
        // 8 bytes per bin: 25 GB/s are 3.1 G bins per second, and the bus sets the time.
        let sent = GPU.seconds(1e6, 64.0, 8.0 * 64e6, 1);
        assert!((sent - (1e-4 + 512e6 / 2.5e10)).abs() < 1e-9);
        let kept = GPU.seconds(1e6, 64.0, 0.0, 1);
        assert!((kept - (1e-4 + 64e6 / 1e11)).abs() < 1e-9);
        assert!(CPU.seconds(1e6, 64.0, 0.0, 4) > 2.0 * CPU.seconds(1e6, 64.0, 0.0, 1));
    }

    #[test]
    fn shares_end_at_the_same_time() {
        let rows = Rows::new(&[1.0_f32; 64 * 4], 64).expect("rows");
        let problem = Problem::new(&MEASURED, &rows, &rows, Zeros::Exact, Unit::Nats).expect("problem");
        let problem = Problem { rows: 1_000_003, ..problem };
        let slower = Rates { bins_per_second: GPU.bins_per_second.map(|rate| rate / 3.0), ..GPU };
        let (got, end) = shares(&problem, 0, &[slower, GPU, slower]);
        assert_eq!(got.iter().sum::<usize>(), problem.rows, "every row once");
        for (rows, rates) in got.iter().zip([slower, GPU, slower]) {
            let seconds = rates.seconds(*rows as f64, 64.0, 0.0, 1);
            assert!((seconds - end).abs() < 1e-3 * end, "{rows} rows in {seconds} s of {end} s");
        }
        // A device that would begin when the others are done gets no rows; nor does any device if there are no rows.
        let late = Rates { call_seconds: 1.0, ..GPU };
        assert_eq!(shares(&problem, 0, &[late, GPU]).0, [0, problem.rows]);
        assert_eq!(shares(&Problem { rows: 0, ..problem.clone() }, 0, &[GPU, slower]).0, [0, 0]);
        assert_eq!(shares(&problem, 0, &[Rates::NEVER, GPU]).0, [0, problem.rows]);
        // What has to be sent counts.
        let bytes = problem.bytes_per_row() * problem.rows as u64;
        let near = Rates { sent_bytes_per_second: 4.0 * GPU.sent_bytes_per_second, ..GPU };
        let got = shares(&problem, bytes, &[near, GPU]).0;
        assert!((3.9..4.1).contains(&(got[0] as f64 / got[1] as f64)), "{got:?}");
    }

    #[test]
    fn a_device_wins_where_its_head_start_is_made_up() {
        // One pass over floats is bound by the bus and never wins; kept rows win early.
        assert_eq!(GPU.wins_from(&CPU, 64, 8), None);
        let kept = GPU.wins_from(&CPU, 64, 0).expect("it wins");
        let at = |rows: u64, rates: &Rates| rates.seconds(rows as f64, 64.0, 0.0, 1);
        assert!(at(kept, &GPU) <= at(kept, &CPU) && at(kept - 1, &GPU) > at(kept - 1, &CPU), "{kept}");
        // A device that is faster in every way wins from the first row.
        let faster = Rates { call_seconds: 1e-7, ..GPU };
        assert_eq!(faster.wins_from(&CPU, 64, 0), Some(0));
    }
}
