//! The functions over rows.

use kullback::{Device, Divergence, Engine, Error, RowStatus, Summary, TopRow, Zeros};
use numpy::{PyArray1, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::amount::{self, Side};
use crate::call::{self, Choices, Measures, Watch};
use crate::error::{exception, wrong_input};
use crate::input::{InputSide, fills_nulls};
use crate::output;
use crate::paired::{LAST, Names, Paired, is_ordered};

/// What the rows of a call are compared with if there is no second side.
#[derive(Clone, Copy, Default)]
pub(crate) struct Baseline<'a, 'py> {
    pub(crate) against: Option<&'a str>,
    /// Labels that say which rows belong together.
    pub(crate) by: Option<&'a Bound<'py, PyAny>>,
}

impl Baseline<'_, '_> {
    /// Warns if what the zero policy adds is large beside the totals of the sides.
    fn note(self, py: Python<'_>, zeros: Zeros, p: &InputSide<'_>, q: &InputSide<'_>) -> PyResult<()> {
        if self.against == Some("uniform") {
            return amount::note_uniform(py, zeros, p);
        }
        amount::note(py, zeros, &Side::Given(p), &Side::Given(q))
    }
}

/// The two sides of a call, and what their rows and bins are called.
type Sides<'py> = ([InputSide<'py>; 2], Names<'py>);

/// The two sides of a call. Side Q is `q`, or what `against` makes from `p`.
pub(crate) fn sides<'py>(
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    Baseline { against, by }: Baseline<'_, 'py>,
    axis: isize,
    measures: &Measures,
) -> PyResult<Sides<'py>> {
    let py = p.py();
    if by.is_some() && against.is_none() {
        let message = "by says which rows belong together, for against=\"total\", \"previous\", …: give against too, or leave it out";
        return Err(wrong_input(py, message));
    }
    let Paired { p, q, by, p_absent, q_absent, names } = Paired::new(p, q, by, (axis, is_ordered(&measures.list)))?;
    let side = InputSide::new(&p, "p")?.without(p_absent.as_ref())?;
    let q = match (q, against) {
        (Some(_), Some(_)) => return Err(wrong_input(py, "give q or against, not both")),
        (Some(q), None) => InputSide::new(&q, "q")?.without(q_absent.as_ref())?,
        (None, Some(against)) => {
            let make = py.import("kullback._against")?.getattr("against")?;
            let (made, absent): (Bound<'py, PyAny>, Option<Bound<'py, PyAny>>) =
                make.call1((&p, against, side.nulls(py), by))?.extract()?;
            InputSide::new(&made, "against")?.without(absent.as_ref())?
        }
        // The entropy needs P alone.
        (None, None) if measures.list.iter().all(|measure| *measure == Divergence::Entropy) => {
            InputSide::new(&p, "p")?.without(p_absent.as_ref())?
        }
        (None, None) => {
            let message = "there is nothing to compare p with: give q, or against=\"total\", \"rest\", \"first\", \"previous\" or \
                           \"uniform\" (only entropy needs neither)";
            return Err(wrong_input(py, message));
        }
    };
    Ok(([side, q], names))
}

/// The shape of the result, which is that of the side with more axes. The shapes are equal, or one side has one row.
pub(crate) fn shape_of(py: Python<'_>, p: &[usize], q: &[usize]) -> PyResult<Vec<usize>> {
    let rows = |shape: &[usize]| shape.iter().product::<usize>();
    let (p_rows, q_rows) = (rows(p), rows(q));
    if p_rows != q_rows && p_rows != 1 && q_rows != 1 {
        return Err(exception(py, &Error::RowsDiffer { p: p_rows, q: q_rows }));
    }
    let (many, one) = if p_rows == 1 && (q_rows != 1 || q.len() > p.len()) { (q, p_rows) } else { (p, q_rows) };
    if one != 1 && p != q {
        let message = format!("p has the leading axes {p:?} and q {q:?}: give the same, or one row on either side");
        return Err(wrong_input(py, &message));
    }
    Ok(many.to_vec())
}

/// Computes every row of p against that of q on an engine.
#[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
pub(crate) fn on_engine<'py>(
    py: Python<'py>,
    engine: &Engine,
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    measure: Option<&Bound<'py, PyAny>>,
    baseline: Baseline<'_, 'py>,
    axis: isize,
    choices: &Choices<'_, 'py>,
    out: Option<&Bound<'py, PyAny>>,
    return_status: bool,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let measures = Measures::new(measure, Divergence::Kl)?;
    let options = choices.options(py)?;
    let ([p, q], names) = &sides(p, q, baseline, axis, &measures)?;
    let shape = shape_of(py, &p.shape, &q.shape)?;
    output::check(out, &measures, &shape, &[("p", p), ("q", q)])?;
    baseline.note(py, options.zeros, p, q)?;
    let watch = Watch::new(py, progress)?;
    let found = call::rowwise(py, engine, &measures.list, [p, q], shape.iter().product(), &options, &watch)
        .map_err(|error| names.told(py, error))?;
    output::columns(py, found, &measures, &shape, out, return_status)
}

#[doc = include_str!("docs/contributions.txt")]
#[pyfunction]
#[pyo3(signature = (p, q=None, measure="kl", *, unit="nats", zeros="exact", positions=None, on_invalid="error"))]
#[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
pub(crate) fn contributions<'py>(
    py: Python<'py>,
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    measure: &str,
    unit: &str,
    zeros: &str,
    positions: Option<&Bound<'py, PyAny>>,
    on_invalid: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let measures = Measures::new(Some(&PyString::new(py, measure)), Divergence::Kl)?;
    let options = Choices { unit, zeros, positions, on_invalid }.options(py)?;
    let ([p, q], names) = &sides(p, q, Baseline::default(), LAST, &measures)?;
    let mut shape = shape_of(py, &p.shape, &q.shape)?;
    Baseline::default().note(py, options.zeros, p, q)?;
    let (engine, total) = (call::engine(py, "cpu")?, shape.iter().product());
    let parts = call::contributions(py, &engine, measures.list[0], [p, q], total, &options)
        .map_err(|error| names.told(py, error))?;
    shape.push(p.bins);
    names.in_order(output::array(py, parts, &shape)?)
}

#[doc = include_str!("docs/rowwise.txt")]
#[pyfunction]
#[pyo3(signature = (p, q=None, measure=None, *, against=None, by=None, axis=-1, unit="nats", zeros="exact", positions=None, on_invalid="error", device="auto", out=None, return_status=false, progress=None), text_signature = "(p, q=None, measure='kl', *, against=None, by=None, axis=-1, unit='nats', zeros='exact', positions=None, on_invalid='error', device='auto', out=None, return_status=False, progress=None)")]
#[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
pub(crate) fn rowwise<'py>(
    py: Python<'py>,
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    measure: Option<&Bound<'py, PyAny>>,
    against: Option<&str>,
    by: Option<&Bound<'py, PyAny>>,
    axis: isize,
    unit: &str,
    zeros: &str,
    positions: Option<&Bound<'py, PyAny>>,
    on_invalid: &str,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    return_status: bool,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let engine = call::engine(py, device)?;
    on_engine(
        py,
        &engine,
        p,
        q,
        measure,
        Baseline { against, by },
        axis,
        &Choices { unit, zeros, positions, on_invalid },
        out,
        return_status,
        progress,
    )
}

/// The numbers of a summary, by their names.
fn summary_of<'py>(py: Python<'py>, summary: &Summary, top: &[TopRow]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("rows", summary.rows)?;
    dict.set_item("finite", summary.finite)?;
    dict.set_item("infinite", summary.infinite)?;
    let [_, _, empty, invalid] = summary.statuses;
    dict.set_item("empty", empty)?;
    dict.set_item("invalid", invalid)?;
    dict.set_item("mean", summary.mean)?;
    dict.set_item("standard_deviation", summary.variance.sqrt())?;
    dict.set_item("standard_error", summary.standard_error)?;
    let quantiles = PyDict::new(py);
    for (at, value) in kullback::QUANTILES.iter().zip(&summary.quantiles) {
        quantiles.set_item(at, value)?;
    }
    dict.set_item("quantiles", quantiles)?;
    let rows: Vec<(u64, f64)> = top.iter().map(|top| (top.row, top.value)).collect();
    dict.set_item("top", rows)?;
    Ok(dict)
}

/// The rows of both sides that are not null, and the numbers of these rows.
type Present<'py> = ([InputSide<'py>; 2], Option<Vec<usize>>);

/// Leaves out the rows of both sides where one of Q is null. Both sides have `total` rows, or one row of Q meets all rows.
fn present<'py>(py: Python<'py>, p: &InputSide<'py>, q: &InputSide<'py>, total: usize) -> PyResult<Present<'py>> {
    let is_null = |row: usize| q.is_null(if q.rows == 1 { 0 } else { row });
    let rows: Vec<usize> = (0..total).filter(|row| !is_null(*row)).collect();
    let numbers = PyArray1::from_iter(py, rows.iter().map(|row| *row as i64));
    let take = |side: &InputSide<'py>, name: &str| -> PyResult<InputSide<'py>> {
        let part = side.whole(py)?;
        let matrix = output::weights(py, part.rows(py, side.bins)?.weights(), &[side.rows, side.bins])?;
        InputSide::new(&matrix.call_method1("take", (&numbers, 0))?, name)
    };
    Ok(([take(p, "p")?, take(q, "against")?], Some(rows)))
}

/// The same error with the row numbers of the whole call, if only the rows of these numbers were computed.
fn of_all_rows(mut error: Error, computed: Option<&[usize]>, total: usize) -> Error {
    if let (
        Some(computed),
        Error::InvalidWeights { rows, row, .. }
        | Error::PolicyTooLarge { rows, row, .. }
        | Error::RangeTooWide { rows, row, .. },
    ) = (computed, &mut error)
    {
        *row = computed.get(*row as usize).map_or(*row, |row| *row as u64);
        *rows = total as u64;
    }
    error
}

#[doc = include_str!("docs/summary.txt")]
#[pyfunction]
#[pyo3(signature = (p, q=None, measure=None, *, against=None, by=None, top=0, unit="nats", zeros="exact", positions=None, on_invalid="error", device="auto", progress=None), text_signature = "(p, q=None, measure='kl', *, against=None, by=None, top=0, unit='nats', zeros='exact', positions=None, on_invalid='error', device='auto', progress=None)")]
#[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
pub(crate) fn summary<'py>(
    py: Python<'py>,
    p: &Bound<'py, PyAny>,
    q: Option<&Bound<'py, PyAny>>,
    measure: Option<&Bound<'py, PyAny>>,
    against: Option<&str>,
    by: Option<&Bound<'py, PyAny>>,
    top: usize,
    unit: &str,
    zeros: &str,
    positions: Option<&Bound<'py, PyAny>>,
    on_invalid: &str,
    device: &str,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let measures = Measures::new(measure, Divergence::Kl)?;
    let options = Choices { unit, zeros, positions, on_invalid }.options(py)?;
    let engine = call::engine(py, device)?;
    let baseline = Baseline { against, by };
    let ([p, q], names) = sides(p, q, baseline, LAST, &measures)?;
    let p = p.without_nulls(py, options.zeros, "p")?;
    let total = shape_of(py, &p.shape, &q.shape)?.iter().product();
    // Rows that have none to be compared with are counted, and the others are computed.
    let is_left_out = against.is_some() && q.has_nulls() && fills_nulls(options.zeros);
    let ([p, q], rows) = if is_left_out { present(py, &p, &q, total)? } else { ([p, q], None) };
    let q = q.without_nulls(py, options.zeros, "q")?;
    baseline.note(py, options.zeros, &p, &q)?;
    let watch = Watch::new(py, progress)?;
    let options = watch.watched(py, &options, 0, total);
    let (p_part, q_part) = (p.whole(py)?, q.whole(py)?);
    let (p_rows, q_rows) = (p_part.rows(py, p.bins)?, q_part.rows(py, q.bins)?);
    let found = py.detach(|| engine.summary(&measures.list, p_rows, q_rows, &options, top));
    let found = found.map_err(|error| names.told(py, watch.error(py, &of_all_rows(error, rows.as_deref(), total))))?;
    let of = |measure: Divergence| {
        let error = |error| exception(py, &error);
        let (mut summary, mut top) =
            (found.summary(measure).map_err(error)?.clone(), found.top(measure).map_err(error)?.to_vec());
        if let Some(rows) = &rows {
            let left_out = (total - rows.len()) as u64;
            summary.rows += left_out;
            summary.statuses[RowStatus::Empty as usize] += left_out;
            top.iter_mut().for_each(|top| top.row = rows[top.row as usize] as u64);
        }
        summary_of(py, &summary, &top)
    };
    if !measures.is_list {
        return of(measures.list[0]);
    }
    let dict = PyDict::new(py);
    for (name, measure) in measures.names.iter().zip(&measures.list) {
        dict.set_item(name, of(*measure)?)?;
    }
    Ok(dict)
}

#[doc = include_str!("docs/devices.txt")]
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let cpu = Engine::builder().device(Device::Cpu).build().map_err(|error| exception(py, &error))?;
    let list = PyList::empty(py);
    let entry = PyDict::new(py);
    entry.set_item("device", "cpu")?;
    entry.set_item("name", cpu.device_name().as_ref())?;
    entry.set_item("is_software", false)?;
    list.append(entry)?;
    for adapter in py.detach(kullback::adapters) {
        let entry = PyDict::new(py);
        entry.set_item("device", format!("gpu:{}", adapter.index))?;
        entry.set_item("name", adapter.name)?;
        entry.set_item("is_software", adapter.is_software)?;
        entry.set_item("backend", adapter.backend)?;
        entry.set_item("driver", adapter.driver)?;
        entry.set_item("max_binding_bytes", adapter.max_binding_bytes)?;
        list.append(entry)?;
    }
    Ok(list)
}

#[doc = include_str!("docs/matrix.txt")]
#[pyfunction]
pub(crate) fn matrix<'py>(rows: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = rows.py();
    if rows.is_instance_of::<PyUntypedArray>() {
        return Ok(rows.clone());
    }
    let side = InputSide::new(rows, "rows")?;
    let part = side.whole(py)?;
    let owned = part.rows(py, side.bins)?;
    let shape = [&side.shape[..], &[side.bins]].concat();
    output::weights(py, owned.weights(), &shape)
}

/// The names of all measures, with `:A` where a measure takes an order.
///
/// Examples
/// --------
/// >>> import kullback
/// >>> kullback.measures()[:3]
/// ['kl', 'reverse_kl', 'jeffreys']
#[pyfunction]
#[pyo3(text_signature = "()")]
pub(crate) fn measures() -> Vec<String> {
    Divergence::names().collect()
}
