//! The exact device does what the same steps do in Rust.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::common::numbers;
use kullback_interpreter::{Device, Kernel, LaneOrder};

const REDUCTION: &str = "
struct Params { rows: u32, bins: u32 }
struct Sums { first: vec2<f32>, most: f32, count: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<Sums>;
@group(0) @binding(2) var<uniform> params: Params;
var<workgroup> sums: array<Sums, 64>;
fn combine(a: Sums, b: Sums) -> Sums {
    return Sums(a.first + b.first, max(a.most, b.most), a.count + b.count);
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var mine = Sums(vec2<f32>(), -1e30, 0u);
    for (var bin = lane; bin < params.bins; bin += 64u) {
        let value = x[group.x * params.bins + bin];
        if (value < 1.1) { continue; }
        mine = combine(mine, Sums(vec2<f32>(value, value * value / 3.0), sqrt(value), 1u));
    }
    sums[lane] = mine;
    for (var distance = 32u; distance > 0u; distance = distance >> 1u) {
        workgroupBarrier();
        if (lane < distance) { sums[lane] = combine(sums[lane], sums[lane + distance]); }
    }
    if (lane == 0u) { out[group.x] = sums[0]; }
}";

#[test]
fn a_reduction_gives_the_bits_of_the_same_in_rust() {
    let (rows, bins) = (3, 1000);
    let x = numbers(rows * bins);
    let combine = |a: [f32; 4], b: [f32; 4]| [a[0] + b[0], a[1] + b[1], a[2].max(b[2]), a[3] + b[3]];
    let mut expected = Vec::new();
    for row in x.chunks(bins) {
        let mut sums = [[0.0, 0.0, -1e30, 0.0]; 64];
        for (i, value) in row.iter().enumerate().filter(|(_, value)| **value >= 1.1) {
            sums[i % 64] = combine(sums[i % 64], [*value, value * value / 3.0, value.sqrt(), 1.0]);
        }
        for distance in [32, 16, 8, 4, 2, 1] {
            for lane in 0..distance {
                sums[lane] = combine(sums[lane], sums[lane + distance]);
            }
        }
        let [a, b, most, count] = sums[0];
        expected.extend([a.to_bits(), b.to_bits(), most.to_bits(), count as u32]);
    }
    let kernel = Kernel::new(REDUCTION, "main", &[]).unwrap();
    assert_eq!(kernel.workgroup_size(), [64, 1, 1]);
    for lanes in [LaneOrder::Forwards, LaneOrder::Backwards, LaneOrder::Shuffled] {
        let words = x.iter().map(|x| x.to_bits()).collect();
        let mut bindings = [words, vec![0; 4 * rows], vec![rows as u32, bins as u32]];
        kernel.run(&mut bindings, [rows as u32, 1, 1], &Device { lanes, ..Device::exact() }).unwrap();
        assert_eq!(bindings[1], expected);
    }
}
