//! Ten thousand calls of random shapes from eight threads on one engine. Every value is right, and memory does not grow.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::common::{adapter, with};
use kullback::{Divergence, Engine, Rows, Zeros};

const CALLS: usize = 10_000;
const THREADS: usize = 8;
/// After this many calls every buffer has grown to its size, and every kernel is compiled.
const WARM: usize = 3_000;
/// The most that the process may grow after that. Only what allocators keep may add to it.
const GROWTH: usize = 24 << 20;

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }
}

/// The bytes of memory that the process uses, if the system says so.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages.split_whitespace().nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

/// Makes one call of a random shape, and compares it with the CPU.
fn call(engine: &Engine, cpu: &Engine, random: &mut Random) {
    const BINS: [usize; 8] = [1, 3, 8, 17, 64, 100, 129, 700];
    let bins = BINS[random.below(BINS.len())];
    let rows = 1 + random.below(40);
    let p: Vec<u16> = (0..rows * bins).map(|_| random.below(1000) as u16).collect();
    let q: Vec<u16> = (0..rows * bins).map(|_| random.below(1000) as u16 + 1).collect();
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    let measures = &[[Divergence::Kl], [Divergence::Js]][random.below(2)];
    let options = with(Zeros::Exact);
    let got = engine.rowwise(measures, p, q, &options).expect("on the device");
    let want = cpu.rowwise(measures, p, q, &options).expect("on the CPU");
    assert_eq!(got.stats().retries, 0, "nothing failed: {:?}", got.stats());
    assert_eq!(got.status(), want.status());
    for (row, (got, want)) in got[measures[0]].iter().zip(&want[measures[0]]).enumerate() {
        let close = (got - want).abs() <= 2e-6 * want + 1e-24 || (got.is_nan() && want.is_nan());
        assert!(close, "{} of row {row} of {rows} × {bins}: {got:e} for {want:e}", measures[0]);
    }
}

#[test]
fn ten_thousand_calls_from_eight_threads() {
    let Some(builder) = adapter("vulkan") else { return };
    // Chunks have about thirty rows at most, so many calls have several chunks in progress.
    let engine = builder.gpu(|gpu| gpu.binding_limit = Some(40_000)).build().expect("the adapter was listed");
    let cpu = Engine::builder().device(kullback::Device::Cpu).threads(1).build().expect("the CPU is always there");
    let calls = AtomicUsize::new(0);
    let until = |limit: usize| {
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (engine, cpu, calls) = (&engine, &cpu, &calls);
                scope.spawn(move || {
                    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ ((thread as u64 + 1) * (limit as u64 + 1)));
                    while calls.fetch_add(1, Ordering::Relaxed) < limit {
                        call(engine, cpu, &mut random);
                    }
                });
            }
        });
        calls.store(limit, Ordering::Relaxed);
    };
    until(WARM);
    let before = resident_bytes();
    until(CALLS);
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        assert!(after <= before + GROWTH, "the process grew from {before} to {after} bytes");
    }
}
