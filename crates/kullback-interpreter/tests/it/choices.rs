//! Each choice of a device matters where WGSL leaves it open, and only there.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::common::{devices, floats, numbers, run, source};
use kullback_interpreter::Device;

/// How many of the devices give something else than the exact one; each twice the same.
fn others(source: &str, x: &[f32], count: usize, devices: impl Iterator<Item = Device>) -> usize {
    let exact = run(source, x, count, &Device::exact()).unwrap();
    let differs = |device: &Device| {
        let out = run(source, x, count, device).unwrap();
        assert_eq!(out, run(source, x, count, device).unwrap(), "{device}");
        out != exact
    };
    devices.filter(differs).count()
}

const TWO_SUM: &str = "
    let a = x[2u * thread];
    let b = x[2u * thread + 1u];
    let sum = HIDE(a + b);
    let back = HIDE(sum - a);
    put(2u * thread, sum);
    put(2u * thread + 1u, HIDE(a - HIDE(sum - back)) + HIDE(b - back));";

fn two_sum_operands() -> Vec<f32> {
    numbers(256).iter().enumerate().map(|(i, x)| if i % 2 == 0 { *x } else { *x * 3.0e-5 }).collect()
}

#[test]
fn a_sum_in_two_parts_needs_what_hides_its_steps() {
    let x = two_sum_operands();
    let bare = source("", &TWO_SUM.replace("HIDE", ""));
    let hidden = source("", &TWO_SUM.replace("HIDE", "opaque"));
    let exact = floats(&hidden, &x, 256, &Device::exact());
    for (pair, out) in x.chunks(2).zip(exact.chunks(2)) {
        let sum = f64::from(pair[0]) + f64::from(pair[1]);
        assert_eq!(f64::from(out[0]) + f64::from(out[1]), sum);
    }
    let lost = others(&bare, &x, 256, devices(50, |device| device.reassociate = true));
    assert!((20..50).contains(&lost), "{lost}");
    assert_eq!(others(&hidden, &x, 256, (0..200).map(Device::random)), 0);
}

#[test]
fn sums_are_reordered_across_variables_and_calls() {
    let x = two_sum_operands();
    let reorders = || devices(40, |device| device.reassociate = true);
    let by_variable = "let a = x[thread]; var s = a; s += x[thread + 1u]; s -= a; put(thread, s);";
    assert!(others(&source("", by_variable), &x, 128, reorders()) > 10);
    let function = "fn plus(a: f32, b: f32) -> f32 { return a + b; }";
    let by_call = "let a = x[thread]; put(thread, plus(a, x[thread + 1u]) - a);";
    assert!(others(&source(function, by_call), &x, 128, reorders()) > 10);
    let by_pointer = "fn gain(s: ptr<function, f32>, b: f32) { *s += b; }";
    let body = "let a = x[thread]; var s = a; gain(&s, x[thread + 1u]); gain(&s, -a); put(thread, s);";
    assert!(others(&source(by_pointer, body), &x, 128, reorders()) > 10);
}

#[test]
fn vectors_are_reordered_too_and_loops_are_not() {
    let x = two_sum_operands();
    let vectors = "
        let a = vec2<f32>(x[thread], x[thread + 1u]);
        let b = vec2<f32>(x[thread + 2u], x[thread + 3u]);
        let sum = (a + b) - a;
        put(2u * thread, sum.x); put(2u * thread + 1u, sum.y);";
    assert!(others(&source("", vectors), &x, 256, devices(40, |device| device.reassociate = true)) > 10);
    let sums = "var s = 0.0; for (var i = 0u; i < 50u; i++) { s += x[thread + i]; } put(thread, s);";
    assert_eq!(others(&source("", sums), &x, 128, devices(40, |device| device.reassociate = true)), 0);
}

#[test]
fn products_are_reordered_and_quotients_where_the_device_says_so() {
    let far = source("", "put(thread, (x[0] * x[1]) * x[2]);");
    let x = [1e30, 1e30, 1e-30];
    let results: Vec<f32> =
        devices(40, |device| device.reassociate = true).map(|device| floats(&far, &x, 128, &device)[0]).collect();
    assert!(results.contains(&f32::INFINITY));
    assert!(results.iter().any(|result| (result / 1e30 - 1.0).abs() < 1e-6));
    let quotient = source("", "put(thread, (x[0] * x[1]) / x[2]);");
    let x = [1e30, 1e30, 1e30];
    let stays = devices(40, |device| device.reassociate = true);
    assert_eq!(others(&quotient, &x, 128, stays), 0);
    let moves = devices(40, |device| (device.reassociate, device.reorder_division) = (true, true));
    assert!(others(&quotient, &x, 128, moves) > 5);
}

#[test]
fn flushing_makes_subnormal_results_zero_and_leaves_moved_bits_alone() {
    let times = source("", "put(thread, x[0] * x[1]);");
    let x = [2.0_f32.powi(-100), 2.0_f32.powi(-30), 2.0_f32.powi(-130), 1.0, -(2.0_f32.powi(-130))];
    let flushes = || devices(20, |device| device.flush = true);
    assert_eq!(floats(&times, &x, 128, &Device::exact())[0], 2.0_f32.powi(-130));
    assert!(flushes().all(|device| floats(&times, &x, 128, &device)[0] == 0.0));
    let of_operand = source("", "put(thread, x[2] * x[3]);");
    assert!(flushes().all(|device| floats(&of_operand, &x, 128, &device)[0] == 0.0));
    let moved = source("", "var y = x[2]; put(thread, select(x[3], -abs(y), x[3] > 0.0));");
    assert!(flushes().all(|device| floats(&moved, &x, 128, &device)[0] == -(2.0_f32.powi(-130))));
    // By the seed: the sign, minima, comparisons.
    for body in ["put(thread, x[4] * x[3]);", "put(thread, min(x[2], x[3]));", "put(thread, f32(x[2] == x[4]));"] {
        let source = source("", body);
        let results: Vec<u32> = flushes().map(|device| run(&source, &x, 128, &device).unwrap()[0]).collect();
        assert!(results.iter().any(|result| *result != results[0]), "{body}");
    }
}

#[test]
fn contraction_leaves_out_a_rounding() {
    let x: Vec<f32> = numbers(128).iter().flat_map(|x| [*x, 1.0 + 1.0 / 4096.0]).collect();
    let load = "let a = x[2u * thread]; let b = x[2u * thread + 1u]; let product = opaque(a * b);";
    for (expression, sign) in [("a * b - product", 1.0), ("product - a * b", -1.0), ("a * b + -product", 1.0)] {
        let rest = source("", &format!("{load} put(thread, {expression});"));
        let fused = |pair: &[f32]| sign * pair[0].mul_add(pair[1], -(pair[0] * pair[1]));
        let expected: Vec<f32> = x.chunks(2).map(fused).collect();
        let mut count = 0;
        for device in devices(30, |device| device.contract = true) {
            let out = floats(&rest, &x, 128, &device);
            assert!(out == expected || out.iter().all(|rest| *rest == 0.0), "{device}");
            count += u32::from(out == expected);
        }
        assert!((5..30).contains(&count), "{expression}: {count}");
        assert!(floats(&rest, &x, 128, &Device::exact()).iter().all(|rest| *rest == 0.0));
    }
    let hidden = source("", &format!("{load} put(thread, opaque(a * b) - product);"));
    assert_eq!(others(&hidden, &x, 128, (0..50).map(Device::random)), 0);
}

#[test]
fn fma_rounds_once_or_twice() {
    let x: Vec<f32> = numbers(128).iter().flat_map(|x| [*x, 1.0 + 1.0 / 4096.0]).collect();
    let fma = source("", "let a = x[2u * thread]; let b = x[2u * thread + 1u]; put(thread, fma(a, b, -1.0));");
    let once: Vec<f32> = x.chunks(2).map(|pair| pair[0].mul_add(pair[1], -1.0)).collect();
    let twice: Vec<f32> = x.chunks(2).map(|pair| pair[0] * pair[1] - 1.0).collect();
    assert_ne!(once, twice);
    assert_eq!(floats(&fma, &x, 128, &Device::exact()), once);
    assert_eq!(floats(&fma, &x, 128, &Device { fuse: false, ..Device::exact() }), twice);
}

/// How far a result is from the exact one, in units in the last place.
fn ulps(result: f32, exact: f64) -> f64 {
    (f64::from(result) - exact).abs() / 2.0_f64.powi(exact.abs().log2().floor() as i32 - 23)
}

#[test]
fn quotients_are_within_bounds_and_not_always_exact() {
    let x = numbers(129);
    let quotients = source("", "put(thread, x[thread] / x[thread + 1u]);");
    for bound in [1.0, 2.5] {
        let mut most: f64 = 0.0;
        let (mut all, mut others) = (0, 0);
        for device in devices(20, |device| device.division_ulp = bound) {
            for (i, result) in floats(&quotients, &x, 128, &device).into_iter().enumerate() {
                most = most.max(ulps(result, f64::from(x[i]) / f64::from(x[i + 1])));
                all += 1;
                others += u32::from(result != x[i] / x[i + 1]);
            }
        }
        assert!(most <= f64::from(bound) && most > f64::from(bound) * 0.9, "{most}");
        assert!(others > all / 5 && others < all, "{others} of {all}");
    }
    // Even by itself; and of 0 it is 0.
    let ones = source("", "put(thread, x[thread] / x[thread]);");
    assert!(others(&ones, &x, 128, devices(10, |device| device.division_ulp = 2.5)) == 10);
    let zeros = source("", "put(thread, (x[thread] * 0.0) / x[thread]);");
    assert_eq!(others(&zeros, &x, 128, devices(10, |device| device.division_ulp = 2.5)), 0);
}

#[test]
fn square_roots_are_rounded_or_rough() {
    let x = numbers(128);
    let roots = source("", "put(thread, sqrt(x[thread]));");
    assert_eq!(floats(&roots, &x, 128, &Device::exact()), x.iter().map(|x| x.sqrt()).collect::<Vec<_>>());
    let mut most: f64 = 0.0;
    for device in devices(20, |device| device.rough_sqrt = true) {
        let results = floats(&roots, &x, 128, &device);
        most = results.iter().zip(&x).map(|(result, x)| ulps(*result, f64::from(*x).sqrt())).fold(most, f64::max);
        assert_eq!(floats(&roots, &[0.0; 128], 128, &device), [0.0; 128]);
    }
    assert!((3.5..=4.5).contains(&most), "{most}");
}

#[test]
fn what_is_not_finite_may_be_anything() {
    let source = source("", "let y = x[0] * x[0]; let n = y - y; put(0u, y); put(1u, n); out[2] = u32(n < 1.0);");
    let assumes = || devices(60, |device| device.assumes_finite = true);
    let all: Vec<Vec<f32>> = assumes().map(|device| floats(&source, &[1e30], 128, &device)).collect();
    assert!(all.iter().any(|out| out[0] == f32::INFINITY));
    assert!(all.iter().any(|out| out[0] == 0.0));
    assert!(all.iter().any(|out| out[0].is_finite() && out[0].abs() > 1e30));
    let bits: Vec<u32> = all.iter().filter(|out| out[1].is_nan()).map(|out| out[2].to_bits()).collect();
    assert!(bits.contains(&0) && bits.contains(&1), "{bits:?}");
    assert_eq!(floats(&source, &[1e30], 128, &Device::exact())[0], f32::INFINITY);
}

#[test]
fn equal_operands_give_equal_bits_in_every_lane_and_copies_decide_alone_where_they_may() {
    let function = "fn quotient(a: f32, b: f32) -> f32 { return a / b; }";
    let body = "put(2u * thread, quotient(x[0], x[1]));
        put(2u * thread + 1u, quotient(x[2], x[3]));";
    let source = source(function, body);
    let x = [1.3, 1.7, 1.3, 1.7];
    let mut differ = 0;
    for seed in 0..30 {
        let device = Device { division_ulp: 2.5, ..Device::random(seed) };
        let out = run(&source, &x, 256, &device).unwrap();
        assert!(out.iter().all(|word| *word == out[0]), "{device}");
        let out = run(&source, &x, 256, &Device { splits_copies: true, ..device }).unwrap();
        assert!(out.chunks(2).all(|pair| pair == &out[..2]));
        differ += u32::from(out[0] != out[1]);
    }
    assert!(differ > 10, "{differ}");
}

#[test]
fn whole_numbers_come_out_the_same_in_every_order() {
    let functions = "
        fn twice(x: f32) -> f32 { return x + x; }
        fn cross(a: vec2<f32>, b: vec2<f32>) -> f32 { return a.x * b.y - a.y * b.x; }";
    let body = "
        let a = x[thread]; let b = x[thread + 1u]; let c = x[thread + 2u]; let d = x[thread + 3u];
        var sum = -(a * b - c) * -(d + a) - (b - (c - d * a));
        sum -= twice(a - b) * -c + (-(a - (b - (c - (d - a)))));
        if (a > b) { sum += cross(vec2<f32>(a, b), vec2<f32>(c, d)) - (-b - sum); }
        let quotient = -((a * b) / 4.0) / -(0.5 / c) * (d / (2.0 / b));
        put(2u * thread, sum);
        put(2u * thread + 1u, quotient - a * quotient + quotient);";
    let source = source(functions, body);
    // Powers of two: their quotients are exact too.
    let x: Vec<f32> = (0..131_u32).map(|i| 2.0_f32.powi((i * i % 5) as i32) * [1.0, -1.0][i as usize % 2]).collect();
    let all = |device: &mut Device| {
        (device.contract, device.reassociate, device.reorder_division, device.splits_copies) = (true, true, true, true);
    };
    assert_eq!(others(&source, &x, 256, devices(500, all)), 0);
}
