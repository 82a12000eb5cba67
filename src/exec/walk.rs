//! The one loop that sends rows through a device.
//!
//! A walk keeps several chunks on their way, so that the host fills one chunk while the device computes another. It cuts smaller
//! chunks after a submission that took long, because a watchdog of the system may end such a submission. If a chunk fails, the
//! walk recovers the device, cuts smaller chunks and goes on. What becomes of the results is the matter of its [`Sink`].

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use kullback_kernels::error::{Error, Result};

use super::flow;
use crate::backend::Spent;
use crate::backend::gpu::Gpu;
use crate::output::Stats;
use crate::plan::Chunks;

/// So many failures of a device in a row, without a finished chunk between them, are tried again. The next one ends the walk.
pub(crate) const RETRIES: usize = 3;

/// What becomes of the results of a walk. It stays on the thread of the caller.
pub(crate) trait Sink {
    type Session: Session;

    /// Whether a chunk that is done stays done if the device fails. If not, the results lie on the device until
    /// [`Sink::close`].
    const STAYS: bool;

    /// Prepares the device as it is now, and cuts the rows into chunks. `None` if the device cannot do this.
    ///
    /// The walk calls it again after a failure. A sink whose results do not stay then counts all rows as not done.
    ///
    /// # Errors
    /// Those of the device, and a row that it cannot hold.
    fn open(&mut self) -> Result<Option<(Self::Session, Chunks)>>;

    /// Takes a chunk, after all chunks before it. Returns what the chunk cost.
    fn finish(
        &mut self,
        session: &Self::Session,
        chunk: Range<usize>,
        started: <Self::Session as Session>::Started,
    ) -> Result<Spent>;

    /// Takes what lies on the device, once all rows are done or the sink has enough.
    fn close(&mut self, session: &Self::Session) -> Result<()>;

    /// The first row that is not done.
    fn done(&self) -> usize;

    /// Whether the rows that are left need not be computed.
    fn has_enough(&self) -> bool;

    /// Where costs and retries are counted.
    fn stats(&mut self) -> &mut Stats;
}

/// The half of a sink that gives chunks to the device. It lasts until the device fails.
pub(crate) trait Session: Sync {
    /// A chunk on its way.
    type Started: Send;

    /// Gives a chunk to the device. Several chunks may be on their way at once.
    fn start(&self, chunk: &Range<usize>) -> Result<Self::Started>;
}

/// Sends the rows of a sink through a device, until all are done or the sink has enough. Returns the last session, or `None`
/// if the device cannot do this. A submission should take at most `seconds` of device time.
pub(crate) fn walk<S: Sink>(sink: &mut S, device: &Gpu, seconds: f64) -> Result<Option<S::Session>> {
    let (mut retries, mut halvings) = (0, 0);
    loop {
        let before = sink.done();
        // A device opened anew keeps no rows, so the chunks are cut again.
        let (error, can_be_smaller) = match sink.open() {
            Ok(None) => return Ok(None),
            Ok(Some((session, chunks))) => {
                let chunks = chunks.halved(halvings);
                let can_be_smaller = chunks.smaller().is_some();
                let gone = through(sink, &session, chunks, &mut halvings, device, seconds);
                match gone.and_then(|()| sink.close(&session)) {
                    Ok(()) => return Ok(Some(session)),
                    Err(error) => (error, can_be_smaller),
                }
            }
            Err(error) => (error, false),
        };
        retries = if S::STAYS && sink.done() > before { 1 } else { retries + 1 };
        match &error {
            Error::DeviceFailed { .. } if retries <= RETRIES => {}
            // Memory may be too small for a chunk but enough for half of it.
            Error::DeviceMemory { .. } if (S::STAYS && can_be_smaller) || retries <= RETRIES => {}
            _ => return Err(error),
        }
        // If a device cannot be recovered, the walk reports its first failure.
        device.recover().map_err(|_| error)?;
        halvings += 1;
        sink.stats().retries += 1;
    }
}

/// Sends the chunks of one session through the device, in smaller chunks after a submission that took long.
fn through<S: Sink>(
    sink: &mut S,
    session: &S::Session,
    mut chunks: Chunks,
    halvings: &mut usize,
    device: &Gpu,
    seconds: f64,
) -> Result<()> {
    loop {
        let (took_long, ends) = (AtomicBool::new(false), AtomicBool::new(sink.has_enough()));
        let stops = || took_long.load(Ordering::Relaxed) || ends.load(Ordering::Relaxed);
        let smaller = chunks.smaller();
        let left = chunks.from(sink.done()).take_while(|_| !stops());
        let finish = |chunk: Range<usize>, started| {
            let spent = sink.finish(session, chunk, started)?;
            spent.add_to(sink.stats());
            took_long.fetch_or(spent.device_seconds > seconds && smaller.is_some(), Ordering::Relaxed);
            ends.store(sink.has_enough(), Ordering::Relaxed);
            Ok(())
        };
        flow::run(left, |chunk| session.start(chunk), finish, || device.filling_panicked())?;
        match smaller {
            Some(smaller) if took_long.into_inner() && !ends.into_inner() => {
                *halvings += 1;
                chunks = smaller;
            }
            _ => return Ok(()),
        }
    }
}
