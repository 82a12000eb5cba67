//! What the benches share: weights, engines that are verified before they are timed, and the limit.

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use kullback::{Device, Divergence, Engine, Options, Rows, SimdLevel, Weight};
use kullback_conformance::Tolerance;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rayon::ThreadPool;
use rayon::prelude::*;

/// Bytes of each side: beyond every cache.
pub(crate) const BYTES: usize = 128 << 20;

/// The threads that `KULLBACK_BENCH_THREADS` sets.
pub(crate) fn threads() -> usize {
    std::env::var("KULLBACK_BENCH_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// An engine of one instruction set.
pub(crate) fn engine(level: SimdLevel, threads: usize) -> Engine {
    Engine::builder().device(Device::Cpu).simd_level(level).threads(threads).build().expect("the CPU is always there")
}

/// Random weights in (0, 1].
pub(crate) fn weights(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = SmallRng::seed_from_u64(seed);
    (0..count).map(|_| 1.0 - rng.random::<f32>()).collect()
}

/// Both sides of the bench of engines: normalised rows.
pub(crate) fn sides(bins: usize) -> [Vec<f32>; 2] {
    [1, 2].map(|seed| {
        let mut rows = weights(seed, BYTES / 4 / bins * bins);
        normalise(&mut rows, bins);
        rows
    })
}

/// Every row divided by its total, as libraries without normalisation want it.
fn normalise(weights: &mut [f32], bins: usize) {
    for row in weights.chunks_exact_mut(bins) {
        let total: f64 = row.iter().map(|&x| f64::from(x)).sum();
        row.iter_mut().for_each(|x| *x = (f64::from(*x) / total) as f32);
    }
}

/// Every byte of a slice, read by all threads of the pool.
pub(crate) fn plain_read<T: bytemuck::Pod + Sync>(values: &[T]) -> u64 {
    let bytes: &[u8] = bytemuck::cast_slice(values);
    let xor = |piece: &[u8]| {
        let words = piece.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
        words.fold(0, |all, word| all ^ word)
    };
    bytes.par_chunks(1 << 18).map(xor).reduce(|| 0, |a, b| a ^ b)
}

/// One value per row, by all threads of the pool.
fn by_rows(p: &[f32], q: &[f32], bins: usize, value: impl Fn(&[f32], &[f32]) -> f64 + Sync) -> Vec<f64> {
    p.par_chunks_exact(bins).zip(q.par_chunks_exact(bins)).with_min_len(16).map(|(p, q)| value(p, q)).collect()
}

fn largest_error(got: &[f64], want: &[f64]) -> f64 {
    got.iter().zip(want).map(|(got, want)| ((got - want) / want).abs()).fold(0.0, f64::max)
}

/// What the oracle's 64-bit twin says of the first rows: enough to catch a broken engine before it is timed.
fn exact(measure: Divergence, p: &[f32], q: &[f32], bins: usize) -> Vec<f64> {
    let oracle = Engine::builder().device(Device::Reference).build().expect("the reference is always there");
    let elements = (bins * 200).min(p.len()).min(1 << 20).max(bins);
    let rows = |values| Rows::new(values, bins).expect("whole rows");
    let out = oracle.rowwise(&[measure], rows(&p[..elements]), rows(&q[..elements]), &Options::default());
    out.expect("rowwise")[measure].to_vec()
}

/// Ends the bench where an engine is not within the contract.
pub(crate) fn within_the_contract(engine: &Engine, measure: Divergence, p: &[f32], q: &[f32], bins: usize) {
    let want = exact(measure, p, q, bins);
    let rows = |values| Rows::new(values, bins).expect("whole rows");
    let elements = want.len() * bins;
    let got = engine.rowwise(&[measure], rows(&p[..elements]), rows(&q[..elements]), &Options::default());
    let tolerance = Tolerance { relative: 1e-6, absolute: 1e-24 };
    for (got, want) in got.expect("rowwise")[measure].iter().zip(&want) {
        tolerance.check(*got, *want).expect("within the contract before anything is timed");
    }
}

/// Times an engine.
pub(crate) fn time_engine<W: Weight>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    engine: &Engine,
    measures: &[Divergence],
    (p, q): (&[W], &[W]),
    bins: usize,
) {
    let (p, q) = (Rows::new(p, bins).expect("whole rows"), Rows::new(q, bins).expect("whole rows"));
    group.bench_function(name, |b| b.iter(|| engine.rowwise(measures, p, q, &Options::default()).expect("rowwise")));
}

/// Prints the largest error of another engine, which gives one value for two rows, and times it.
pub(crate) fn time_peer(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    pool: &ThreadPool,
    value: fn(&[f32], &[f32]) -> f64,
    (p, q): (&[f32], &[f32]),
    bins: usize,
) {
    let want = exact(Divergence::Kl, p, q, bins);
    let values = by_rows(&p[..want.len() * bins], &q[..want.len() * bins], bins, value);
    println!("{name}, {bins} bins: largest relative error {:.1e}", largest_error(&values, &want));
    group.bench_function(name, |b| b.iter(|| pool.install(|| by_rows(p, q, bins, value))));
}
