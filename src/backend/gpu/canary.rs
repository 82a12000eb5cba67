//! Canary rows: what a kernel makes of a few rows is held to the oracle before its results are used for the first time. That
//! catches a kernel that was compiled wrongly where the probe was not. They run in a dispatch of their own, so that no summary and no
//! list of the largest ever sees them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use half::{bf16, f16};
use smallvec::SmallVec;

use super::collect::collect;
use super::device::Device;
use super::submit::{self, SideRows};
use super::{Opened, pairs, probe};
use crate::backend::{NoValue, RowFlags, RowSums, reference};
use crate::contract::{ABSOLUTE_ERROR, FIRST_ORDER_ERROR, NARROW_ERROR};
use crate::error::Result;
use crate::plan::kernel_key::TERMS_PER_DISPATCH;
use crate::plan::{KernelKey, Pairing, Problem};
use crate::rows::{Rows, WeightType};

/// Rows of either side.
const ROWS: usize = 6;

/// Canary rows of a weight type.
enum Canaries {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
}

impl Canaries {
    /// Small counts, which every type holds: rows without and with zeros on either side, the same twice, one bin that holds nearly
    /// all, and one that differs little from another.
    fn new(weight_type: WeightType, side: u64, bins: usize) -> Self {
        let random = |row: u64, bin: u64| {
            let mixed = (row * 1_000_003 + bin).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed >> 40) % 100
        };
        let count = |i: usize| -> u8 {
            let (row, bin) = ((i / bins) as u64, (i % bins) as u64);
            let own = random(2 * row + side, bin);
            let count = match (row, side) {
                (1, 0) | (2, 1) if bin % 3 == 2 => 0,
                (3, _) => 1 + random(2 * row, bin),
                (4, _) if bin > 0 => own % 3,
                (4, _) => 200 + own % 50,
                (5, _) => 1 + random(2 * row, bin) + u64::from(side == 1 && bin % 2 == 1),
                _ => 1 + own,
            };
            count as u8
        };
        let counts = (0..ROWS * bins).map(count);
        match weight_type {
            WeightType::F16 => Canaries::F16(counts.map(|x| f16::from_f32(x.into())).collect()),
            WeightType::Bf16 => Canaries::Bf16(counts.map(|x| bf16::from_f32(x.into())).collect()),
            WeightType::U8 => Canaries::U8(counts.collect()),
            WeightType::U16 => Canaries::U16(counts.map(u16::from).collect()),
            WeightType::U32 => Canaries::U32(counts.map(u32::from).collect()),
            WeightType::I32 => Canaries::I32(counts.map(i32::from).collect()),
            // Wider ones never come to a device.
            _ => Canaries::F32(counts.map(f32::from).collect()),
        }
    }

    fn rows(&self, bins: usize) -> Result<Rows<'_>> {
        match self {
            Canaries::F32(weights) => Rows::new(weights, bins),
            Canaries::F16(weights) => Rows::new(weights, bins),
            Canaries::Bf16(weights) => Rows::new(weights, bins),
            Canaries::U8(weights) => Rows::new(weights, bins),
            Canaries::U16(weights) => Rows::new(weights, bins),
            Canaries::U32(weights) => Rows::new(weights, bins),
            Canaries::I32(weights) => Rows::new(weights, bins),
        }
    }
}

/// The kernels of a problem.
fn keys(problem: &Problem, subgroups: bool) -> SmallVec<[KernelKey; 2]> {
    let groups = problem.terms.chunks(TERMS_PER_DISPATCH);
    groups.map(|terms| KernelKey::new(problem, terms, problem.shape, subgroups)).collect()
}

/// The same problem over matched canary rows, as short as the same kernels allow.
fn shorter(problem: &Problem, subgroups: bool) -> Problem {
    let short = |bins| Problem { bins, rows: ROWS, pairing: Pairing::Rowwise, ..problem.clone() };
    // Rows that are read four bins at a time stay so.
    let lengths = [8, 16, 40, 72, 136, 264, 520, 1032].map(|length| length + problem.bins % 4);
    let is_same = |bins: &usize| *bins < problem.bins && keys(&short(*bins), subgroups) == keys(problem, subgroups);
    short(lengths.into_iter().find(is_same).unwrap_or(problem.bins))
}

/// Runs the canary rows of the kernels of a problem that have not been used on this device. One that is wrong refuses the
/// device, for the whole process.
pub(super) fn check(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    let keys = keys(problem, opened.device.caps.subgroups);
    let is_known = || {
        let known = opened.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().all(|key| known.contains(key))
    };
    if is_known() {
        return Ok(());
    }
    // Whoever comes meanwhile waits, and nobody who waits here holds a slot that another waits for.
    let _alone = opened.checking.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_known() {
        run(opened, problem)?;
        opened.trusted.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }
    Ok(())
}

fn run(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    let device = &opened.device;
    let problem = shorter(problem, device.caps.subgroups);
    let (p, q) = (Canaries::new(problem.p, 0, problem.bins), Canaries::new(problem.q, 1, problem.bins));
    let (p, q) = (p.rows(problem.bins)?, q.rows(problem.bins)?);
    let sides = [&p, &q].map(|rows| SideRows { rows, stored: None });
    let (records, _) = submit::start_as_it_is(opened, &problem, sides, ROWS)?.finish()?;
    let mut sums = RowSums::default();
    if !collect(&problem, &records, ROWS, &mut sums) {
        return Err(device.give_up("it left results of another time".to_owned()));
    }
    refuse_unless(device, compare(&problem, (&p, &q), &sums))
}

/// The same of the kernel that makes values of records, for all pairs of canary rows.
pub(super) fn check_values(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    if opened.values_trusted.load(Ordering::Acquire) {
        return Ok(());
    }
    // Of the row kernels first, which the other rests on.
    check(opened, problem)?;
    let _alone = opened.checking.lock().unwrap_or_else(PoisonError::into_inner);
    if opened.values_trusted.load(Ordering::Acquire) {
        return Ok(());
    }
    let device = &opened.device;
    let pairing = Pairing::All { first: 0, columns: ROWS };
    let problem = Problem { pairing, rows: ROWS * ROWS, ..shorter(problem, device.caps.subgroups) };
    let (p, q) = (Canaries::new(problem.p, 0, problem.bins), Canaries::new(problem.q, 1, problem.bins));
    let (p, q) = (p.rows(problem.bins)?, q.rows(problem.bins)?);
    let sides = [&p, &q].map(|rows| SideRows { rows, stored: None });
    let (values, _) = pairs::start_as_it_is(opened, &problem, sides, problem.rows, None)?.finish(opened)?;
    for pair in 0..problem.rows {
        let sides = ((&p, pair / ROWS), (&q, pair % ROWS));
        if NoValue::from_bits(values[pair]).is_none() {
            let value = |i: usize| f64::from(f32::from_bits(values[i * problem.rows + pair]));
            refuse_unless(device, compare_row(&problem, sides, &value))?;
        }
    }
    opened.values_trusted.store(true, Ordering::Release);
    Ok(())
}

/// A device of which something is wrong is refused.
fn refuse_unless(device: &Device, is_right: std::result::Result<(), String>) -> Result<()> {
    is_right.map_err(|reason| {
        probe::refuse(device, &reason);
        device.give_up(reason)
    })
}

/// Holds the sums of the canary rows to the oracle, but for those that are left to the host.
fn compare(problem: &Problem, (p, q): (&Rows<'_>, &Rows<'_>), sums: &RowSums) -> std::result::Result<(), String> {
    const LEFT: u32 = RowFlags::EMPTY | RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::POLICY | RowFlags::RESCUE;
    let rows = sums.flags.iter().zip(sums.sums.chunks_exact(problem.terms.len())).enumerate();
    rows.filter(|(_, (flags, _))| !flags.any(LEFT)).try_for_each(|(row, (flags, sums))| {
        let value = |i: usize| {
            let slots = &problem.slots[i];
            let finish = slots.measure.finisher(problem.unit);
            match slots.measure.is_infinite(flags.support()) {
                true => f64::INFINITY,
                false => finish.value(sums[slots.first], slots.second.map(|second| sums[second])),
            }
        };
        compare_row(problem, ((p, row), (q, row)), &value)
    })
}

/// Holds the values of a pair of rows, by the number of the measure, to the oracle.
fn compare_row(
    problem: &Problem,
    (p, q): ((&Rows<'_>, usize), (&Rows<'_>, usize)),
    value: &dyn Fn(usize) -> f64,
) -> std::result::Result<(), String> {
    let measures: SmallVec<[_; 4]> = problem.slots.iter().map(|slots| slots.measure).collect();
    let (wanted, _) = reference::row(&measures, p, q, problem.zeros, problem.unit);
    for (i, (measure, want)) in measures.iter().zip(wanted).enumerate() {
        let got = value(i);
        let absolute = if measure.is_first_order() { FIRST_ORDER_ERROR } else { ABSOLUTE_ERROR };
        // Written so that a NaN is wrong.
        let is_right = got == want || (got - want).abs() <= (NARROW_ERROR * want.abs()).max(absolute);
        if !is_right {
            let Problem { bins, zeros, p, q, .. } = problem;
            let types = format!("{} and {}", p.name(), q.name());
            return Err(format!(
                "its kernel of {measure} over {types} gives {got:e} for {want:e} in a row of {bins} bins ({zeros})"
            ));
        }
    }
    Ok(())
}
