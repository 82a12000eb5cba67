//! What kernels are written in works as WGSL says.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::common::{run, source};
use kullback_interpreter::{Device, Error, Kernel, LaneOrder};

/// What the lanes write: each its word.
fn words(declarations: &str, body: &str) -> Vec<u32> {
    run(&source(declarations, body), &[1.5, -2.5, 3.0, 0.25], 128, &Device::exact()).unwrap()
}

fn each(f: impl Fn(u32) -> u32) -> Vec<u32> {
    (0..128).map(f).collect()
}

#[test]
fn loops_break_and_continue_by_lane() {
    let body = "
        var sum = 0u;
        for (var i = 0u; i < 100u; i++) {
            if (i == thread) { break; }
            if (i % 3u == 0u) { continue; }
            sum += i;
        }
        out[thread] = sum;";
    assert_eq!(words("", body), each(|lane| (0..lane.min(100)).filter(|i| i % 3 != 0).sum()));
    let nested = "
        var sum = 0u;
        var i = thread;
        loop {
            if (i == 0u) { break; }
            for (var j = 0u; ; j++) {
                if (j > i) { break; }
                sum += j;
            }
            continuing { i = i / 2u; break if (sum > 1000u); }
        }
        out[thread] = sum;";
    let expected = |lane: u32| {
        let (mut sum, mut i) = (0, lane);
        while i != 0 {
            sum += (0..=i).sum::<u32>();
            i /= 2;
            if sum > 1000 {
                break;
            }
        }
        sum
    };
    assert_eq!(words("", nested), each(expected));
    let body = "var n = 0u; var x = thread; while (x != 0u) { x &= x - 1u; n++; } out[thread] = n;";
    assert_eq!(words("", body), each(u32::count_ones));
}

#[test]
fn switches_take_the_arm_of_the_lane() {
    let body = "
        var y = 0u;
        for (var i = 0u; i < 3u; i++) {
            switch (thread + i) % 5u {
                case 0u { y += 1u; }
                case 1u, 2u { if (i == 1u) { break; } y += 10u; }
                case 3u { continue; }
                default { y += 100u; }
            }
            y += 1000u;
        }
        out[thread] = y;";
    let expected = |lane: u32| {
        let mut y = 0;
        for i in 0..3 {
            match (lane + i) % 5 {
                0 => y += 1,
                1 | 2 => y += if i == 1 { 0 } else { 10 },
                3 => continue,
                _ => y += 100,
            }
            y += 1000;
        }
        y
    };
    assert_eq!(words("", body), each(expected));
}

#[test]
fn functions_return_early_by_lane_and_change_what_pointers_point_to() {
    let functions = "
        struct Pair { a: u32, b: array<vec2<u32>, 2> }
        fn find(n: u32, pair: ptr<function, Pair>) -> u32 {
            (*pair).a += 1u;
            if (n < 10u) { return n; }
            (*pair).b[1].y += n;
            for (var i = 2u; i < n; i++) {
                if (n % i == 0u) { return i; }
            }
            (*pair).a += 100u;
            return n;
        }
        fn twice(n: u32, pair: ptr<function, Pair>) -> u32 { return find(n, pair) + find(n + 1u, pair); }
        fn raise(x: ptr<function, u32>) { *x += 7u; }";
    let body = "
        var pair = Pair(0u, array<vec2<u32>, 2>());
        let found = twice(thread, &pair);
        let found_a = pair.a; raise(&pair.a); pair.b[0].x = pair.a - found_a; pair.a = found_a;
        out[thread] = found + 1000u * pair.a + 1000000u * pair.b[1].y + pair.b[0].x;";
    let expected = |lane: u32| {
        let (mut a, mut y) = (0, 0);
        let mut find = |n: u32| {
            a += 1;
            if n < 10 {
                return n;
            }
            y += n;
            if let Some(i) = (2..n).find(|i| n.is_multiple_of(*i)) {
                return i;
            }
            a += 100;
            n
        };
        let found = find(lane) + find(lane + 1);
        found + 1000 * a + 1_000_000 * y + 7
    };
    assert_eq!(words(functions, body), each(expected));
}

#[test]
fn arrays_are_indexed_by_lane_in_every_memory() {
    let declarations = "var<workgroup> shared_words: array<array<vec3<u32>, 2>, 128>;";
    let body = "
        var own = array<vec2<u32>, 4>();
        for (var i = 0u; i < 4u; i++) { own[(i + thread) % 4u] = vec2<u32>(i, thread); }
        own[thread % 4u].y += 1u;
        shared_words[thread][thread & 1u] = vec3<u32>(thread, own[thread % 4u].x, own[thread % 4u].y);
        shared_words[thread][1u - (thread & 1u)] = vec3<u32>(0u);
        workgroupBarrier();
        let other = 127u - thread;
        let v = shared_words[other][other & 1u];
        out[thread] = v.x + 1000u * v[1u + (thread & 1u)];";
    let expected = |lane: u32| {
        let other = 127 - lane;
        other + 1000 * if lane & 1 == 1 { other + 1 } else { 0 }
    };
    assert_eq!(words(declarations, body), each(expected));
}

#[test]
fn conversions_and_functions_are_those_of_wgsl() {
    let cases = [
        ("u32(i32(-2.7))", (-2_i32).cast_unsigned()),
        ("u32(x[1])", 0),
        ("u32(x[0] * 1e20)", 4_294_967_040),
        ("bitcast<u32>(i32(x[0] * 1e20))", 2_147_483_520),
        ("bitcast<u32>(f32(bitcast<i32>(0xffffffffu - params.zero)))", (-1.0_f32).to_bits()),
        ("bitcast<u32>(round(x[1] + params_zero()))", (-2.0_f32).to_bits()),
        ("bitcast<u32>(floor(x[1]))", (-3.0_f32).to_bits()),
        ("bitcast<u32>(clamp(x[1], -1.0, 1.0))", (-1.0_f32).to_bits()),
        ("bitcast<u32>(x[2] % x[0])", 0),
        ("bitcast<u32>(mix(x[0], x[2], 0.5))", 2.25_f32.to_bits()),
        ("bitcast<u32>(dot(vec3<f32>(x[0], x[1], x[2]), vec3<f32>(2.0)))", 4.0_f32.to_bits()),
        ("select(3u, 4u, all(vec2<bool>(x[0] > 1.0, x[1] < 0.0)))", 4),
        ("u32(any(vec2<f32>(x[0], x[1]) > vec2<f32>(2.0)))", 0),
        ("(params.count + 5u) % (params.zero + 0u)", 0),
        ("vec4<u32>(1u, 2u, 3u, 4u).wzyx[params.zero + 1u]", 3),
        ("countOneBits(params.count) + firstLeadingBit(params.count)", 8),
        ("arrayLength(&x)", 4),
        ("u32(abs(bitcast<i32>(params.zero) - 5))", 5),
        ("select(1u, 2u, !(x[0] < x[1]))", 2),
    ];
    for (expression, expected) in cases {
        let functions = "fn params_zero() -> f32 { return f32(params.zero); }";
        assert_eq!(words(functions, &format!("out[thread] = {expression};")), vec![expected; 128], "{expression}");
    }
}

#[test]
fn atomics_add_up_and_come_in_the_order_of_the_lanes() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> places: array<u32>;
        @group(0) @binding(1) var<storage, read_write> total: atomic<u32>;
        var<workgroup> counts: array<atomic<u32>, 2>;
        var<workgroup> most: atomic<i32>;
        @compute @workgroup_size(8, 4)
        fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
            if (lane < 2u) { atomicStore(&counts[lane], 0u); }
            if (lane == 0u) { atomicStore(&most, -5); }
            workgroupBarrier();
            atomicAdd(&counts[lane % 2u], lane);
            atomicMax(&most, i32(lane) - 40);
            workgroupBarrier();
            if (lane == 0u) { places[64] = atomicLoad(&counts[0]); places[65] = atomicLoad(&counts[1]); }
            if (lane == 1u) { places[66] = bitcast<u32>(atomicLoad(&most)); }
            let swap = atomicCompareExchangeWeak(&total, 32u, 132u);
            places[group.x * 32u + lane] = atomicAdd(&total, 1u) + select(0u, 1000u, swap.exchanged);
        }";
    let kernel = Kernel::new(source, "main", &[]).unwrap();
    for lanes in [LaneOrder::Forwards, LaneOrder::Backwards, LaneOrder::Shuffled] {
        let mut bindings = [vec![0; 67], vec![0]];
        kernel.run(&mut bindings, [2, 1, 1], &Device { lanes, ..Device::exact() }).unwrap();
        let [places, total] = bindings;
        assert_eq!(total, [164]);
        assert_eq!(places[64..], [240, 256, (-5_i32).cast_unsigned()]);
        let mut sorted: Vec<u32> = places[..64].iter().map(|place| place % 1000).collect();
        let order = sorted.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..32).chain(132..164).collect::<Vec<_>>());
        assert_eq!(lanes == LaneOrder::Forwards, order.is_sorted());
        assert_eq!(lanes == LaneOrder::Backwards, order.iter().rev().is_sorted());
    }
}

#[test]
fn overrides_and_builtin_values_are_as_given() {
    let source = "
        override FACTOR: u32 = 3u;
        override SIZE: u32 = 4u;
        @id(7) override OFFSET: f32;
        @group(0) @binding(0) var<storage, read_write> out: array<vec4<u32>>;
        @compute @workgroup_size(SIZE, 2)
        fn main(
            @builtin(global_invocation_id) id: vec3<u32>,
            @builtin(local_invocation_id) local: vec3<u32>,
            @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(workgroup_id) group: vec3<u32>,
        ) {
            var factor = FACTOR;
            if (FACTOR > 3u) { factor += 100u; }
            out[id.y * groups.x * SIZE + id.x] = vec4<u32>(id.x, local.y + 10u * group.y, factor, u32(OFFSET));
        }";
    let kernel = Kernel::new(source, "main", &[("FACTOR", 5.0), ("SIZE", 2.0), ("7", 2.5)]).unwrap();
    assert_eq!(kernel.workgroup_size(), [2, 2, 1]);
    let mut bindings = [vec![0; 4 * 4 * 6]];
    kernel.run(&mut bindings, [2, 3, 1], &Device::exact()).unwrap();
    for (i, words) in (0..).zip(bindings[0].chunks(4)) {
        let (x, y) = (i % 4, i / 4);
        assert_eq!(words, [x, y % 2 + 10 * (y / 2), 105, 2]);
    }
    assert!(matches!(Kernel::new(source, "main", &[("NONE", 1.0)]), Err(Error::Constants { .. })));
    assert!(matches!(Kernel::new(source, "main", &[]), Err(Error::Constants { .. })));
}

#[test]
fn a_device_that_reorders_everything_leaves_integers_and_control_flow_alone() {
    let body = "
        var sum = 0u;
        var y = f32(thread) * 0.5;
        for (var i = 0u; i < thread; i++) {
            if ((i & 1u) == 0u) { y += 1.0; continue; }
            sum += u32(y + f32(i));
        }
        out[thread] = sum;";
    let source = source("", body);
    let exact = run(&source, &[0.0], 128, &Device::exact()).unwrap();
    for seed in 0..50 {
        assert_eq!(run(&source, &[0.0], 128, &Device::random(seed)).unwrap(), exact);
    }
}
