//! The sink of columns: the values of each chunk go into their part of the columns, and stay there.

use std::ops::Range;

use kullback_kernels::error::Result;

use super::run::Run;
use super::values::Part;
use super::walk::{Session, Sink, walk};
use crate::backend::gpu::{Gpu, StartedChunk};
use crate::backend::{ChunkResults, Spent};
use crate::input::DeviceRows;
use crate::output::Stats;
use crate::plan::Chunks;

/// Computes the rows that a part has left, on a device. A chunk that is done stays done.
pub(crate) fn on_device(run: &Run<'_>, part: &mut Part<'_>, device: &Gpu) -> Result<()> {
    let mut sink = ColumnsSink { run: *run, device, part, found: ChunkResults::new() };
    walk(&mut sink, device, run.host.submission_seconds).map(|_| ())
}

/// The rows of a part, computed by a device.
struct ColumnsSink<'w, 'a, 'p> {
    run: Run<'a>,
    device: &'a Gpu,
    part: &'w mut Part<'p>,
    /// What the device found for the last chunk. Its memory is used again.
    found: ChunkResults,
}

/// A device that computes rows, some of which it keeps.
struct ColumnsSession<'a> {
    run: Run<'a>,
    device: &'a Gpu,
    kept: [Option<&'a DeviceRows>; 2],
}

impl<'a> Sink for ColumnsSink<'_, 'a, '_> {
    type Session = ColumnsSession<'a>;

    const STAYS: bool = true;

    fn open(&mut self) -> Result<Option<(ColumnsSession<'a>, Chunks)>> {
        let Self { run, device, .. } = *self;
        let (chunks, kept) = run.chunks(device, &self.part.rows, (run.memory(), run.scratch()))?;
        Ok(Some((ColumnsSession { run, device, kept }, chunks)))
    }

    fn finish(&mut self, _: &ColumnsSession<'a>, chunk: Range<usize>, started: StartedChunk<'a>) -> Result<Spent> {
        let spent = started.finish(&mut self.found)?;
        self.run.values(self.part, chunk, Some(&self.found))?;
        Ok(spent)
    }

    fn close(&mut self, _: &ColumnsSession<'a>) -> Result<()> {
        Ok(())
    }

    fn done(&self) -> usize {
        self.part.done
    }

    fn has_enough(&self) -> bool {
        false
    }

    fn stats(&mut self) -> &mut Stats {
        &mut self.part.stats
    }
}

impl<'a> Session for ColumnsSession<'a> {
    type Started = StartedChunk<'a>;

    fn start(&self, chunk: &Range<usize>) -> Result<StartedChunk<'a>> {
        let [p, q] = self.run.sources(chunk, self.kept);
        self.device.start(self.run.problem, &p, &q, self.run.product(chunk))
    }
}
