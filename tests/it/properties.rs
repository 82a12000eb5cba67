//! Properties that hold for any rows. They are laws, not examples.

use crate::common::{cpu, with};
use kullback::{Divergence, Rows, Zeros};
use kullback_conformance::measures;
use proptest::prelude::*;

/// Two rows of the same length, with zeros among the weights. Both have some weight.
fn pair() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let weight = prop_oneof![3 => 0.001_f32..1000.0, 1 => Just(0.0_f32), 1 => (0_u32..50).prop_map(|x| x as f32)];
    (1_usize..200)
        .prop_flat_map(move |n| {
            (proptest::collection::vec(weight.clone(), n), proptest::collection::vec(weight.clone(), n))
        })
        .prop_filter("both rows have weight", |(p, q)| p.iter().any(|x| *x > 0.0) && q.iter().any(|x| *x > 0.0))
}

fn values(p: &[f32], q: &[f32]) -> Vec<(Divergence, f64)> {
    values_of(&measures(), p, q)
}

fn values_of(measures: &[Divergence], p: &[f32], q: &[f32]) -> Vec<(Divergence, f64)> {
    let engine = cpu().expect("cpu");
    let (p, q) = (Rows::new(p, p.len()).expect("row"), Rows::new(q, q.len()).expect("row"));
    let out = engine.rowwise(measures, p, q, &with(Zeros::Exact)).expect("rowwise");
    out.iter().map(|(measure, column)| (measure, column[0])).collect()
}

fn floor(measure: Divergence) -> f64 {
    if measure.is_first_order() { 1e-12 } else { 1e-24 }
}

fn compares(measure: Divergence) -> bool {
    !matches!(measure, Divergence::Entropy | Divergence::CrossEntropy)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_value_is_negative_or_not_a_number((p, q) in pair()) {
        for (measure, value) in values(&p, &q) {
            prop_assert!(value >= 0.0, "{measure}: {value}");
        }
    }

    #[test]
    fn equal_rows_give_exactly_zero((p, _) in pair()) {
        for (measure, value) in values(&p, &p) {
            prop_assert!(!compares(measure) || value == 0.0, "{measure}: {value:e}");
        }
    }

    #[test]
    fn proportional_rows_end_at_the_floor_of_the_contract((p, _) in pair(), factor in 2_u8..=9) {
        // Small whole weights make the multiple exact, so the rows are exactly proportional and not only nearly so.
        let p: Vec<f32> = p.iter().map(|x| x.ceil()).collect();
        let q: Vec<f32> = p.iter().map(|x| x * f32::from(factor)).collect();
        for (measure, value) in values(&p, &q) {
            prop_assert!(!compares(measure) || value <= floor(measure), "{measure}: {value:e}");
        }
    }

    #[test]
    fn bounded_measures_stay_within_their_bounds((p, q) in pair()) {
        for (measure, value) in values(&p, &q) {
            let bound = match measure {
                Divergence::Js => std::f64::consts::LN_2,
                Divergence::JsDistance => std::f64::consts::LN_2.sqrt(),
                Divergence::Hellinger | Divergence::Tv => 1.0,
                Divergence::Triangular => 2.0,
                Divergence::Entropy => (p.len() as f64).ln() * (1.0 + 1e-6),
                _ => f64::INFINITY,
            };
            prop_assert!(value <= bound, "{measure}: {value} above {bound}");
        }
    }

    #[test]
    fn scaling_a_row_by_a_power_of_two_changes_no_bit((p, q) in pair(), power in -20_i32..20) {
        let scaled = |row: &[f32], by: f32| -> Vec<f32> { row.iter().map(|x| x * by).collect() };
        // Of both sides by a power of four: the root of an odd power of two is rounded.
        let four = 4f32.powi(power / 5);
        for ((measure, before), (_, both)) in values(&p, &q).into_iter().zip(values(&scaled(&p, four), &scaled(&q, four))) {
            prop_assert_eq!(before.to_bits(), both.to_bits(), "{}: {} and {}", measure, before, both);
        }
        // Of one side alone: `pooled_js` depends on the scale, and so does where its call is computed.
        let others: Vec<Divergence> = measures().into_iter().filter(|measure| *measure != Divergence::PooledJs).collect();
        let (before, one) = (values_of(&others, &p, &q), values_of(&others, &scaled(&p, 2f32.powi(power)), &q));
        for ((measure, before), (_, one)) in before.into_iter().zip(one) {
            prop_assert_eq!(before.to_bits(), one.to_bits(), "{}: {} and {}", measure, before, one);
        }
    }

    #[test]
    fn permuting_the_bins_stays_within_the_contract((p, q) in pair(), seed in any::<u64>()) {
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(seed | 1));
        let permuted = |row: &[f32]| -> Vec<f32> { order.iter().map(|i| row[*i]).collect() };
        for ((measure, before), (_, after)) in values(&p, &q).into_iter().zip(values(&permuted(&p), &permuted(&q))) {
            let near = (before - after).abs() <= 2e-6 * before + floor(measure);
            prop_assert!(near || before == after, "{measure}: {before:e} and {after:e}");
        }
    }
}
