//! Mistakes of a kernel are found, with their place.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::common::{run, source};
use kullback_interpreter::{Device, Error, Kernel, LaneOrder};

const SHARED: &str = "var<workgroup> memory: array<u32, 128>; var<workgroup> counter: atomic<u32>;";

fn fault(declarations: &str, body: &str) -> Error {
    run(&source(declarations, body), &[1.0, 2.0], 128, &Device::exact()).unwrap_err()
}

fn is_fine(declarations: &str, body: &str) {
    for lanes in [LaneOrder::Forwards, LaneOrder::Backwards, LaneOrder::Shuffled] {
        run(&source(declarations, body), &[1.0, 2.0], 128, &Device { lanes, ..Device::exact() }).unwrap();
    }
}

#[test]
fn an_access_out_of_bounds_names_the_variable_the_lane_and_the_line() {
    let error = fault("", "out[thread + 1u] = 0u;");
    let Error::OutOfBounds { variable, index: 128, length: 128, lane: 127, place } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((variable.as_str(), place.function.as_str(), place.line), ("out", "main", 9), "{error}");
    let reads = fault("fn fetch(i: u32) -> f32 {\n return x[i]; }", "put(thread, fetch(thread));");
    let Error::OutOfBounds { place, index: 2, length: 2, lane: 2, .. } = &reads else { panic!("{reads:?}") };
    assert_eq!((place.function.as_str(), place.line), ("fetch", 8), "{reads}");
    assert!(matches!(fault(SHARED, "memory[thread * 2u] = 0u;"), Error::OutOfBounds { length: 128, lane: 64, .. }));
    let own = fault("", "var own = array<u32, 4>(); own[thread] = 1u; out[thread] = own[0];");
    assert!(matches!(own, Error::OutOfBounds { index: 4, length: 4, lane: 4, .. }), "{own}");
    // Lanes that are not there reach nothing.
    is_fine("", "if (thread < 2u) { put(thread, x[thread]); }");
}

#[test]
fn a_read_of_what_nobody_wrote_is_found() {
    let error =
        fault(SHARED, "if (thread < 64u) { memory[thread] = 1u; } workgroupBarrier(); out[thread] = memory[thread];");
    let Error::Uninitialised { variable, word: 64, lane: 64, .. } = &error else { panic!("{error:?}") };
    assert_eq!(variable, "memory");
    assert!(matches!(fault(SHARED, "atomicAdd(&counter, 1u);"), Error::Uninitialised { .. }));
    // Another workgroup begins with nothing.
    let source = source(SHARED, "out[thread] = memory[thread];");
    assert!(matches!(run(&source, &[], 128, &Device::exact()), Err(Error::Uninitialised { .. })));
}

#[test]
fn a_workgroup_does_not_find_what_another_wrote() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> out: array<u32>;
        var<workgroup> memory: u32;
        @compute @workgroup_size(1)
        fn main(@builtin(workgroup_id) group: vec3<u32>) {
            if (group.x == 0u) { memory = 1u; }
            out[group.x] = memory;
        }";
    let kernel = Kernel::new(source, "main", &[]).unwrap();
    kernel.run(&mut [vec![0]], [1, 1, 1], &Device::exact()).unwrap();
    let error = kernel.run(&mut [vec![0; 2]], [2, 1, 1], &Device::exact()).unwrap_err();
    assert!(matches!(error, Error::Uninitialised { .. }), "{error}");
}

#[test]
fn races_are_found_and_barriers_end_them() {
    let all = "memory[thread] = thread;";
    for race in [
        "memory[thread / 2u] = thread;",
        "memory[thread] = thread; out[thread] = memory[thread ^ 1u];",
        "memory[thread] = thread; workgroupBarrier(); out[thread] = memory[thread ^ 1u]; memory[thread] = 0u;",
        "if (thread == 0u) { memory[0] = 1u; } workgroupBarrier(); out[thread] = memory[0]; if (thread == 0u) { memory[0] = 2u; }",
        "memory[thread] = thread; storageBarrier(); out[thread] = memory[thread ^ 1u];",
        "memory[thread] = 0u; workgroupBarrier();
         for (var i = 64u; i > 0u; i /= 2u) { if (thread < i) { memory[thread] += memory[thread + i]; } }",
    ] {
        let error = fault(SHARED, race);
        let Error::Race { variable, first, second, .. } = &error else { panic!("{race}: {error}") };
        assert!(variable == "memory" && first != second, "{race}: {error}");
    }
    is_fine(SHARED, &format!("{all} workgroupBarrier(); out[thread] = memory[thread ^ 1u];"));
    is_fine(SHARED, &format!("{all} out[thread] = memory[thread]; {all}"));
    is_fine(SHARED, &format!("{all} workgroupBarrier(); out[thread] = memory[0] + memory[1];"));
    is_fine(SHARED, "if (thread == 0u) { atomicStore(&counter, 0u); } workgroupBarrier(); atomicAdd(&counter, 1u);");
}

#[test]
fn a_barrier_that_some_lanes_miss_is_found() {
    for body in
        ["if (thread < 64u) { return; } workgroupBarrier();", "if (x[thread / 64u] > 1.5) { workgroupBarrier(); }"]
    {
        match fault("", body) {
            Error::Divergent { what: "barrier", active: 64, lanes: 128, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    is_fine("", "if (x[0] > 0.5) { workgroupBarrier(); }");
}

#[test]
fn a_loop_without_end_is_found() {
    let error = fault("", "var i = thread; while (i < 200u) { i = i & 127u; } out[thread] = i;");
    let Error::Endless { place, .. } = &error else { panic!("{error:?}") };
    assert_eq!(place.function, "main");
}

#[test]
fn what_is_no_kernel_is_said_to_be_none() {
    assert!(matches!(Kernel::new("fn", "main", &[]), Err(Error::Parse { .. })));
    let kernel = "@compute @workgroup_size(1) fn main() {}";
    assert!(matches!(Kernel::new(kernel, "other", &[]), Err(Error::NoEntry { .. })));
    assert!(matches!(
        Kernel::new("fn f(x: f32) -> u32 { return x; }", "main", &[]),
        Err(Error::Parse { .. } | Error::NoEntry { .. })
    ));
    for unsupported in [
        "out[thread] = u32(exp(x[0]));",
        "let m = mat2x2<f32>(1.0, 0.0, 0.0, 1.0); put(thread, (m * vec2<f32>(x[0])).x);",
    ] {
        assert!(matches!(Kernel::new(&source("", unsupported), "main", &[]), Err(Error::Unsupported { .. })));
    }
    let kernel = Kernel::new(&source("", "put(thread, x[0]);"), "main", &[]).unwrap();
    let missing = kernel.run(&mut [vec![0]], [1, 1, 1], &Device::exact()).unwrap_err();
    assert!(matches!(missing, Error::NotBound { binding: 1, bindings: 1, .. }), "{missing}");
}
