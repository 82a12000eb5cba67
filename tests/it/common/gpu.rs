//! Test bodies that only a GPU has, and the list of the bodies that every GPU runs.

use kullback::{Device, Divergence, Engine, EngineBuilder, Error, Input, Options, Rows, WeightType, Zeros};
use kullback_conformance::{Check, FAMILIES, hard_rows, measures};

use super::compare::{against_oracle, same_bits, wanted, with};
use super::engines::{adapter, is_thorough};

/// Rows kept on a device give the same bits as rows that are sent, and are not sent again.
pub fn uploaded_rows_give_the_same_bits(make: fn() -> Option<EngineBuilder>) {
    let Some(builder) = make() else { return };
    // A binding takes a few rows, so the uploads are in pieces. The pieces have different lengths on the two sides.
    let engine = builder.gpu(|gpu| gpu.binding_limit = Some(6000)).build().expect("the adapter was listed");
    let options = with(Zeros::Exact);
    for (bins, p_type, q_type) in [
        (3, WeightType::U8, WeightType::F32),
        (40, WeightType::F32, WeightType::U16),
        (300, WeightType::F16, WeightType::F32),
    ] {
        let (p, q) = (hard_rows(4, p_type, bins, 60), hard_rows(4, q_type, bins, 60));
        let (p, q) = (p.p.rows(bins), q.q.rows(bins));
        let (p_kept, q_kept) = (engine.upload(p).expect("p"), engine.upload(q).expect("q"));
        let (p_one, q_one) = (p.slice(17, 1), q.slice(5, 1));
        let (p_one_kept, q_one_kept) = (engine.upload(p_one).expect("one"), engine.upload(q_one).expect("one"));
        assert!(p_kept.is_on_a_device() && q_kept.is_on_a_device());
        let run = |p: Input<'_>, q: Input<'_>| engine.rowwise(&measures(), p, q, &options).expect("rowwise");
        let want = run(p.into(), q.into());
        let bytes = |rows: Rows<'_>| (rows.len() * bins * rows.weight_type().size()) as u64;
        for (what, got, sent) in [
            ("both kept", run((&p_kept).into(), (&q_kept).into()), 0),
            ("p kept", run((&p_kept).into(), q.into()), bytes(q)),
            ("q kept", run(p.into(), (&q_kept).into()), bytes(p)),
            ("both kept, again", run((&p_kept).into(), (&q_kept).into()), 0),
        ] {
            same_bits(&got, &want, what);
            let padding = 4 * got.stats().chunks;
            assert!((sent..=sent + padding).contains(&got.stats().sent), "{what}: {:?}", got.stats());
            assert!(sent > 0 || got.stats().sent == 0, "{what}: {:?}", got.stats());
        }
        let nearest = |q: Input<'_>| {
            let found = engine.nearest(Divergence::Kl, &p_kept, Some(q), 3, &options).expect("nearest");
            let rows: Vec<Vec<(u64, u64)>> = (0..p.len())
                .map(|row| found.of(row).unwrap_or_default().iter().map(|top| (top.row, top.value.to_bits())).collect())
                .collect();
            (rows, found.stats().sent)
        };
        let ((want, sent), (got, sent_of_kept)) = (nearest(q.into()), nearest((&q_kept).into()));
        assert!(want == got, "{bins} bins: other neighbours where q is kept");
        assert!(sent_of_kept <= sent, "{bins} bins: {sent_of_kept} bytes sent where q is kept, else {sent}");
        let mut tiles = [Vec::new(), Vec::new()];
        for (tiles, q) in tiles.iter_mut().zip([Input::from(q), Input::from(&q_kept)]) {
            let take = |tile: &kullback::Tile| {
                let values = tile.values(Divergence::Js)?;
                tiles.extend(values.iter().map(|value| value.to_bits()));
                Ok::<_, Error>(())
            };
            engine.pairwise(&[Divergence::Js], &p_kept, Some(q), &options, take).expect("all pairs");
        }
        assert!(tiles[0] == tiles[1] && tiles[0].len() == p.len() * q.len(), "{bins} bins: all pairs with q kept");
        same_bits(&run((&p_kept).into(), (&q_one_kept).into()), &run(p.into(), q_one.into()), "one q kept");
        same_bits(&run((&p_one_kept).into(), (&q_kept).into()), &run(p_one.into(), q.into()), "one p kept");
    }
}

/// With the device's limit lowered, many chunks give the same bits as one chunk.
pub fn every_chunking_gives_the_same_bits(backend: &str) {
    let Some(builder) = adapter(backend) else { return };
    let bins = 65;
    let hard = hard_rows(8, WeightType::F32, bins, 50 * FAMILIES.len());
    let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
    let measures = [Divergence::Kl, Divergence::Js, Divergence::Renyi(0.5), Divergence::Tv];
    // With the last measure, the kernel is another one.
    for measures in [&measures[..3], &measures] {
        let whole = builder.build().expect("engine").rowwise(measures, p, q, &with(Zeros::Exact)).expect("whole");
        assert_eq!(whole.stats().chunks, 1);
        for (limit, at_least) in [(80_000, 3), (20_000, 10), (5_000, 40)] {
            let engine = builder.gpu(|gpu| gpu.binding_limit = Some(limit)).build().expect("engine");
            let out = engine.rowwise(measures, p, q, &with(Zeros::Exact)).expect("chunks");
            assert!(out.stats().chunks >= at_least, "{} chunks", out.stats().chunks);
            same_bits(&whole, &out, &format!("{} chunks", out.stats().chunks));
        }
    }
    let small = builder.gpu(|gpu| gpu.binding_limit = Some(200)).build().expect("engine");
    match small.rowwise(&measures, p, q, &with(Zeros::Exact)) {
        Err(Error::RowTooLarge { needed: 264, limit: 200 }) => {}
        other => panic!("{other:?}"),
    }
}

/// The reduction tree is the same however the threads exchange values.
pub fn with_and_without_subgroups_the_bits_are_the_same(backend: &str) {
    let Some(builder) = adapter(backend) else { return };
    let with_them = builder.build().expect("engine");
    let without = builder.gpu(|gpu| gpu.subgroups = Some(false)).build().expect("engine");
    for bins in [5, 33, 128, 1000, 20_000] {
        let hard = hard_rows(9, WeightType::F32, bins, FAMILIES.len());
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        let measures = [Divergence::Kl, Divergence::Js, Divergence::Entropy];
        for measures in [&measures[..2], &measures] {
            let run = |engine: &Engine| engine.rowwise(measures, p, q, &with(Zeros::Exact)).expect("rowwise");
            same_bits(&run(&with_them), &run(&without), &format!("{bins} bins"));
        }
    }
}

/// However many threads share a row, the contract holds.
pub fn every_number_of_threads_is_within_the_contract(backend: &str) {
    let Some(builder) = adapter(backend) else { return };
    for threads in [1, 2, 8, 32, 64, 128] {
        let engine = builder.gpu(|gpu| gpu.row_threads = Some(threads)).build().expect("engine");
        for bins in [1, 7, 33, 128, 1000, 3000] {
            let hard = hard_rows(12, WeightType::F32, bins, 2 * FAMILIES.len());
            let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
            let what = format!("{threads} threads, {bins} bins");
            against_oracle(&engine, p, q, Zeros::Exact, &what).assert(&what);
            // For measures of second order alone, the kernel is another one.
            let measures = [Divergence::Kl, Divergence::Js, Divergence::Chi2];
            let run = |engine: &Engine| engine.rowwise(&measures, p, q, &with(Zeros::Exact)).expect("rowwise");
            let (got, want) = (run(&engine), wanted(&measures, p, q, Zeros::Exact));
            let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
            let mut check = Check::default();
            check.columns(&got, &columns, want.status(), &p, &q, &|row| format!("row {row} of {what}"));
            check.assert(&what);
        }
    }
}

/// A question about two million rows, ten million if all is to run, reads back less than a mebibyte, and gives the answer that the columns give.
pub fn a_summary_of_millions_of_rows_reads_back_little(backend: &str) {
    let Some(builder) = adapter(backend) else { return };
    let (rows, bins) = (if is_thorough() { 10_000_000 } else { 2_000_000 }, 4);
    let mut state = 1_u32;
    let mut weight = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 25) as u8
    };
    let p: Vec<u8> = (0..rows * bins).map(|_| weight()).collect();
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&[9_u8, 50, 70, 20], bins).expect("q"));
    let engine = builder.build().expect("engine");
    let measures = [Divergence::Kl, Divergence::Js, Divergence::Hellinger, Divergence::Tv];
    let got = engine.summary(&measures, p, q, &Options::default(), 10).expect("summary");
    assert!(got.stats().received < 1 << 20, "{:?}", got.stats());
    let cpu = Engine::builder().device(Device::Cpu).build().expect("cpu");
    let want = cpu.summary(&measures, p, q, &Options::default(), 10).expect("summary");
    let near = |got: f64, want: f64, by: f64| assert!((got - want).abs() <= by * want, "{got:e} for {want:e}");
    for measure in measures {
        let (a, b) = (got.summary(measure).expect("asked for"), want.summary(measure).expect("asked for"));
        assert_eq!((a.rows, a.statuses, a.infinite), (rows as u64, b.statuses, b.infinite));
        near(a.mean, b.mean, 1e-6);
        near(a.variance, b.variance, 1e-5);
        a.quantiles.iter().zip(b.quantiles).for_each(|(a, b)| near(*a, b, 3.2e-5));
        let values = |top: &[kullback::TopRow]| top.iter().map(|top| top.value).collect::<Vec<_>>();
        let (a, b) = (got.top(measure).expect("asked for"), want.top(measure).expect("asked for"));
        values(a).iter().zip(values(b)).for_each(|(a, b)| near(*a, b, 1e-6));
        assert_eq!(a.len(), 10);
    }
}

/// The suite of a GPU, with one named test per behaviour. The device is opened once.
///
/// The first Vulkan adapter meets `every` combination; the others a `part` of them, which covers each measure, type, length and
/// policy. Each combination is a kernel to compile.
macro_rules! conformance_gpu {
    ($make:ident, $builder:expr, every) => {
        conformance_gpu!($make, $builder, true);
    };
    ($make:ident, $builder:expr, part) => {
        conformance_gpu!($make, $builder, is_thorough());
    };
    ($make:ident, $builder:expr, $every:expr) => {
        fn $make() -> Option<std::sync::Arc<kullback::Engine>> {
            use std::sync::{Arc, OnceLock};
            static ENGINE: OnceLock<Option<Arc<kullback::Engine>>> = OnceLock::new();
            ENGINE.get_or_init(|| $builder.map(|b| Arc::new(b.build().expect("the adapter opens")))).clone()
        }
        #[test]
        fn golden_cases() {
            golden_cases_are_within_the_contract($make);
        }
        #[test]
        fn hard_rows_of_every_type() {
            use kullback::WeightType as T;
            hard_rows_are_within_the_contract($make, T::F32, kullback::Zeros::Exact, &LENGTHS);
            for (i, weight_type) in [T::F16, T::Bf16, T::U8, T::U16, T::U32, T::I32].into_iter().enumerate() {
                let lengths = [1, 17, 257, 3, 64, 1000, 8, 129];
                let lengths = if $every { &lengths[..] } else { &lengths[i..][..3] };
                hard_rows_are_within_the_contract($make, weight_type, kullback::Zeros::Exact, lengths);
            }
        }
        #[test]
        fn measures_of_second_order() {
            use kullback::WeightType as T;
            measures_of_second_order_are_within_the_contract($make, T::F32, &LENGTHS);
            for (i, weight_type) in [T::F16, T::Bf16, T::U8, T::U16, T::U32, T::I32].into_iter().enumerate() {
                let lengths = [1, 3, 17, 64, 257];
                let lengths = if $every { &lengths[..] } else { &lengths[i % 5..][..1] };
                measures_of_second_order_are_within_the_contract($make, weight_type, lengths);
            }
        }
        #[test]
        fn a_weight_that_is_no_number() {
            a_weight_that_is_no_number_hides_nothing($make, if $every { 3 } else { 5 });
        }
        #[test]
        fn small_weights_beside_a_large_one() {
            small_weights_do_not_drown_in_a_large_one($make);
        }
        #[test]
        fn each_measure_alone() {
            let lengths = if $every { &[3, 17, 129][..] } else { &[17] };
            each_measure_alone_is_within_the_contract($make, kullback::WeightType::F32, lengths);
            if $every {
                each_measure_alone_is_within_the_contract($make, kullback::WeightType::U16, &[66]);
            }
        }
        #[test]
        fn orders_at_the_edges() {
            orders_at_the_edges_are_within_the_contract($make, kullback::WeightType::F32, &[2, 9, 64, 300]);
        }
        #[test]
        fn hard_rows_under_every_policy() {
            // Every policy meets every shape of a row, and each type half of the lengths. A part: half of that.
            for (i, zeros) in kullback_conformance::POLICIES.into_iter().enumerate() {
                let types = [kullback::WeightType::F32, kullback::WeightType::U16].into_iter().enumerate();
                for (j, weight_type) in types.filter(|(j, _)| $every || i / 2 % 2 == *j) {
                    let lengths = [[1, 9, 128], [2, 31, 1000]][(i + j) % 2];
                    hard_rows_are_within_the_contract($make, weight_type, zeros, &lengths);
                }
            }
        }
        #[test]
        fn long_rows() {
            long_rows_are_within_the_contract($make);
        }
        #[test]
        fn four_million_bins() {
            four_million_bins_are_within_the_contract($make);
        }
        #[test]
        fn one_row_against_many() {
            one_row_against_many_is_within_the_contract($make);
        }
        #[test]
        fn mixed_types() {
            mixed_types_are_within_the_contract($make);
        }
        #[test]
        fn a_stride() {
            a_stride_reads_a_column_range_in_place($make);
        }
        #[test]
        fn symmetric_measures() {
            symmetric_measures_stay_when_the_sides_are_swapped($make);
        }
        #[test]
        fn all_pairs() {
            use kullback::{WeightType as T, Zeros};
            all_pairs_are_within_the_contract($make, T::F32, &[Zeros::Exact], &[1, 9, 65, 130], 40);
            all_pairs_are_within_the_contract($make, T::F32, &kullback_conformance::POLICIES, &[17], 40);
            all_pairs_are_within_the_contract($make, T::U16, &[Zeros::Exact], &[33], 40);
        }
        #[test]
        fn all_pairs_by_each_measure_alone() {
            use kullback::WeightType as T;
            let types = if $every { &[T::F32, T::Bf16][..] } else { &[T::F32] };
            let lengths = if $every { &[9, 40][..] } else { &[40] };
            for &weight_type in types {
                each_measure_of_all_pairs_alone_is_within_the_contract($make, weight_type, lengths, 70);
            }
        }
        #[test]
        fn clusters() {
            clusters_are_within_the_contract($make);
        }
        #[test]
        fn products() {
            use kullback::WeightType as T;
            let types = [T::F32, T::F16, T::U8, T::U16, T::I32, T::Bf16, T::U32];
            for &weight_type in if $every { &types[..] } else { &types[..4] } {
                products_are_within_the_contract($make, weight_type);
            }
        }
        #[test]
        fn ordered_bins() {
            ordered_bins_are_within_the_contract($make, &[kullback::WeightType::U16]);
            ordered_bins_are_the_same_by_every_way($make);
            ordered_bins_of_long_rows($make, true);
        }
        #[test]
        fn one_bad_row() {
            one_bad_row_changes_no_other($make);
        }
    };
}

pub(crate) use conformance_gpu;
