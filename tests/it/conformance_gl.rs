//! The conformance suite on the first GL adapter. GL has no subgroups.

use std::sync::{Arc, OnceLock};

use crate::common::*;
use kullback::Engine;

fn gl() -> Option<Arc<Engine>> {
    static ENGINE: OnceLock<Option<Arc<Engine>>> = OnceLock::new();
    ENGINE.get_or_init(|| adapter("gl").map(|b| Arc::new(b.build().expect("the adapter opens")))).clone()
}

conformance_gpu!(gl);

#[test]
fn uploaded_rows_give_the_same_bits_on_gl() {
    uploaded_rows_give_the_same_bits(|| adapter("gl"));
}

#[test]
fn every_number_of_threads_is_within_the_contract_on_gl() {
    every_number_of_threads_is_within_the_contract("gl");
}
