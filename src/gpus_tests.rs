//! Several devices that share a call: the two software adapters stand for two GPUs.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use crate::backend::gpu::faults::{Fault, Point};
use crate::plan::cost::Rates;
use crate::{Columns, Device, Divergence, Engine, Error, GpuSet, Options, Rows, calibrate, test_devices};

const BINS: usize = 40;
const ROWS: usize = 4000;
const MEASURES: [Divergence; 2] = [Divergence::Kl, Divergence::Js];

fn rates(times: f64) -> Rates {
    Rates { call_seconds: 1e-6, sent_bytes_per_second: times * 1e9, bins_per_second: [times * 1e9; 3] }
}

/// An engine on both that believes the second to be three times as fast, in some ten chunks a device.
fn both(adapters: [usize; 2]) -> Engine {
    let builder = Engine::builder().gpu(|gpu| gpu.binding_limit = Some((ROWS * BINS * 4 / 20) as u64));
    let engine = builder.device(Device::Gpus(GpuSet::at(&adapters).expect("indices"))).build().expect("both");
    engine.gpus().expect("devices").believe([1.0, 3.0].map(rates).to_vec());
    engine
}

fn alone(adapter: usize) -> Engine {
    Engine::builder().device(Device::GpuAt(adapter)).build().expect("listed")
}

fn weights() -> [Vec<f32>; 2] {
    [1, 2].map(|seed| calibrate::weights(seed, ROWS * BINS))
}

fn same_bits(got: &Columns, want: [&Columns; 2], cut: usize) {
    for measure in MEASURES {
        for (row, got) in got[measure].iter().enumerate() {
            let want = want[usize::from(row >= cut)][measure][row];
            assert_eq!(got.to_bits(), want.to_bits(), "{measure} of row {row}");
        }
    }
}

#[test]
fn rows_are_shared_by_rates_and_each_device_gives_what_it_gives_alone() {
    let Some(found) = test_devices::two() else { return };
    let engine = both(found);
    let alone = found.map(alone);
    let [p, q] = weights();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let options = Options::default();
    for (p, q) in [(p, q), (p, q.slice(5, 1)), (p.slice(7, 1), q)] {
        let want = [0, 1].map(|i: usize| alone[i].rowwise(&MEASURES, p, q, &options).expect("alone"));
        let got = engine.rowwise(&MEASURES, p, q, &options).expect("shared");
        let shares: Vec<u64> = got.stats().shares.iter().map(|share| share.rows).collect();
        assert_eq!(shares.iter().sum::<u64>(), ROWS as u64);
        let ratio = shares[1] as f64 / shares[0] as f64;
        assert!((2.9..3.1).contains(&ratio), "{shares:?}");
        assert!(got.stats().chunks >= 4 && got.stats().device.contains(" + "), "{:?}", got.stats());
        same_bits(&got, [&want[0], &want[1]], shares[0] as usize);
    }
}

#[test]
fn rows_are_kept_by_shares_and_read_where_they_are() {
    let Some(found) = test_devices::two() else { return };
    let engine = both(found);
    let [p, q] = weights();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let want = engine.rowwise(&MEASURES, p, q, &Options::default()).expect("sent");
    let (kept_p, kept_q) = (engine.upload(p).expect("p"), engine.upload(q).expect("q"));
    assert!(kept_p.is_on_a_device() && want.stats().sent > 0);
    let got = engine.rowwise(&MEASURES, &kept_p, &kept_q, &Options::default()).expect("kept");
    assert_eq!(got.stats().sent, 0);
    same_bits(&got, [&want, &want], 0);
    let half = engine.rowwise(&MEASURES, &kept_p, q, &Options::default()).expect("one side kept");
    assert_eq!(half.stats().sent, (ROWS * BINS * 4) as u64);
    same_bits(&half, [&want, &want], 0);
}

#[test]
fn what_a_lost_device_leaves_is_done_by_the_other() {
    let Some(found) = test_devices::two() else { return };
    let [p, q] = weights();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let want = alone(found[0]).rowwise(&MEASURES, p, q, &Options::default()).expect("alone");
    for fails in [0, 1] {
        for after in [0, 3] {
            let engine = both(found);
            let (kept_p, kept_q) = (engine.upload(p).expect("p"), engine.upload(q).expect("q"));
            let faults = engine.gpus().expect("devices").devices()[fails].faults();
            // One that is lost is opened anew, and has none of the rows it kept.
            faults.arm(Fault::Lost, Point::Submit, after, 1);
            let lost = engine.rowwise(&MEASURES, &kept_p, &kept_q, &Options::default()).expect("every kept row");
            let sent = lost.stats().sent;
            assert!(sent > 0 && sent < 2 * (ROWS * BINS * 4) as u64, "{:?}", lost.stats());
            faults.arm(Fault::Refused, Point::Submit, after, usize::MAX);
            for got in [
                lost,
                engine.rowwise(&MEASURES, p, q, &Options::default()).expect("every row"),
                engine.rowwise(&MEASURES, &kept_p, &kept_q, &Options::default()).expect("every kept row"),
            ] {
                for measure in MEASURES {
                    for (row, (got, want)) in got[measure].iter().zip(&want[measure]).enumerate() {
                        assert!((got - want).abs() <= 1e-6 * want, "{measure} of row {row}: {got} {want}");
                    }
                }
                assert!(got.stats().retries > 0);
                let shares = &got.stats().shares;
                assert_eq!(shares.iter().map(|share| share.rows).sum::<u64>(), ROWS as u64, "{shares:?}");
            }
        }
    }
    let engine = both(found);
    for gpu in engine.gpus().expect("devices").devices() {
        gpu.faults().arm(Fault::Refused, Point::Submit, 1, usize::MAX);
    }
    let result = engine.rowwise(&MEASURES, p, q, &Options::default());
    assert!(matches!(result, Err(Error::DeviceFailed { .. })), "{result:?}");
}

#[test]
fn progress_of_two_devices_is_one_and_either_can_be_cancelled() {
    let Some(found) = test_devices::two() else { return };
    let engine = both(found);
    let [p, q] = weights();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    for cancel_at in [usize::MAX, 1, 5] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let calls = Arc::clone(&seen);
        let progress = move |progress: crate::Progress| {
            let mut seen = seen.lock().expect("nobody panics");
            seen.push(progress.done);
            if seen.len() >= cancel_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = Options { progress: Some(Arc::new(progress)), ..Options::default() };
        let result = engine.rowwise(&MEASURES, p, q, &options);
        let calls = calls.lock().expect("nobody panics");
        assert!(calls.is_sorted_by(|a, b| a < b), "{calls:?}");
        if cancel_at == usize::MAX {
            assert!(result.is_ok() && calls.last() == Some(&(ROWS as u64)));
        } else {
            assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
        }
    }
}

/// Chunks that are large enough for the pool, asked for by threads of the pool and by others at once: whoever waits for a
/// device must not keep the pool from those who have one.
#[test]
fn calls_from_threads_of_a_pool_and_from_others_end() {
    let Some(found) = test_devices::two() else { return };
    let rows = 1 << 14;
    let [p, q] = [1, 2].map(|seed| calibrate::weights(seed, rows * BINS));
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let single = Engine::builder()
        .device(Device::GpuAt(found[0]))
        .gpu(|gpu| gpu.binding_limit = Some(1 << 20))
        .build()
        .expect("listed");
    let shared = Engine::builder()
        .device(Device::Gpus(GpuSet::at(&found).expect("indices")))
        .gpu(|gpu| gpu.binding_limit = Some(1 << 20));
    let shared = shared.build().expect("both");
    shared.gpus().expect("devices").believe(vec![rates(1.0); 2]);
    for engine in [&single, &shared] {
        let want = engine.rowwise(&MEASURES, p, q, &Options::default()).expect("alone");
        assert!(want.stats().chunks > 2 && want.stats().bytes / want.stats().chunks > 1 << 20, "{:?}", want.stats());
        let call = || {
            let got = engine.rowwise(&MEASURES, p, q, &Options::default()).expect("call");
            let sizes = [got.len(), got.stats().chunks as usize];
            assert_eq!(sizes, [want.len(), want.stats().chunks as usize]);
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..3).for_each(|_| call()));
            }
            (0..8).into_par_iter().for_each(|_| call());
        });
    }
}

/// Whoever waits for a buffer on a thread of a pool takes up other calls, which wait for buffers too: not without end.
#[test]
fn thousands_of_calls_from_a_pool_of_many_threads_end() {
    let Some(found) = test_devices::two() else { return };
    let engine = alone(found[0]);
    let [p, q] = [1, 2].map(|seed| calibrate::weights(seed, 100 * BINS));
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let want = engine.rowwise(&MEASURES, p, q, &Options::default()).expect("alone");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(16).build().expect("a pool");
    pool.install(|| {
        (0..3000).into_par_iter().for_each(|_| {
            let got = engine.rowwise(&MEASURES, p, q, &Options::default()).expect("call");
            assert_eq!(got[Divergence::Kl], want[Divergence::Kl]);
        });
    });
}

#[test]
fn rates_that_nobody_gave_are_measured() {
    let Some(found) = test_devices::two() else { return };
    let set = GpuSet::at(&found).expect("indices");
    let engine = Engine::builder().device(Device::Gpus(set)).build().expect("both");
    let [p, q] = weights();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let got = engine.rowwise(&MEASURES, p, q, &Options::default()).expect("shared");
    assert_eq!(got.stats().shares.iter().map(|share| share.rows).sum::<u64>(), ROWS as u64);
    assert!(engine.calibrate().is_err(), "two devices have no rates in common");
    assert_eq!(set.indices().count(), 2);
    assert!(GpuSet::at(&[]).is_err() && GpuSet::at(&[64]).is_err());
}
