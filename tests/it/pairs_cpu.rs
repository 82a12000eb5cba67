//! All pairs on the CPU.

use crate::common::*;
use kullback::{Device, Divergence, Engine, Error, Options, RowStatus, Rows, SimdLevel, WeightType, Zeros};
use kullback_conformance::{POLICIES, hard_rows};

const ROWS: usize = 48;

#[test]
fn all_pairs_of_every_type_are_within_the_contract() {
    for weight_type in WeightType::ALL {
        all_pairs_are_within_the_contract(cpu, weight_type, &[Zeros::Exact], &[1, 2, 9, 65], ROWS);
    }
}

#[test]
fn all_pairs_of_long_rows_are_within_the_contract() {
    all_pairs_are_within_the_contract(cpu, WeightType::F32, &[Zeros::Exact], &[127, 128, 129, 600], ROWS);
    all_pairs_are_within_the_contract(cpu, WeightType::F64, &[Zeros::Exact], &[129, 600], ROWS);
}

#[test]
fn all_pairs_under_every_policy_are_within_the_contract() {
    all_pairs_are_within_the_contract(cpu, WeightType::F32, &POLICIES, &[9, 33], ROWS);
    all_pairs_are_within_the_contract(cpu, WeightType::F64, &POLICIES, &[9], ROWS);
}

#[test]
fn each_measure_of_all_pairs_alone_is_within_the_contract_on_cpu() {
    for weight_type in [WeightType::F32, WeightType::U16, WeightType::F64] {
        each_measure_of_all_pairs_alone_is_within_the_contract(cpu, weight_type, &[9, 40], ROWS);
    }
}

#[test]
fn every_level_is_within_the_contract() {
    fn avx2() -> Option<std::sync::Arc<Engine>> {
        level(SimdLevel::Avx2)
    }
    fn sse() -> Option<std::sync::Arc<Engine>> {
        level(SimdLevel::Sse42)
    }
    fn scalar() -> Option<std::sync::Arc<Engine>> {
        level(SimdLevel::Scalar)
    }
    for make in [avx2, sse, scalar] {
        all_pairs_are_within_the_contract(make, WeightType::F32, &[Zeros::Exact], &[9, 65], ROWS);
    }
}

#[test]
fn clusters_are_within_the_contract_on_cpu() {
    clusters_are_within_the_contract(cpu);
}

#[test]
fn nearest_rows_are_those_of_the_matrix_on_cpu() {
    for (weight_type, rows) in [(WeightType::F32, 300), (WeightType::F64, 120), (WeightType::U16, 120)] {
        nearest_rows_are_those_of_the_matrix(cpu, weight_type, rows);
    }
}

#[test]
fn nearest_rows_of_a_side_with_itself_are_those_of_its_mirrored_matrix() {
    // The matrix has more rows than a tile. For these measures only half of it is computed.
    let (bins, rows) = (64, 1100);
    let hard = hard_rows(26, WeightType::F32, bins, rows);
    let p = hard.p.rows(bins);
    let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
    for measure in [Divergence::Js, Divergence::Jeffreys, Divergence::Tv] {
        let matrix = matrix(&engine, &[measure], p, None, &with(Zeros::Exact));
        assert!(matrix.tiles > 3, "{} tiles", matrix.tiles);
        let found = engine.nearest(measure, p, None, 3, &with(Zeros::Exact)).expect("the nearest");
        for row in 0..rows {
            for near in found.of(row).expect("a row of P") {
                let value = matrix.values[0][row * rows + near.row as usize];
                assert_eq!(near.value.to_bits(), value.to_bits(), "{measure} of {row}, {}", near.row);
            }
            for column in 0..rows {
                let (one, other) = (matrix.values[0][row * rows + column], matrix.values[0][column * rows + row]);
                assert!(one.to_bits() == other.to_bits(), "{measure} of {row}, {column}: {one:e} and {other:e}");
            }
        }
    }
}

#[test]
fn weights_that_vanish_beside_their_total_are_refused_in_pairs_too() {
    let mut weights = vec![1.0_f64; 2 * 20];
    weights[0..2].copy_from_slice(&[1e250, 1e-100]);
    weights[6..8].copy_from_slice(&[0.0, 1.0]);
    let rows = Rows::new(&weights, 2).expect("rows");
    let measures = [Divergence::ReverseKl, Divergence::Bhattacharyya, Divergence::Tv, Divergence::Chi2];
    let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
    let all = matrix(&engine, &measures, rows, Some(rows), &with(Zeros::Exact));
    for (row, status) in all.status.chunks(20).enumerate() {
        let want = oracle().rowwise(&measures, rows.slice(row, 1), rows, &with(Zeros::Exact)).expect("the oracle");
        assert_eq!(status, want.status(), "row {row}");
    }
    let result = engine.nearest(Divergence::Kl, rows, None, 3, &Options::default());
    assert!(matches!(result, Err(Error::RangeTooWide { row: 0, rows: 20, .. })), "{result:?}");
    // An amount that vanishes beside the total leaves no bin empty either.
    let counts: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { 3e4 } else { 0.0 }).collect();
    let counts = Rows::new(&counts, 2).expect("rows");
    let all = matrix(&engine, &measures, counts, Some(counts), &with(Zeros::Additive(1e-320)));
    assert!(!all.status.contains(&RowStatus::Infinite));
}

#[test]
fn neither_threads_nor_neighbours_change_a_bit() {
    let bins = 33;
    let hard = hard_rows(24, WeightType::F32, bins, 700);
    let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
    for measures in [&[Divergence::Kl][..], &[Divergence::Js, Divergence::Tv]] {
        let run = |threads| {
            let engine = Engine::builder().device(Device::Cpu).threads(threads).build().expect("engine");
            matrix(&engine, measures, p, Some(q), &with(Zeros::Exact))
        };
        let one = run(1);
        for threads in [2, 3, 7] {
            let other = run(threads);
            assert!(one.status == other.status, "{threads} threads");
            assert!(bits(&one.values) == bits(&other.values), "{threads} threads");
        }
        // Some rows alone have other tiles, and other neighbours in a panel.
        let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
        let (first, columns) = (133, 271);
        let part = matrix(&engine, measures, p.slice(first, 70), Some(q.slice(columns, 100)), &with(Zeros::Exact));
        for (whole, part) in one.values.iter().zip(&part.values) {
            for (i, part) in part.chunks(100).enumerate() {
                let whole = &whole[(first + i) * q.len() + columns..][..100];
                assert!(bits(&[whole.to_vec()]) == bits(&[part.to_vec()]), "row {i}");
            }
        }
    }
}

fn bits(values: &[Vec<f64>]) -> Vec<u64> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}
