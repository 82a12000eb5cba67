//! The GPU backend: WGSL compute shaders through wgpu, on whatever adapter there is.

mod buffers;
mod device;
mod params;
mod pipelines;
mod shaders;
mod submit;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

pub use device::{AdapterInfo, adapters};

use self::buffers::Buffers;
use self::device::Device;
use self::params::RECORD_WORDS;
use self::pipelines::Pipelines;
use self::submit::Records;
use super::{Backend, RowFlags, RowSums};
use crate::error::Result;
use crate::plan::kernel_key::TERMS_PER_DISPATCH;
use crate::plan::{Chunks, Pairing, Problem, Shape};
use crate::rows::Rows;

/// The totals were in a power-of-two ratio and the policy added nothing, so that u is exact: `EXACT`
/// of `shaders/lib/params.wgsl`. Never leaves this module.
const EXACT: u32 = 256;

/// Below this triangular discrimination a row whose totals are not in a power-of-two ratio is
/// computed again: without a fused multiply-add u is good to 2⁻³⁵ of the weights, which is 3e-7 of
/// the value here.
const LEAST: f64 = 1e-7;

/// Sums above this may have lost an overflow: the kernel keeps every term below the largest float.
const LARGEST: f64 = (1u32 << 28) as f64;

/// One adapter as a backend. Calls from several threads take turns.
#[derive(Debug)]
pub(crate) struct Gpu {
    device: Device,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pipelines: Pipelines,
    buffers: Buffers,
}

impl Gpu {
    /// Opens an adapter by index, or the first hardware one.
    pub(crate) fn open(index: Option<usize>, binding_limit: Option<u64>, subgroups: Option<bool>) -> Result<Self> {
        let device = Device::open(index, binding_limit, subgroups)?;
        let pipelines = Pipelines::new(&device.device);
        Ok(Self { device, state: Mutex::new(State { pipelines, buffers: Buffers::default() }) })
    }

    /// The name used in reports.
    pub(crate) fn name(&self) -> &str {
        &self.device.name
    }

    /// The chunks of a problem on this device.
    pub(crate) fn chunks(&self, problem: &Problem, budget: u64) -> Result<Chunks> {
        let groups = problem.terms.len().div_ceil(TERMS_PER_DISPATCH);
        let parts = Shape::for_bins(problem.bins).parts() as usize;
        let output = (groups * parts * RECORD_WORDS * 4) as u64;
        Chunks::for_device(problem, &self.device.caps, budget, output)
    }
}

impl Backend for Gpu {
    fn run(&self, problem: &Problem, p: Rows<'_>, q: Rows<'_>, sums: &mut RowSums) -> Result<()> {
        let rows = if problem.pairing == Pairing::OneP { q.len() } else { p.len() };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { pipelines, buffers } = &mut *state;
        let records = submit::run(&self.device, pipelines, buffers, problem, &p, &q, rows);
        if records.is_err() {
            // Whatever state they were left in, the next call starts with new ones.
            buffers.staging.forget();
            buffers.readback.forget();
        }
        collect(problem, &records?, rows, sums);
        Ok(())
    }
}

/// Adds the parts of each row and decides which rows 32 bits could not hold.
fn collect(problem: &Problem, records: &Records, rows: usize, out: &mut RowSums) {
    let terms = problem.terms.len();
    let parts = Shape::for_bins(problem.bins).parts() as usize;
    let float = |word: u32| f64::from(f32::from_bits(word));
    out.resize(rows, terms);
    out.sums.fill(0.0);
    for (row, sums) in out.sums.chunks_mut(terms).enumerate() {
        let mut flags = 0;
        let mut lost = false;
        for (group, sums) in records.groups.iter().zip(sums.chunks_mut(TERMS_PER_DISPATCH)) {
            let of_row = &group[row * parts * RECORD_WORDS..(row + 1) * parts * RECORD_WORDS];
            let total = float(of_row[2]) + float(of_row[3]);
            let mut yardstick = 0.0;
            for part in of_row.chunks(RECORD_WORDS) {
                flags |= part[0];
                yardstick += float(part[1]);
                for (sum, word) in sums.iter_mut().zip(&part[4..]) {
                    *sum += float(*word);
                }
            }
            // Written so that a NaN is lost.
            let in_range = sums.iter().all(|sum| sum.abs() < LARGEST);
            let u_is_good = flags & EXACT != 0 || yardstick / total >= LEAST;
            lost |= !(in_range && u_is_good);
            sums.iter_mut().for_each(|sum| *sum /= total);
        }
        lost |= sums.iter().zip(&problem.terms).any(|(sum, term)| term.is_lost(*sum));
        // An invalid weight settles a row; a weight too small for the device only looks like none.
        flags = if flags & (RowFlags::INVALID_P | RowFlags::INVALID_Q) != 0 {
            flags & !RowFlags::RESCUE
        } else if flags & RowFlags::RESCUE != 0 {
            flags
        } else if flags & RowFlags::EMPTY == 0 && lost {
            flags | RowFlags::RESCUE
        } else {
            flags
        };
        out.flags[row] = RowFlags(flags & 0xff);
    }
}
