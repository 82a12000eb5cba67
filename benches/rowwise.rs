//! Rowwise throughput: verify, then time. The naive loop and a plain read of the same bytes stay in
//! the table, since a rate means something only beside them.
//!
//!     cargo bench --bench rowwise
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kullback::{Device, Divergence, Engine, Options, Rows, WeightType};
use kullback_conformance::{Tolerance, Values, hard_rows};

/// Bins of each case; the number of rows makes 32 MiB a side.
const BINS: [usize; 4] = [8, 64, 1024, 65_536];
const BYTES: usize = 32 << 20;

fn naive_kl(p: &[f32], q: &[f32], bins: usize) -> Vec<f64> {
    let rows = p.chunks(bins).zip(q.chunks(bins));
    rows.map(|(p, q)| {
        let (p_total, q_total): (f64, f64) =
            (p.iter().map(|&x| f64::from(x)).sum(), q.iter().map(|&x| f64::from(x)).sum());
        let term = |(&a, &b): (&f32, &f32)| {
            let (a, b) = (f64::from(a) / p_total, f64::from(b) / q_total);
            if a > 0.0 { a * (a / b).ln() } else { 0.0 }
        };
        p.iter().zip(q).map(term).sum()
    })
    .collect()
}

fn rowwise(criterion: &mut Criterion) {
    let engine = Engine::builder().device(Device::Cpu).threads(1).build().expect("the CPU is always there");
    let options = Options::default();
    for bins in BINS {
        let rows = BYTES / 4 / bins;
        // The dense family repeated: the common case, with no row that is answered without work.
        let one = hard_rows(1, WeightType::F32, bins, 3);
        let (Values::F32(p), Values::F32(q)) = (&one.p, &one.q) else { unreachable!("asked for f32") };
        let p: Vec<f32> = p[2 * bins..].iter().copied().cycle().take(rows * bins).collect();
        let q: Vec<f32> = q[2 * bins..].iter().copied().cycle().take(rows * bins).collect();
        let (p_rows, q_rows) = (Rows::new(&p, bins).expect("rows"), Rows::new(&q, bins).expect("rows"));

        let tolerance = Tolerance { relative: 1e-6, absolute: 1e-24 };
        let got = engine.rowwise(&[Divergence::Kl], p_rows, q_rows, &options).expect("rowwise");
        let want = engine.rowwise(&[Divergence::Kl], wide(&p).rows(bins), wide(&q).rows(bins), &options).expect("wide");
        for (got, want) in got[Divergence::Kl].iter().zip(&want[Divergence::Kl]) {
            tolerance.check(*got, *want).expect("within the contract before anything is timed");
        }

        let mut group = criterion.benchmark_group(format!("{bins} bins, f32, one thread"));
        group.sample_size(10);
        group.throughput(Throughput::Bytes((rows * bins * 8) as u64));
        group.bench_function("plain read", |b| {
            b.iter(|| {
                let bits = |row: &[f32]| row.iter().fold(0_u32, |x, y| x ^ y.to_bits());
                black_box(bits(black_box(&p)) ^ bits(black_box(&q)))
            });
        });
        for measures in [
            &[Divergence::Kl][..],
            &[Divergence::Js],
            &[Divergence::Kl, Divergence::Js, Divergence::Hellinger, Divergence::Tv],
        ] {
            let name: Vec<String> = measures.iter().map(ToString::to_string).collect();
            group.bench_with_input(BenchmarkId::new("kullback", name.join("+")), measures, |b, measures| {
                b.iter(|| engine.rowwise(measures, p_rows, q_rows, &options).expect("rowwise"));
            });
        }
        group.bench_function("naive kl in f64 with ln", |b| b.iter(|| naive_kl(black_box(&p), black_box(&q), bins)));
        group.finish();
    }
}

fn wide(values: &[f32]) -> Values {
    Values::F64(values.iter().map(|&x| f64::from(x)).collect())
}

criterion_group!(benches, rowwise);
criterion_main!(benches);
