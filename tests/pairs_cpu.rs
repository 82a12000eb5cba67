//! All pairs on the CPU.

mod common;

use common::*;
use kullback::{Device, Divergence, Engine, SimdLevel, WeightType, Zeros};
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
        each_measure_of_all_pairs_alone_is_within_the_contract(cpu, weight_type, ROWS);
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
    for weight_type in [WeightType::F32, WeightType::F64, WeightType::U16] {
        nearest_rows_are_those_of_the_matrix(cpu, weight_type, 300);
    }
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
        // Some rows alone: other tiles, other neighbours in a panel.
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
