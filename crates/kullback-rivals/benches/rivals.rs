//! kullback beside other libraries of Rust, on the same matrices in memory and the same threads: verify, then time.
//!
//!     cargo bench -p kullback-rivals
//!
//! `KULLBACK_BENCH_THREADS` sets the threads (default 2).
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

#[path = "../../../benches/common/mod.rs"]
mod common;

use common::*;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kullback::{Divergence, SimdLevel};

/// By length of row. The groups are those of the instruction sets in `rowwise_cpu`.
fn levels(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads()).build().expect("a pool");
    let engine = engine(SimdLevel::Auto, threads());
    for bins in [8, 16, 64, 1024, 8192] {
        let [p, q] = sides(bins);
        let mut group = criterion.benchmark_group(format!("levels/{bins} bins"));
        group.sample_size(10).throughput(Throughput::Bytes(8 * p.len() as u64));
        group.bench_function("plain read", |b| b.iter(|| pool.install(|| plain_read(&p) ^ plain_read(&q))));
        within_the_contract(&engine, Divergence::Kl, &p, &q, bins);
        time_engine(&mut group, "kullback", &engine, &[Divergence::Kl], (&p, &q), bins);
        time_peer(&mut group, "simsimd", &pool, kullback_rivals::simsimd, (&p, &q), bins);
        time_peer(&mut group, "ndarray-stats", &pool, kullback_rivals::ndarray_stats, (&p, &q), bins);
        group.finish();
    }
}

criterion_group!(benches, levels);
criterion_main!(benches);
