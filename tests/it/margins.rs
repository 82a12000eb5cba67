//! Rows that once came nearest to the limit of the contract. They lose little, and so keep a margin to it.

use std::sync::Arc;

use crate::common::{every_engine, oracle, wanted, with};
use kullback::{Device, Divergence, Engine, Rows, SimdLevel, WeightType, Zeros};
use kullback_conformance::{FAMILIES, hard_rows, hard_rows_of_family};

/// An error of the exponent counts once per binade of the ratio of the weights.
#[test]
fn the_exponent_of_a_power_sum_keeps_its_digits() {
    // Of all orders with three digits, a 32-bit float misses these by most.
    let measures = [Divergence::Alpha(-0.956), Divergence::Tsallis(1.956)];
    let small = |i: i32| (1.0 + (i % 7) as f32 / 7.0) * 2f32.powi(-i / 2);
    let p: Vec<f32> = (0..190).flat_map(|i| [1.0, small(i)]).collect();
    let q: Vec<f32> = (0..190).flat_map(|i| [1.3, 1.0 + (i % 5) as f32]).collect();
    for (p, q) in [(&p, &q), (&q, &p)] {
        let (p, q) = (Rows::new(p, 2).expect("p"), Rows::new(q, 2).expect("q"));
        let want = wanted(&measures, p, q, Zeros::Exact);
        for engine in every_engine() {
            let got = engine.rowwise(&measures, p, q, &with(Zeros::Exact)).expect("rowwise");
            for measure in measures {
                for (got, want) in got[measure].iter().zip(&want[measure]).filter(|(_, want)| **want > 0.1) {
                    let name = engine.device_name();
                    assert!((got / want - 1.0).abs() < 5e-7, "{name}: {measure} {got} for {want}");
                }
            }
        }
    }
}

/// An engine for every SIMD level of the CPU, and one for every GPU.
fn every_level() -> Vec<Arc<Engine>> {
    let level = |level| Engine::builder().device(Device::Cpu).simd_level(level).build().expect("a level");
    SimdLevel::available().into_iter().map(level).map(Arc::new).chain(every_engine()).collect()
}

/// The largest relative error now of a row that was near the limit of 1e-6.
const MARGIN: f64 = 7e-7;

/// Asserts that the values of one row are within [`MARGIN`] on every engine.
fn have_a_margin(measures: &[Divergence], p: Rows<'_>, q: Rows<'_>, zeros: Zeros) {
    let values = |engine: &Engine| engine.rowwise(measures, p, q, &with(zeros)).expect("rowwise");
    let want = values(&oracle());
    for engine in every_level() {
        let got = values(&engine);
        for &measure in measures {
            let (got, want) = (got[measure][0], want[measure][0]);
            assert!((got / want - 1.0).abs() < MARGIN, "{}: {measure} {got} for {want}", engine.device_name());
        }
    }
}

/// Rows that once came nearest to the limit of the contract are now farther from it.
#[test]
fn rows_that_were_near_the_limit_have_a_margin() {
    use Divergence::{Alpha, Chi2, Js, Kl, Renyi, ReverseKl, Tsallis};
    let family = FAMILIES.iter().position(|family| *family == "two weights").expect("a family");
    for (measure, bins, zeros, seed, row) in [
        (Alpha(-0.9), 12, Zeros::Additive(0.5), 5_000_893, 198),
        (Alpha(-1.0), 17, Zeros::Skip, 5_000_476, 292),
        (ReverseKl, 17, Zeros::Skip, 5_000_476, 292),
        (Alpha(2.0), 15, Zeros::Additive(0.5), 5_000_249, 332),
        (Tsallis(1.9), 256, Zeros::Exact, 5_000_974, 170),
        (Renyi(1.01), 3, Zeros::Exact, 5_001_051, 435),
    ] {
        let hard = hard_rows_of_family(seed, WeightType::F32, bins, row + 1, family);
        have_a_margin(&[measure], hard.p.rows(bins).slice(row, 1), hard.q.rows(bins).slice(row, 1), zeros);
    }
    for (measure, bins, zeros, seed, row) in [
        (Js, 15, Zeros::Exact, 1_000_177, 2687),
        (Kl, 64, Zeros::Skip, 1_000_016, 6359),
        (Kl, 256, Zeros::Mix(0.001), 1_000_812, 7166),
        (ReverseKl, 15, Zeros::Exact, 1_001_017, 6167),
        (Tsallis(1.9), 15, Zeros::Exact, 1_000_147, 11_975),
        (Chi2, 256, Zeros::Exact, 1_000_032, 8750),
    ] {
        let hard = hard_rows(seed, WeightType::F32, bins, row + 1);
        have_a_margin(&[measure], hard.p.rows(bins).slice(row, 1), hard.q.rows(bins).slice(row, 1), zeros);
    }
}

/// If one measure of a call asks for totals in two parts, the other measures use both parts too.
#[test]
fn measures_of_one_call_do_not_spoil_each_other() {
    use Divergence::{Chi2, Js, Kl, NeymanChi2, ReverseKl, Tv};
    let hard = hard_rows(1_000_795, WeightType::F32, 33, 1800);
    let (p, q) = (hard.p.rows(33).slice(1799, 1), hard.q.rows(33).slice(1799, 1));
    for measures in [vec![Kl, ReverseKl, Chi2], vec![Kl, ReverseKl, Js, NeymanChi2, Tv], vec![Kl, ReverseKl, Tv]] {
        have_a_margin(&measures, p, q, Zeros::Exact);
    }
}

/// If a is a little less than half of q, or a little more than twice q, the term of `reverse_kl` is a small difference.
#[test]
fn a_ratio_near_two_or_one_half_loses_little() {
    for (p, q) in [
        ([0.719_954_2_f32, 145.370_6], [1.450_477_f32, 145.292_6]),
        ([0.753_573_1, 171.888_63], [1.522_313_5, 171.377_35]),
        ([1.450_477, 145.292_6], [0.719_954_2, 145.370_6]),
    ] {
        let (p, q) = (Rows::new(&p, 2).expect("p"), Rows::new(&q, 2).expect("q"));
        for measure in [Divergence::ReverseKl, Divergence::Kl] {
            let value =
                |engine: &Engine| engine.rowwise(&[measure], p, q, &with(Zeros::Exact)).expect("rowwise")[measure][0];
            let want = value(&oracle());
            for engine in every_level() {
                let (name, got) = (engine.device_name(), value(&engine));
                // Without a fused multiply-add a product is rounded once more: nothing gives that back.
                let is_fused = name.starts_with("cpu") && (name.contains("avx") || name.contains("neon"));
                let limit = if is_fused { MARGIN } else { 1e-6 };
                assert!((got / want - 1.0).abs() < limit, "{name}: {measure} {got} for {want}");
            }
        }
    }
}

/// With more than 2²⁴ bins, the number of bins may not be a 32-bit float, and what is added to every bin matters.
#[test]
fn what_is_added_to_very_many_bins_is_known_to_the_last_digit() {
    const BINS: usize = (1 << 24) + 1;
    let (mut p, q) = (vec![2.0_f32; BINS], vec![1.0_f32; BINS]);
    p[0] += 50_331.0;
    let (p_rows, q_rows) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let engine = Engine::builder().device(Device::Cpu).build().expect("engine");
    let measures = [Divergence::Tv, Divergence::Kl];
    let got = engine.rowwise(&measures, p_rows, q_rows, &with(Zeros::Additive(1.0))).expect("rowwise");
    // p̂ of the first bin and of each other bin, and q̂ of each bin.
    let n = BINS as f64;
    let total = 3.0 * n + 50_331.0;
    let (first, other) = (50_334.0 / total, 3.0 / total);
    assert!((got[Divergence::Tv][0] / (first - 1.0 / n) - 1.0).abs() < 1e-6, "{}", got[Divergence::Tv][0]);
    let kl = first * (first * n).ln() + (n - 1.0) * other * (other * n).ln();
    assert!((got[Divergence::Kl][0] / kl - 1.0).abs() < 1e-6, "{} for {kl}", got[Divergence::Kl][0]);
}

/// Many small terms stand beside a large one. Each addition to the large one would lose half a digit, always in one direction.
#[test]
fn long_rows_lose_nothing_beside_one_large_term() {
    for (bins, share) in [(300_000, 0.015), (300_000, 0.012_782_706), (16_384, 0.0009)] {
        let (mut p, mut q) = (vec![0.0_f32; bins], vec![((1.0 - share) / (bins - 1) as f64) as f32; bins]);
        (p[bins / 3], q[bins / 3]) = (1.0, share as f32);
        let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
        for measure in [Divergence::Chi2, Divergence::Kl, Divergence::Tsallis(1.9)] {
            have_a_margin(&[measure], p, q, Zeros::Exact);
        }
    }
}
