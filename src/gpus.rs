//! The GPUs of an engine: one, or several that share calls by their measured rates.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::thread;

use smallvec::SmallVec;

use crate::backend::StoredRows;
use crate::backend::gpu::{Gpu, GpuOptions, adapters};
use crate::divergence::{Unit, Zeros};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::input::Kept;
use crate::options::GpuSet;
use crate::output::Share;
use crate::plan::cost::{self, Rates};
use crate::plan::{Pairing, Problem};
use crate::rows::Rows;
use crate::run::Run;
use crate::values::Part;

/// One GPU or several.
#[derive(Debug)]
pub(crate) struct Gpus {
    devices: SmallVec<[Gpu; 1]>,
    name: Arc<str>,
    /// Of each, once they were asked for.
    rates: OnceLock<Vec<Rates>>,
}

impl Gpus {
    /// Opens one adapter: by index, or the first hardware one.
    pub(crate) fn one(options: GpuOptions) -> Result<Self> {
        Ok(Self::of([Gpu::open(options)?].into_iter().collect()))
    }

    /// Opens the adapters of a set, each with the same options. Of all that are hardware, those that cannot be
    /// opened are left out, unless none is left.
    pub(crate) fn open(set: GpuSet, options: GpuOptions) -> Result<Self> {
        let open = |index| Gpu::open(GpuOptions { index: Some(index), ..options });
        if set != GpuSet::HARDWARE {
            return Ok(Self::of(set.indices().map(open).collect::<Result<_>>()?));
        }
        let hardware = adapters().into_iter().filter(|adapter| !adapter.is_software).map(|adapter| adapter.index);
        let found: SmallVec<[Gpu; 1]> = hardware.filter_map(|index| open(index).ok()).collect();
        if found.is_empty() { Self::one(options) } else { Ok(Self::of(found)) }
    }

    fn of(devices: SmallVec<[Gpu; 1]>) -> Self {
        let names: Vec<Arc<str>> = devices.iter().map(Gpu::shared_name).collect();
        let name = if let [name] = &names[..] { Arc::clone(name) } else { Arc::from(names.join(" + ")) };
        Self { devices, name, rates: OnceLock::new() }
    }

    /// The name used in reports.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Each of them.
    pub(crate) fn devices(&self) -> &[Gpu] {
        &self.devices
    }

    /// Whether one of them keeps these rows.
    pub(crate) fn have(&self, stored: &StoredRows) -> bool {
        self.devices.iter().any(|gpu| gpu.has(stored))
    }

    /// The rates of each, measured when they are first asked for.
    pub(crate) fn rates(&self, engine: &Engine) -> Result<&[Rates]> {
        if self.rates.get().is_none() {
            let rates = self.devices.iter().map(|gpu| engine.rates_on(gpu)).collect::<Result<_>>()?;
            // Who was faster has measured the same.
            let _ = self.rates.set(rates);
        }
        Ok(self.rates.get().map_or(&[], Vec::as_slice))
    }

    /// Takes rates for measured.
    #[cfg(test)]
    pub(crate) fn believe(&self, rates: Vec<Rates>) {
        assert!(self.rates.set(rates).is_ok(), "devices that nobody has measured");
    }

    /// Which of the rows each of them does: where they keep rows, those; else what their rates say.
    pub(crate) fn shares(&self, engine: &Engine, run: &Run<'_>, rows: Range<usize>) -> Result<Vec<Range<usize>>> {
        if self.devices.len() == 1 {
            return Ok(vec![rows]);
        }
        for (side, once) in [(run.p, Pairing::OneP), (run.q, Pairing::OneQ)] {
            if run.problem.pairing != once && side.kept.len() == self.devices.len() {
                let within = |kept: &Kept| {
                    let start = kept.rows.start.clamp(rows.start, rows.end);
                    start..kept.rows.end.clamp(start, rows.end)
                };
                return Ok(side.kept.iter().map(within).collect());
            }
        }
        let problem = Problem { rows: rows.len(), ..run.problem.clone() };
        let bytes = problem.bytes_per_row() * problem.rows as u64;
        let (shares, _) = cost::shares(&problem, bytes, self.rates(engine)?);
        Ok(ranges(rows.start, shares).collect())
    }

    /// What each of them did.
    pub(crate) fn shared(&self, shares: &[Range<usize>]) -> Vec<Share> {
        let share = |(gpu, rows): (&Gpu, &Range<usize>)| Share { device: gpu.shared_name(), rows: rows.len() as u64 };
        self.devices.iter().zip(shares).map(share).collect()
    }

    /// Runs a part on each of them, all at once. What one cannot do because it fails for good is done by another
    /// that does not.
    pub(crate) fn run(&self, run: &Run<'_>, parts: &mut [Part<'_>]) -> Result<()> {
        if let ([gpu], [part]) = (&self.devices[..], &mut *parts) {
            return run.on_device(part, gpu);
        }
        let results: Vec<Result<()>> = thread::scope(|scope| {
            let start = |(gpu, part)| scope.spawn(move || run.on_device(part, gpu));
            let running: Vec<_> = self.devices.iter().zip(&mut *parts).map(start).collect();
            let panicked = |_| Err(Error::DeviceFailed { device: self.name.to_string(), reason: "a panic".to_owned() });
            running.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        });
        for (i, error) in results.iter().enumerate().filter_map(|(i, result)| Some((i, result.as_ref().err()?))) {
            let can_be_done_elsewhere =
                matches!(error, Error::DeviceFailed { .. } | Error::DeviceMemory { .. } | Error::RowTooLarge { .. });
            let mut others = self.devices.iter().zip(&results).filter(|(_, result)| result.is_ok());
            let mut takes_over = |(gpu, _): (&Gpu, _)| run.on_device(&mut parts[i], gpu).is_ok();
            if !(can_be_done_elsewhere && others.any(&mut takes_over)) {
                return Err(error.clone());
            }
        }
        Ok(())
    }

    /// Copies rows to them, shared as calls over rows that they keep are.
    pub(crate) fn upload(&self, engine: &Engine, rows: &Rows<'_>) -> Result<SmallVec<[Kept; 1]>> {
        let keep = |(gpu, part): (&Gpu, Range<usize>)| {
            let stored = gpu.upload(&rows.slice(part.start, part.len()))?;
            Ok(Kept { rows: part, stored })
        };
        if let [gpu] = &self.devices[..] {
            return Ok([keep((gpu, 0..rows.len()))?].into_iter().collect());
        }
        let problem = Problem::new(&cost::MEASURED, rows, rows, Zeros::Exact, Unit::Nats)?;
        let (shares, _) = cost::shares(&problem, 0, self.rates(engine)?);
        self.devices.iter().zip(ranges(0, shares)).map(keep).collect()
    }
}

/// Consecutive ranges of such lengths.
fn ranges(start: usize, lengths: Vec<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut end = start;
    lengths.into_iter().map(move |length| {
        end += length;
        end - length..end
    })
}
