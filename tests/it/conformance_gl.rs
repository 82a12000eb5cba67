//! The conformance suite on the first GL adapter. GL has no subgroups.

use crate::common::*;

conformance_gpu!(gl, adapter("gl"), part);

#[test]
fn uploaded_rows_give_the_same_bits_on_gl() {
    uploaded_rows_give_the_same_bits(|| adapter("gl"));
}

#[test]
fn every_number_of_threads_is_within_the_contract_on_gl() {
    every_number_of_threads_is_within_the_contract("gl");
}
