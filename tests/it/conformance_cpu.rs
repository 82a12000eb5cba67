//! The conformance suite on the CPU and on the oracle itself.

use crate::common::*;
use kullback::{Device, Divergence, Engine, Rows, SimdLevel, WeightType, Zeros};
use kullback_conformance::{Check, golden, hard_rows, measures, ordered_measures, wide_measures};

#[test]
fn golden_cases_are_within_the_contract_on_cpu() {
    golden_cases_are_within_the_contract(cpu);
}

#[test]
fn the_oracle_agrees_with_sixty_digit_arithmetic_to_1e_14() {
    let engine = Engine::builder().device(Device::Reference).build().expect("reference");
    let measures = [measures(), wide_measures(), ordered_measures()].concat();
    let mut compared = 0;
    for case in golden() {
        let out = engine.rowwise(&measures, case.p.rows(case.bins), case.q.rows(case.bins), &with(case.zeros));
        let out = out.expect(&case.name);
        for (measure, &want) in
            measures.iter().zip(case.values.iter().chain(&case.wide_values).chain(&case.ordered_values))
        {
            let got = out[*measure][0];
            let same = (want.is_nan() && got.is_nan()) || got == want;
            // Some values are roots of what 31 digits leave of equal rows.
            let floor = if measure.is_first_order() { 1e-15 } else { 1e-29 };
            assert!(
                same || (got - want).abs() <= 1e-14 * want.abs() + floor,
                "{measure} of {} ({}): {got:e} for {want:e}",
                case.name,
                case.zeros
            );
            compared += 1;
        }
    }
    assert_eq!(compared, golden().len() * measures.len());
}

#[test]
fn long_rows_are_within_the_contract_on_cpu() {
    long_rows_are_within_the_contract(cpu);
}

#[test]
fn four_million_bins_are_within_the_contract_on_cpu() {
    four_million_bins_are_within_the_contract(cpu);
}

#[test]
fn one_row_against_many_is_within_the_contract_on_cpu() {
    one_row_against_many_is_within_the_contract(cpu);
}

#[test]
fn mixed_types_are_within_the_contract_on_cpu() {
    mixed_types_are_within_the_contract(cpu);
}

#[test]
fn a_stride_reads_a_column_range_in_place_on_cpu() {
    a_stride_reads_a_column_range_in_place(cpu);
}

#[test]
fn symmetric_measures_stay_when_the_sides_are_swapped_on_cpu() {
    symmetric_measures_stay_when_the_sides_are_swapped(cpu);
}

#[test]
fn one_bad_row_changes_no_other_on_cpu() {
    one_bad_row_changes_no_other(cpu);
}

#[test]
fn each_measure_alone_is_within_the_contract_on_cpu() {
    for weight_type in [WeightType::F32, WeightType::U16, WeightType::F64] {
        each_measure_alone_is_within_the_contract(cpu, weight_type, &[1, 2, 5, 8, 16, 17, 65, 130, 300]);
    }
}

#[test]
fn orders_at_the_edges_are_within_the_contract_on_cpu() {
    for weight_type in [WeightType::F32, WeightType::U16, WeightType::F64] {
        orders_at_the_edges_are_within_the_contract(cpu, weight_type, &[1, 2, 9, 64, 300]);
    }
}

#[test]
fn each_measure_alone_is_within_the_contract_over_a_row_in_segments() {
    each_measure_alone_is_within_the_contract(cpu, WeightType::F32, &[70_001]);
}

/// A ratio guessed from samples has a large error if the samples miss the one bin with nearly all weight.
#[test]
fn a_bin_that_no_sample_sees_is_within_the_contract() {
    let bins = 131_072;
    let mut p = vec![1.0_f32; bins];
    let q: Vec<f32> = (0..bins).map(|bin| if bin % 2 == 0 { 2.9 } else { 3.0 }).collect();
    for hot in [1e2, 1e6] {
        p[70_001] = bins as f32 * hot;
        let wide = [&p, &q].map(|row| row.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>());
        use Divergence::{Chi2, Hellinger, Kl, NeymanChi2, ReverseKl};
        for measure in [Kl, ReverseKl, Chi2, NeymanChi2, Hellinger] {
            let narrow = [&p, &q].map(|row| Rows::new(row, bins).expect("rows"));
            let wide = [&wide[0], &wide[1]].map(|row| Rows::new(row, bins).expect("rows"));
            for [p, q] in [narrow, wide] {
                for (p, q) in [(p, q), (q, p)] {
                    let want = oracle().rowwise(&[measure], p, q, &with(Zeros::Exact)).expect("the oracle");
                    let got = cpu().expect("cpu").rowwise(&[measure], p, q, &with(Zeros::Exact)).expect("rowwise");
                    let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
                    let mut check = Check::default();
                    check.columns(&got, &columns, want.status(), &p, &q, &|_| format!("{measure}, {hot}"));
                    check.assert("a bin that no sample sees");
                }
            }
        }
    }
}

#[test]
fn a_row_in_segments_gives_the_same_bits_for_every_thread_count() {
    let bins = 300_017;
    let hard = hard_rows(13, WeightType::F32, bins, 4);
    let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
    let measures = [Divergence::Kl, Divergence::Js, Divergence::Tv];
    for measures in [&measures[..1], &measures] {
        let run = |threads| {
            let engine = Engine::builder().device(Device::Cpu).threads(threads).build().expect("engine");
            engine.rowwise(measures, p, q, &with(Zeros::Exact)).expect("rowwise")
        };
        let one = run(1);
        for threads in [2, 3, 7] {
            same_bits(&one, &run(threads), &format!("{threads} threads"));
        }
    }
}

#[test]
fn every_thread_count_gives_the_same_bits() {
    let bins = 33;
    let hard = hard_rows(11, WeightType::F32, bins, 4000);
    let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
    let run = |threads, measures: &[Divergence]| {
        let engine = Engine::builder().device(Device::Cpu).threads(threads).build().expect("engine");
        engine.rowwise(measures, p, q, &with(Zeros::Exact)).expect("rowwise")
    };
    let one = run(1, &measures());
    for threads in [2, 3, 7] {
        same_bits(&one, &run(threads, &measures()), &format!("{threads} threads"));
    }
    // The place of a row in the batch does not matter either.
    let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
    let late = engine.rowwise(&measures(), p.slice(1237, 100), q.slice(1237, 100), &with(Zeros::Exact)).expect("slice");
    for (measure, column) in late.iter() {
        for (row, value) in column.iter().enumerate() {
            assert_eq!(value.to_bits(), one[measure][1237 + row].to_bits(), "{measure} of row {row}");
        }
    }
}

#[test]
fn what_a_row_gives_does_not_hang_on_its_neighbours() {
    for (bins, weight_type) in [(7, WeightType::F32), (33, WeightType::F32), (64, WeightType::F64)] {
        let hard = hard_rows(11, weight_type, bins, 200);
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
        let policies = kullback_conformance::POLICIES.into_iter().flat_map(|zeros| {
            use Divergence::{CrossEntropy, Entropy, Kl, Tv};
            [Kl, Tv, Entropy, CrossEntropy].map(|measure| (zeros, measure))
        });
        for (zeros, measure) in policies {
            let batch = engine.rowwise(&[measure], p, q, &with(zeros)).expect("batch");
            for row in 0..p.len() {
                let alone = engine.rowwise(&[measure], p.slice(row, 1), q.slice(row, 1), &with(zeros)).expect("row");
                let (alone, batch) = (alone[measure][0], batch[measure][row]);
                assert_eq!(alone.to_bits(), batch.to_bits(), "{measure} of row {row} of {bins} bins, {zeros}");
            }
        }
    }
}

#[test]
fn a_weight_that_is_no_number_hides_nothing_on_cpu() {
    a_weight_that_is_no_number_hides_nothing(cpu, 1);
    a_weight_that_is_no_number_hides_nothing(|| level(SimdLevel::Avx2), 1);
}

#[test]
fn small_weights_do_not_drown_in_a_large_one_on_cpu() {
    small_weights_do_not_drown_in_a_large_one(cpu);
}

#[test]
fn policies_over_missing_bins_are_within_the_contract_on_cpu() {
    policies_over_missing_bins_are_within_the_contract(cpu);
}

macro_rules! levels {
    ($($name:ident: $level:ident;)*) => {$(
        #[test]
        fn $name() {
            golden_cases_are_within_the_contract(|| level(SimdLevel::$level));
            for weight_type in [WeightType::F32, WeightType::U16, WeightType::F64] {
                let make = || level(SimdLevel::$level);
                hard_rows_are_within_the_contract(make, weight_type, Zeros::Exact, &[1, 3, 8, 17, 64, 129]);
                each_measure_alone_is_within_the_contract(make, weight_type, &[4, 16, 65]);
            }
        }
    )*};
}

levels! {
    avx512_is_within_the_contract: Avx512;
    avx2_is_within_the_contract: Avx2;
    sse42_is_within_the_contract: Sse42;
    neon_is_within_the_contract: Neon;
    the_scalar_fallback_is_within_the_contract: Scalar;
}

macro_rules! hard_rows {
    ($($name:ident: $weight_type:ident;)*) => {$(
        #[test]
        fn $name() {
            for zeros in kullback_conformance::POLICIES {
                hard_rows_are_within_the_contract(cpu, kullback::WeightType::$weight_type, zeros, &LENGTHS);
            }
        }
    )*};
}

hard_rows! {
    hard_f32_rows_are_within_the_contract_on_cpu: F32;
    hard_f64_rows_are_within_the_contract_on_cpu: F64;
    hard_f16_rows_are_within_the_contract_on_cpu: F16;
    hard_bf16_rows_are_within_the_contract_on_cpu: Bf16;
    hard_u8_rows_are_within_the_contract_on_cpu: U8;
    hard_u16_rows_are_within_the_contract_on_cpu: U16;
    hard_u32_rows_are_within_the_contract_on_cpu: U32;
    hard_u64_rows_are_within_the_contract_on_cpu: U64;
    hard_i32_rows_are_within_the_contract_on_cpu: I32;
    hard_i64_rows_are_within_the_contract_on_cpu: I64;
}
