//! Subgroups of every size.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::common::{run, source};
use kullback_interpreter::{Device, Error};

const SIZES: [u32; 6] = [4, 8, 16, 32, 64, 128];

fn words(body: &str, subgroup: u32) -> Result<Vec<u32>, Error> {
    run(&source("", body), &[], 128, &Device { subgroup, ..Device::exact() })
}

#[test]
fn shuffles_take_the_word_of_the_lane_they_name() {
    for size in SIZES {
        let mut distance = 1;
        while distance < size {
            let body = format!("out[thread] = subgroupShuffleXor(thread * 3u, {distance}u);");
            assert_eq!(words(&body, size).unwrap(), (0..128).map(|lane| (lane ^ distance) * 3).collect::<Vec<_>>());
            distance *= 2;
        }
        let first: Vec<u32> = (0..128).map(|lane| lane / size * size).collect();
        assert_eq!(words("out[thread] = subgroupBroadcastFirst(thread);", size).unwrap(), first);
        assert_eq!(words("out[thread] = subgroupShuffle(thread, 0u);", size).unwrap(), first);
        let sums: Vec<u32> = first.iter().map(|first| (*first..first + size).sum()).collect();
        assert_eq!(words("out[thread] = subgroupAdd(thread);", size).unwrap(), sums);
        let before: Vec<u32> = (0..128).map(|lane| (first[lane as usize]..lane).sum()).collect();
        assert_eq!(words("out[thread] = subgroupExclusiveAdd(thread);", size).unwrap(), before);
        let bits = words("out[thread] = subgroupBallot((thread & 1u) == 1u).x;", size).unwrap();
        assert_eq!(bits, vec![0xaaaa_aaaa >> (32 - size.min(32)); 128]);
    }
}

#[test]
fn vectors_are_shuffled_by_component() {
    let body = "let v = subgroupShuffleXor(vec2<f32>(f32(thread), 0.5), 2u); out[thread] = u32(v.x + 2.0 * v.y);";
    assert_eq!(words(body, 8).unwrap(), (0..128).map(|lane| (lane ^ 2) + 1).collect::<Vec<_>>());
}

#[test]
fn a_lane_outside_of_the_subgroup_is_an_error() {
    let asked = words("out[thread] = subgroupShuffleXor(thread, 8u);", 8).unwrap_err();
    assert!(matches!(asked, Error::OutOfSubgroup { lane: 0, asked: 8, size: 8, .. }), "{asked}");
}

#[test]
fn a_subgroup_operation_that_some_lanes_miss_is_an_error() {
    let body = "if (thread < 100u) { out[thread] = subgroupShuffleXor(thread, 1u); }";
    match words(body, 4) {
        Err(Error::Divergent { active: 100, lanes: 128, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_sizes_are_no_device() {
    assert!(matches!(words("out[thread] = 0u;", 5), Err(Error::NoSuchDevice { .. })));
}
