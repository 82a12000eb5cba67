//! Canary rows: before the results of a kernel are used for the first time, its results for a few rows are compared with the
//! oracle. That catches a kernel that was compiled wrongly while the probe was not. Canary rows run in a dispatch of their own,
//! so that no summary and no list of the largest values includes them.

use kullback_kernels::measures::definition::Definition;
use std::sync::Arc;

use half::{bf16, f16};
use smallvec::SmallVec;

use super::collect::collect;
use super::device::GpuDevice;
use super::opened::Opened;
use super::pairs::{self, First, Search};
use super::submit::{self, SideRows};
use super::summary::{Digest, SUMS, TOGETHER, bucket};
use super::trusted::{Checked, Finish};
use super::{probe, product};
use crate::backend::found::NoValue;
use crate::backend::reference;
use crate::contract::{ABSOLUTE_ERROR, FIRST_ORDER_ERROR, NARROW_ERROR};
use crate::plan::kernel_key::{SPLIT_BINS, dispatches};
use crate::plan::{KernelKey, Shape};
use kullback_kernels::error::Result;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::row_sums::{RowFlags, RowSums};
use kullback_kernels::weights::{Rows, WeightType};

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
    /// Small counts, which every type can hold: rows with and without zeros on either side, a row that is the same on both
    /// sides, a row with one bin that holds nearly all weight, and a row that differs little from another.
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
            // Wider types never come to a device.
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
    dispatches(&problem.terms).map(|terms| KernelKey::new(problem, terms, Shape::of(problem), subgroups)).collect()
}

/// The same problem over matched canary rows, as short as the same kernels allow.
fn shorter(problem: &Problem, subgroups: bool) -> Problem {
    let short = |bins: usize| {
        let positions = match problem.positions.len() {
            0 => Arc::default(),
            positions => problem.positions[..positions - problem.bins + bins].into(),
        };
        Problem { bins, rows: ROWS, pairing: Pairing::Rowwise, positions, ..problem.clone() }
    };
    // The last is the shortest row that several workgroups share. Rows that are read four bins at a time stay so.
    let split = SPLIT_BINS as usize + 8;
    let lengths = [8, 16, 40, 72, 136, 264, 520, 1032, split].map(|length| length + problem.bins % 4);
    let is_same = |bins: &usize| *bins < problem.bins && keys(&short(*bins), subgroups) == keys(problem, subgroups);
    short(lengths.into_iter().find(is_same).unwrap_or(problem.bins))
}

/// Runs the canary rows of the row kernels of a problem.
pub(super) fn check(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    let keys: SmallVec<[Checked; 2]> =
        keys(problem, opened.device.caps.subgroups).into_iter().map(Checked::Row).collect();
    opened.trusted.once(&keys, || run(opened, problem))
}

fn run(opened: &Arc<Opened>, problem: &Problem) -> Result<bool> {
    let device = &opened.device;
    let problem = shorter(problem, device.caps.subgroups);
    let (p, q) = (Canaries::new(problem.p, 0, problem.bins), Canaries::new(problem.q, 1, problem.bins));
    let rows = [p.rows(problem.bins)?, q.rows(problem.bins)?];
    let (records, _) = submit::start(opened, &problem, sides(&rows), ROWS)?.finish()?;
    let mut sums = RowSums::default();
    if !collect(&problem, &records, ROWS, &mut sums) {
        return Err(device.give_up("it left results of another time".to_owned()));
    }
    let [p, q] = &rows;
    refuse_unless(device, compare(&problem, (p, q), &sums))
}

/// Rows as a dispatch takes them.
fn sides<'s>([p, q]: &'s [Rows<'s>; 2]) -> [SideRows<'s>; 2] {
    [p, q].map(|rows| SideRows { rows, stored: None })
}

/// A value of a device, or `None` if it left no value.
fn value(bits: u32) -> Option<f32> {
    NoValue::from_bits(bits).is_none().then(|| f32::from_bits(bits))
}

/// All pairs of canary rows.
struct CanaryPairs {
    problem: Problem,
    sides: [Canaries; 2],
}

impl CanaryPairs {
    fn new(opened: &Opened, problem: &Problem) -> Self {
        let pairing = Pairing::All { first: 0, columns: ROWS };
        let problem = Problem { pairing, rows: ROWS * ROWS, ..shorter(problem, opened.device.caps.subgroups) };
        let sides = [Canaries::new(problem.p, 0, problem.bins), Canaries::new(problem.q, 1, problem.bins)];
        Self { problem, sides }
    }

    fn rows(&self) -> Result<[Rows<'_>; 2]> {
        let [p, q] = &self.sides;
        Ok([p.rows(self.problem.bins)?, q.rows(self.problem.bins)?])
    }

    /// The values of each measure, one measure after the other, from row kernels or from products.
    fn values(&self, opened: &Arc<Opened>, product: Option<product::ProductTile<'_>>) -> Result<Vec<u32>> {
        let rows = self.rows()?;
        let started = pairs::start(opened, &self.problem, sides(&rows), self.problem.rows, product)?;
        started.finish(opened).map(|(values, _)| values)
    }

    /// Compares values with the oracle, except those that are left to the host. Returns whether there were others.
    fn compare(&self, values: &[u32]) -> std::result::Result<bool, String> {
        let [p, q] = &self.rows().map_err(|error| error.to_string())?;
        let mut any = false;
        for pair in (0..self.problem.rows).filter(|pair| NoValue::from_bits(values[*pair]).is_none()) {
            let value = |i: usize| f64::from(f32::from_bits(values[i * self.problem.rows + pair]));
            compare_row(&self.problem, ((p, pair / ROWS), (q, pair % ROWS)), &value)?;
            any = true;
        }
        Ok(any)
    }
}

/// Checks the kernel that turns records into values. First checks the row kernels, on which it relies.
pub(super) fn check_values(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    check(opened, problem)?;
    let finishes: SmallVec<[Checked; 4]> =
        problem.slots.iter().map(|slots| Checked::Values(Finish::of(slots, problem.unit))).collect();
    opened.trusted.once(&finishes, || {
        let pairs = CanaryPairs::new(opened, problem);
        refuse_unless(&opened.device, pairs.compare(&pairs.values(opened, None)?))
    })
}

/// Checks products in place of row kernels, for the products of a call.
pub(super) fn check_product(opened: &Arc<Opened>, problem: &Problem, call: &product::Product<'_>) -> Result<()> {
    check_values(opened, problem)?;
    let keys: SmallVec<[Checked; 2]> =
        keys(problem, opened.device.caps.subgroups).into_iter().map(Checked::Product).collect();
    opened.trusted.once(&keys, || {
        let pairs = CanaryPairs::new(opened, problem);
        let Some(product) = call.over(&pairs.problem, pairs.rows()?) else { return Ok(false) };
        if product.sides(opened)?.is_none() {
            return Ok(false);
        }
        let part = product::ProductTile { product: &product, first: [0, 0] };
        refuse_unless(&opened.device, pairs.compare(&pairs.values(opened, Some(part))?))
    })
}

/// Checks the search for the nearest rows, which sorts values that are known to be right.
pub(super) fn check_nearest(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    const NEAREST: usize = 3;
    check_values(opened, problem)?;
    opened.trusted.once(&[Checked::Nearest], || {
        let pairs = CanaryPairs::new(opened, problem);
        let values = pairs.values(opened, None)?;
        let rows = pairs.rows()?;
        let search = Search::new(opened, &pairs.problem, ROWS, NEAREST)?;
        search.start_as_it_is(First::default(), ROWS, sides(&rows), pairs.problem.rows, None)?.finish(opened)?;
        let (found, _, _) = search.finish(0)?;
        let wanted = values[..pairs.problem.rows].chunks_exact(ROWS).map(|line| {
            let mut line: Vec<(usize, f32)> =
                line.iter().enumerate().filter_map(|(column, bits)| Some((column, value(*bits)?))).collect();
            line.sort_by(|a, b| a.1.total_cmp(&b.1));
            line.truncate(NEAREST);
            line
        });
        let (is_right, any) = (found.iter().cloned().eq(wanted), found.iter().any(|line| !line.is_empty()));
        refuse_unless(&opened.device, is_right.then_some(any).ok_or_else(|| "its search finds other rows".to_owned()))
    })
}

/// Checks what makes a summary of values that are known to be right: the numbers of a block, the largest values, and the
/// histogram.
pub(super) fn check_summary(opened: &Arc<Opened>, problem: &Problem) -> Result<()> {
    const LARGEST: usize = 3;
    check_values(opened, problem)?;
    opened.trusted.once(&[Checked::Summary], || {
        let pairs = CanaryPairs::new(opened, problem);
        let values = pairs.values(opened, None)?;
        let rows = pairs.rows()?;
        let digest = Digest::new(opened, &pairs.problem, LARGEST)?;
        let said = digest.start_as_it_is(0, sides(&rows), pairs.problem.rows)?.finish()?;
        let (sums, _, _) = digest.sums(0)?;
        let is_right = values.chunks_exact(pairs.problem.rows).enumerate().all(|(measure, values)| {
            let values = || values.iter().filter_map(|bits| value(*bits));
            let finite: Vec<f64> = values().filter(|value| value.is_finite()).map(f64::from).collect();
            let mut groups = vec![0; SUMS];
            finite.iter().for_each(|value| groups[bucket(*value) / TOGETHER] += 1);
            let mut largest: Vec<f32> = values().collect();
            largest.sort_by(|a, b| b.total_cmp(a));
            largest.truncate(LARGEST);
            let found = said.top[measure].iter().map(|(_, value)| *value);
            let [block] = said.blocks[measure][..] else { return false };
            let mean = finite.iter().sum::<f64>() / finite.len().max(1) as f64;
            let squares = finite.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
            // Compared with the sum of the squares of the values, because values may lie near each other and far from 0.
            let all_squares: f64 = finite.iter().map(|value| value * value).sum();
            let is_near = |found: f64, want: f64, scale: f64| (found - want).abs() <= MOMENT_ERROR * scale;
            block.count as usize == finite.len()
                && block.infinite as usize == values().count() - finite.len()
                && is_near(f64::from(block.mean), mean, mean)
                && is_near(block.squares(), squares, all_squares)
                && found.eq(largest)
                && sums[measure] == groups
        });
        let any = said.blocks.iter().flatten().all(|block| block.count > 0);
        refuse_unless(&opened.device, is_right.then_some(any).ok_or_else(|| "its summary is another".to_owned()))
    })
}

/// The allowed error of the moments of a few values, as a part of them.
const MOMENT_ERROR: f64 = 1e-5;

/// Makes the whole process refuse a device if something is wrong. Else returns whether anything was compared.
fn refuse_unless(device: &GpuDevice, is_right: std::result::Result<bool, String>) -> Result<bool> {
    is_right.map_err(|reason| {
        probe::refuse(device, &reason);
        device.give_up(reason)
    })
}

/// Compares the sums of the canary rows with the oracle, except those that are left to the host. Returns whether there were
/// others.
fn compare(problem: &Problem, (p, q): (&Rows<'_>, &Rows<'_>), sums: &RowSums) -> std::result::Result<bool, String> {
    const LEFT: u32 = RowFlags::EMPTY | RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::POLICY | RowFlags::RESCUE;
    let mut any = false;
    let rows = sums.flags.iter().zip(sums.sums.chunks_exact(problem.terms.len())).enumerate();
    for (row, (flags, sums)) in rows.filter(|(_, (flags, _))| !flags.any(LEFT)) {
        let value = |i: usize| {
            let slots = &problem.slots[i];
            let finish = slots.measure.finisher(problem.unit);
            match slots.infinite.on(flags.support()) {
                true => f64::INFINITY,
                false => finish.value(sums[slots.first], slots.second.map(|second| sums[second])),
            }
        };
        compare_row(problem, ((p, row), (q, row)), &value)?;
        any = true;
    }
    Ok(any)
}

/// Compares the values of a pair of rows, by number of the measure, with the oracle.
fn compare_row(
    problem: &Problem,
    (p, q): ((&Rows<'_>, usize), (&Rows<'_>, usize)),
    value: &dyn Fn(usize) -> f64,
) -> std::result::Result<(), String> {
    let measures: SmallVec<[_; 4]> = problem.slots.iter().map(|slots| slots.measure).collect();
    let (wanted, _) = reference::row(&measures, p, q, problem.zeros, problem.unit, &problem.positions);
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

#[cfg(test)]
mod tests {
    use super::*;
    use kullback_kernels::measures::Divergence;
    use kullback_kernels::unit::Unit;
    use kullback_kernels::zeros::Zeros;

    #[test]
    fn the_oracle_never_judges_a_very_long_row() {
        for bins in [1, 7, 64, 1000, 1025, 16_384, 16_385, 40_000, 4_000_001] {
            let weights = vec![1_u8; bins];
            let rows = Rows::new(&weights, bins).expect("rows");
            let measures = [Divergence::Kl, Divergence::Tv];
            let problem = Problem::new(&measures, &rows, &rows, Zeros::Exact, Unit::Nats).expect("problem");
            let short = shorter(&problem, false);
            assert!(short.bins <= bins.min(SPLIT_BINS as usize + 12), "{} of {bins}", short.bins);
            assert_eq!(keys(&short, false), keys(&problem, false));
        }
    }
}
