//! The matrix of all pairs against the oracle, on every backend; each entry once, in a fixed order, and the nearest rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::{
    Device, Divergence, Engine, Error, GpuSet, OnInvalid, Options, RowStatus, Rows, Tile, Zeros, calibrate,
    test_devices,
};
use matrix::{Matrix, matrix};

#[path = "../tests/it/common/matrix.rs"]
mod matrix;

const BINS: usize = 9;
const SYMMETRIC: [Divergence; 3] = [Divergence::Js, Divergence::Hellinger, Divergence::Tv];
const MEASURES: [Divergence; 3] = [Divergence::Kl, Divergence::Js, Divergence::Renyi(2.0)];

fn engines() -> Vec<Engine> {
    let devices = [Device::Cpu, Device::Reference].into_iter().chain(test_devices::vulkan_and_gl());
    let mut engines: Vec<Engine> =
        devices.map(|device| Engine::builder().device(device).build().expect("listed")).collect();
    if let Some(Ok(several)) = test_devices::two().map(|indices| GpuSet::at(&indices)) {
        // So little memory that each share of a tile is several chunks, which end within a row of the matrix.
        let builder = Engine::builder().device(Device::Gpus(several)).memory(1 << 17);
        engines.push(builder.build().expect("listed"));
    }
    engines
}

/// Rows among which some have empty bins, one is empty, one of one bin, two are equal, two next to equal.
fn hard(seed: u64, rows: usize) -> Vec<f32> {
    let mut weights = calibrate::weights(seed, rows * BINS);
    for (row, bins) in weights.chunks_mut(BINS).enumerate() {
        match row {
            1 => bins[3] = 0.0,
            2 => bins.fill(0.0),
            3 => bins.iter_mut().enumerate().for_each(|(bin, weight)| *weight = if bin == 4 { 7.0 } else { 0.0 }),
            4 => bins.copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
            5 => bins.copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.00001]),
            _ => {}
        }
    }
    weights
}

/// The matrix, which is more than two tiles.
fn of_tiles(engine: &Engine, measures: &[Divergence], p: Rows<'_>, q: Option<Rows<'_>>, options: &Options) -> Matrix {
    let matrix = matrix(engine, measures, p, q, options);
    assert!(matrix.tiles > 2, "{} tiles", matrix.tiles);
    matrix
}

#[test]
fn every_entry_is_what_the_oracle_says_of_the_two_rows() {
    let oracle = Engine::builder().device(Device::Reference).build().expect("the oracle");
    let (p, q) = (hard(1, 150), hard(2, 110));
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    for engine in engines() {
        for (q, measures) in [(Some(q), MEASURES), (None, MEASURES), (None, SYMMETRIC)] {
            for zeros in [Zeros::Exact, Zeros::Epsilon(1e-4), Zeros::Additive(0.5)] {
                let options = Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() };
                let Matrix { values, status, .. } = of_tiles(&engine, &measures, p, q, &options);
                let q = q.unwrap_or(p);
                for row in 0..p.len() {
                    let want = oracle.rowwise(&measures, p.slice(row, 1), q, &options).expect("the oracle");
                    let here = row * q.len()..(row + 1) * q.len();
                    assert_eq!(status[here.clone()], *want.status(), "row {row}, {zeros}");
                    for (values, (measure, want)) in values.iter().zip(want.iter()) {
                        for (column, (got, want)) in values[here.clone()].iter().zip(want).enumerate() {
                            let floor = if measure.is_first_order() { 1e-12 } else { 1e-24 };
                            let near = (got - want).abs() <= 1e-6 * want + floor;
                            let same = got == want || (got.is_nan() && want.is_nan());
                            assert!(
                                near || same,
                                "{measure} of {row}, {column} ({zeros}) on {}: {got:e} for {want:e}",
                                engine.device_name()
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_nearest_are_those_of_the_matrix() {
    let (p, q) = (hard(3, 150), hard(4, 110));
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let options = Options { on_invalid: OnInvalid::Null, ..Options::default() };
    for engine in engines() {
        let few = [(Divergence::Kl, Some(q), 5), (Divergence::Js, None, 3), (Divergence::Js, Some(q), 100)];
        // As many as a device sorts, and more.
        let many =
            [(Divergence::Renyi(2.0), None, 512), (Divergence::Hellinger, None, 513), (Divergence::Js, Some(q), 0)];
        for (measure, q, k) in few.into_iter().chain(many) {
            let Matrix { values, .. } = of_tiles(&engine, &[measure], p, q, &options);
            let got = engine.nearest(measure, p, q.map(Into::into), k, &options).expect("the nearest");
            assert_eq!(got.len(), p.len());
            let columns = q.unwrap_or(p).len();
            for (row, values) in values[0].chunks(columns).enumerate() {
                let mut want: Vec<usize> = (0..columns)
                    .filter(|column| !values[*column].is_nan() && (q.is_some() || *column != row))
                    .collect();
                want.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
                want.truncate(k);
                let got = got.of(row).expect("a row of P");
                let rows: Vec<usize> = got.iter().map(|near| near.row as usize).collect();
                assert_eq!(rows, want, "{measure} of row {row} on {}", engine.device_name());
                // A device computes what is below the diagonal too, where the matrix has what is above it.
                let is_other_half =
                    |near: &crate::TopRow| q.is_none() && (near.row as usize) < row && engine.gpu().is_some();
                for near in got {
                    let want = values[near.row as usize];
                    let apart = (near.value - want).abs();
                    assert!(
                        apart == 0.0 || near.value == want || (is_other_half(near) && apart <= 1e-6 * want),
                        "{measure} of {row}, {}: {:e} for {want:e} on {}",
                        near.row,
                        near.value,
                        engine.device_name()
                    );
                    assert!(!near.value.is_sign_negative());
                }
            }
            assert!(got.of(p.len()).is_none());
        }
    }
}

#[cfg(feature = "gpu")]
#[test]
fn only_the_nearest_leave_a_device_and_faults_cost_none() {
    use crate::backend::gpu::faults::{Fault, Point};
    let (p, q) = (hard(7, 200), hard(8, 300));
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let options = Options::default();
    let of_devices = engines().into_iter().filter(|engine| engine.gpus().is_some_and(|gpus| gpus.devices().len() == 1));
    for engine in of_devices {
        let nearest = || engine.nearest(Divergence::Js, p, Some(q.into()), 4, &options);
        let found = |got: &crate::Neighbours| -> Vec<Vec<crate::TopRow>> {
            (0..got.len()).map(|row| got.of(row).expect("a row").to_vec()).collect()
        };
        let want = nearest().expect("without faults");
        let stats = want.stats();
        assert!(stats.chunks > 6 && stats.retries == 0 && stats.rescued > 0, "{stats:?}");
        // One word per value of each of the 60,000 pairs would be ten times as much.
        assert!(stats.received < 24_000, "{} bytes came back", stats.received);
        let entries = |engine: &Engine| of_tiles(engine, &MEASURES, p, Some(q), &options);
        let Matrix { values, status, .. } = entries(&engine);
        let gpu = engine.gpu().expect("an engine on a device");
        for fault in [Fault::Lost, Fault::Refused, Fault::Panic] {
            for (point, after) in [Point::Upload, Point::Submit, Point::Poll, Point::Map]
                .iter()
                .flat_map(|point| [(*point, 0), (*point, 4)])
            {
                gpu.faults().arm(fault, point, after, 1);
                let got = nearest().unwrap_or_else(|e| panic!("{fault:?} at {point:?} after {after}: {e}"));
                assert!(!gpu.faults().disarm(), "{fault:?} at {point:?} after {after} never came");
                assert_eq!(found(&got), found(&want), "{fault:?} at {point:?} after {after}");
                gpu.faults().arm(fault, point, after, 1);
                let Matrix { values: got, status: got_status, .. } = entries(&engine);
                assert!(!gpu.faults().disarm(), "{fault:?} at {point:?} after {after} never came");
                let bits = |values: &[Vec<f64>]| values.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!((bits(&got), got_status), (bits(&values), status.clone()), "{fault:?} at {point:?}");
            }
        }
        gpu.faults().arm(Fault::Refused, Point::Submit, 3, usize::MAX);
        let result = nearest();
        assert!(matches!(result, Err(Error::DeviceFailed { .. })), "{result:?}");
        gpu.faults().disarm();
        assert_eq!(found(&nearest().expect("works again")), found(&want));
        let cancels = Options { progress: Some(Arc::new(|_| ControlFlow::Break(()))), ..Options::default() };
        let result = engine.nearest(Divergence::Js, p, Some(q.into()), 4, &cancels);
        assert!(matches!(result, Err(Error::Cancelled { total: 60_000, .. })), "{result:?}");
        let policy = Options { zeros: Zeros::Epsilon(0.9), ..Options::default() };
        let result = engine.nearest(Divergence::Js, p, Some(q.into()), 4, &policy);
        assert!(matches!(result, Err(Error::PolicyTooLarge { .. })), "{result:?}");
    }
}

#[test]
fn bad_rows_are_errors_and_takers_may_end_the_call() {
    let mut p = hard(5, 12);
    let q = hard(6, 12);
    let engine = Engine::builder().device(Device::Cpu).build().expect("cpu");
    let options = Options::default();
    let take = |_: &Tile| Ok::<(), Error>(());
    let rows = |weights| Rows::new(weights, BINS).expect("rows");
    p[7 * BINS + 2] = f32::NAN;
    let result = engine.pairwise(&MEASURES, rows(&p), Some(rows(&q).into()), &options, take);
    assert!(matches!(result, Err(Error::InvalidWeights { count: 1, rows: 12, row: 7, bin: 2, .. })), "{result:?}");
    let result = engine.pairwise(&MEASURES, rows(&q), Some(rows(&p).into()), &options, take);
    assert!(matches!(result, Err(Error::InvalidWeights { side: crate::Side::Q, row: 7, .. })), "{result:?}");
    let policy = Options { zeros: Zeros::Epsilon(0.9), ..Options::default() };
    let result = engine.pairwise(&MEASURES, rows(&q), None, &policy, take);
    assert!(matches!(result, Err(Error::PolicyTooLarge { .. })), "{result:?}");
    let other = Rows::new(&[1.0_f32, 2.0], 2).expect("rows");
    assert!(matches!(
        engine.pairwise(&MEASURES, other, Some(rows(&q).into()), &options, take),
        Err(Error::BinsDiffer { .. })
    ));
    assert!(engine.pairwise(&[], rows(&q), None, &options, take).is_err());
    let none = rows(&q[..0]);
    assert!(engine.pairwise(&MEASURES, none, Some(rows(&q).into()), &options, take).is_ok());
    assert!(engine.nearest(Divergence::Js, none, None, 3, &options).expect("no row").is_empty());
    let many = hard(6, 200);
    let mut taken = 0;
    let ends = |_: &Tile| {
        taken += 1;
        if taken == 2 { Err(Error::NoMeasure) } else { Ok(()) }
    };
    assert_eq!(engine.pairwise(&MEASURES, rows(&many), None, &options, ends), Err(Error::NoMeasure));
    let cancels = Options { progress: Some(Arc::new(|_| ControlFlow::Break(()))), ..Options::default() };
    let result = engine.pairwise(&MEASURES, rows(&q), None, &cancels, take);
    assert!(matches!(result, Err(Error::Cancelled { total: 144, .. })), "{result:?}");
}
