//! The conformance suite on the first Vulkan adapter, with subgroups if it has them.

use crate::common::*;

conformance_gpu!(vulkan, adapter("vulkan"), every);

#[test]
fn every_chunking_gives_the_same_bits_on_vulkan() {
    every_chunking_gives_the_same_bits("vulkan");
}

#[test]
fn the_kernels_with_and_without_subgroups_give_the_same_bits_on_vulkan() {
    with_and_without_subgroups_the_bits_are_the_same("vulkan");
}

#[test]
fn uploaded_rows_give_the_same_bits_on_vulkan() {
    uploaded_rows_give_the_same_bits(|| adapter("vulkan"));
    uploaded_rows_give_the_same_bits(|| adapter("vulkan").map(|builder| builder.gpu(|gpu| gpu.staging = Some(true))));
}

#[test]
fn every_number_of_threads_is_within_the_contract_on_vulkan() {
    every_number_of_threads_is_within_the_contract("vulkan");
}

#[test]
fn a_summary_of_millions_of_rows_reads_back_little_on_vulkan() {
    a_summary_of_millions_of_rows_reads_back_little("vulkan");
}
