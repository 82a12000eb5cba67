//! Batches through an engine: one batch is read and one is taken while another is computed.

use crate::engine::Engine;
use crate::exec::turns::in_turn;
use crate::options::Options;
use crate::output::Columns;
use kullback_kernels::error::Error;
use kullback_kernels::measures::Divergence;
use kullback_kernels::weights::Rows;

/// A batch of a stream: the rows of both sides, and whatever else belongs to them.
pub trait RowPair: Send {
    /// The rows of P.
    fn p(&self) -> Rows<'_>;
    /// The rows of Q: as many as P has, or one for all.
    fn q(&self) -> Rows<'_>;
}

impl Engine {
    /// [`Engine::rowwise`] over batches, in order. `take` gets each batch with its result, on the caller's thread, while the
    /// next batch is computed and the one after it is read. At most five batches are in memory, whatever their number; eight on
    /// a GPU, which computes two batches at once. A slow `take` slows the reading.
    ///
    /// # Errors
    /// The first error in the order of the batches: of reading, of computing (see [`Engine::rowwise`]), or of `take`, which
    /// ends the stream this way. Nothing after it is taken.
    pub fn stream<B: RowPair, E: From<Error> + Send>(
        &self,
        measures: &[Divergence],
        batches: impl Iterator<Item = Result<B, E>> + Send,
        options: &Options,
        mut take: impl FnMut(B, Columns) -> Result<(), E>,
    ) -> Result<(), E> {
        let compute = |batch: B| {
            let columns = self.rowwise(measures, batch.p(), batch.q(), options)?;
            Ok((batch, columns))
        };
        in_turn(self.runner.calls_at_once(), batches, compute, |(batch, columns)| take(batch, columns))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::Device;

    /// One row whose weights encode its number. It counts how many such rows exist.
    struct Numbered<'a> {
        weights: [f64; 2],
        alive: &'a AtomicUsize,
    }

    impl<'a> Numbered<'a> {
        fn new(number: usize, alive: &'a AtomicUsize) -> Self {
            alive.fetch_add(1, Ordering::SeqCst);
            Self { weights: [1.0, 1.0 + number as f64], alive }
        }
    }

    impl Drop for Numbered<'_> {
        fn drop(&mut self) {
            self.alive.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl RowPair for Numbered<'_> {
        fn p(&self) -> Rows<'_> {
            Rows::new(&self.weights, 2).expect("a row")
        }
        fn q(&self) -> Rows<'_> {
            Rows::new(&[1.0_f64, 1.0], 2).expect("a row")
        }
    }

    /// Engines that compute one batch at a time, or two, and the most batches that may live at once.
    fn engines() -> Vec<(Engine, usize)> {
        let open = |device| Engine::builder().device(device).threads(1).build().expect("a device");
        let cpu = (open(Device::Cpu), 5);
        #[cfg(feature = "gpu")]
        let gpu = crate::test_devices::vulkan().map(|index| (open(Device::GpuAt(index)), 8));
        #[cfg(not(feature = "gpu"))]
        let gpu = None;
        [cpu].into_iter().chain(gpu).collect()
    }

    #[test]
    fn results_come_in_order_and_few_batches_live_at_once() {
        for (engine, allowed) in engines() {
            let (alive, mut taken, mut most) = (AtomicUsize::new(0), 0, 0);
            let batches = (0..200).map(|i| Ok::<_, Error>(Numbered::new(i, &alive)));
            let take = |batch: Numbered<'_>, columns: Columns| {
                thread::sleep(Duration::from_micros(200));
                most = most.max(alive.load(Ordering::SeqCst));
                let share = 1.0 / (2.0 + f64::from(taken));
                let tv = (0.5 - share).abs();
                assert!((columns[Divergence::Tv][0] - tv).abs() < 1e-12, "batch {taken}");
                assert_eq!(batch.weights[1], 1.0 + f64::from(taken));
                taken += 1;
                Ok(())
            };
            engine.stream(&[Divergence::Tv], batches, &Options::default(), take).expect("the stream");
            assert_eq!((taken, alive.into_inner()), (200, 0));
            assert!((2..=allowed).contains(&most), "{most} batches at once");
        }
    }

    #[test]
    fn the_first_error_in_order_ends_the_stream() {
        let alive = AtomicUsize::new(0);
        let own = |i| Error::NotComputed { measure: if i == 1 { "kl" } else { "js" }.to_owned() };
        // While reading, while computing (a negative weight), while taking.
        let stages = [("read", 7), ("compute", 7), ("take", 7)];
        let engines = engines();
        for ((stage, taken_before), (engine, _)) in
            stages.into_iter().flat_map(|of| engines.iter().map(move |to| (of, to)))
        {
            let mut taken = 0;
            let batches = (0..50).map(|i| {
                let mut batch = Numbered::new(i, &alive);
                if i == 7 && stage == "compute" {
                    batch.weights[0] = -1.0;
                }
                if i >= 7 && stage == "read" { Err(own(i - 6)) } else { Ok(batch) }
            });
            let result = engine.stream(&[Divergence::Tv], batches, &Options::default(), |_, _| {
                if taken == 7 && stage == "take" {
                    return Err(own(1));
                }
                taken += 1;
                Ok(())
            });
            assert_eq!(taken, taken_before, "{stage}");
            match (stage, result) {
                ("compute", Err(Error::InvalidWeights { .. })) => {}
                ("read" | "take", Err(error)) => assert_eq!(error, own(1)),
                (_, other) => panic!("{stage}: {other:?}"),
            }
            assert_eq!(alive.load(Ordering::SeqCst), 0, "{stage}: every batch is dropped");
        }
    }
}
