//! A device that fails costs time, never a value: every fault, at every place where a device can fail, in the
//! first, a middle and the last chunk, gives the bits of a call without faults.

use std::time::Duration;

use rayon::prelude::*;

use crate::backend::gpu::faults::{Fault, Point};
use crate::{Columns, Divergence, Engine, EngineBuilder, Error, Options, RowStatus, Rows, test_devices};

const BINS: usize = 40;
const ROWS: usize = 1000;
const MEASURES: [Divergence; 3] = [Divergence::Kl, Divergence::Js, Divergence::Tv];

/// A builder for every kind of software adapter there is, and for both ways to its memory.
fn builders() -> Vec<EngineBuilder> {
    let builders = test_devices::vulkan_and_gl().into_iter().map(|device| Engine::builder().device(device));
    builders.flat_map(|builder| [builder, builder.gpu(|gpu| gpu.staging = Some(true))]).collect()
}

/// Random-looking rows with empty bins, equal rows and empty rows among them.
fn rows() -> (Vec<f32>, Vec<f32>) {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 28 == 0 { 0.0 } else { (state >> 8) as f32 }
    };
    let p: Vec<f32> = (0..ROWS * BINS).map(|_| next()).collect();
    let mut q: Vec<f32> = (0..ROWS * BINS).map(|_| next()).collect();
    q[BINS..2 * BINS].copy_from_slice(&p[BINS..2 * BINS]);
    q[7 * BINS..8 * BINS].fill(0.0);
    (p, q)
}

/// Cut into some fifteen chunks.
fn small_chunks(builder: EngineBuilder) -> Engine {
    builder.gpu(|gpu| gpu.binding_limit = Some((ROWS * BINS * 4 / 15) as u64)).build().expect("the adapter was listed")
}

fn call(engine: &Engine, (p, q): (&[f32], &[f32])) -> Result<Columns, Error> {
    let (p, q) = (Rows::new(p, BINS).expect("p"), Rows::new(q, BINS).expect("q"));
    engine.rowwise(&MEASURES, p, q, &Options::default())
}

fn same_bits(got: &Columns, want: &Columns) {
    assert_eq!(got.status(), want.status());
    for ((measure, got), (_, want)) in got.iter().zip(want.iter()) {
        let bits = |column: &[f64]| column.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(got), bits(want), "{measure}");
    }
}

#[test]
fn every_fault_at_every_point_of_every_chunk_costs_no_value() {
    let (p, q) = rows();
    for builder in builders() {
        let engine = small_chunks(builder);
        let want = call(&engine, (&p, &q)).expect("without faults");
        let chunks = want.stats().chunks as usize;
        assert!(chunks > 10 && want.stats().retries == 0, "{:?}", want.stats());
        assert!(want.status().contains(&RowStatus::Empty) && want.status().contains(&RowStatus::Ok));
        let points = [Point::Upload, Point::Submit, Point::Poll, Point::Map];
        let mut cases = vec![(Fault::NoMemory, Point::Allocate, 0), (Fault::NoMemory, Point::Allocate, 5)];
        for fault in [Fault::Lost, Fault::Refused, Fault::Panic] {
            cases.extend(points.iter().flat_map(|point| [0, chunks / 2, chunks - 1].map(|n| (fault, *point, n))));
        }
        for (fault, point, after) in cases {
            let gpu = engine.gpu().expect("an engine on a device");
            // A device that the case before has lost after its last chunk is found out now.
            same_bits(&call(&engine, (&p, &q)).expect("between two faults"), &want);
            if point == Point::Allocate {
                // Buffers that are kept would not be asked for again.
                gpu.recover().expect("recovers");
            }
            gpu.faults().arm(fault, point, after, 1);
            let got = call(&engine, (&p, &q)).unwrap_or_else(|e| panic!("{fault:?} at {point:?} after {after}: {e}"));
            assert!(!gpu.faults().disarm(), "{fault:?} at {point:?} after {after} never came");
            same_bits(&got, &want);
            // What a device has computed and given back before it is lost still counts.
            let least = u64::from((fault, point) != (Fault::Lost, Point::Map));
            let retries = got.stats().retries;
            assert!((least..=1).contains(&retries), "{fault:?} at {point:?} after {after}: {retries} retries");
        }
    }
}

#[test]
fn a_device_that_fails_again_and_again_is_an_error_that_names_it() {
    let (p, q) = rows();
    for builder in builders() {
        let engine = small_chunks(builder);
        let gpu = engine.gpu().expect("an engine on a device");
        for fault in [Fault::Lost, Fault::Refused, Fault::Panic] {
            gpu.faults().arm(fault, Point::Submit, 3, usize::MAX);
            match call(&engine, (&p, &q)) {
                Err(Error::DeviceFailed { device, reason }) => {
                    assert!(device == engine.device_name().as_ref() && !reason.is_empty(), "{device}: {reason}");
                }
                other => panic!("{fault:?}: {other:?}"),
            }
            gpu.faults().disarm();
            assert!(call(&engine, (&p, &q)).is_ok(), "the engine works again after {fault:?}");
        }
        gpu.recover().expect("recovers");
        gpu.faults().arm(Fault::NoMemory, Point::Allocate, 0, usize::MAX);
        let result = call(&engine, (&p, &q));
        assert!(matches!(result, Err(Error::DeviceMemory { .. })), "{result:?}");
        gpu.faults().disarm();
        assert!(call(&engine, (&p, &q)).is_ok(), "the engine works again without memory pressure");
    }
}

#[test]
fn uploaded_rows_outlive_the_device_they_are_on() {
    let (p, q) = rows();
    for builder in builders() {
        let engine = small_chunks(builder);
        let want = call(&engine, (&p, &q)).expect("without faults");
        let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
        let (p, q) = (engine.upload(p).expect("p"), engine.upload(q).expect("q"));
        let gpu = engine.gpu().expect("an engine on a device");
        for (fault, sent) in [(None, false), (Some(Fault::Lost), true), (None, true)] {
            if let Some(fault) = fault {
                gpu.faults().arm(fault, Point::Submit, 4, 1);
            }
            let got = engine.rowwise(&MEASURES, &p, &q, &Options::default()).expect("rowwise");
            same_bits(&got, &want);
            assert_eq!(got.stats().sent > 0, sent, "{:?}", got.stats());
        }
        let fresh = engine.upload(q.rows()).expect("q again");
        for (times, ends_well) in [(1, true), (2, false)] {
            gpu.faults().arm(Fault::Refused, Point::Upload, 0, times);
            assert_eq!(engine.upload(p.rows()).is_ok(), ends_well, "an upload that fails is done again, once");
        }
        let got = engine.rowwise(&MEASURES, p.rows(), &fresh, &Options::default()).expect("rowwise");
        same_bits(&got, &want);
    }
}

#[test]
fn submissions_that_take_long_are_followed_by_smaller_ones() {
    let (p, q) = rows();
    let mut followed = 0;
    for builder in builders() {
        let want = call(&small_chunks(builder), (&p, &q)).expect("as planned");
        let got = call(&small_chunks(builder.submission_seconds(1e-9)), (&p, &q)).expect("in smaller chunks");
        same_bits(&got, &want);
        assert_eq!(got.stats().retries, 0);
        // A device without a clock cannot tell.
        let has_clock = want.stats().device_seconds > 0.0;
        assert_eq!(got.stats().chunks > 20 * want.stats().chunks, has_clock, "{:?}", got.stats());
        followed += usize::from(has_clock);
    }
    let required = std::env::var("KULLBACK_REQUIRE_GPU").is_ok_and(|v| v == "1");
    assert!(followed > 0 || !required, "no adapter with a clock");
}

#[test]
fn a_device_that_does_not_answer_is_given_up() {
    let (p, q) = (vec![1.0_f32; 1 << 22], vec![2.0_f32; 1 << 22]);
    let (mut asked, mut given_up) = (0, 0);
    for builder in builders() {
        asked += 1;
        let engine = builder.gpu(|gpu| gpu.patience = Duration::ZERO).build().expect("the adapter was listed");
        let (p, q) = (Rows::new(&p, 64).expect("p"), Rows::new(&q, 64).expect("q"));
        match engine.rowwise(&[Divergence::Js], p, q, &Options::default()) {
            Err(Error::DeviceFailed { reason, .. }) => {
                assert!(reason.contains("no answer within"), "{reason}");
                given_up += 1;
            }
            // GL without a GPU has computed everything when it returns from being asked to.
            other => assert_eq!(other.expect("the only other end").stats().retries, 0),
        }
    }
    assert!(asked == 0 || given_up > 0, "no device was too slow for no patience at all");
}

/// Uploads hold several slots at once, as calls do: none may wait for another that waits for it.
#[test]
fn uploads_and_calls_from_many_threads_end() {
    let (p, q) = rows();
    for builder in builders() {
        let engine = small_chunks(builder);
        let want = call(&engine, (&p, &q)).expect("alone");
        std::thread::scope(|scope| {
            for i in 0..8 {
                let (engine, want, p, q) = (&engine, &want, &p, &q);
                scope.spawn(move || {
                    for _ in 0..10 {
                        if i % 2 == 0 {
                            let (p, q) = (Rows::new(p, BINS).expect("p"), Rows::new(q, BINS).expect("q"));
                            let kept = engine.upload(p).expect("upload");
                            same_bits(&engine.rowwise(&MEASURES, &kept, q, &Options::default()).expect("call"), want);
                        } else {
                            same_bits(&call(engine, (p, q)).expect("call"), want);
                        }
                    }
                });
            }
        });
        // Threads of a pool take up other calls while they wait in one.
        (0..40).into_par_iter().for_each(|_| same_bits(&call(&engine, (&p, &q)).expect("call"), &want));
    }
}
