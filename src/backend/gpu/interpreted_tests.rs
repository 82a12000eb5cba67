//! The kernels on made-up devices, each of which does something else where WGSL leaves it open: flushed subnormal numbers,
//! fused and reordered arithmetic, quotients that are a few units off, subgroups of any size. What they make of rows of
//! every hard kind is held to the oracle, as the values of a device are.

use kullback_kernels::measures::definition::Definition;
use std::collections::HashMap;
use std::sync::Arc;

use kullback_conformance::{FAMILIES, Values, hard_rows};
use kullback_interpreter::{Device, Kernel};

use super::collect::{TrustLimits, collect_within};
use super::constants::{PARTIAL_WORDS, RECORD_HEAD};
use super::params::RowParameters;
use super::{collect, shaders};
use crate::backend::reference;
use crate::contract::{ABSOLUTE_ERROR, FIRST_ORDER_ERROR, NARROW_ERROR};
use crate::plan::KernelKey;
use crate::plan::kernel_key::{Shape, WORKGROUP, ZerosKind, dispatches};
use kullback_kernels::measures::{Divergence, scan};
use kullback_kernels::problem::Problem;
use kullback_kernels::row_sums::{RowFlags, RowSums};
use kullback_kernels::unit::Unit;
use kullback_kernels::weights::{Rows, Weights};
use kullback_kernels::zeros::Zeros;

const STAMP: u32 = 7;

/// Kernels by their keys, entry points and subgroups, compiled once.
#[derive(Default)]
struct Kernels(HashMap<(KernelKey, &'static str, u32), Kernel>);

/// A fault that is put back into the kernels, to see that it is found.
#[derive(Clone, Copy, Default)]
struct Fault {
    /// Parts of the source, and what stands in their place.
    changes: &'static [(&'static str, &'static str)],
    /// What was trusted.
    limits: Option<TrustLimits>,
}

/// Whether a bin has weight was asked of the scaled one.
const ASKED_OF_SCALED: &[(&str, &str)] = &[("let has_q = q_stored > 0.0;", "let has_q = q_weight > 0.0;"), OLD_TINY];
const OLD_TINY: (&str, &str) = (
    "(policy_has(has_p, has_q) && !(a >= TINY)) || (policy_has(has_q, has_p) && !(q.high >= TINY))",
    "(p.high > 0.0 && a < TINY) || (q.high > 0.0 && q.high < TINY)",
);
/// Amounts of a policy were taken as they came out.
const ANY_AMOUNT: &[(&str, &str)] =
    &[("!(policy_holds(p, missing_p) && policy_holds(q, missing_q))", "false"), OLD_TINY];
/// Every normal float was taken for exact.
const ANY_NORMAL: &[(&str, &str)] =
    &[("const LEAST_EXACT: u32 = 0x0c800000u;", "const LEAST_EXACT: u32 = 0x00800000u;")];
/// A product of two shares was taken as it came out.
const SUBNORMAL_PRODUCT: &[(&str, &str)] =
    &[("opaque(opaque(c.a) * 1.329227995784916e36) * opaque(c.q)", "opaque(c.a * c.q) * 1.329227995784916e36")];
/// What is left of a weight under `epsilon` stood in two parts that were not added up.
const REST_IN_PARTS: &[(&str, &str)] = &[(
    "let rest = two_sum(sum.high, sum.low + side.add.low);",
    "let rest = TwoPart(sum.high, sum.low + side.add.low);",
)];

/// Which rows a problem of the tests is over, and what is asked of them.
struct Case {
    p: Vec<f32>,
    q: Vec<f32>,
    bins: usize,
    zeros: Zeros,
    measures: Vec<Divergence>,
    positions: Arc<[f64]>,
    want: Vec<Vec<f64>>,
}

impl Case {
    fn new(seed: u64, bins: usize, zeros: Zeros, measures: &[Divergence]) -> Self {
        let hard = hard_rows(seed, kullback_conformance::WeightType::F32, bins, FAMILIES.len());
        let (Values::F32(p), Values::F32(q)) = (hard.p, hard.q) else { panic!("rows of f32") };
        Self::of(p, q, bins, zeros, measures)
    }

    /// Of measures of ordered bins and others. There are `positions` of the bins: none, as many as bins, or one more.
    fn ordered(seed: u64, bins: usize, zeros: Zeros, positions: usize) -> Self {
        let measures = match seed % 3 {
            0 => vec![Divergence::W1, Divergence::Ks],
            1 => vec![Divergence::Kl, Divergence::Ks, Divergence::Js, Divergence::W1],
            _ => vec![Divergence::Js, Divergence::W1],
        };
        // From one to the next it is a little farther each time.
        let positions: Arc<[f64]> = (0..positions).map(|i| -3.0 + i as f64 * (1.0 + 0.37 * i as f64)).collect();
        let case = Self::new(seed, bins, zeros, &measures);
        let want = wanted(&case.p, &case.q, bins, zeros, &measures, &positions);
        Self { positions, want, ..case }
    }

    /// Of rows that show what was once wrong, each on one of the two sides.
    fn seen(zeros: Zeros, measures: &[Divergence]) -> Self {
        let two = |n: i32| 2f32.powi(n);
        let rows = [
            // One bin holds nearly all.
            ([1_151_414.0, 1.0, 5.0, 1.0], [6_618_694.0, 20.0, 5.0, 5.0]),
            // The scale of the row makes nothing of a weight.
            ([0.5, 0.5, 0.0, 0.0], [two(89), two(-60), 0.0, 0.0]),
            // Last digits are subnormal.
            ([two(-80), two(-81), two(-115) * (1.0 + two(-12)), 0.0], [two(-50), two(-50), two(-120), 0.0]),
            // Products of shares are.
            ([1.0, 3.0 * two(-65), two(-65), 0.0], [1.0, two(-65), 3.0 * two(-65), 0.0]),
            // An amount of a policy is.
            ([1e-25, 0.0, 0.0, 1e-25], [0.5, 0.5, 0.25, 0.25]),
            // Nearly all of a weight is lost for those that are missing.
            ([0.25, 0.25, 0.25, 0.25], [0.998, 0.001_000_3, 0.0, 0.0]),
        ];
        let [p, q] = [0, 1].map(|side| {
            let both = rows.iter().flat_map(|(p, q)| [(p, q), (q, p)]);
            both.flat_map(|(p, q)| if side == 0 { *p } else { *q }).collect()
        });
        Self::of(p, q, 4, zeros, measures)
    }

    fn of(p: Vec<f32>, q: Vec<f32>, bins: usize, zeros: Zeros, measures: &[Divergence]) -> Self {
        let want = wanted(&p, &q, bins, zeros, measures, &[]);
        Self { bins, zeros, measures: measures.to_vec(), positions: Arc::default(), want, p, q }
    }

    fn problem(&self) -> Problem {
        let (p, q) = (Rows::new(&self.p, self.bins).expect("p"), Rows::new(&self.q, self.bins).expect("q"));
        let problem = Problem::new(&self.measures, &p, &q, self.zeros, Unit::Nats).expect("a problem");
        let positions = (!self.positions.is_empty()).then_some(&self.positions);
        problem.with_positions(positions).expect("positions")
    }
}

/// What the oracle says of each row.
fn wanted(
    p: &[f32],
    q: &[f32],
    bins: usize,
    zeros: Zeros,
    measures: &[Divergence],
    positions: &[f64],
) -> Vec<Vec<f64>> {
    let (p, q) = (Rows::new(p, bins).expect("p"), Rows::new(q, bins).expect("q"));
    let row = |row| reference::row(measures, (&p, row), (&q, row), zeros, Unit::Nats, positions).0;
    (0..p.len()).map(row).collect()
}

fn words(rows: &Rows<'_>) -> Vec<u32> {
    let Weights::F32(weights) = rows.weights() else { panic!("rows of f32") };
    weights.iter().map(|weight| weight.to_bits()).collect()
}

impl Kernels {
    /// Runs the kernels of a problem; the sums of all rows, as the host makes them of the records.
    fn run(&mut self, case: &Case, device: &Device, subgroups: bool, shape: Option<Shape>, fault: Fault) -> RowSums {
        let (p, q) = (Rows::new(&case.p, case.bins).expect("p"), Rows::new(&case.q, case.bins).expect("q"));
        let problem = case.problem();
        assert!(problem.needs_wide().is_none(), "{:?} under {}", case.measures, case.zeros);
        let (rows, shape) = (p.len(), shape.unwrap_or_else(|| Shape::of(&problem)));
        let records = rows * shape.parts() as usize;
        let workgroups = match shape {
            Shape::Split { parts } => rows as u32 * parts,
            whole => (rows as u32).div_ceil(WORKGROUP / whole.threads()),
        };
        let widths = scan::widths(&problem.positions, problem.bins);
        let widths: Vec<u32> = widths.map(|width| (width as f32).to_bits()).collect();
        let mut groups = Vec::new();
        for terms in dispatches(&problem.terms) {
            let key = KernelKey::new(&problem, terms, shape, subgroups);
            let entries: &[&str] = match (key.split, key.zeros) {
                (false, _) => &["whole"],
                (true, ZerosKind::Floor) => &["split_totals", "split_floored", "split_terms"],
                (true, _) => &["split_totals", "split_terms"],
            };
            let params = RowParameters { stamp: STAMP, ..RowParameters::new(&problem, terms, shape, rows, [0, 0]) };
            let results = vec![0; records * (RECORD_HEAD + terms.len())];
            let mut bindings = [
                words(&p),
                words(&q),
                results,
                if key.is_scan() { widths.clone() } else { vec![0; 2 * records * PARTIAL_WORDS] },
                bytemuck::cast_slice(&[params]).to_vec(),
            ];
            for entry in entries {
                let subgroup = if subgroups { device.subgroup } else { 1 };
                let kernel = self.0.entry((key, entry, subgroup)).or_insert_with(|| {
                    let mut constants = vec![("THREADS", f64::from(key.threads))];
                    if subgroups {
                        constants.push(("SUBGROUP", f64::from(subgroup)));
                    }
                    let mut source = shaders::source(&key);
                    for (from, to) in fault.changes {
                        source = source.replace(from, to);
                    }
                    Kernel::new(&source, entry, &constants).unwrap_or_else(|error| panic!("{key:?}: {error}"))
                });
                let ran = kernel.run(&mut bindings, [workgroups, 1, 1], device);
                ran.unwrap_or_else(|error| panic!("{key:?} on {device}: {error}"));
            }
            groups.push(std::mem::take(&mut bindings[2]));
        }
        let records = collect::Records { stamp: STAMP as u16, shape, groups };
        let mut sums = RowSums::default();
        let limits = fault.limits.unwrap_or(TrustLimits::SAFE);
        assert!(collect_within(&limits, &problem, &records, rows, &mut sums), "records of another chunk on {device}");
        sums
    }

    /// The values outside the contract, in words; how many were compared, and how many rows were left to the host.
    fn failures(
        &mut self,
        case: &Case,
        device: &Device,
        subgroups: bool,
        shape: Option<Shape>,
        fault: Fault,
    ) -> (Vec<String>, u64, u64) {
        let sums = self.run(case, device, subgroups, shape, fault);
        let problem = case.problem();
        let terms = problem.terms.len();
        let (mut failures, mut compared, mut left) = (Vec::new(), 0, 0);
        const INVALID: u32 = RowFlags::INVALID_P | RowFlags::INVALID_Q | RowFlags::POLICY;
        for (row, (flags, sums)) in sums.flags.iter().zip(sums.sums.chunks_exact(terms)).enumerate() {
            if flags.any(RowFlags::RESCUE) {
                left += 1;
                continue;
            }
            for (slots, want) in problem.slots.iter().zip(&case.want[row]) {
                let (measure, want) = (slots.measure, *want);
                let got = if flags.any(INVALID | RowFlags::EMPTY) {
                    f64::NAN
                } else if measure.is_infinite(flags.support()) {
                    f64::INFINITY
                } else {
                    measure.finisher(Unit::Nats).value(sums[slots.first], slots.second.map(|second| sums[second]))
                };
                compared += 1;
                let absolute = if measure.is_first_order() { FIRST_ORDER_ERROR } else { ABSOLUTE_ERROR };
                let is_right = got == want
                    || (got.is_nan() && want.is_nan())
                    || (got - want).abs() <= (NARROW_ERROR * want.abs()).max(absolute);
                if !is_right || got < 0.0 {
                    let family = FAMILIES[row % FAMILIES.len()];
                    failures.push(format!(
                        "{measure}: {got:e} for {want:e} in row {row} ({family}) of {} bins, {}, subgroups {subgroups}, {device}",
                        case.bins, case.zeros
                    ));
                }
            }
        }
        (failures, compared, left)
    }
}

/// Measures whose kernel on a GPU is that of usual rows.
fn second_order() -> Vec<Divergence> {
    use Divergence::{Chi2, Hellinger, Jeffreys, Js, Kl, NeymanChi2, ReverseKl, Triangular};
    vec![Kl, ReverseKl, Jeffreys, Js, Hellinger, Chi2, NeymanChi2, Triangular]
}

/// Seven terms and more, first-order ones and orders among them.
fn mixed() -> Vec<Divergence> {
    use Divergence::{Alpha, Chi2, CrossEntropy, Entropy, Hellinger, Js, Kl, Renyi, ReverseKl, Tv};
    vec![Kl, ReverseKl, Js, Hellinger, Tv, Chi2, CrossEntropy, Entropy, Renyi(0.0), Renyi(2.0), Alpha(-1.0), Alpha(2.0)]
}

fn cases() -> Vec<(Case, Option<Shape>)> {
    let policies = kullback_conformance::POLICIES.map(|zeros| zeros.to_string().parse().expect("a policy"));
    let small = [Zeros::Epsilon(1e-20), Zeros::Additive(1e-20), Zeros::Floor(1e-25), Zeros::Mix(1e-25)];
    let mut cases =
        vec![(Case::seen(Zeros::Exact, &mixed()), None), (Case::seen(Zeros::Epsilon(1e-3), &mixed()), None)];
    for bins in [2, 5, 8, 16, 37] {
        cases.push((Case::new(3, bins, Zeros::Exact, &second_order()), None));
    }
    for (i, zeros) in policies.iter().copied().chain(small).enumerate() {
        for bins in [2, 3 + i % 4, 20] {
            cases.push((Case::new(4 + i as u64, bins, zeros, &mixed()), None));
        }
    }
    for (i, zeros) in [Zeros::Exact, Zeros::Exact, Zeros::Exact].into_iter().chain(policies).enumerate() {
        for (j, bins) in [2, 5, 9, 33].into_iter().enumerate() {
            let positions = [0, bins, bins + 1][(i + j) % 3];
            cases.push((Case::ordered((20 + 4 * i + j) as u64, bins, zeros, positions), None));
        }
    }
    // Of several parts, which short rows have too where they are asked for.
    let split = Some(Shape::Split { parts: 2 });
    for zeros in [Zeros::Exact, Zeros::Floor(1e-6)] {
        cases.push((Case::new(5, 9, zeros, &mixed()), split));
    }
    cases
}

#[test]
fn kernels_are_within_the_contract_whatever_a_device_does() {
    let seeds: u64 = std::env::var("KULLBACK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(24);
    let (mut failures, mut compared, mut left, mut rows) = (Vec::new(), 0, 0, 0);
    let mut kernels = Kernels::default();
    for (case, shape) in cases() {
        let devices = [Device::exact()].into_iter().chain((0..seeds).map(Device::random));
        for (i, device) in devices.enumerate() {
            let (more, values, host) = kernels.failures(&case, &device, i % 2 == 0, shape, Fault::default());
            failures.extend(more);
            (compared, left, rows) = (compared + values, left + host, rows + case.want.len() as u64);
        }
    }
    eprintln!("{seeds} seeds: {compared} values, {left} of {rows} rows left to the host");
    let shown = failures.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {compared} values\n{shown}", failures.len());
    assert!(compared > 50_000 && left < rows * 2 / 3);
}

#[test]
fn the_same_bits_come_twice_and_with_every_size_of_subgroups() {
    let mut kernels = Kernels::default();
    for (case, shape) in cases().into_iter().step_by(5) {
        let device = Device { lanes: kullback_interpreter::LaneOrder::Shuffled, ..Device::exact() };
        let first = kernels.run(&case, &device, false, shape, Fault::default());
        for subgroup in [4, 16, 128] {
            let device = Device { subgroup, ..device.clone() };
            let again = kernels.run(&case, &device, true, shape, Fault::default());
            let bits = |sums: &RowSums| sums.sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
            assert!(first.flags == again.flags && bits(&first) == bits(&again), "{} bins, {}", case.bins, case.zeros);
        }
    }
}

#[test]
fn each_fault_of_old_is_found_when_it_is_put_back() {
    let old_limits = TrustLimits { least: 1e-7, least_tv: 0.0 };
    let faults = [
        ("total variation that is trusted too far", Fault { limits: Some(old_limits), ..Fault::default() }),
        ("weight asked of a scaled number", Fault { changes: ASKED_OF_SCALED, ..Fault::default() }),
        ("amounts that are next to nothing", Fault { changes: ANY_AMOUNT, ..Fault::default() }),
        ("digits that a device may flush", Fault { changes: ANY_NORMAL, ..Fault::default() }),
        ("subnormal products", Fault { changes: SUBNORMAL_PRODUCT, ..Fault::default() }),
        ("the rest of a weight in two parts", Fault { changes: REST_IN_PARTS, ..Fault::default() }),
    ];
    for (name, fault) in faults {
        let (mut kernels, mut as_they_are) = (Kernels::default(), Kernels::default());
        let policies = [Zeros::Exact, Zeros::Epsilon(1e-20), Zeros::Epsilon(1e-3), Zeros::Additive(1e-20)];
        let cases = policies.into_iter().flat_map(|zeros| (40..50).map(move |seed| (zeros, seed)));
        let mut found = None;
        for (zeros, seed) in cases {
            let case = match seed {
                40 => Case::seen(zeros, &mixed()),
                // Larger sums of other measures would leave the row to the host.
                41 => Case::seen(
                    zeros,
                    &[Divergence::Chi2, Divergence::NeymanChi2, Divergence::Tv, Divergence::Hellinger],
                ),
                _ => Case::new(seed, [2, 3, 4, 6][seed as usize % 4], zeros, &mixed()),
            };
            for device in [Device::exact(), Device { flush: true, ..Device::exact() }, Device::random(seed)] {
                let failures = kernels.failures(&case, &device, false, None, fault).0;
                if let Some(failure) = failures.into_iter().next() {
                    // It is the fault that shows.
                    let without = as_they_are.failures(&case, &device, false, None, Fault::default()).0;
                    assert!(without.is_empty(), "{without:?}");
                    found = found.or(Some(failure));
                }
            }
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(failure) => eprintln!("{name}: {failure}"),
            None => panic!("{name} is not found"),
        }
    }
}
