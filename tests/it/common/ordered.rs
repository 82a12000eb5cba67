//! Test bodies over measures that depend on the order of the bins, with positions.

use std::sync::Arc;

use kullback::{Divergence, Options, Reason, WeightType, Zeros};
use kullback_conformance::{Check, FAMILIES, POLICIES, hard_rows};

use super::compare::with;
use super::engines::{MakeEngine, oracle};
use super::matrix::matrix;

const ORDERED: [Divergence; 2] = [Divergence::W1, Divergence::Ks];

/// Irregular positions: `count` of them, from −3 on, no further apart than 1/`count`.
fn positions(count: usize) -> Arc<[f64]> {
    (0..count).map(|i| (i as f64 + 0.4 * (i as f64 * 1.7).sin()) / count as f64 - 3.0).collect()
}

/// No positions, centres and edges.
fn choices(bins: usize) -> [Option<Arc<[f64]>>; 3] {
    [None, Some(positions(bins)), Some(positions(bins + 1))]
}

/// Row by row, under every policy.
pub fn ordered_bins_are_within_the_contract(make: MakeEngine, weight_types: &[WeightType]) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for (&weight_type, bins) in weight_types.iter().flat_map(|of| [1, 2, 9, 64].map(|bins| (of, bins))) {
        let hard = hard_rows(31, weight_type, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        for zeros in [Zeros::Exact].into_iter().chain(POLICIES) {
            for positions in choices(bins) {
                let options = Options { positions, ..with(zeros) };
                let want = oracle().rowwise(&ORDERED, p, q, &options).expect("the oracle takes every row");
                let got = engine.rowwise(&ORDERED, p, q, &options).expect("rowwise");
                let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
                assert_ne!(got.stats().reason, Some(Reason::OrderedBins), "a device that can must");
                let given = options.positions.as_ref().map_or(0, |positions| positions.len());
                let name = |row: usize| format!("{bins} bins, {given} positions, {zeros}, row {row}");
                check.columns(&got, &columns, want.status(), &p, &q, &name);
            }
        }
    }
    check.assert("ordered bins");
}

/// Rows that many threads share. A GPU leaves longer ones to the CPU, and says so.
pub fn ordered_bins_of_long_rows(make: MakeEngine, is_gpu: bool) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for bins in [1000, 1030, 16_384, 16_385] {
        let hard = hard_rows(33, WeightType::F32, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        for positions in choices(bins) {
            let options = Options { positions, ..with(Zeros::Exact) };
            let want = oracle().rowwise(&ORDERED, p, q, &options).expect("the oracle takes every row");
            let got = engine.rowwise(&ORDERED, p, q, &options).expect("rowwise");
            let is_left = got.stats().reason == Some(Reason::OrderedBins);
            assert_eq!(is_left, is_gpu && bins > 16_384, "{bins} bins");
            let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
            check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("{bins} bins, row {row}"));
        }
    }
    check.assert("ordered bins of long rows");
}

/// All pairs, the nearest rows and a summary give what the rows give.
pub fn ordered_bins_are_the_same_by_every_way(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let (bins, rows) = (9, 2 * FAMILIES.len());
    let hard = hard_rows(32, WeightType::F32, bins, rows);
    let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
    for zeros in [Zeros::Exact, Zeros::Skip, Zeros::Mix(0.01)] {
        let options = Options { positions: Some(positions(bins + 1)), ..with(zeros) };
        let all = matrix(&engine, &ORDERED, p, Some(q), &options);
        for row in 0..rows {
            let alone = engine.rowwise(&ORDERED, p.slice(row, 1), q, &options).expect("one against many");
            for (values, (measure, want)) in all.values.iter().zip(alone.iter()) {
                for (column, want) in want.iter().enumerate() {
                    let value = values[row * rows + column];
                    assert!(value.to_bits() == want.to_bits(), "{measure} of {row}, {column}: {value:e} and {want:e}");
                }
            }
        }
        let nearest = engine.nearest(Divergence::W1, p, Some(q.into()), 3, &options).expect("nearest");
        for row in 0..rows {
            let values = &all.values[0][row * rows..(row + 1) * rows];
            let mut least: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            least.sort_by(f64::total_cmp);
            let found: Vec<f64> = nearest.of(row).unwrap_or_default().iter().map(|top| top.value).collect();
            assert_eq!(found, least[..least.len().min(3)], "the nearest of row {row}");
        }
        let columns = engine.rowwise(&ORDERED, p, q, &options).expect("rowwise");
        let summary = engine.summary(&ORDERED, p, q, &options, 1).expect("summary");
        let values = &columns[Divergence::W1];
        let largest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        assert_eq!(summary.top(Divergence::W1).expect("asked for")[0].value, largest);
    }
}
