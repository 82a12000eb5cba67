//! Summaries against those of columns in 64-bit floats, on every backend; with rows that are equal, disjoint, empty,
//! invalid and next to equal.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use crate::backend::gpu::faults::{Fault, Point};
use crate::backend::gpu::summary::{MOST_FOR_THE_HOST, bucket, middle};
use crate::{
    Columns, Device, Divergence, Engine, EngineBuilder, Error, GpuSet, OnInvalid, Options, Progress, QUANTILES, Rates,
    RowStatus, Rows, Summaries, Unit, Weight, Zeros, calibrate, test_devices,
};

const TOP: usize = 20;

/// The sets of measures: every form that a value has.
const SETS: [&[Divergence]; 4] = [
    &[Divergence::Kl, Divergence::Js, Divergence::Hellinger, Divergence::Tv],
    &[Divergence::JsDistance, Divergence::Renyi(2.0), Divergence::Bhattacharyya, Divergence::Chi2],
    &[Divergence::Entropy, Divergence::CrossEntropy, Divergence::Renyi(1.5), Divergence::Tsallis(2.0)],
    &[Divergence::Jeffreys],
];

/// Engines with memory for four tables and for chunks of a few thousand rows.
fn engines() -> Vec<Engine> {
    engines_with((128 << 20) + (1 << 20))
}

/// The CPU, and what there is of adapters: alone, by way of staging memory, and together.
fn engines_with(memory: u64) -> Vec<Engine> {
    let found = test_devices::vulkan_and_gl();
    let mut builders = vec![Engine::builder().device(Device::Cpu)];
    let rates = Rates { call_seconds: 1e-6, sent_bytes_per_second: 1e9, bins_per_second: [1e9; 3] };
    builders.extend(found.iter().map(|device| Engine::builder().device(*device)));
    builders.extend(found.first().map(|device| Engine::builder().device(*device).gpu(|gpu| gpu.staging = Some(true))));
    if let Some(two) = test_devices::two() {
        builders.push(Engine::builder().device(Device::Gpus(GpuSet::at(&two).expect("indices"))));
    }
    let build = |builder: EngineBuilder| {
        let engine = builder.memory(memory).build().expect("an engine");
        match engine.gpus() {
            Some(gpus) if gpus.devices().len() > 1 => gpus.believe(vec![rates; 2]),
            _ => {}
        }
        engine
    };
    builders.into_iter().map(build).collect()
}

/// Two sides in which every eleventh row is of a hard kind.
fn hard(rows: usize, bins: usize) -> [Vec<f32>; 2] {
    let [mut p, mut q] = [1, 2].map(|seed| calibrate::weights(seed, rows * bins));
    for (row, (p, q)) in p.chunks_mut(bins).zip(q.chunks_mut(bins)).enumerate().filter(|(row, _)| row % 11 == 0) {
        match row / 11 % 8 {
            0 => q.copy_from_slice(p),
            1 => q[0] = 0.0,
            2 => p[0] = 0.0,
            3 => p.fill(0.0),
            4 => q[bins - 1] = -1.0,
            // Next to equal: the device leaves these to the host.
            5 => q.iter_mut().zip(p).for_each(|(q, p)| *q = *p * (1.0 + 1e-5 * *q)),
            6 => p.iter_mut().enumerate().for_each(|(bin, p)| *p = if bin == 0 { 1e30 } else { *p }),
            _ => {
                let (even, odd) = (|bin: usize| bin.is_multiple_of(2), |bin: usize| !bin.is_multiple_of(2));
                p.iter_mut().enumerate().filter(|(bin, _)| even(*bin)).for_each(|(_, p)| *p = 0.0);
                q.iter_mut().enumerate().filter(|(bin, _)| odd(*bin)).for_each(|(_, q)| *q = 0.0);
            }
        }
    }
    [p, q]
}

/// The columns in 64-bit floats.
fn columns<W: Weight>(measures: &[Divergence], p: &[W], q: &[W], bins: usize, options: &Options) -> Columns
where
    f64: From<W>,
{
    let wide = |weights: &[W]| weights.iter().map(|weight| f64::from(*weight)).collect::<Vec<f64>>();
    let (p, q) = (wide(p), wide(q));
    let cpu = Engine::builder().device(Device::Cpu).build().expect("cpu");
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    cpu.rowwise(measures, p, q, options).expect("columns")
}

/// Within a relative tolerance, or what the contract always allows.
fn near(got: f64, want: f64, tolerance: f64, floor: f64, what: &str) {
    assert!((got - want).abs() <= tolerance * want.abs() + floor, "{what}: {got:e} for {want:e}");
}

/// Holds summaries to the columns.
fn check(got: &Summaries, columns: &Columns, what: &str) {
    let statuses = RowStatus::ALL.map(|status| columns.status().iter().filter(|s| **s == status).count() as u64);
    for (measure, column) in columns.iter() {
        let summary = got.summary(measure).expect("asked for");
        let what = format!("{what}: {measure}");
        let floor = if measure.is_first_order() { 1e-12 } else { 1e-24 };
        let near = |got, want, tolerance, what: &str| near(got, want, tolerance, floor, what);
        let mut finite: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
        finite.sort_unstable_by(f64::total_cmp);
        let count = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / count;
        let variance = finite.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        assert_eq!(summary.statuses, statuses, "{what}");
        assert_eq!((summary.finite, summary.rows), (finite.len() as u64, column.len() as u64), "{what}");
        assert_eq!(summary.infinite, column.iter().filter(|value| value.is_infinite()).count() as u64, "{what}");
        near(summary.mean, mean, 1e-6, &format!("{what}, mean"));
        near(summary.variance, variance, 1e-5, &format!("{what}, variance"));
        near(summary.standard_error, (variance / count).sqrt(), 1e-5, &format!("{what}, standard error"));
        for (q, got) in QUANTILES.into_iter().zip(summary.quantiles) {
            let at = q * (count - 1.0);
            let (low, high) = (finite[at.floor() as usize], finite[at.ceil() as usize]);
            let want = low + (high - low) * at.fract();
            let tolerance = if summary.exact || q == 0.0 || q == 1.0 { 1e-6 } else { 1.6e-5 };
            near(got, want, tolerance, &format!("{what}, quantile {q}"));
        }
        let mut order: Vec<usize> = (0..column.len()).filter(|row| !column[*row].is_nan()).collect();
        order.sort_by(|a, b| column[*b].total_cmp(&column[*a]).then(a.cmp(b)));
        let top = got.top(measure).expect("asked for");
        assert_eq!(top.len(), TOP.min(order.len()), "{what}");
        for (i, (top, want)) in top.iter().zip(order).enumerate() {
            let want_value = column[want];
            if want_value.is_infinite() {
                assert_eq!((top.row, top.value), (want as u64, want_value), "{what}, place {i}");
            } else {
                near(top.value, want_value, 1e-6, &format!("{what}, place {i}"));
                near(top.value, column[top.row as usize], 1e-6, &format!("{what}, row {} at place {i}", top.row));
            }
        }
    }
}

#[test]
fn summaries_are_those_of_the_columns() {
    for (device, engine) in engines().into_iter().enumerate() {
        for (shape, (rows, bins)) in [(20_000, 12), (64, 5), (3, 7), (8193, 1)].into_iter().enumerate() {
            let [p, q] = hard(rows, bins);
            let (p_rows, q_rows) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            for (i, set) in SETS.into_iter().enumerate() {
                // Every set meets both policies on every device, and every shape meets both.
                let zeros = [Zeros::Exact, Zeros::Additive(0.5)][(i + shape + device) % 2];
                let unit = [Unit::Nats, Unit::Bits][i % 2];
                let options = Options { zeros, unit, on_invalid: OnInvalid::Null, ..Options::default() };
                let what = format!("{}, {rows} x {bins}, {zeros}", engine.device_name());
                let got = engine.summary(set, p_rows, q_rows, &options, TOP).expect("a summary");
                check(&got, &columns(set, &p, &q, bins, &options), &what);
                let exact = got.summary(set[0]).expect("asked for").exact;
                assert_eq!(exact, engine.gpus().is_none() || rows < 64, "{what}: {:?}", got.stats());
            }
        }
    }
}

#[test]
fn summaries_of_kept_split_and_paired_rows_are_those_of_the_columns() {
    for engine in engines() {
        let options = Options { on_invalid: OnInvalid::Null, ..Options::default() };
        for (rows, bins) in [(100, 20_000), (5000, 64)] {
            let [p, q] = hard(rows, bins);
            let (p_rows, q_rows) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            let want = columns(SETS[0], &p, &q, bins, &options);
            let (kept_p, kept_q) = (engine.upload(p_rows).expect("p"), engine.upload(q_rows).expect("q"));
            let got = engine.summary(SETS[0], &kept_p, &kept_q, &options, TOP).expect("kept");
            assert_eq!(got.stats().sent, 0);
            check(&got, &want, &format!("{}, kept {rows} x {bins}", engine.device_name()));
            let (one, many) = (&q[bins..2 * bins], columns(SETS[0], &p, &q[bins..2 * bins], bins, &options));
            let one = Rows::new(one, bins).expect("a row");
            let got = engine.summary(SETS[0], &kept_p, one, &options, TOP).expect("against one");
            check(&got, &many, &format!("{}, {rows} x {bins} against one", engine.device_name()));
        }
    }
}

#[test]
fn equal_values_are_taken_in_the_order_of_their_rows() {
    let (rows, bins) = (30_000, 4);
    // Every row disjoint: js is ln 2 everywhere, kl infinite.
    let p: Vec<u8> = (0..rows * bins).map(|i| u8::from(i % 2 == 0)).collect();
    let q: Vec<u8> = p.iter().map(|p| 1 - p).collect();
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    for engine in engines() {
        for most in [0, 1, 7, 256, 1000] {
            let got =
                engine.summary(&[Divergence::Js, Divergence::Kl], p, q, &Options::default(), most).expect("summary");
            for measure in [Divergence::Js, Divergence::Kl] {
                let top: Vec<u64> = got.top(measure).expect("asked for").iter().map(|top| top.row).collect();
                assert_eq!(top, (0..most as u64).collect::<Vec<_>>(), "{measure} on {}", engine.device_name());
            }
            let js = got.summary(Divergence::Js).expect("asked for");
            assert_eq!(js.quantiles.map(|q| q <= std::f64::consts::LN_2), [true; 11], "{js:?}");
            assert!(js.mean <= std::f64::consts::LN_2 && js.variance < 1e-15, "{js:?}");
        }
    }
}

#[test]
fn a_row_that_is_refused_is_the_same_error_as_that_of_the_columns() {
    let (rows, bins) = (5000, 9);
    let [mut p, q] = [3, 4].map(|seed| calibrate::weights(seed, rows * bins));
    p[4321 * bins + 5] = f32::NAN;
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    for engine in engines() {
        let got = engine.summary(SETS[0], p, q, &Options::default(), TOP).map(|_| ());
        let want = engine.rowwise(SETS[0], p, q, &Options::default()).map(|_| ());
        assert!(matches!(got, Err(Error::InvalidWeights { count: 1, row: 4321, bin: 5, .. })), "{got:?}");
        // A NaN is not equal to itself.
        assert_eq!(format!("{got:?}"), format!("{want:?}"));
    }
}

#[test]
fn what_is_too_much_for_a_device_is_done_with_the_columns() {
    // For two devices too.
    let (rows, bins) = (2 * MOST_FOR_THE_HOST + 500, 2);
    // Next to equal, all of them.
    let [p, mut q] = [5, 6].map(|seed| calibrate::weights(seed, rows * bins));
    q.iter_mut().zip(&p).for_each(|(q, p)| *q = *p * (1.0 + 1e-5 * *q));
    let (p_rows, q_rows) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    let options = Options::default();
    for engine in engines() {
        let measures = [Divergence::Kl];
        let got = engine.summary(&measures, p_rows, q_rows, &options, TOP).expect("a summary");
        check(&got, &columns(&measures, &p, &q, bins, &options), &engine.device_name());
        assert!(got.summary(Divergence::Kl).expect("asked for").exact);
    }
}

#[test]
fn faults_cost_no_value_of_a_summary() {
    const MEASURES: [Divergence; 1] = [Divergence::Jeffreys];
    let (rows, bins) = (6000, 12);
    let [p, q] = hard(rows, bins);
    let (p_rows, q_rows) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    let options = Options { on_invalid: OnInvalid::Null, ..Options::default() };
    let want = columns(&MEASURES, &p, &q, bins, &options);
    for (device, engine) in engines_with((32 << 20) + (256 << 10)).into_iter().enumerate() {
        let Some(gpu) = engine.gpu() else { continue };
        let first = engine.summary(&MEASURES, p_rows, q_rows, &options, TOP).expect("without faults");
        let chunks = first.stats().chunks as usize;
        let devices = engine.gpus().map_or(0, |gpus| gpus.devices().len());
        assert!(chunks > 3, "{:?}", first.stats());
        // After the chunks of one device come its sums and its counts; of several each has some of the chunks.
        let last = if devices == 1 { chunks + 1 } else { 1 };
        let points = [Point::Upload, Point::Submit, Point::Poll, Point::Map];
        for (kind, fault) in [Fault::Lost, Fault::Refused, Fault::Panic].into_iter().enumerate() {
            // Two more of each after the chunks: sums and counts. Each fault comes at every point and at every time; over the
            // devices, most of them meet.
            for (i, point) in points.into_iter().enumerate() {
                let after = [0, chunks / 2 / devices, last][(kind + i + device) % 3];
                gpu.faults().arm(fault, point, after, 1);
                let what = format!("{fault:?} at {point:?} after {after} on {}", engine.device_name());
                let got =
                    engine.summary(&MEASURES, p_rows, q_rows, &options, TOP).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert!(!gpu.faults().disarm(), "{what} never came");
                check(&got, &want, &what);
                assert!(got.stats().retries <= 1, "{what}");
                if fault == Fault::Lost {
                    // One that was lost after its last submission is found out now.
                    engine.summary(&MEASURES, p_rows, q_rows, &options, TOP).expect("between two faults");
                }
            }
        }
        gpu.faults().arm(Fault::NoMemory, Point::Allocate, 0, 1);
        check(&engine.summary(&MEASURES, p_rows, q_rows, &options, TOP).expect("again"), &want, "no memory, once");
        gpu.faults().arm(Fault::Refused, Point::Submit, 2, usize::MAX);
        let result = engine.summary(&MEASURES, p_rows, q_rows, &options, TOP);
        match result {
            Err(Error::DeviceFailed { .. }) if devices == 1 => {}
            // The other makes the columns of both.
            other => check(&other.expect("by the other"), &want, "one of two that fails for good"),
        }
        gpu.faults().disarm();
    }
}

#[test]
fn progress_of_a_summary_never_goes_back_and_can_be_cancelled() {
    let (rows, bins) = (6000, 12);
    let [mut p, q] = [1, 2].map(|seed| calibrate::weights(seed, rows * bins));
    p[17] = -1.0;
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    for engine in engines_with((32 << 20) + (256 << 10)) {
        for cancel_at in [usize::MAX, 3] {
            // With an invalid row that is an error the columns are made after the device has seen all.
            for on_invalid in [OnInvalid::Null, OnInvalid::Error] {
                if let Some(gpu) = engine.gpu() {
                    gpu.faults().arm(Fault::Lost, Point::Submit, 2, 1);
                }
                let seen = Arc::new(Mutex::new(Vec::new()));
                let told = Arc::clone(&seen);
                let progress = move |progress: Progress| {
                    let mut seen = seen.lock().expect("nobody panics");
                    seen.push(progress.done);
                    if seen.len() >= cancel_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                let options = Options { on_invalid, progress: Some(Arc::new(progress)), ..Options::default() };
                let result = engine.summary(&[Divergence::Kl], p, q, &options, TOP);
                let told = told.lock().expect("nobody panics");
                assert!(
                    told.is_sorted() && !told.is_empty() && told.iter().all(|done| *done <= rows as u64),
                    "{told:?}"
                );
                match result {
                    Err(Error::Cancelled { .. }) => assert!(cancel_at <= told.len()),
                    Err(Error::InvalidWeights { row: 1, .. }) => assert_eq!(on_invalid, OnInvalid::Error),
                    other => assert_eq!(
                        other.expect("the only other end").stats().retries,
                        u64::from(engine.gpu().is_some())
                    ),
                }
            }
        }
    }
}

#[test]
fn buckets_hold_what_their_middle_stands_for() {
    let mut value = 2e-29;
    while value < 4e9 {
        let stands = middle(bucket(value));
        assert!((stands - value).abs() <= 7.7e-6 * value, "{value:e}: {stands:e}");
        value *= 1.003;
    }
    assert_eq!(middle(bucket(0.0)), 0.0);
    assert!(bucket(1e-30) == 1 && bucket(1e12) == bucket(4.294_96e9));
}
