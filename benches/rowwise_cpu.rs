//! The CPU kernels beside the limit and beside a naive loop, on the same matrices in memory and the same
//! threads: verify, then time. A rate means something only beside the plain read of the same bytes, which is
//! in every group. Other libraries are in the bench of `crates/kullback-rivals`.
//!
//!     cargo bench --bench rowwise_cpu                 all of it, some minutes
//!     cargo bench --bench rowwise_cpu -- levels       engines and instruction sets, by length of row
//!     cargo bench --bench rowwise_cpu -- measures     every measure, sets of them, and weight types
//!     cargo bench --bench rowwise_cpu -- zeros        every zero policy, on full rows and on rows with missing bins
//!     cargo bench --bench rowwise_cpu -- threads      from how many bytes a second thread pays
//!     cargo bench --bench rowwise_cpu -- linear       one row of 10⁴ to 10⁸ bins
//!     cargo bench --bench rowwise_cpu -- small        one pair of short rows, a call
//!
//! `KULLBACK_BENCH_THREADS` sets the threads (default 2).
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod common;

use std::hint::black_box;

use common::*;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kullback::{Divergence, Options, Rows, SimdLevel};

fn naive_kl(p: &[f32], q: &[f32]) -> f64 {
    let total = |row: &[f32]| row.iter().map(|&x| f64::from(x)).sum::<f64>();
    let (p_total, q_total) = (total(p), total(q));
    let term = |(&a, &b): (&f32, &f32)| {
        let (a, b) = (f64::from(a) / p_total, f64::from(b) / q_total);
        if a > 0.0 { a * (a / b).ln() } else { 0.0 }
    };
    p.iter().zip(q).map(term).sum()
}

/// Engines and instruction sets.
fn levels(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads()).build().expect("a pool");
    for bins in [8, 16, 64, 1024, 8192] {
        let [p, q] = sides(bins);
        let mut group = criterion.benchmark_group(format!("levels/{bins} bins"));
        group.sample_size(10).throughput(Throughput::Bytes(8 * p.len() as u64));
        group.bench_function("plain read", |b| b.iter(|| pool.install(|| plain_read(&p) ^ plain_read(&q))));
        for level in SimdLevel::available() {
            let engine = engine(level, threads());
            within_the_contract(&engine, Divergence::Kl, &p, &q, bins);
            time_engine(&mut group, &format!("kullback {}", level.name()), &engine, &[Divergence::Kl], (&p, &q), bins);
        }
        time_peer(&mut group, "naive loop in f64 with ln", &pool, naive_kl, (&p, &q), bins);
        group.finish();
    }
}

/// Measures, sets of them, weight types, one row against many.
fn measures(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads()).build().expect("a pool");
    let engine = engine(SimdLevel::Auto, threads());
    for bins in [64, 1024] {
        let count = BYTES / 4 / bins * bins;
        let (p, q) = (weights(1, count), weights(2, count));
        let mut group = criterion.benchmark_group(format!("measures/{bins} bins"));
        group.sample_size(10).throughput(Throughput::Elements((count / bins) as u64));
        group.bench_function("plain read", |b| b.iter(|| pool.install(|| plain_read(&p) ^ plain_read(&q))));
        let names = "kl reverse_kl jeffreys js hellinger bhattacharyya tv chi2 neyman_chi2 triangular renyi:2 \
                     renyi:0.5 cross_entropy entropy kl,js,hellinger,tv";
        for names in names.split_whitespace() {
            let measures: Vec<Divergence> = names.split(',').map(|name| name.parse().expect("a measure")).collect();
            for measure in &measures {
                within_the_contract(&engine, *measure, &p, &q, bins);
            }
            time_engine(&mut group, names, &engine, &measures, (&p, &q), bins);
        }
        let kl = [Divergence::Kl];
        let counts = |values: &[f32]| -> Vec<u16> { values.iter().map(|x| (x * 60_000.0) as u16 + 1).collect() };
        time_engine(&mut group, "kl of u16 counts", &engine, &kl, (&counts(&p), &counts(&q)), bins);
        let wide = |values: &[f32]| -> Vec<f64> { values[..count / 2].iter().map(|&x| f64::from(x)).collect() };
        let (p_wide, q_wide) = (wide(&p), wide(&q));
        time_engine(&mut group, "kl of f64, half the rows", &engine, &kl, (&p_wide, &q_wide), bins);
        let one = Rows::new(&q[..bins], bins).expect("one row");
        let many = Rows::new(&p, bins).expect("whole rows");
        group.bench_function("kl, every row against one", |b| {
            b.iter(|| engine.rowwise(&kl, many, one, &Options::default()).expect("rowwise"));
        });
        group.finish();
    }
}

/// Zero policies, where every bin has weight and where one in ten has none on a side.
fn zeros(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads()).build().expect("a pool");
    let engine = engine(SimdLevel::Auto, threads());
    let bins = 64;
    let count = BYTES / 4;
    for (name, missing) in [("full", false), ("missing", true)] {
        let lower = |x: f32| if missing && x < 0.1 { 0.0 } else { 0.1 + x };
        let [p, q] = [1, 2].map(|seed| weights(seed, count).into_iter().map(lower).collect::<Vec<f32>>());
        let mut group = criterion.benchmark_group(format!("zeros/{name}"));
        group.sample_size(10).throughput(Throughput::Elements((count / bins) as u64));
        group.bench_function("plain read", |b| b.iter(|| pool.install(|| plain_read(&p) ^ plain_read(&q))));
        let (p, q) = (Rows::new(&p, bins).expect("whole rows"), Rows::new(&q, bins).expect("whole rows"));
        for policy in ["exact", "epsilon:1e-6", "additive:0.5", "mix:0.01", "floor:1e-6", "skip"] {
            let options = Options { zeros: policy.parse().expect("a policy"), ..Options::default() };
            for measure in [Divergence::Kl, Divergence::Js] {
                group.bench_function(format!("{measure}, {policy}"), |b| {
                    b.iter(|| engine.rowwise(&[measure], p, q, &options).expect("rowwise"));
                });
            }
        }
        group.finish();
    }
}

/// One thread against two, by bytes of a call: where they cross stands in `src/plan/cost.rs`.
fn thread_threshold(criterion: &mut Criterion) {
    let (one, two) = (engine(SimdLevel::Auto, 1), engine(SimdLevel::Auto, 2));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
    let (p, q) = (weights(1, 1 << 20), weights(2, 1 << 20));
    for kib in [64, 128, 256, 512, 1024, 4096] {
        let elements = kib << 7;
        let mut group = criterion.benchmark_group(format!("threads/{kib} KiB"));
        group.sample_size(20);
        time_engine(&mut group, "one", &one, &[Divergence::Kl], (&p[..elements], &q[..elements]), 64);
        // Both halves by hand: what the engine would do were the threshold lower.
        let half = elements / 2;
        let rows = |values| Rows::new(values, 64).expect("whole rows");
        let run = |p, q| one.rowwise(&[Divergence::Kl], rows(p), rows(q), &Options::default()).expect("rowwise");
        group.bench_function("two", |b| {
            let halves = || {
                let first = || run(&p[..half], &q[..half]);
                rayon::join(first, || run(&p[half..elements], &q[half..elements]))
            };
            b.iter(|| pool.install(halves));
        });
        time_engine(&mut group, "as the engine chooses", &two, &[Divergence::Kl], (&p[..elements], &q[..elements]), 64);
        group.finish();
    }
}

/// One row, longer and longer.
fn linear(criterion: &mut Criterion) {
    let engine = engine(SimdLevel::Auto, threads());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads()).build().expect("a pool");
    let (p, q) = (weights(1, 100_000_000), weights(2, 100_000_000));
    for bins in [10_000, 100_000, 1_000_000, 10_000_000, 32_000_000, 100_000_000] {
        let (p, q) = (&p[..bins], &q[..bins]);
        let mut group = criterion.benchmark_group(format!("linear/{bins} bins"));
        group.sample_size(10).throughput(Throughput::Elements(bins as u64));
        group.bench_function("plain read", |b| b.iter(|| pool.install(|| plain_read(p) ^ plain_read(q))));
        for measure in [Divergence::Kl, Divergence::Js] {
            time_engine(&mut group, &measure.to_string(), &engine, &[measure], (p, q), bins);
        }
        group.finish();
    }
}

/// One call over one pair of rows on a kept engine.
fn small(criterion: &mut Criterion) {
    let engine = engine(SimdLevel::Auto, threads());
    let (p, q) = (weights(1, 64), weights(2, 64));
    let mut group = criterion.benchmark_group("small");
    time_engine(&mut group, "one pair of 64 bins", &engine, &[Divergence::Kl], (&p, &q), 64);
    group.finish();
    black_box(q);
}

criterion_group!(benches, levels, measures, zeros, thread_threshold, linear, small);
criterion_main!(benches);
