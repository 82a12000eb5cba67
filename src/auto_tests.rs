//! A device that nobody named: taken where it is predicted to be faster, given up without a loss.

use crate::backend::gpu::faults::{Fault, Point};
use crate::exec::auto::AllRates;
use crate::plan::cost::Rates;
use crate::test_devices::vulkan as adapter;
use crate::{Device, Divergence, Engine, GpuSet, Options, Rows, calibrate};
use kullback_kernels::reason::Reason;

const BINS: usize = 64;
const ROWS: usize = 1 << 13;
const MEASURES: [Divergence; 2] = [Divergence::Kl, Divergence::Js];

/// An automatic engine that believes its GPU to be so many times as fast as its CPU.
fn believing(adapter: usize, times: f64) -> Engine {
    let engine = Engine::builder()
        .candidates(GpuSet::at(&[adapter]).expect("an adapter"))
        .gpu(|gpu| gpu.binding_limit = Some((ROWS * BINS * 4 / 8) as u64))
        .build();
    let engine = engine.expect("an automatic engine");
    let cpu = Rates { call_seconds: 1e-6, sent_bytes_per_second: f64::INFINITY, bins_per_second: [1e9; 3] };
    let gpu = Rates { sent_bytes_per_second: 1e9, bins_per_second: [times * 1e9; 3], ..cpu };
    engine.believe(AllRates { cpu, gpus: vec![gpu] });
    engine
}

fn rows() -> [Vec<f32>; 2] {
    [1, 2].map(|seed| calibrate::weights(seed, ROWS * BINS))
}

#[test]
fn kept_rows_go_where_they_are_predicted_to_be_faster() {
    let Some(adapter) = adapter() else { return };
    let [p, q] = rows();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let options = Options::default();
    for (times, on_gpu) in [(10.0, true), (0.1, false)] {
        let engine = believing(adapter, times);
        let (kept_p, kept_q) = (engine.upload(p).expect("p"), engine.upload(q).expect("q"));
        assert_eq!(kept_p.is_on_a_device(), on_gpu, "{times} times as fast");
        let device = if on_gpu { Device::GpuAt(adapter) } else { Device::Cpu };
        let want = Engine::builder().device(device).build().expect("an engine").rowwise(&MEASURES, p, q, &options);
        let want = want.expect("asked for");
        let got = engine.rowwise(&MEASURES, &kept_p, &kept_q, &options).expect("chosen");
        assert_eq!(got.stats().device, want.stats().device);
        assert_eq!(got.stats().sent, 0);
        for measure in MEASURES {
            assert_eq!(got[measure], want[measure], "the device gives what it gives when asked for");
        }
        if let Some(predicted) = got.stats().predicted {
            assert!(on_gpu && predicted.gpu_seconds < predicted.cpu_seconds, "{predicted:?}");
        } else {
            assert!(!on_gpu, "a call of kept rows is predicted");
        }
        // As many bytes as this cost more to ask about than to compute.
        let small = engine.rowwise(&MEASURES, p, q, &options).expect("small");
        assert!(small.stats().predicted.is_none() && small.stats().device.starts_with("cpu"), "{:?}", small.stats());
    }
}

#[test]
fn one_kept_side_counts_the_bytes_of_the_other() {
    let Some(adapter) = adapter() else { return };
    let [p, q] = rows();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    // Ten times as fast, but a bin of one side takes four times as long to send as the CPU takes to compute it.
    let engine = believing(adapter, 10.0);
    let kept = engine.upload(q).expect("q");
    let got = engine.rowwise(&MEASURES[..1], p, &kept, &Options::default()).expect("chosen");
    let predicted = got.stats().predicted.expect("a call of kept rows is predicted");
    assert!(predicted.gpu_seconds > 3.0 * predicted.cpu_seconds, "{predicted:?}");
    assert!(got.stats().device.starts_with("cpu"), "{:?}", got.stats());
}

#[test]
fn a_chosen_device_that_fails_costs_no_value() {
    let Some(adapter) = adapter() else { return };
    let [p, q] = rows();
    let (p, q) = (Rows::new(&p, BINS).expect("p"), Rows::new(&q, BINS).expect("q"));
    let cpu = Engine::builder().device(Device::Cpu).build().expect("cpu");
    let want = cpu.rowwise(&MEASURES, p, q, &Options::default()).expect("on the CPU");
    for fault in [Fault::Lost, Fault::Refused, Fault::Panic, Fault::NoMemory] {
        for after in [0, 3] {
            let engine = believing(adapter, 10.0);
            let (kept_p, kept_q) = (engine.upload(p).expect("p"), engine.upload(q).expect("q"));
            let point = if fault == Fault::NoMemory { Point::Allocate } else { Point::Submit };
            engine.gpu().expect("a candidate").faults().arm(fault, point, after, usize::MAX);
            let got = engine.rowwise(&MEASURES, &kept_p, &kept_q, &Options::default()).expect("every row");
            assert_eq!(got.status(), want.status());
            for measure in MEASURES {
                for (row, (got, want)) in got[measure].iter().zip(&want[measure]).enumerate() {
                    assert!((got - want).abs() <= 1e-6 * want, "{measure} of row {row} after {fault:?}: {got} {want}");
                }
            }
            let stats = got.stats();
            if fault != Fault::NoMemory {
                assert!(
                    stats.device.starts_with("cpu") && stats.reason == Some(Reason::GpuFailed),
                    "{fault:?}: {stats:?}"
                );
            }
        }
    }
}

#[test]
fn an_adapter_can_be_measured() {
    let Some(adapter) = adapter() else { return };
    for device in [Device::Cpu, Device::GpuAt(adapter)] {
        let engine = Engine::builder().device(device).build().expect("an engine");
        let rates = engine.calibrate().expect("rates");
        let all = [rates.call_seconds, rates.sent_bytes_per_second].into_iter().chain(rates.bins_per_second);
        assert!(all.clone().all(|rate| rate > 0.0), "{rates:?}");
        assert_eq!(rates.sent_bytes_per_second.is_finite(), device != Device::Cpu, "{rates:?}");
        assert_eq!(engine.calibrate().expect("again"), rates, "measured once per process");
    }
    let reference = Engine::builder().device(Device::Reference).build().expect("the reference");
    assert!(reference.calibrate().is_err());
}
