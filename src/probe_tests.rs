//! What the probe and the canary rows find of devices that are broken on purpose.

use crate::backend::gpu::breakage::Breakage;
use crate::{Device, Divergence, Engine, EngineBuilder, Error, Options, Rows, SimdLevel, test_devices};
use kullback_kernels::reason::Reason;

/// Rows of counts, and a few of either side.
const P: [f32; 12] = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0];
const Q: [f32; 12] = [9.0, 7.0, 9.0, 3.0, 2.0, 3.0, 8.0, 4.0, 6.0, 2.0, 6.0, 4.0];

fn vulkan() -> Option<EngineBuilder> {
    test_devices::vulkan().map(|index| Engine::builder().device(Device::GpuAt(index)))
}

fn refusal(builder: EngineBuilder) -> String {
    match builder.build() {
        Err(Error::DeviceFailed { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_software_device_has_what_the_kernels_need() {
    let devices = test_devices::vulkan_and_gl().into_iter().chain(test_devices::swiftshader().map(Device::GpuAt));
    for device in devices {
        let engine = Engine::builder().device(device).build().expect("a device");
        let answers = engine.device_answers();
        let [(name, answers)] = &answers[..] else { panic!("{answers:?}") };
        eprintln!("{name}: {answers:?}");
        assert!(!answers.subgroups_refused && answers.division_error <= 3.0 && answers.root_error <= 5.0);
        assert_eq!(answers.subgroup_size.is_some(), device != Device::Gl);
    }
}

#[test]
fn swiftshader_takes_subnormal_numbers_for_nothing() {
    let Some(index) = test_devices::swiftshader() else { return };
    let engine = Engine::builder().device(Device::GpuAt(index)).build().expect("listed");
    assert!(engine.device_answers().iter().all(|(_, answers)| answers.flushes_subnormals));
}

#[test]
fn a_device_without_what_the_kernels_need_is_refused() {
    let Some(builder) = vulkan() else { return };
    for (breakage, reason) in [
        (Breakage::Opaque, "a sum"),
        (Breakage::Zero, "a sum"),
        (Breakage::Division, "quotients are off"),
        (Breakage::Words, "became"),
        (Breakage::Products, "sixteen products"),
    ] {
        let found = refusal(builder.broken(breakage));
        assert!(found.contains(reason), "{breakage:?}: {found}");
        // It is not asked twice.
        assert_eq!(refusal(builder.broken(breakage)), found);
    }
    builder.build().expect("as it is the device is good");
}

#[test]
fn subgroups_in_another_order_are_not_used() {
    let Some(builder) = vulkan() else { return };
    let engine = builder.broken(Breakage::Lanes).build().expect("without subgroups");
    let answers = engine.device_answers();
    assert!(answers.iter().all(|(_, answers)| answers.subgroups_refused && answers.subgroup_size.is_none()));
    let (p, q) = (Rows::new(&P, 4).expect("p"), Rows::new(&Q, 4).expect("q"));
    let out = engine.rowwise(&[Divergence::Kl], p, q, &Options::default()).expect("rowwise");
    let cpu = Engine::builder().device(Device::Cpu).simd_level(SimdLevel::Scalar).build().expect("cpu");
    let want = cpu.rowwise(&[Divergence::Kl], p, q, &Options::default()).expect("rowwise");
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * b;
    assert!(out[Divergence::Kl].iter().zip(&want[Divergence::Kl]).all(near));
}

#[test]
fn a_kernel_that_is_wrong_is_found_by_its_canary_rows() {
    let Some(builder) = vulkan() else { return };
    let (p, q) = (Rows::new(&P, 4).expect("p"), Rows::new(&Q, 4).expect("q"));
    let engine = builder.broken(Breakage::Logarithm).build().expect("the probe asks for no logarithm");
    // What takes none is right.
    engine.rowwise(&[Divergence::Chi2], p, q, &Options::default()).expect("rowwise");
    match engine.rowwise(&[Divergence::Kl], p, q, &Options::default()) {
        Err(Error::DeviceFailed { reason, .. }) => assert!(reason.contains("kernel of kl over f32"), "{reason}"),
        other => panic!("{other:?}"),
    }
    // The next one is refused at once.
    assert!(refusal(builder.broken(Breakage::Logarithm)).contains("kernel of kl over f32"));
}

/// What goes on with values, and products in place of row kernels: each has canary rows of its own.
#[test]
fn what_follows_a_kernel_is_found_by_its_canary_rows() {
    let Some(builder) = vulkan() else { return };
    let weights: Vec<f32> = (0..96 * 16_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 25) as f32 + 1.0).collect();
    let rows = Rows::new(&weights, 16).expect("rows");
    let (few, measures) = (rows.slice(0, 4), [Divergence::Js]);
    type Call<'a> = &'a dyn Fn(&Engine) -> crate::Result<()>;
    let options = Options::default();
    let nearest = |engine: &Engine| engine.nearest(Divergence::Js, few, None, 2, &options).map(drop);
    let summary = |engine: &Engine| engine.summary(&measures, rows, few.slice(0, 1), &options, 2).map(drop);
    let products =
        |engine: &Engine| engine.pairwise(&[Divergence::Kl], rows, None, &options, |_| Ok::<_, Error>(())).map(drop);
    let calls: [(Breakage, Call<'_>, &str); 5] = [
        (Breakage::Sorting, &nearest, "its search finds other rows"),
        (Breakage::Largest, &summary, "its summary is another"),
        (Breakage::Histogram, &summary, "its summary is another"),
        (Breakage::Mean, &summary, "its summary is another"),
        (Breakage::PairProducts, &products, "kernel of kl over f32"),
    ];
    for (breakage, call, found) in calls {
        let engine = builder.broken(breakage).build().expect("the probe asks for none of it");
        // What the fault is no part of is right.
        engine.rowwise(&measures, rows, rows, &options).expect("rowwise");
        match call(&engine) {
            Err(Error::DeviceFailed { reason, .. }) => assert!(reason.contains(found), "{breakage:?}: {reason}"),
            other => panic!("{breakage:?}: {other:?}"),
        }
        // The next one is refused at once.
        assert!(refusal(builder.broken(breakage)).contains(found), "{breakage:?}");
    }
}

#[test]
fn an_automatic_engine_takes_the_cpu_instead_of_a_device_that_is_refused() {
    let Some(index) = test_devices::vulkan() else { return };
    let set = crate::GpuSet::at(&[index]).expect("an index");
    let engine = Engine::builder().candidates(set).broken(Breakage::Words).build().expect("an automatic engine");
    // So many that a GPU is looked for.
    let weights = crate::calibrate::weights(1, 1 << 25);
    let rows = Rows::new(&weights, 64).expect("rows");
    let out = engine.rowwise(&[Divergence::Js], rows, rows, &Options::default()).expect("rowwise");
    assert!(out.stats().device.starts_with("cpu"), "{:?}", out.stats());
    assert_eq!(out.stats().reason, Some(Reason::GpusLeftOut), "{:?}", out.stats());
    assert!(engine.left_out().iter().any(|reason| reason.contains("became")), "{:?}", engine.left_out());
}
