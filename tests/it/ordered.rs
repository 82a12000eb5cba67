//! Measures of ordered bins and of pooled totals: on the CPU, by published values, and what they refuse.

use std::sync::Arc;

use kullback::{Device, Divergence, Engine, Error, OnInvalid, Options, Rows, WeightType};
use kullback_conformance::{FAMILIES, hard_rows, measures, ordered_measures, wide_measures};

use crate::common::{
    cpu, ordered_bins_are_the_same_by_every_way, ordered_bins_are_within_the_contract, ordered_bins_of_long_rows,
};

#[test]
fn ordered_bins_are_within_the_contract_on_cpu() {
    ordered_bins_are_within_the_contract(cpu, &[WeightType::F32, WeightType::U16, WeightType::F64]);
    ordered_bins_of_long_rows(cpu, false);
}

#[test]
fn ordered_bins_are_the_same_by_every_way_on_cpu() {
    ordered_bins_are_the_same_by_every_way(cpu);
}

#[test]
fn a_measure_says_whether_it_depends_on_the_order() {
    assert!(ordered_measures().into_iter().all(Divergence::is_of_ordered_bins));
    assert!(!measures().into_iter().chain(wide_measures()).any(Divergence::is_of_ordered_bins));
}

/// Beside measures of any other kind, each of them is what it is alone.
#[test]
fn beside_other_measures_they_change_nothing() {
    use Divergence::{Kl, Ks, Renyi, Tsallis, W1};
    let hard = hard_rows(33, WeightType::F32, 17, 3 * FAMILIES.len());
    let (p, q) = (hard.p.rows(17), hard.q.rows(17));
    let engine = cpu().expect("the CPU");
    let options = Options { on_invalid: OnInvalid::Null, ..Options::default() };
    let of = |measures: &[Divergence]| engine.rowwise(measures, p, q, &options).expect("rowwise");
    for others in [&[Kl][..], &[Renyi(5.0), Kl, Tsallis(2.0)]] {
        let mixed = [&[W1], others, &[Ks]].concat();
        let (together, apart) = (of(&mixed), of(others));
        let ordered = of(&[W1, Ks]);
        for (measure, values) in together.iter() {
            let want = if others.contains(&measure) { &apart[measure] } else { &ordered[measure] };
            for (row, (value, want)) in values.iter().zip(want).enumerate() {
                // A row that either kernel leaves is computed in 64 bits as a whole.
                let near = (value - want).abs() <= 2e-6 * want.abs() + 1e-12;
                assert!(
                    near || value == want || (value.is_nan() && want.is_nan()),
                    "{measure} of {row}: {value:e}, {want:e}"
                );
            }
        }
        assert_eq!(together.status(), apart.status(), "{others:?}");
    }
}

fn at(positions: &[f64]) -> Options {
    Options { positions: Some(Arc::from(positions)), ..Options::default() }
}

fn w1(p: &[f64], q: &[f64], positions: &[f64]) -> Result<f64, Error> {
    let engine = Engine::builder().device(Device::Cpu).build()?;
    let (p, q) = (Rows::new(p, p.len())?, Rows::new(q, q.len())?);
    Ok(engine.rowwise(&[Divergence::W1], p, q, &at(positions))?[Divergence::W1][0])
}

/// The values of the documentation of `scipy.stats.wasserstein_distance`, version 1.11.
#[test]
fn published_values_of_w1() {
    let close = |value: Result<f64, Error>, want: f64| {
        let value = value.expect("a value");
        assert!((value - want).abs() <= 1e-12 * want, "{value} and {want}");
    };
    close(w1(&[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], &[0.0, 1.0, 3.0, 5.0, 6.0, 8.0]), 5.0);
    close(w1(&[3.0, 1.0], &[2.0, 2.0], &[0.0, 1.0]), 0.25);
    let (p, q) = ([0.0, 1.4, 0.9, 0.0, 3.1, 7.2], [3.5, 0.0, 0.0, 3.2, 0.0, 0.0]);
    close(w1(&p, &q, &[1.4, 3.4, 3.9, 4.5, 7.5, 7.8]), 4.078_133_143_804_786);
}

/// The value of the documentation of `scipy.stats.chi2_contingency` with `lambda_="log-likelihood"`, version 1.11.
#[test]
fn pooled_js_is_the_g_test() {
    let (p, q) = ([10_u32, 10, 20], [20_u32, 20, 20]);
    let statistic = 2.0 * 100.0 * kullback::pooled_js(&p, &q).expect("a value");
    assert!((statistic - 2.768_858_761_678_132).abs() < 1e-6, "{statistic}");
}

/// Whatever the span of the positions, a value within it is found.
#[test]
fn spans_of_any_size() {
    for span in [1.7e308, 0.95e308, 1e-300, 1e-320] {
        let value = w1(&[3.0, 0.0], &[0.0, 1.9], &[0.0, span]).expect("a value");
        assert!((value / span - 1.0).abs() < 1e-12, "{value:e} of {span:e}");
        let value = w1(&[1.0, 1.0], &[1.0, 0.0], &[0.0, 0.5 * span, span]).expect("a value");
        assert!((value / span - 0.25).abs() < 1e-3, "{value:e} of {span:e}");
    }
}

/// Positions that are wrong are typed errors, and positions that no measure uses are not ignored.
#[test]
fn wrong_positions_are_refused() {
    let refused = |positions: &[f64]| w1(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0], positions).expect_err("wrong positions");
    assert_eq!(refused(&[0.0, 1.0]), Error::PositionCount { positions: 2, bins: 3 });
    assert_eq!(refused(&[]), Error::PositionCount { positions: 0, bins: 3 });
    assert_eq!(refused(&[0.0, 1.0, 1.0]), Error::PositionOrder { index: 2, value: 1.0, before: 1.0 });
    assert!(matches!(refused(&[0.0, f64::NAN, 1.0]), Error::Position { index: 1, .. }));
    assert_eq!(refused(&[0.0, 1.0, f64::INFINITY, 3.0]), Error::Position { index: 2, value: f64::INFINITY });
    assert_eq!(refused(&[-1e308, 0.0, 1e308]), Error::PositionSpan { first: -1e308, last: 1e308 });
    let engine = Engine::builder().device(Device::Cpu).build().expect("the CPU");
    let weights = [1.0, 2.0];
    let rows = || Rows::new(&weights, 2).expect("rows");
    let unused = engine.rowwise(&[Divergence::Ks, Divergence::Kl], rows(), rows(), &at(&[0.0, 1.0]));
    assert_eq!(unused.expect_err("ks needs no positions"), Error::PositionsUnused);
    let unused = engine.nearest(Divergence::Kl, rows(), None, 1, &at(&[0.0, 1.0]));
    assert_eq!(unused.expect_err("kl needs no positions"), Error::PositionsUnused);
}
