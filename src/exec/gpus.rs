//! The GPUs of an engine: one, or several that share calls by their measured rates.

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Arc, OnceLock};
use std::thread;

use kullback_kernels::error::{Error, Result};
use kullback_kernels::problem::Problem;
use kullback_kernels::unit::Unit;
use kullback_kernels::weights::Rows;
use kullback_kernels::zeros::Zeros;
use smallvec::SmallVec;

use super::columns::on_device;
use super::host::Host;
use super::rates;
use super::run::Run;
use super::values::Part;
use crate::backend::StoredRows;
use crate::backend::gpu::{AdapterChoice, AdapterInfo, DeviceAnswers, Gpu, OpenOptions, adapters};
use crate::input::DeviceRows;
use crate::options::GpuSet;
use crate::output::Share;
use crate::plan::cost::{self, Rates};

/// One GPU or several.
#[derive(Debug)]
pub(crate) struct Gpus {
    devices: SmallVec<[Gpu; 1]>,
    name: Arc<str>,
    /// Hardware that could not be opened, if all hardware was wanted, and why.
    left_out: Vec<String>,
    /// The rates of each GPU, once they were needed.
    rates: OnceLock<Vec<Rates>>,
}

impl Gpus {
    /// Opens one adapter: by index, or the first hardware adapter.
    pub(crate) fn one(options: OpenOptions) -> Result<Self> {
        Ok(Self::of([Gpu::open(options)?].into_iter().collect()))
    }

    /// Opens the adapters of a set, each with the same options. If the set is all hardware, adapters that cannot be opened are
    /// left out, unless none is left.
    pub(crate) fn open(set: GpuSet, options: OpenOptions) -> Result<Self> {
        let open = |index| Gpu::open(OpenOptions { adapter: AdapterChoice::At(index), ..options });
        if set != GpuSet::HARDWARE {
            return Ok(Self::of(set.indices().map(open).collect::<Result<_>>()?));
        }
        let mut left_out = Vec::new();
        for cards in hardware(&adapters()) {
            let (devices, errors): (Vec<_>, Vec<_>) = cards.into_iter().map(open).partition(Result::is_ok);
            left_out.extend(errors.into_iter().filter_map(Result::err).map(|error| error.to_string()));
            let devices: SmallVec<[Gpu; 1]> = devices.into_iter().filter_map(Result::ok).collect();
            if !devices.is_empty() {
                return Ok(Self { left_out, ..Self::of(devices) });
            }
        }
        Self::one(options)
    }

    /// Hardware that could not be opened, if all hardware was wanted, and why.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// What each GPU answered when it was opened, by its name.
    pub(crate) fn answers(&self) -> Vec<(Arc<str>, DeviceAnswers)> {
        self.devices.iter().map(|gpu| (gpu.shared_name(), gpu.answers())).collect()
    }

    fn of(devices: SmallVec<[Gpu; 1]>) -> Self {
        let names: Vec<Arc<str>> = devices.iter().map(Gpu::shared_name).collect();
        let name = if let [name] = &names[..] { Arc::clone(name) } else { Arc::from(names.join(" + ")) };
        Self { devices, name, left_out: Vec::new(), rates: OnceLock::new() }
    }

    /// The name used in reports.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn devices(&self) -> &[Gpu] {
        &self.devices
    }

    /// Whether one of the GPUs keeps these rows.
    pub(crate) fn have(&self, stored: &StoredRows) -> bool {
        self.devices.iter().any(|gpu| gpu.has(stored))
    }

    /// The rates of each GPU, measured when they are first needed. A GPU that cannot be measured gets no rows if there is
    /// another.
    pub(crate) fn rates(&self, host: &Host) -> Result<&[Rates]> {
        if self.rates.get().is_none() {
            let measured: Vec<Result<Rates>> = self.devices.iter().map(|gpu| rates::on_gpu(host, gpu)).collect();
            if measured.iter().all(Result::is_err) {
                return measured.into_iter().collect::<Result<Vec<Rates>>>().map(|_| &[][..]);
            }
            let rates = measured.into_iter().map(|rates| rates.unwrap_or(Rates::NEVER)).collect();
            // Another thread may have measured the same first.
            let _ = self.rates.set(rates);
        }
        Ok(self.rates.get().map_or(&[], Vec::as_slice))
    }

    /// Sets rates as if they were measured.
    #[cfg(test)]
    pub(crate) fn believe(&self, rates: Vec<Rates>) {
        assert!(self.rates.set(rates).is_ok(), "devices that nobody has measured");
    }

    /// The rows that each GPU computes: the rows it keeps, or else a share by its rates.
    pub(crate) fn shares(&self, run: &Run<'_>, rows: Range<usize>) -> Result<Vec<Range<usize>>> {
        if self.devices.len() == 1 {
            return Ok(vec![rows]);
        }
        // For all pairs, every row of P meets each row of Q, wherever that is kept.
        let is_shared = run.problem.pairing.shared();
        for (side, is_shared) in [run.p, run.q].into_iter().zip(is_shared).filter(|_| run.problem.pairing.line() == 1) {
            if !is_shared && let Some(shares) = self.shares_of_kept(side.kept, &rows) {
                return Ok(shares);
            }
        }
        let problem = Problem { rows: rows.len(), ..run.problem.clone() };
        // For all pairs, a few rows make many entries.
        let sent = if problem.pairing.line() > 1 { 0 } else { problem.bytes_per_row() * problem.rows as u64 };
        let (shares, _) = cost::shares(&problem, sent, self.rates(run.host)?);
        Ok(ranges(rows.start, shares).collect())
    }

    /// If the GPUs keep all of the rows, the rows that each of them keeps.
    fn shares_of_kept(&self, kept: &[DeviceRows], rows: &Range<usize>) -> Option<Vec<Range<usize>>> {
        let mut end = rows.start;
        let share = |device: usize| {
            let kept = kept.iter().find(|kept| kept.device == device);
            let start = end;
            end = kept.map_or(end, |kept| kept.rows.end.clamp(end, rows.end));
            start..end
        };
        let shares: Vec<Range<usize>> = (0..self.devices.len()).map(share).collect();
        (!kept.is_empty() && end == rows.end).then_some(shares)
    }

    /// Runs a part on each GPU, all at once. If one device fails permanently, another finishes its rows.
    pub(crate) fn run(&self, run: &Run<'_>, parts: &mut [Part<'_>]) -> Result<()> {
        if let ([gpu], [part]) = (&self.devices[..], &mut *parts) {
            return on_device(run, part, gpu);
        }
        let on = |gpu: &Gpu, part: &mut Part<'_>| {
            let before = part.done;
            let result = on_device(run, part, gpu);
            let rows = (part.done - before) as u64;
            part.stats.shares.push(Share { device: gpu.shared_name(), rows });
            result
        };
        let results = self.all(parts, on);
        let cancelled = |result: &&Result<()>| matches!(result, Err(Error::Cancelled { .. }));
        if let Some(cancelled) = results.iter().find(cancelled) {
            return cancelled.clone();
        }
        for (part, error) in
            parts.iter_mut().zip(&results).filter_map(|(part, result)| Some((part, result.as_ref().err()?)))
        {
            let can_be_done_elsewhere =
                matches!(error, Error::DeviceFailed { .. } | Error::DeviceMemory { .. } | Error::RowTooLarge { .. });
            let mut left = Err(error.clone());
            for (gpu, _) in self.devices.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
                if !can_be_done_elsewhere || matches!(left, Ok(()) | Err(Error::Cancelled { .. })) {
                    break;
                }
                left = on(gpu, part);
            }
            left?;
        }
        Ok(())
    }

    /// Calls `each` for every GPU with its item of `theirs`, all at once. Returns the results in order.
    pub(crate) fn all<'g, T: Send, R: Send>(
        &'g self,
        theirs: &mut [T],
        each: impl Fn(&'g Gpu, &mut T) -> R + Sync,
    ) -> Vec<R> {
        let pairs = self.devices.iter().zip(theirs);
        if rayon::current_thread_index().is_some() {
            // A thread of a pool that waited here would be missing in the pool, and the others need it.
            return pairs.map(|(gpu, theirs)| each(gpu, theirs)).collect();
        }
        thread::scope(|scope| {
            let each = &each;
            let running: Vec<_> = pairs.map(|(gpu, theirs)| scope.spawn(move || each(gpu, theirs))).collect();
            // A panic of a driver is caught where the driver is called, so this is a panic of the caller's own code.
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }

    /// Copies rows to the GPUs, shared as in calls over rows that they keep.
    pub(crate) fn upload(&self, host: &Host, rows: &Rows<'_>) -> Result<SmallVec<[DeviceRows; 1]>> {
        let keep = |(device, part): (usize, Range<usize>)| {
            let stored = self.devices[device].upload(&rows.slice(part.start, part.len()))?;
            Ok(DeviceRows { device, rows: part, stored })
        };
        if self.devices.len() == 1 {
            return Ok([keep((0, 0..rows.len()))?].into_iter().collect());
        }
        let problem = Problem::new(&cost::MEASURED, rows, rows, Zeros::Exact, Unit::Nats)?;
        let (shares, _) = cost::shares(&problem, 0, self.rates(host)?);
        ranges(0, shares).enumerate().filter(|(_, part)| !part.is_empty()).map(keep).collect()
    }
}

/// The adapters that are hardware, grouped by the interface that leads to them, in the order in which the interfaces were
/// found. Several interfaces may lead to a card: one of them serves all cards.
fn hardware(adapters: &[AdapterInfo]) -> Vec<Vec<usize>> {
    let mut found: Vec<(&str, Vec<usize>)> = Vec::new();
    for card in adapters.iter().filter(|adapter| !adapter.is_software) {
        match found.iter_mut().find(|(backend, _)| *backend == card.backend) {
            Some((_, cards)) => cards.push(card.index),
            None => found.push((&card.backend, vec![card.index])),
        }
    }
    found.into_iter().map(|(_, cards)| cards).collect()
}

/// Consecutive ranges of these lengths.
fn ranges(start: usize, lengths: Vec<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut end = start;
    lengths.into_iter().map(move |length| {
        end += length;
        end - length..end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_told_by_the_interface_that_leads_to_them() {
        let adapter = |(index, (name, backend, is_software)): (usize, (&str, &str, bool))| AdapterInfo {
            index,
            name: name.to_owned(),
            backend: backend.to_owned(),
            is_software,
            ..AdapterInfo::default()
        };
        let found = |list: &[(&str, &str, bool)]| {
            hardware(&list.iter().copied().enumerate().map(adapter).collect::<Vec<AdapterInfo>>())
        };
        let one = [("llvmpipe", "vulkan", true), ("card", "vulkan", false), ("card", "gl", false)];
        assert_eq!(found(&one), [[1], [2]]);
        let two = [("a", "vulkan", false), ("b", "vulkan", false), ("a", "dx12", false), ("a", "gl", false)];
        assert_eq!(found(&two), [vec![0, 1], vec![2], vec![3]]);
        assert!(found(&one[..1]).is_empty() && found(&[]).is_empty());
    }
}
