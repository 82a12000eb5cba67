//! Rows at the limits of a float are computed right or refused. They never get a wrong answer.
//!
//! Each of these rows once gave a wrong number. Weights that vanished beside their total were dropped from the support, power sums
//! beyond the largest float were taken for infinite divergences, and a row that the 64-bit kernel had given up was reported as 0.

use crate::common::{against_oracle, every_engine, oracle, wanted};
use kullback::{Divergence, Engine, Error, OnInvalid, Options, RowStatus, Rows, WeightType, Zeros};
use kullback_conformance::{Check, FAMILIES, POLICIES, SMALL_POLICIES, hard_rows, measures};

fn null(zeros: Zeros) -> Options {
    Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() }
}

#[test]
fn a_power_sum_beyond_the_largest_float_has_a_finite_logarithm() {
    let (p, q) = ([1.0_f32, 1e-8], [1e-8_f32, 1.0]);
    let orders = [Divergence::Renyi(38.0), Divergence::Renyi(41.0), Divergence::Renyi(200.0)];
    for engine in every_engine() {
        let (p, q) = (Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"));
        let out = engine.rowwise(&orders, p, q, &Options::default()).expect("rowwise");
        for order in orders {
            // ln(p̂ᴬq̂¹⁻ᴬ)/(A − 1) of the first bin. The other bin is nearly 0 beside it.
            assert!((out[order][0] / 18.420_680_74 - 1.0).abs() < 1e-2, "{order}: {}", out[order][0]);
        }
        assert_eq!(out.status(), [RowStatus::Ok]);
    }
    let wide = [[1.0_f64, 1e-100], [1e-100, 1.0]];
    for engine in every_engine() {
        let (p, q) = (Rows::new(&wide[0], 2).expect("p"), Rows::new(&wide[1], 2).expect("q"));
        let out = engine.rowwise(&[Divergence::Renyi(5.0)], p, q, &Options::default()).expect("rowwise");
        assert!((out[Divergence::Renyi(5.0)][0] - 230.258_509_299_404_57).abs() < 1e-10);
    }
}

/// Orders 2 and −1 are sums of their own, even if those sums are large or beyond the largest float.
#[test]
fn orders_two_and_minus_one_are_chi_squares() {
    use Divergence::{Alpha, Chi2, NeymanChi2, Renyi, Tsallis};
    let measures = [Chi2, NeymanChi2, Tsallis(2.0), Alpha(2.0), Alpha(-1.0), Renyi(2.0)];
    let far = [1.0_f64, 1e-200];
    for engine in every_engine() {
        for weights in [[1.0_f32, 2.0], [1.0, 1.001], [1.0, 100.0], [1e-9, 1.0]] {
            let q = [1.0_f32, 1.0];
            let (p, q) = (Rows::new(&weights, 2).expect("p"), Rows::new(&q, 2).expect("q"));
            holds(&measures, p, q, Zeros::Exact, "orders 2 and −1");
            let got = engine.rowwise(&measures, p, q, &Options::default()).expect("rowwise");
            let value = |measure: Divergence| got[measure][0];
            let is_near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-7;
            assert!(is_near(value(Tsallis(2.0)), value(Chi2)) && is_near(value(Alpha(2.0)), value(Chi2) / 2.0));
            assert!(is_near(value(Alpha(-1.0)), value(NeymanChi2) / 2.0), "{weights:?}");
            assert!(is_near(value(Renyi(2.0)), value(Chi2).ln_1p()), "{weights:?}");
        }
        let exchanged = [far[1], far[0]];
        let (p, q) = (Rows::new(&far, 2).expect("p"), Rows::new(&exchanged, 2).expect("q"));
        let got = engine.rowwise(&measures, p, q, &Options::default()).expect("rowwise");
        assert!((got[Renyi(2.0)][0] - 200.0 * std::f64::consts::LN_10).abs() < 1e-9, "{}", got[Renyi(2.0)][0]);
    }
}

#[test]
fn weights_that_vanish_beside_their_total_are_refused() {
    for row in [[1e250_f64, 1e-100], [1e200, 1e-150], [1.0, 1e-320]] {
        for zeros in [Zeros::Exact, Zeros::Skip] {
            for engine in every_engine() {
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
    for (engine, amount) in every_engine()
        .into_iter()
        .flat_map(|engine| [1e200, 1e280, 1e-280, 1e-320].map(|amount| (engine.clone(), amount)))
    {
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
        for engine in every_engine() {
            let (p, q) = (Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"));
            let kl = engine.rowwise(&[Divergence::Kl], p, q, &Options::default()).expect("rowwise")[Divergence::Kl][0];
            // ¼ ln ½ + ¾ ln 3/2, as exact as a subnormal can hold three times another subnormal.
            assert!((kl - 0.130_812_035_941_137_1).abs() < 1e-4, "{scale:e}: {kl}");
        }
    }
}

/// A weight that becomes 0 when it is scaled to the total, in a bin that a policy checks.
#[test]
fn a_weight_far_below_its_total_is_still_a_weight() {
    let rows = [[1e30_f32, 1e-20, 1.0, 0.0], [1.0, 2.0, 0.0, 3.0], [1e-38, 1e5, 1e30, 2.0]].concat();
    let others = [[2.0_f32, 1.0, 0.0, 1.0], [1e30, 1e-20, 1.0, 0.0], [0.0, 1e-30, 1e20, 1e-10]].concat();
    for (p, q) in [(&rows, &others), (&others, &rows)] {
        let (p, q) = (Rows::new(p, 4).expect("p"), Rows::new(q, 4).expect("q"));
        for (i, zeros) in POLICIES.into_iter().enumerate() {
            holds(&measures(), p, q, zeros, "weights far below their totals");
            // Alone, each measure meets a few of the policies: on a GPU, each meeting is a kernel.
            for measure in measures().into_iter().skip(i % 4).step_by(4) {
                holds(&[measure], p, q, zeros, "weights far below their totals");
            }
        }
    }
}

/// Compares every engine with the oracle.
fn holds(measures: &[Divergence], p: Rows<'_>, q: Rows<'_>, zeros: Zeros, what: &str) {
    let want = wanted(measures, p, q, zeros);
    let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
    for engine in every_engine() {
        let got = engine.rowwise(measures, p, q, &null(zeros)).expect(what);
        let mut check = Check::default();
        let name = |row: usize| format!("{}: row {row} of {what}, {zeros}", engine.device_name());
        check.columns(&got, &columns, want.status(), &p, &q, &name);
        check.assert(what);
    }
}

/// Each of these values was once wrong with status `ok`. The causes: a measure of first order that was trusted too far, a weight
/// that the scale of its row turns into 0, a policy amount that 32 bits do not hold, and digits that a device flushes.
#[test]
fn what_was_once_wrong_without_a_word_is_right() {
    let two = |n: i32| 2f32.powi(n);
    let large = (vec![1_151_414.0_f32, 1.0, 5.0, 1.0, 2.0, 1.0], vec![6_618_694.0_f32, 20.0, 5.0, 5.0, 5.0, 5.0]);
    let wide = (vec![0.5_f32, 0.5], vec![two(90), two(-60)]);
    let flushed = (vec![1.0_f32, 1.0], vec![5.0_f32, 1.2e-38]);
    let missing = (vec![1.0_f32, 0.0], vec![0.5_f32, 0.5]);
    let small = (vec![1e-25_f32, 0.0], vec![0.5_f32, 0.5]);
    let digits = (vec![two(-80), two(-81), two(-115) * (1.0 + two(-12))], vec![two(-50), two(-50), two(-120)]);
    let exchanged = (vec![1.0, 3.0 * two(-65), two(-65)], vec![1.0, two(-65), 3.0 * two(-65)]);
    let policies = [1e-20, 1e-50]
        .into_iter()
        .flat_map(|x| [Zeros::Epsilon(x), Zeros::Floor(x), Zeros::Additive(x), Zeros::Mix(x)]);
    let policies: Vec<Zeros> = POLICIES.into_iter().chain(policies).collect();
    for (i, (p, q)) in [large, wide, flushed, missing, small, digits, exchanged].iter().enumerate() {
        for (p, q) in [(p, q), (q, p)] {
            let rows = |weights: &Vec<f32>| -> Vec<f32> { weights.clone() };
            let (p, q) = (rows(p), rows(q));
            let bins = p.len();
            let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            for &zeros in &policies {
                let what = format!("pair {i}");
                holds(&measures(), p, q, zeros, &what);
                for measure in [Divergence::Kl, Divergence::Tv, Divergence::Chi2, Divergence::Bhattacharyya] {
                    holds(&[measure], p, q, zeros, &what);
                }
            }
        }
    }
}

/// A search among millions found these rows just outside the contract: bins that are alike and round alike, small weights that are
/// lost beside a large one, near-equal rows under `epsilon`, and a subnormal weight of a small total.
#[test]
fn what_many_roundings_lose_the_same_way_is_within_the_contract() {
    use Divergence::{Chi2, Entropy, Hellinger, Js, Kl, Renyi, ReverseKl, Tsallis};
    let narrow = |row: &[f64]| row.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let two = |first: f64, count: usize, rest: f64, bins: usize| {
        narrow(&[vec![first; count], vec![rest; bins - count]].concat())
    };
    let alike = (
        two(0.868_722_021_579_742_4, 1, 6.794_886_589_050_293, 16),
        two(2.634_090_900_421_142_6, 1, 10.103_385_925_292_969, 16),
    );
    let powers = (
        two(0.467_566_758_394_241_33, 7, 0.014_526_804_909_110_07, 8),
        two(1.036_243_081_092_834_5, 7, 0.014_980_599_284_172_058, 8),
    );
    let filled = (vec![16_383.0_f32, 16_777_216.0], vec![0.0_f32, 16_777_216.0]);
    let nearly = (narrow(&[0.998_937_427_997_589_1, 0.001_062_594_121_322_035_8]), vec![1.0_f32, 0.0]);
    let small = (
        narrow(&[8.077_935_669_463_161e-28, 4.817_180_441_444_542e-35, 5.923_748_234_597_3e-39]),
        narrow(&[8.673_617_379_884_035e-19, 6.705_510_287_373_039e-30, 4.824_247_182_873_9e-35]),
    );
    for (p, q, zeros, measures) in [
        (&alike.0, &alike.1, Zeros::Exact, vec![Kl, ReverseKl, Js]),
        (&alike.0, &alike.1, Zeros::Exact, vec![ReverseKl]),
        (&powers.0, &powers.1, Zeros::Exact, vec![Renyi(5.0)]),
        (&filled.0, &filled.1, Zeros::Epsilon(1e-3), vec![Kl, ReverseKl, Js, Hellinger, Chi2]),
        (&filled.0, &filled.1, Zeros::Epsilon(1e-3), vec![Divergence::Tv]),
        (&nearly.0, &nearly.1, Zeros::Epsilon(1e-3), vec![Kl, ReverseKl, Js, Hellinger, Chi2]),
        (&small.0, &small.1, Zeros::Epsilon(1e-20), vec![Entropy]),
    ] {
        let (p, q) = (Rows::new(p, p.len()).expect("p"), Rows::new(q, q.len()).expect("q"));
        holds(&measures, p, q, zeros, "rows found by search");
        holds(&measures, q, p, zeros, "rows found by search, sides exchanged");
    }
    // Orders above 2 are beyond 32 bits: no 32-bit kernel comes so near to the oracle.
    let (p, q) = (Rows::new(&powers.0, 8).expect("p"), Rows::new(&powers.1, 8).expect("q"));
    let value =
        |engine: &Engine, order| engine.rowwise(&[order], p, q, &null(Zeros::Exact)).expect("rowwise")[order][0];
    for engine in every_engine() {
        for order in [Renyi(2.1), Renyi(5.0)] {
            let (got, want) = (value(&engine, order), value(&oracle(), order));
            assert!((got / want - 1.0).abs() < 1e-12, "{order}: {got} for {want}");
        }
    }
    for (seed, row, zeros) in [(7_000_118, 3974, Zeros::Skip), (5_000_089, 7054, Zeros::Additive(1e-3))] {
        let hard = hard_rows(seed, WeightType::F32, 256, row + 1);
        let (p, q) = (hard.p.rows(256).slice(row, 1), hard.q.rows(256).slice(row, 1));
        holds(&[Kl, Chi2, Tsallis(1.9)], p, q, zeros, "one large weight among 256");
    }
}

/// Policies with numbers down to 1e-50, on rows of every family.
#[test]
fn small_numbers_of_a_policy_are_within_the_contract() {
    for engine in every_engine() {
        let mut check = Check::default();
        for (bins, zeros) in [2, 9, 64].into_iter().flat_map(|bins| SMALL_POLICIES.map(|zeros| (bins, zeros))) {
            let hard = hard_rows(31, WeightType::F32, bins, 2 * FAMILIES.len());
            let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
            check.merge(against_oracle(&engine, p, q, zeros, &format!("{bins} bins")));
        }
        check.assert(&engine.device_name());
    }
}

/// A weight that equals the first part of the amount that `floor` raises to, but is smaller than the two parts together. Rows that
/// differ little show it.
#[test]
fn what_lies_just_below_the_floor_is_raised() {
    let near = |e: f32| (vec![1.0, 4.0, 5.0], vec![1.0 - e, 4.0, 5.0 + e]);
    let natural = (vec![0.01_f32, 0.01, 0.01, 0.47, 0.5], vec![0.0099_f32, 0.0098, 0.0097, 0.4706, 0.5]);
    for (p, q) in [near(0.1), near(0.01), near(1e-3), near(1e-4), natural] {
        let bins = p.len();
        let wide = [&p, &q].map(|row| row.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>());
        for floor in [0.01, 0.1, 0.100_000_005] {
            let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            holds(&[Divergence::Kl, Divergence::Js, Divergence::Tv], p, q, Zeros::Floor(floor), "just below the floor");
            let (p, q) = (Rows::new(&wide[0], bins).expect("p"), Rows::new(&wide[1], bins).expect("q"));
            holds(&[Divergence::Kl, Divergence::Js, Divergence::Tv], p, q, Zeros::Floor(floor), "just below the floor");
        }
    }
}

/// Policy amounts so small that a device flushes the second of their two parts.
#[test]
fn amounts_of_a_policy_keep_both_their_parts() {
    let total = 2f32.powi(-30);
    let loss = 1.765_432_1 * 2f32.powi(-101);
    let weight = loss * (1.0 + 2f32.powi(-15));
    let epsilon = 3.0 * f64::from(loss) / f64::from(total);
    let (p, q) = ([total / 2.0, total / 2.0, weight, 0.0], [0.6, 0.4, 2f32.powi(-32), 2f32.powi(-32)]);
    let (p, q) = (Rows::new(&p, 4).expect("p"), Rows::new(&q, 4).expect("q"));
    holds(&[Divergence::NeymanChi2, Divergence::Kl], p, q, Zeros::Epsilon(epsilon), "small amounts");
    holds(&[Divergence::NeymanChi2, Divergence::Kl], q, p, Zeros::Epsilon(epsilon), "small amounts");
}

/// A negative weight is invalid, however small it is beside its total.
#[test]
fn a_negative_weight_is_never_nothing() {
    for (p, q) in [([1e300_f64, -1e-100], [1e300, 1.0]), ([1.0, -5e-324], [1.0, 1.0]), ([1e-300, -1e-320], [1.0, 1.0])]
    {
        for (engine, zeros) in
            every_engine().into_iter().flat_map(|engine| POLICIES.map(|zeros| (engine.clone(), zeros)))
        {
            for (p, q) in [(&p, &q), (&q, &p)] {
                let (p, q) = (Rows::new(p, 2).expect("p"), Rows::new(q, 2).expect("q"));
                let out = engine.rowwise(&[Divergence::Kl], p, q, &null(zeros)).expect("null");
                assert_eq!(out.status(), [RowStatus::Invalid], "{zeros} on {}", engine.device_name());
            }
        }
    }
}

/// What `skip` leaves out does not count, and does not widen the range of the weights either.
#[test]
fn bins_that_are_left_out_do_not_widen_the_range() {
    let rows = [([1.0_f64, 0.0, 3.0], [1.0_f64, 1e300, 1.0]), ([1e-20, 1e-300, 0.0], [1e-300, 2e-20, 1e300])];
    for (p, q) in rows {
        let (p, q) = (Rows::new(&p, 3).expect("p"), Rows::new(&q, 3).expect("q"));
        holds(&[Divergence::Kl, Divergence::Tv, Divergence::Entropy], p, q, Zeros::Skip, "bins that are left out");
        let out = oracle().rowwise(&[Divergence::Kl], p, q, &null(Zeros::Skip)).expect("null");
        assert_eq!(out.status(), [RowStatus::Ok]);
    }
}

/// Every order has a value, in about the same time as any other order, or is refused.
#[test]
fn every_order_ends_and_none_is_not_a_number() {
    let names = [
        "renyi:1e5",
        "renyi:1e10",
        "renyi:1e19",
        "renyi:1e100",
        "renyi:inf",
        "tsallis:30",
        "tsallis:1e5",
        "tsallis:1e20",
        "tsallis:1e100",
        "alpha:1e5",
        "alpha:-1e5",
        "alpha:1e100",
        "alpha:-1e100",
    ];
    let rows = [([0.5_f64, 0.5], [0.25, 0.75]), ([1.0, 1e-100], [1e-100, 1.0]), ([0.3, 0.7], [0.3, 0.7])];
    for (name, (p, q)) in names.into_iter().flat_map(|name| rows.map(|rows| (name, rows))) {
        let measure: Divergence = name.parse().expect(name);
        let narrow = [p, q].map(|row| row.map(|x| x as f32));
        holds(&[measure], Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"), Zeros::Exact, name);
        let (p, q) = (Rows::new(&narrow[0], 2).expect("p"), Rows::new(&narrow[1], 2).expect("q"));
        holds(&[measure], p, q, Zeros::Exact, name);
    }
    let (p, q) = ([0.5_f64, 0.25, 0.25], [0.25_f64, 0.25, 0.5]);
    let (p, q) = (Rows::new(&p, 3).expect("p"), Rows::new(&q, 3).expect("q"));
    for engine in every_engine() {
        let out = engine.rowwise(&[Divergence::Renyi(f64::INFINITY)], p, q, &Options::default()).expect("rowwise");
        assert!((out[Divergence::Renyi(f64::INFINITY)][0] / std::f64::consts::LN_2 - 1.0).abs() < 1e-15);
    }
    // The sum is beyond the largest float, but the divisor is so large that the value is not.
    let (p, q) = ([1.0_f64 + 7.1e-11, 1.0, 1.0, 1.0], [1.0_f64; 4]);
    let large = [Divergence::Alpha(1.336e13), Divergence::Tsallis(1.336e13)];
    holds(&large, Rows::new(&p, 4).expect("p"), Rows::new(&q, 4).expect("q"), Zeros::Exact, "large orders");
    for name in [
        "renyi:1e101",
        "alpha:1e-13",
        "alpha:-1e-30",
        "tsallis:inf",
        "alpha:-inf",
        "alpha:1e200",
        "renyi:nan",
        "renyi:-1",
    ] {
        assert!(name.parse::<Divergence>().is_err(), "{name}");
    }
}
