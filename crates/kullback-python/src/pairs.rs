//! All pairs: the matrix, and the nearest rows.

use kullback::{Divergence, Engine, Error, Tile, Zeros};
use pyo3::prelude::*;

use crate::amount::{self, Side};
use crate::call::{self, Choices, Measures, Watch, reserved};
use crate::error::wrong_input;
use crate::input::InputSide;
use crate::output;
use crate::paired::{self, SidesOfPairs};

/// What ended a call over all pairs.
enum Ended {
    Engine(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Ended::Engine(error)
    }
}

/// Computes the matrix on an engine.
pub(crate) fn matrix<'py>(
    py: Python<'py>,
    engine: &Engine,
    (p, q): (&Bound<'py, PyAny>, Option<&Bound<'py, PyAny>>),
    measure: Option<&Bound<'py, PyAny>>,
    choices: &Choices<'_, 'py>,
    out: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let measures = Measures::new(measure, Divergence::Kl)?;
    let options = choices.options(py)?;
    let (p, q, names) = matrix_sides(py, (p, q), (options.zeros, paired::is_ordered(&measures.list)))?;
    if let Some(q) = &q {
        amount::note(py, options.zeros, &Side::Given(&p), &Side::Given(q))?;
    }
    let shape = [p.rows, q.as_ref().map_or(p.rows, |q| q.rows)];
    let [rows, columns] = shape;
    let (p_part, q_part) = (p.whole(py)?, q.as_ref().map(|q| q.whole(py)).transpose()?);
    let p_rows = p_part.rows(py, p.bins)?;
    let q_rows = match (&q, &q_part) {
        (Some(q), Some(part)) => Some(part.rows(py, q.bins)?),
        _ => None,
    };
    let watch = Watch::new(py, progress)?;
    let options = watch.watched(py, &options, 0, rows.saturating_mul(columns));
    let mut given = match (out, measures.is_list) {
        (Some(_), true) => return Err(wrong_input(py, "out takes one measure")),
        (Some(out), false) => {
            output::apart(out, "out", &shape, &[("p", &p), ("q", &q)])?;
            Some(output::given(out, &shape)?)
        }
        (None, _) => None,
    };
    let entries =
        rows.checked_mul(columns).filter(|entries| entries.checked_mul(8).is_some_and(|b| b < isize::MAX as usize));
    let Some(entries) = entries else {
        return Err(wrong_input(py, &format!("a matrix of {rows} × {columns} entries is in no memory")));
    };
    let mut made: Vec<Vec<f64>> = Vec::new();
    if given.is_none() {
        for _ in &measures.list {
            let mut values = reserved(py, entries)?;
            values.resize(entries, 0.0);
            made.push(values);
        }
    }
    let mut targets: Vec<&mut [f64]> = match &mut given {
        Some(given) => vec![given.as_slice_mut().map_err(|_| wrong_input(py, "out has gaps"))?],
        None => made.iter_mut().map(Vec::as_mut_slice).collect(),
    };
    let take = |tile: &Tile| {
        let (rows, within) = (tile.rows(), tile.columns());
        for (target, measure) in targets.iter_mut().zip(&measures.list) {
            for (row, values) in rows.clone().zip(tile.values(*measure)?.chunks(within.len())) {
                target[row * columns + within.start..row * columns + within.end].copy_from_slice(values);
            }
        }
        Ok::<(), Ended>(())
    };
    let done = py.detach(|| engine.pairwise(&measures.list, p_rows, q_rows.map(Into::into), &options, take));
    done.map_err(|Ended::Engine(error)| names.told(py, watch.error(py, &error)))?;
    match out {
        Some(out) => Ok(out.clone()),
        None => {
            let found = call::Found { values: made, status: Vec::new() };
            output::columns(py, found, &measures, &shape, None, false)
        }
    }
}

/// Reads the sides of all pairs. They have rows and bins, and no further axes.
fn matrix_sides<'py>(
    py: Python<'py>,
    (p, q): (&Bound<'py, PyAny>, Option<&Bound<'py, PyAny>>),
    (zeros, ordered): (Zeros, bool),
) -> PyResult<SidesOfPairs<'py>> {
    let matrix = |side: InputSide<'py>, name: &str| {
        if side.shape.len() > 1 {
            let message = format!("{name} has {} axes: all pairs are of rows of bins, two axes", side.shape.len() + 1);
            return Err(wrong_input(py, &message));
        }
        side.without_nulls(py, zeros, name)
    };
    let (p, q, names) = paired::of_pairs(p, q, ordered)?;
    Ok((matrix(p, "p")?, q.map(|q| matrix(q, "q")).transpose()?, names))
}

/// Finds the nearest rows on an engine.
pub(crate) fn neighbours<'py>(
    py: Python<'py>,
    engine: &Engine,
    (p, q): (&Bound<'py, PyAny>, Option<&Bound<'py, PyAny>>),
    (k, measure): (usize, Option<&Bound<'py, PyAny>>),
    choices: &Choices<'_, 'py>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let measures = Measures::new(measure, Divergence::Js)?;
    let (false, [measure]) = (measures.is_list, &measures.list[..]) else {
        return Err(wrong_input(py, "nearest takes one measure"));
    };
    let options = choices.options(py)?;
    let (p, q, names) = matrix_sides(py, (p, q), (options.zeros, paired::is_ordered(&[*measure])))?;
    if let Some(q) = &q {
        amount::note(py, options.zeros, &Side::Given(&p), &Side::Given(q))?;
    }
    let columns = q.as_ref().map_or(p.rows, |q| q.rows);
    // Places beyond the number of rows would only stay empty.
    let k = k.min(columns);
    // The memory that the result takes, and the memory that the search takes.
    let places = p.rows.saturating_mul(k);
    drop(reserved::<[f64; 2]>(py, places)?);
    let (mut numbers, mut values) = (reserved(py, places)?, reserved(py, places)?);
    let (p_part, q_part) = (p.whole(py)?, q.as_ref().map(|q| q.whole(py)).transpose()?);
    let p_rows = p_part.rows(py, p.bins)?;
    let q_rows = match (&q, &q_part) {
        (Some(q), Some(part)) => Some(part.rows(py, q.bins)?),
        _ => None,
    };
    let watch = Watch::new(py, progress)?;
    let options = watch.watched(py, &options, 0, p.rows.saturating_mul(columns));
    let found = py.detach(|| engine.nearest(*measure, p_rows, q_rows.map(Into::into), k, &options));
    let found = found.map_err(|error| names.told(py, watch.error(py, &error)))?;
    numbers.resize(places, -1_i64);
    values.resize(places, f64::NAN);
    for row in 0..p.rows {
        for (i, near) in found.of(row).unwrap_or_default().iter().enumerate() {
            (numbers[row * k + i], values[row * k + i]) = (near.row as i64, near.value);
        }
    }
    let shape = [p.rows, k];
    Ok((output::array(py, numbers, &shape)?, output::array(py, values, &shape)?))
}

#[doc = include_str!("docs/pairwise.txt")]
#[pyfunction]
#[pyo3(signature = (p, q=None, measure=None, *, unit="nats", zeros="exact", positions=None, on_invalid="error", device="auto", out=None, progress=None), text_signature = "(p, q=None, measure='kl', *, unit='nats', zeros='exact', positions=None, on_invalid='error', device='auto', out=None, progress=None)")]
#[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
pub(crate) fn pairwise<'py>(
    py: Python<'py>,
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    measure: Option<&Bound<'py, PyAny>>,
    unit: &str,
    zeros: &str,
    positions: Option<&Bound<'py, PyAny>>,
    on_invalid: &str,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let engine = call::engine(py, device)?;
    matrix(py, &engine, (p, q), measure, &Choices { unit, zeros, positions, on_invalid }, out, progress)
}

#[doc = include_str!("docs/nearest.txt")]
#[pyfunction]
#[pyo3(signature = (p, q=None, k=10, measure=None, *, unit="nats", zeros="exact", positions=None, on_invalid="error", device="auto", progress=None), text_signature = "(p, q=None, k=10, measure='js', *, unit='nats', zeros='exact', positions=None, on_invalid='error', device='auto', progress=None)")]
#[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
pub(crate) fn nearest<'py>(
    py: Python<'py>,
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    k: usize,
    measure: Option<&Bound<'py, PyAny>>,
    unit: &str,
    zeros: &str,
    positions: Option<&Bound<'py, PyAny>>,
    on_invalid: &str,
    device: &str,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let engine = call::engine(py, device)?;
    neighbours(py, &engine, (p, q), (k, measure), &Choices { unit, zeros, positions, on_invalid }, progress)
}
