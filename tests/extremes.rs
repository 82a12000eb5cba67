//! Rows at the end of what a float can hold are computed right or refused, never answered wrongly.
//!
//! Each of these once gave a wrong number: weights that vanished beside their total were dropped from
//! the support, power sums beyond the largest float were taken for infinite divergences, and a row the
//! 64-bit kernel had given up was reported as 0.

use kullback::{Device, Divergence, Engine, Error, OnInvalid, Options, RowStatus, Rows, Zeros};

fn engines() -> [Engine; 2] {
    [Device::Cpu, Device::Reference].map(|device| Engine::builder().device(device).build().expect("engine"))
}

fn null(zeros: Zeros) -> Options {
    Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() }
}

#[test]
fn a_power_sum_beyond_the_largest_float_has_a_finite_logarithm() {
    let (p, q) = ([1.0_f32, 1e-8], [1e-8_f32, 1.0]);
    let orders = [Divergence::Renyi(38.0), Divergence::Renyi(41.0), Divergence::Renyi(200.0)];
    for engine in engines() {
        let (p, q) = (Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"));
        let out = engine.rowwise(&orders, p, q, &Options::default()).expect("rowwise");
        for order in orders {
            // ln(p̂ᴬq̂¹⁻ᴬ)/(A − 1) of the first bin; the other is nothing beside it.
            assert!((out[order][0] / 18.420_680_74 - 1.0).abs() < 1e-2, "{order}: {}", out[order][0]);
        }
        assert_eq!(out.status(), [RowStatus::Ok]);
    }
    let wide = [[1.0_f64, 1e-100], [1e-100, 1.0]];
    for engine in engines() {
        let (p, q) = (Rows::new(&wide[0], 2).expect("p"), Rows::new(&wide[1], 2).expect("q"));
        let out = engine.rowwise(&[Divergence::Renyi(5.0)], p, q, &Options::default()).expect("rowwise");
        assert!((out[Divergence::Renyi(5.0)][0] - 230.258_509_299_404_57).abs() < 1e-10);
    }
}

#[test]
fn weights_that_vanish_beside_their_total_are_refused() {
    for row in [[1e250_f64, 1e-100], [1e200, 1e-150], [1.0, 1e-320]] {
        for zeros in [Zeros::Exact, Zeros::Skip] {
            for engine in engines() {
                let (p, q) = (Rows::new(&row, 2).expect("p"), Rows::new(&[1.0_f64, 1.0], 2).expect("q"));
                let measures = [Divergence::Kl, Divergence::ReverseKl, Divergence::Tv];
                let out = engine.rowwise(&measures, p, q, &null(zeros)).expect("null");
                assert_eq!(out.status(), [RowStatus::Invalid], "{row:?} {zeros}");
                let options = Options { zeros, ..Options::default() };
                match engine.rowwise(&measures, p, q, &options) {
                    Err(Error::RangeTooWide { count: 1, rows: 1, row: 0 }) => {}
                    other => panic!("{row:?} {zeros}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_policy_beyond_the_range_of_the_weights_is_right_or_refused() {
    let rows = [3.0_f32, 1.0, 1.0, 1.0];
    let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
    for amount in [1e200, 1e280, 1e-280, 1e-320] {
        let (p, q) = (Rows::new(&rows, 2).expect("p"), Rows::new(&[1.0_f32, 1.0], 2).expect("q"));
        let out = engine.rowwise(&[Divergence::Entropy], p, q, &null(Zeros::Additive(amount))).expect("null");
        let [first, _] = out[Divergence::Entropy] else { panic!("two rows") };
        let want = if amount > 1.0 { std::f64::consts::LN_2 } else { 0.562_335_144_618_808_3 };
        let right = (first - want).abs() < 1e-6 && out.status()[0] == RowStatus::Ok;
        assert!(right || out.status()[0] == RowStatus::Invalid, "{amount}: {first} {:?}", out.status());
    }
}

#[test]
fn subnormal_and_huge_rows_that_span_little_are_exact() {
    for scale in [5e-320_f64, 1e-300, 1e300] {
        let (p, q) = ([scale, 3.0 * scale], [scale, scale]);
        for engine in engines() {
            let (p, q) = (Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"));
            let kl = engine.rowwise(&[Divergence::Kl], p, q, &Options::default()).expect("rowwise")[Divergence::Kl][0];
            // ¼ ln ½ + ¾ ln 3/2, as far as a subnormal holds three times another.
            assert!((kl - 0.130_812_035_941_137_1).abs() < 1e-4, "{scale:e}: {kl}");
        }
    }
}

/// A weight that scaling to the total makes nothing of, in a bin that a policy looks at.
#[test]
fn a_weight_far_below_its_total_is_still_a_weight() {
    let rows = [[1e30_f32, 1e-20, 1.0, 0.0], [1.0, 2.0, 0.0, 3.0], [1e-38, 1e5, 1e30, 2.0]].concat();
    let others = [[2.0_f32, 1.0, 0.0, 1.0], [1e30, 1e-20, 1.0, 0.0], [0.0, 1e-30, 1e20, 1e-10]].concat();
    let [cpu, oracle] = engines();
    let mut check = kullback_conformance::Check::default();
    for (p, q) in [(&rows, &others), (&others, &rows)] {
        let (p, q) = (Rows::new(p, 4).expect("p"), Rows::new(q, 4).expect("q"));
        for zeros in kullback_conformance::POLICIES {
            for measure in kullback_conformance::measures() {
                let want = oracle.rowwise(&[measure], p, q, &null(zeros)).expect("oracle");
                let got = cpu.rowwise(&[measure], p, q, &null(zeros)).expect("cpu");
                let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
                check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("{zeros}, row {row}"));
            }
        }
    }
    check.assert("weights far below their totals");
}
