//! Moves the chunks of a call through a device. While the device works on one chunk, the host fills the next and reads the
//! results of the previous.

use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::thread;

use kullback_kernels::error::{Error, Result};

/// The most chunks that wait between start and finish, beside the one at either end.
const WAITING: usize = 1;

/// Runs the chunks of a device. `start` gets each chunk, in order, and returns before the chunk is done. `finish` gets each
/// chunk with what `start` returned, in the same order, on the caller's thread. `panicked` makes the error for a panic in
/// `start`.
///
/// Ends with the first error of either. Chunks that were started after it are given up.
pub(crate) fn run<T: Send>(
    mut chunks: impl Iterator<Item = Range<usize>> + Send,
    start: impl Fn(&Range<usize>) -> Result<T> + Sync,
    mut finish: impl FnMut(Range<usize>, T) -> Result<()>,
    panicked: impl FnOnce() -> Error,
) -> Result<()> {
    if rayon::current_thread_index().is_some() {
        // A thread of a pool that waits in `finish` takes up other work meanwhile. That may be another call, which would wait
        // for what this thread holds. So nothing is held there.
        return chunks.try_for_each(|chunk| {
            let on_its_way = start(&chunk)?;
            finish(chunk, on_its_way)
        });
    }
    let (Some(first), second) = (chunks.next(), chunks.next()) else { return Ok(()) };
    let Some(second) = second else {
        // With one chunk there is nothing that another thread could do meanwhile.
        let on_its_way = start(&first)?;
        return finish(first, on_its_way);
    };
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let start = &start;
        let filling = scope.spawn(move || {
            for chunk in [first, second].into_iter().chain(chunks) {
                let on_its_way = start(&chunk)?;
                if sender.send((chunk, on_its_way)).is_err() {
                    // Nobody takes any more.
                    break;
                }
            }
            Ok(())
        });
        let taken = receiver.iter().try_for_each(|(chunk, on_its_way)| finish(chunk, on_its_way));
        drop(receiver);
        taken.and(filling.join().unwrap_or_else(|_| Err(panicked())))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use super::*;

    /// What a fake device saw, in order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Event {
        Filling(usize),
        Finished(usize),
    }

    /// A device that takes its time and computes nothing.
    struct Slow {
        fill: Duration,
        compute: Duration,
        read: Duration,
        state: Mutex<State>,
        fails_at: Option<usize>,
    }

    struct State {
        started: usize,
        /// The time at which the device finishes all it was given.
        busy_until: Instant,
        trace: Vec<Event>,
    }

    impl Slow {
        fn new([fill, compute, read]: [u64; 3]) -> Self {
            let [fill, compute, read] = [fill, compute, read].map(Duration::from_millis);
            let state = Mutex::new(State { started: 0, busy_until: Instant::now(), trace: Vec::new() });
            Self { fill, compute, read, state, fails_at: None }
        }

        fn state(&self) -> std::sync::MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    struct SlowChunk<'a> {
        device: &'a Slow,
        number: usize,
        done: Instant,
    }

    impl Slow {
        fn start(&self) -> Result<SlowChunk<'_>> {
            let number = self.state().started;
            if self.fails_at == Some(number) {
                return Err(failed("as asked"));
            }
            self.state().trace.push(Event::Filling(number));
            thread::sleep(self.fill);
            let mut state = self.state();
            state.started += 1;
            state.busy_until = state.busy_until.max(Instant::now()) + self.compute;
            let done = state.busy_until;
            Ok(SlowChunk { device: self, number, done })
        }
    }

    impl SlowChunk<'_> {
        fn finish(self) {
            thread::sleep(self.done.saturating_duration_since(Instant::now()));
            thread::sleep(self.device.read);
            self.device.state().trace.push(Event::Finished(self.number));
        }
    }

    fn failed(reason: &str) -> Error {
        Error::DeviceFailed { device: "slow".to_owned(), reason: reason.to_owned() }
    }

    /// Runs `count` chunks of one row. Returns the rows taken and the time.
    fn through(device: &Slow, count: usize) -> (Result<()>, Vec<usize>, Duration) {
        let mut taken = Vec::new();
        let start = Instant::now();
        let finish = |chunk: Range<usize>, on_its_way: SlowChunk<'_>| {
            on_its_way.finish();
            taken.push(chunk.start);
            Ok(())
        };
        let result = run((0..count).map(|i| i..i + 1), |_| device.start(), finish, || failed("panicked"));
        (result, taken, start.elapsed())
    }

    #[test]
    fn every_chunk_is_taken_once_and_in_order() {
        for count in [0, 1, 2, 3, 10] {
            let (result, taken, _) = through(&Slow::new([0, 0, 0]), count);
            assert_eq!((result, taken), (Ok(()), (0..count).collect()));
        }
    }

    #[test]
    fn the_slowest_stage_sets_the_time() {
        for stages in [[20, 20, 20], [30, 5, 5], [5, 30, 5], [5, 5, 30], [30, 30, 5]] {
            let (count, slowest) = (20, stages.into_iter().fold(0, u64::max));
            // The first chunk passes all stages before the last stage can begin.
            let ramp = stages.iter().sum::<u64>() - slowest;
            let alone = Duration::from_millis(slowest * count as u64 + ramp);
            // A machine that is busy with other work adds to the time and never takes from it.
            let overlaps = || {
                let device = Slow::new(stages);
                let (result, _, time) = through(&device, count);
                assert_eq!(result, Ok(()));
                let trace = device.state().trace.clone();
                let at = |event| trace.iter().position(|e| *e == event).expect("seen");
                let filled_ahead = (0..count - 1).all(|k| at(Event::Filling(k + 1)) < at(Event::Finished(k)));
                filled_ahead && time.as_secs_f64() <= 1.15 * alone.as_secs_f64()
            };
            assert!((0..5).any(|_| overlaps()), "{stages:?}: five times not within 1.15 of {alone:?}");
        }
    }

    #[test]
    fn a_failure_ends_the_call_after_the_chunks_before_it() {
        for fails_at in [0, 1, 5, 9] {
            let device = Slow { fails_at: Some(fails_at), ..Slow::new([1, 1, 1]) };
            let (result, taken, _) = through(&device, 10);
            assert!(matches!(result, Err(Error::DeviceFailed { .. })), "{result:?}");
            assert_eq!(taken, (0..fails_at).collect::<Vec<_>>());
        }
    }

    #[test]
    fn whoever_takes_may_end_the_call() {
        let device = Slow::new([1, 1, 1]);
        let mut taken = 0;
        let finish = |_, on_its_way: SlowChunk<'_>| {
            on_its_way.finish();
            taken += 1;
            if taken == 3 { Err(Error::Cancelled { done: 3, total: 100 }) } else { Ok(()) }
        };
        let result = run((0..100).map(|i| i..i + 1), |_| device.start(), finish, || failed("panicked"));
        assert_eq!(result, Err(Error::Cancelled { done: 3, total: 100 }));
        assert!(device.state().started <= 3 + 3, "no more is started than may be on its way");
    }

    #[test]
    fn a_panic_while_a_chunk_is_filled_is_an_error() {
        let start = |chunk: &Range<usize>| if chunk.start == 2 { panic!("as asked") } else { Ok(()) };
        let result = run((0..10).map(|i| i..i + 1), start, |_, ()| Ok(()), || failed("panicked"));
        assert_eq!(result, Err(failed("panicked")));
    }
}
