//! What each bin adds to a value.

use kullback::{Device, Divergence, Engine, Error, Options, Rows, Zeros};
use kullback_conformance::{POLICIES, measures, ordered_measures, wide_measures};

/// The value that parts make.
fn value(measure: Divergence, parts: &[f64]) -> f64 {
    let sum: f64 = parts.iter().sum();
    match measure {
        Divergence::Hellinger | Divergence::JsDistance => sum.max(0.0).sqrt(),
        Divergence::Bhattacharyya => -sum.ln(),
        Divergence::Renyi(1.0) => sum,
        Divergence::Renyi(order) => sum.ln() / (order - 1.0),
        _ => sum,
    }
}

/// Counts below 20, some of them 0, from a fixed rule.
fn counts(seed: u64, bins: usize, rows: usize) -> Vec<f64> {
    let count = |i: u64| ((seed + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 20;
    (0..(bins * rows) as u64).map(|i| count(i) as f64).collect()
}

#[test]
fn parts_add_up_to_the_value_of_every_measure() {
    let engine = Engine::builder().device(Device::Cpu).build().expect("the CPU");
    let (bins, rows) = (7, 40);
    let (p, q) = (counts(1, bins, rows), counts(1000, bins, rows));
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    let all: Vec<Divergence> = measures().into_iter().chain(wide_measures()).chain(ordered_measures()).collect();
    let mut seen = 0;
    for measure in all {
        for zeros in [Zeros::Exact].into_iter().chain(POLICIES) {
            let positions = (measure == Divergence::W1 && seen % 2 == 0).then(|| (0..8).map(f64::from).collect());
            let options = Options { zeros, positions, ..Options::default() };
            let parts = match engine.contributions(measure, p, q, &options) {
                Err(Error::NoParts { .. }) => {
                    assert!(matches!(measure, Divergence::Ks | Divergence::Renyi(f64::INFINITY)), "{measure}");
                    continue;
                }
                parts => parts.expect("parts"),
            };
            let want = &engine.rowwise(&[measure], p, q, &options).expect("values")[measure];
            assert_eq!(parts.len(), bins * rows);
            for (row, (parts, want)) in parts.chunks(bins).zip(want).enumerate() {
                let got = value(measure, parts);
                let size = parts.iter().map(|part| part.abs()).sum::<f64>().max(want.abs());
                let is_right = (got.is_nan() && want.is_nan())
                    || (got.is_infinite() && got == *want)
                    // The sum of the parts rounds, and a root or a logarithm of a small difference makes more of it.
                    || (got - want).abs() <= 1e-12 * size
                    || (got * got - want * want).abs() <= 1e-14
                    || (got - want).abs() <= 1e-13;
                assert!(is_right, "{measure} under {zeros}, row {row}: {got:e} and {want:e}, of {parts:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 5000, "{seen}");
}

#[test]
fn rows_without_a_value_have_no_parts_and_errors_are_those_of_the_values() {
    let engine = Engine::builder().device(Device::Cpu).build().expect("the CPU");
    let (p, q) = ([0_i32, 0, 1, 0, 2, -1], [1_i32, 1]);
    let (p, q) = (Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"));
    let of = |rows, options: &Options| engine.contributions(Divergence::Kl, rows, q, options);
    let parts = of(p.slice(0, 2), &Options::default()).expect("parts");
    assert!(parts[..2].iter().all(|part| part.is_nan()) && parts[2] == 2f64.ln() && parts[3] == 0.0, "{parts:?}");
    let error = of(p, &Options::default()).expect_err("a negative weight");
    assert!(matches!(error, Error::InvalidWeights { row: 2, bin: 1, value: -1.0, .. }), "{error:?}");
    let against = engine.contributions(Divergence::ReverseKl, p.slice(1, 1), q, &Options::default()).expect("parts");
    assert_eq!(against, [0.5 * 0.5_f64.ln(), f64::INFINITY]);
    // Order 0 is the share of Q where P has weight.
    let zero = engine.contributions(Divergence::Renyi(0.0), p.slice(1, 1), q, &Options::default()).expect("parts");
    assert_eq!(zero, [0.5, 0.0]);
    let largest = engine.contributions(Divergence::Ks, q, q, &Options::default()).expect_err("ks is no sum");
    assert_eq!(largest, Error::NoParts { measure: "ks".to_owned() });
}
