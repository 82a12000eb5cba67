//! How results are compared: with the oracle, or bit for bit.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Index;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use kullback::{Columns, Divergence, Engine, OnInvalid, Options, RowStatus, Rows, Zeros};
use kullback_conformance::{Check, FAMILIES, measures};

use super::engines::oracle;

pub fn with(zeros: Zeros) -> Options {
    Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() }
}

/// What the oracle says of a call.
pub struct Wanted {
    values: Vec<(Divergence, Vec<f64>)>,
    status: Vec<RowStatus>,
}

impl Wanted {
    pub fn iter(&self) -> impl Iterator<Item = (Divergence, &[f64])> {
        self.values.iter().map(|(measure, values)| (*measure, values.as_slice()))
    }

    pub fn status(&self) -> &[RowStatus] {
        &self.status
    }
}

impl Index<Divergence> for Wanted {
    type Output = [f64];
    fn index(&self, measure: Divergence) -> &[f64] {
        self.iter().find(|(of, _)| *of == measure).expect("the measure was asked for").1
    }
}

/// What the oracle says of a call. It answers for many measures at once, whichever of them and whichever devices ask: most of its
/// time goes into the logarithms that they share.
pub fn wanted(asked: &[Divergence], p: Rows<'_>, q: Rows<'_>, zeros: Zeros) -> Wanted {
    use Divergence::{Bhattacharyya, CrossEntropy, Hellinger, Jeffreys, Js, Kl, ReverseKl, Tv};
    // Those of one logarithm and one root are cheap. Powers are not.
    let cheap = [Kl, ReverseKl, Jeffreys, Js, Hellinger, Bhattacharyya, Tv, CrossEntropy].to_vec();
    let shared = [cheap, measures()].into_iter().find(|set| asked.iter().all(|measure| set.contains(measure)));
    let answer = answer(shared.as_deref().unwrap_or(asked), p, q, zeros);
    let values: Vec<(Divergence, Vec<f64>)> =
        asked.iter().map(|&measure| (measure, answer[measure].to_vec())).collect();
    // A row is infinite if a value that was asked for is.
    let status = |(row, &status): (usize, &RowStatus)| match status {
        RowStatus::Infinite if values.iter().all(|(_, values)| !values[row].is_infinite()) => RowStatus::Ok,
        status => status,
    };
    let status = answer.status().iter().enumerate().map(status).collect();
    Wanted { values, status }
}

/// The answer of the oracle, computed once for each call.
fn answer(measures: &[Divergence], p: Rows<'_>, q: Rows<'_>, zeros: Zeros) -> Arc<Columns> {
    type Answers = Mutex<HashMap<u64, Arc<OnceLock<Arc<Columns>>>>>;
    static ANSWERS: LazyLock<Answers> = LazyLock::new(Answers::default);
    let mut hash = DefaultHasher::new();
    format!("{measures:?} {zeros:?}").hash(&mut hash);
    for rows in [p, q] {
        (rows.len(), rows.bins(), rows.weight_type().name()).hash(&mut hash);
        for (row, bin) in (0..rows.len()).flat_map(|row| (0..rows.bins()).map(move |bin| (row, bin))) {
            rows.get(row, bin).map(f64::to_bits).hash(&mut hash);
        }
    }
    let answer = {
        let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(answers.entry(hash.finish()).or_default())
    };
    let compute = || Arc::new(oracle().rowwise(measures, p, q, &with(zeros)).expect("the oracle takes every row"));
    Arc::clone(answer.get_or_init(compute))
}

/// Compares an engine with the oracle on rows of both sides.
pub fn against_oracle(engine: &Engine, p: Rows<'_>, q: Rows<'_>, zeros: Zeros, what: &str) -> Check {
    let measures = measures();
    let got = engine.rowwise(&measures, p, q, &with(zeros)).expect(what);
    let want = wanted(&measures, p, q, zeros);
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
