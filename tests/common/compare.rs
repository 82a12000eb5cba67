//! How results are compared: with the oracle, or bit for bit.

use kullback::{Columns, Divergence, Engine, OnInvalid, Options, Rows, Zeros};
use kullback_conformance::{Check, FAMILIES, measures};

use super::engines::oracle;

pub fn with(zeros: Zeros) -> Options {
    Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() }
}

/// Compares an engine with the oracle on rows of both sides.
pub fn against_oracle(engine: &Engine, p: Rows<'_>, q: Rows<'_>, zeros: Zeros, what: &str) -> Check {
    let measures = measures();
    let got = engine.rowwise(&measures, p, q, &with(zeros)).expect(what);
    let want = oracle().rowwise(&measures, p, q, &with(zeros)).expect(what);
    let columns: Vec<(Divergence, &[f64])> = want.iter().collect();
    let mut check = Check::default();
    let name = |row: usize| format!("row {row} ({}) of {what}, {zeros}", FAMILIES[row % FAMILIES.len()]);
    check.columns(&got, &columns, want.status(), &p, &q, &name);
    check
}

/// Asserts that every value and status of two results is the same, bit for bit.
pub fn same_bits(a: &Columns, b: &Columns, what: &str) {
    assert!(!a.is_empty(), "{what}: nothing was compared");
    assert_eq!(a.status(), b.status(), "{what}");
    for ((measure, x), (_, y)) in a.iter().zip(b.iter()) {
        for (row, (x, y)) in x.iter().zip(y).enumerate() {
            assert!(x.to_bits() == y.to_bits(), "{what}: {measure} of row {row}: {x:e} and {y:e}");
        }
    }
}
