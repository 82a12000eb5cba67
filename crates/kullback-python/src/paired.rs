//! Sides whose bins and rows have names: frames and series of pandas and polars, and dictionaries.

use kullback::Divergence;
use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::input::InputSide;
use crate::uploaded::Uploaded;

/// The last axis, which has the bins if nothing else is said.
pub(crate) const LAST: isize = -1;

/// Anything of Python, or None.
type Maybe<'py> = Option<Bound<'py, PyAny>>;

/// Both sides, bin by bin and row by row.
pub(crate) struct Paired<'py> {
    pub(crate) p: Bound<'py, PyAny>,
    pub(crate) q: Maybe<'py>,
    /// The labels of the groups, row by row.
    pub(crate) by: Maybe<'py>,
    /// Which rows are null, as arrays of booleans.
    pub(crate) p_absent: Maybe<'py>,
    pub(crate) q_absent: Maybe<'py>,
    pub(crate) names: Names<'py>,
}

/// What rows and bins are called, and where they lie in what the user gave. Nothing if all of them lie where the engine sees them.
#[derive(Default)]
pub(crate) struct Names<'py>(Maybe<'py>);

impl<'py> Names<'py> {
    /// An error in the words of the user: it names rows and bins as the user does.
    pub(crate) fn told(&self, py: Python<'py>, error: PyErr) -> PyErr {
        let Some(names) = &self.0 else { return error };
        let told = names.call_method1("told", (error.value(py),));
        told.map_or_else(|error| error, PyErr::from_value)
    }

    /// Parts of values, one per bin of P, in the order in which the user gave these bins.
    pub(crate) fn in_order(&self, parts: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match &self.0 {
            Some(names) => names.call_method1("in_order", (parts,)),
            None => Ok(parts),
        }
    }
}

impl<'py> Paired<'py> {
    /// Brings both sides together by their names. Arrays and lists have none; of these, bins may lie on any axis.
    pub(crate) fn new(
        p: &Bound<'py, PyAny>,
        q: Option<&Bound<'py, PyAny>>,
        by: Option<&Bound<'py, PyAny>>,
        (axis, ordered): (isize, bool),
    ) -> PyResult<Self> {
        if axis != LAST {
            let moved: (Bound<'py, PyAny>, Maybe<'py>) = labels(p.py(), "bins_last")?.call1((p, q, axis))?.extract()?;
            return Self::new(&moved.0, moved.1.as_ref(), by, (LAST, ordered));
        }
        if !has_names(p) && !q.is_some_and(has_names) {
            let names = Names::default();
            return Ok(Self { p: p.clone(), q: q.cloned(), by: by.cloned(), p_absent: None, q_absent: None, names });
        }
        let (p, q, by, p_absent, q_absent, names) = labels(p.py(), "paired")?.call1((p, q, by, ordered))?.extract()?;
        Ok(Self { p, q, by, p_absent, q_absent, names: Names(names) })
    }
}

/// Both sides of all pairs, and what their rows and bins are called.
pub(crate) type SidesOfPairs<'py> = (InputSide<'py>, Option<InputSide<'py>>, Names<'py>);

/// Both sides of all pairs: bin by bin.
pub(crate) fn of_pairs<'py>(
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    ordered: bool,
) -> PyResult<SidesOfPairs<'py>> {
    if !has_names(p) && !q.is_some_and(has_names) {
        let q = q.map(|q| InputSide::new(q, "q")).transpose()?;
        return Ok((InputSide::new(p, "p")?, q, Names::default()));
    }
    let (p, q, p_absent, q_absent, names): (Bound<'py, PyAny>, Maybe<'py>, Maybe<'py>, Maybe<'py>, Maybe<'py>) =
        labels(p.py(), "same_bins")?.call1((p, q, ordered))?.extract()?;
    let q = q.map(|q| InputSide::new(&q, "q")?.without(q_absent.as_ref())).transpose()?;
    Ok((InputSide::new(&p, "p")?.without(p_absent.as_ref())?, q, Names(names)))
}

/// Whether a measure goes by the order of the bins.
pub(crate) fn is_ordered(measures: &[Divergence]) -> bool {
    measures.iter().any(|measure| measure.is_of_ordered_bins())
}

/// A function of the module that knows names.
fn labels<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("kullback._labels")?.getattr(name)
}

/// Whether an object may have names of bins or rows.
fn has_names(object: &Bound<'_, PyAny>) -> bool {
    !object.is_instance_of::<PyUntypedArray>()
        && !object.is_instance_of::<PyList>()
        && !object.is_instance_of::<PyTuple>()
        && !object.is_instance_of::<Uploaded>()
}
