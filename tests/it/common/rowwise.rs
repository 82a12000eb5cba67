//! Test bodies over rows: each row of one side against that of the other.

use kullback::{Divergence, Error, Options, RowStatus, Rows, WeightType, Zeros};
use kullback_conformance::{
    Check, FAMILIES, POLICIES, Values, edges, golden, hard_rows, measures, ordered_measures, wide_measures,
};

use super::compare::{against_oracle, same_bits, wanted, with};
use super::engines::{MakeEngine, cpu};

pub fn golden_cases_are_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for case in golden() {
        let (p, q) = (case.p.rows(case.bins), case.q.rows(case.bins));
        let sets = [
            (measures(), &case.values),
            (wide_measures(), &case.wide_values),
            (ordered_measures(), &case.ordered_values),
        ];
        for (measures, values) in sets {
            let got = engine.rowwise(&measures, p, q, &with(case.zeros)).expect(&case.name);
            let want: Vec<(Divergence, &[f64])> =
                measures.iter().copied().zip(values.iter().map(std::slice::from_ref)).collect();
            let infinite = case.status == RowStatus::Ok && values.iter().any(|v| v.is_infinite());
            let status = if infinite { RowStatus::Infinite } else { case.status };
            check.columns(&got, &want, &[status], &p, &q, &|_| format!("{} ({})", case.name, case.zeros));
        }
    }
    check.assert("golden cases");
    assert!(check.compared > 5000, "only {} values compared", check.compared);
}

/// Hard rows of one type and policy, at the given lengths.
pub fn hard_rows_are_within_the_contract(make: MakeEngine, weight_type: WeightType, zeros: Zeros, lengths: &[usize]) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for &bins in lengths {
        let hard = hard_rows(1, weight_type, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        check.merge(against_oracle(&engine, p, q, zeros, &format!("{} × {bins} bins", weight_type.name())));
    }
    check.assert(weight_type.name());
}

/// Tests each measure alone, because an engine may take shorter ways if it is not asked for all of them.
pub fn each_measure_alone_is_within_the_contract(make: MakeEngine, weight_type: WeightType, lengths: &[usize]) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for &bins in lengths {
        let hard = hard_rows(12, weight_type, bins, 2 * FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        // The policies have ways of their own too. One weight type and a few lengths show them.
        let shows = weight_type == WeightType::F32 && [5, 16, 65].contains(&bins);
        let policies = if shows { &POLICIES[..] } else { &[Zeros::Exact] };
        for (zeros, measure) in
            policies.iter().flat_map(|zeros| measures().into_iter().map(move |measure| (*zeros, measure)))
        {
            let what = format!("{} × {bins} bins, {measure} alone, {zeros}", weight_type.name());
            let want = wanted(&[measure], p, q, zeros);
            let got = engine.rowwise(&[measure], p, q, &with(zeros)).expect(&what);
            let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
            check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("{what}, row {row}"));
        }
    }
    check.assert(&format!("{}, each measure alone", weight_type.name()));
}

/// Tests orders at the edges of each family. Those of 32-bit kernels have a call of their own.
pub fn orders_at_the_edges_are_within_the_contract(make: MakeEngine, weight_type: WeightType, lengths: &[usize]) {
    let Some(engine) = make() else { return };
    let options = with(Zeros::Exact);
    let mut check = Check::default();
    for (&bins, measures) in lengths
        .iter()
        .flat_map(|bins| edges().into_iter().chain([ordered_measures()]).map(move |measures| (bins, measures)))
    {
        let hard = hard_rows(15, weight_type, bins, 2 * FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        let want = wanted(&measures, p, q, Zeros::Exact);
        let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
        let got = engine.rowwise(&measures, p, q, &options).expect("rowwise");
        check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("{bins} bins, row {row}"));
    }
    check.assert(&format!("{}, orders at the edges", weight_type.name()));
}

/// Tests all measures of second order in one call, because an engine may take a shorter way if no other is asked for.
pub fn measures_of_second_order_are_within_the_contract(make: MakeEngine, weight_type: WeightType, lengths: &[usize]) {
    let Some(engine) = make() else { return };
    let options = with(Zeros::Exact);
    let measures: Vec<Divergence> = measures().into_iter().filter(|measure| measure.is_of_second_order()).collect();
    assert!(measures.len() >= 12, "{measures:?}");
    let mut check = Check::default();
    for &bins in lengths {
        let hard = hard_rows(14, weight_type, bins, 2 * FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        let want = wanted(&measures, p, q, Zeros::Exact);
        let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
        let got = engine.rowwise(&measures, p, q, &options).expect("rowwise");
        check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("{bins} bins, row {row}"));
    }
    check.assert(&format!("{}, measures of second order", weight_type.name()));
}

/// A NaN weight decides the status of its own row, and hides nothing in the other rows, wherever it stands. Each length meets
/// every policy, or one of `of` policies: a GPU compiles kernels for each.
pub fn a_weight_that_is_no_number_hides_nothing(make: MakeEngine, of: usize) {
    let Some(engine) = make() else { return };
    for (length, bins) in [4, 16, 19, 64].into_iter().enumerate() {
        let policies = || POLICIES.into_iter().skip(length % of).step_by(of);
        for (odd, bin) in [(0.0, 2), (-1.0, 2), (0.0, bins - 1), (f32::NAN, 0)] {
            let mut p: Vec<f32> = (0..5 * bins).map(|i| 1.0 + (i % 7) as f32).collect();
            let q: Vec<f32> = (0..5 * bins).map(|i| 1.0 + (i % 5) as f32).collect();
            p[bin] = odd;
            p[bins + bin] = f32::NAN;
            p[3 * bins] = f32::NAN;
            p[3 * bins + bin] = 0.0;
            let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            for zeros in policies() {
                for (p, q) in [(p, q), (q, p)] {
                    let what = format!("{bins} bins with {odd} and NaN at {bin}");
                    against_oracle(&engine, p, q, zeros, &what).assert(&what);
                    for measure in [Divergence::Kl, Divergence::ReverseKl, Divergence::Js] {
                        let want = wanted(&[measure], p, q, zeros);
                        let got = engine.rowwise(&[measure], p, q, &with(zeros)).expect(&what);
                        assert_eq!(got.status(), want.status(), "{what}, {measure} alone, {zeros}");
                    }
                }
            }
        }
    }
}

/// A softmax row has one large weight, and so many small ones that what a sum loses of each matters.
pub fn small_weights_do_not_drown_in_a_large_one(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for (bins, small) in [(64, 5.9e-8), (256, 2.9e-8), (1000, 5.2e-8), (16_384, 5.2e-8)] {
        let mut p = vec![small; bins];
        p[0] = 1.0_f32;
        if bins == 256 {
            // Every block of 16 lanes loses in the same direction.
            let two_to = |n: i32| 2.0_f32.powi(n);
            let vector = |i| match i {
                0 => 1.0,
                1 => two_to(-24),
                4 | 5 | 8 | 9 | 12 | 13 => two_to(-25),
                _ => two_to(-30),
            };
            p = (0..bins).map(|bin| vector(bin / 16)).collect();
        }
        let q = vec![1.0_f32; bins];
        let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
        for name in ["kl", "js", "chi2", "hellinger", "neyman_chi2", "tsallis:5", "tsallis:5.5", "renyi:2", "tv"] {
            let measure: Divergence = name.parse().expect("a measure");
            for (p, q) in [(p, q), (q, p)] {
                let what = format!("{bins} bins, {measure} alone");
                let want = wanted(&[measure], p, q, Zeros::Exact);
                let got = engine.rowwise(&[measure], p, q, &with(Zeros::Exact)).expect(&what);
                let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
                check.columns(&got, &columns, want.status(), &p, &q, &|_| what.clone());
            }
        }
    }
    check.assert("one large weight");
}

/// Rows that a policy makes almost, or exactly, the same. q is p times a number, with some weights changed a little and some bins
/// of either side missing.
pub fn policies_over_missing_bins_are_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let policies = [1e-9, 1e-6, 1e-3, 0.3].map(Zeros::Epsilon).into_iter();
    let policies = policies.chain([1e-6, 0.5, 40.0].map(Zeros::Additive)).chain([1e-6, 0.1, 0.9].map(Zeros::Mix));
    let policies: Vec<Zeros> = policies.chain([Zeros::Skip, Zeros::Floor(1e-3)]).collect();
    let mut check = Check::default();
    for bins in [3, 8, 16, 31, 64, 100, 300] {
        // Three numbers describe each row: how much q differs, how it is scaled, and the number of bins of which one is missing.
        let rows: Vec<(f32, f32, usize)> = [0.0, 1e-6, 1e-3, 0.3]
            .into_iter()
            .flat_map(|off| [1.0, 0.37, 900.0].into_iter().flat_map(move |by| [2, 9, 1000].map(|of| (off, by, of))))
            .collect();
        let mut state = bins as u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let (mut p, mut q) = (Vec::new(), Vec::new());
        for (off, by, of) in rows {
            for _ in 0..bins {
                let weight = 1e-3 + random();
                let missing = |value: f32| (value * of as f32) < 1.0;
                let (gone, lost_p, lost_q) = (missing(random()), missing(random()), missing(random()));
                let changed = weight * by * (1.0 + off * (random() - 0.5));
                p.push(if gone || (lost_p && off > 0.0) { 0.0 } else { weight });
                q.push(if gone || (lost_q && off > 1e-6) { 0.0 } else { changed });
            }
        }
        let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
        for &zeros in &policies {
            check.merge(against_oracle(&engine, p, q, zeros, &format!("{bins} bins, some missing")));
            for measure in [Divergence::Kl, Divergence::Js, Divergence::Tv] {
                let what = format!("{bins} bins, some missing, {measure} alone, {zeros}");
                let want = wanted(&[measure], p, q, zeros);
                let got = engine.rowwise(&[measure], p, q, &with(zeros)).expect(&what);
                let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
                check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("{what}, row {row}"));
            }
        }
    }
    check.assert("policies over missing bins");
}

/// Rows that many workgroups or blocks share, each length once.
pub fn long_rows_are_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for (bins, weight_type) in [(4097, WeightType::F32), (16_385, WeightType::U16), (70_000, WeightType::F32)] {
        let hard = hard_rows(2, weight_type, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        for zeros in [Zeros::Exact, Zeros::Floor(1e-6), Zeros::Epsilon(1e-7)] {
            check.merge(against_oracle(&engine, p, q, zeros, &format!("{} × {bins} bins", weight_type.name())));
        }
    }
    check.assert("long rows");
}

/// One row of four million bins, against the 64-bit kernel (other tests compare that kernel with the oracle).
pub fn four_million_bins_are_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let bins = 4_000_000;
    let hard = hard_rows(3, WeightType::U16, bins, 2);
    let wide = |values: &Values| {
        let rows = values.rows(bins);
        let all: Vec<f64> = (0..rows.len() * bins).map(|i| rows.weights().get(i).expect("inside")).collect();
        Values::F64(all)
    };
    let (p, q) = (wide(&hard.p), wide(&hard.q));
    let measures = measures();
    let options = with(Zeros::Exact);
    let want = cpu().expect("cpu").rowwise(&measures, p.rows(bins), q.rows(bins), &options).expect("wide");
    let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
    let got = engine.rowwise(&measures, p, q, &options).expect("narrow");
    let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
    let mut check = Check::default();
    check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("row {row} of 4,000,000 bins"));
    check.assert("four million bins");
}

/// One row on either side against many, in every precision class.
pub fn one_row_against_many_is_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let mut check = Check::default();
    for (weight_type, bins) in
        [(WeightType::F32, 64), (WeightType::U16, 33), (WeightType::U32, 129), (WeightType::F64, 17)]
    {
        let hard = hard_rows(4, weight_type, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        for single in [1, 3, 9] {
            for zeros in [Zeros::Exact, Zeros::Additive(0.5)] {
                let what = format!("{} × {bins} bins against row {single}", weight_type.name());
                check.merge(against_oracle(&engine, p, q.slice(single, 1), zeros, &what));
                check.merge(against_oracle(&engine, p.slice(single, 1), q, zeros, &what));
            }
        }
    }
    check.assert("one row against many");
}

/// Two types in one call. Each side is decoded by its own rule.
pub fn mixed_types_are_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let bins = 65;
    let mut check = Check::default();
    for (p_type, q_type) in [
        (WeightType::U8, WeightType::F32),
        (WeightType::F16, WeightType::U32),
        (WeightType::I32, WeightType::Bf16),
        (WeightType::U16, WeightType::F64),
    ] {
        let (p, q) = (hard_rows(5, p_type, bins, FAMILIES.len()), hard_rows(6, q_type, bins, FAMILIES.len()));
        let what = format!("{} against {}", p_type.name(), q_type.name());
        check.merge(against_oracle(&engine, p.p.rows(bins), q.q.rows(bins), Zeros::Exact, &what));
    }
    check.assert("mixed types");
}

/// A column range of a wider matrix gives the same bits as its copy.
pub fn a_stride_reads_a_column_range_in_place(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let (bins, stride, rows) = (37, 50, 40);
    let wide: Vec<u16> = (0..rows * stride).map(|i| (i * 7919 % 1000) as u16).collect();
    let copy: Vec<u16> = wide.chunks(stride).flat_map(|row| row[..bins].to_vec()).collect();
    let other: Vec<u16> = (0..rows * bins).map(|i| (i * 104_729 % 777 + 1) as u16).collect();
    let q = Rows::new(&other, bins).expect("rows");
    let run = |p: Rows<'_>| engine.rowwise(&measures(), p, q, &with(Zeros::Exact)).expect("rowwise");
    let strided = run(Rows::strided(&wide, bins, stride).expect("strided"));
    let copied = run(Rows::new(&copy, bins).expect("rows"));
    same_bits(&strided, &copied, "strided");
}

/// If the sides are swapped, a symmetric measure stays within the contract of its former value.
pub fn symmetric_measures_stay_when_the_sides_are_swapped(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let symmetric: Vec<Divergence> = measures().into_iter().filter(|m| m.is_symmetric()).collect();
    assert!(symmetric.len() >= 8);
    let mut check = Check::default();
    for bins in [1, 7, 64, 257] {
        let hard = hard_rows(7, WeightType::F32, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        let one = engine.rowwise(&symmetric, p, q, &with(Zeros::Exact)).expect("rowwise");
        let other = engine.rowwise(&symmetric, q, p, &with(Zeros::Exact)).expect("rowwise");
        let want: Vec<(Divergence, &[f64])> = one.iter().collect();
        check.columns(&other, &want, one.status(), &p, &q, &|row| format!("row {row} of {bins} bins, swapped"));
    }
    check.assert("symmetry");
}

/// One bad row changes no other row, and its place is reported.
pub fn one_bad_row_changes_no_other(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let bins = 19;
    for bad in [-1.0_f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e-45] {
        let good: Vec<f32> = (0..bins * 30).map(|i| (i % 13) as f32).collect();
        let mut broken = good.clone();
        broken[17 * bins + 5] = bad;
        let q: Vec<f32> = (0..bins * 30).map(|i| 1.0 + (i % 7) as f32).collect();
        let q = Rows::new(&q, bins).expect("rows");
        let (good, broken) = (Rows::new(&good, bins).expect("rows"), Rows::new(&broken, bins).expect("rows"));
        let measures = measures();
        let want = engine.rowwise(&measures, good, q, &with(Zeros::Exact)).expect("good");
        let got = engine.rowwise(&measures, broken, q, &with(Zeros::Exact)).expect("null");
        assert_eq!(got.status()[17], RowStatus::Invalid, "{bad}");
        for row in (0..30).filter(|row| *row != 17) {
            assert_eq!(got.status()[row], want.status()[row]);
            for measure in &measures {
                assert_eq!(got[*measure][row].to_bits(), want[*measure][row].to_bits(), "{measure} of row {row}");
            }
        }
        match engine.rowwise(&measures, broken, q, &Options::default()) {
            Err(Error::InvalidWeights { count: 1, rows: 30, row: 17, bin: 5, value, .. }) => {
                assert!(value.to_bits() == f64::from(bad).to_bits() || value.is_nan());
            }
            other => panic!("{other:?}"),
        }
    }
}
