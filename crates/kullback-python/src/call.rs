//! The options of a call, and the loop over the rows of both sides.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use kullback::{Columns, Device, Divergence, Engine, Error, OnInvalid, Options, Progress, RowStatus, Rows};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::error::{exception, wrong_input, wrong_type};
use crate::input::InputSide;

/// From this number of weights on, it is worth asking whether the user wants to stop, and reporting progress.
const LONG: usize = 1 << 22;

/// One measure by its name, or several.
pub(crate) struct Measures {
    pub(crate) list: Vec<Divergence>,
    /// The names as they were given.
    pub(crate) names: Vec<String>,
    pub(crate) is_list: bool,
}

impl Measures {
    /// Reads a name, or a list of names.
    pub(crate) fn new(object: Option<&Bound<'_, PyAny>>, default: Divergence) -> PyResult<Self> {
        let Some(object) = object else {
            return Ok(Self { list: vec![default], names: vec![default.to_string()], is_list: false });
        };
        let py = object.py();
        let parse = |name: &str| name.parse::<Divergence>().map_err(|error| exception(py, &error));
        if let Ok(name) = object.cast::<PyString>() {
            let name = name.to_str()?;
            return Ok(Self { list: vec![parse(name)?], names: vec![name.to_owned()], is_list: false });
        }
        let is_list = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
        let names: Option<Vec<String>> = if is_list { object.extract().ok() } else { None };
        let Some(names) = names else {
            return Err(wrong_type(format!("measure is a name or a list of names, not {object}")));
        };
        let list = names.iter().map(|name| parse(name)).collect::<PyResult<_>>()?;
        Ok(Self { list, names, is_list: true })
    }
}

/// The options of a call, as Python gives them.
pub(crate) struct Choices<'a, 'py> {
    pub(crate) unit: &'a str,
    pub(crate) zeros: &'a str,
    pub(crate) on_invalid: &'a str,
    pub(crate) positions: Option<&'a Bound<'py, PyAny>>,
}

impl Choices<'_, '_> {
    /// Reads them.
    pub(crate) fn options(&self, py: Python<'_>) -> PyResult<Options> {
        let on_invalid = match self.on_invalid {
            "error" => OnInvalid::Error,
            "null" => OnInvalid::Null,
            other => return Err(wrong_input(py, &format!("on_invalid is \"error\" or \"null\", not \"{other}\""))),
        };
        let (unit, zeros) = (self.unit.parse(), self.zeros.parse());
        let error = |error: Error| exception(py, &error);
        let numbers = |object: &Bound<'_, PyAny>| {
            let wrong = |_| wrong_type(format!("positions are numbers, one per bin or one more, not {object}"));
            let object = py.import("kullback._labels")?.getattr("unlabelled")?.call1((object,))?;
            object.extract::<Vec<f64>>().map(Arc::from).map_err(wrong)
        };
        Ok(Options {
            unit: unit.map_err(error)?,
            zeros: zeros.map_err(error)?,
            positions: self.positions.map(numbers).transpose()?,
            on_invalid,
            progress: None,
        })
    }
}

/// Reads a device from its name.
pub(crate) fn device(py: Python<'_>, name: &str) -> PyResult<Device> {
    name.parse().map_err(|error| exception(py, &error))
}

/// Engines by process and device.
type Engines = HashMap<(u32, String), Arc<Engine>>;

/// The engine that the calls on a device share within this process. After a fork there is another, because the old one has no
/// threads there.
pub(crate) fn engine(py: Python<'_>, name: &str) -> PyResult<Arc<Engine>> {
    // The lock is held for a moment, and never while another thread may take the interpreter.
    static ENGINES: LazyLock<Mutex<Engines>> = LazyLock::new(Mutex::default);
    let engines = || ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (std::process::id(), name.to_owned());
    let found = engines().get(&key).map(Arc::clone);
    if let Some(engine) = found {
        return Ok(engine);
    }
    let device = device(py, name)?;
    let mut builder = Engine::builder().device(device);
    if is_forked() {
        // The threads that all engines share stayed behind in the parent process.
        builder = builder.threads(std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    }
    let engine = Arc::new(py.detach(|| builder.build()).map_err(|error| exception(py, &error))?);
    Ok(Arc::clone(engines().entry(key).or_insert(engine)))
}

/// The process that loaded the module.
static HOME: LazyLock<u32> = LazyLock::new(std::process::id);

/// Records which process this is.
pub(crate) fn at_home() -> u32 {
    *HOME
}

/// Whether this process is a fork of the one that loaded the module.
fn is_forked() -> bool {
    std::process::id() != *HOME
}

/// Tells Python how far a call is, and learns whether the user wants to stop.
pub(crate) struct Watch {
    /// Called with the number of rows done and the total.
    bar: Option<Py<PyAny>>,
    /// The error that stopped the call.
    stopped: Arc<Mutex<Option<PyErr>>>,
}

impl Watch {
    /// `progress` is None or False, True for a bar, or a callable that takes the number of rows done and the total.
    pub(crate) fn new(py: Python<'_>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let bar = match progress {
            None => None,
            Some(progress) if progress.is_callable() => Some(progress.clone().unbind()),
            Some(progress) if progress.is_truthy()? => {
                Some(py.import("kullback._progress")?.getattr("Bar")?.call0()?.unbind())
            }
            Some(_) => None,
        };
        Ok(Self { bar, stopped: Arc::default() })
    }

    /// Whether anybody wants progress reports.
    fn is_wanted(&self) -> bool {
        self.bar.is_some()
    }

    /// The options of a part of a call. `done` rows of `total` were done before it.
    pub(crate) fn watched(&self, py: Python<'_>, options: &Options, done: usize, total: usize) -> Options {
        let (bar, stopped) = (self.bar.as_ref().map(|bar| bar.clone_ref(py)), Arc::clone(&self.stopped));
        let tell = move |progress: Progress| {
            Python::attach(|py| {
                let told = py.check_signals().and_then(|()| match &bar {
                    Some(bar) => bar.call1(py, (done as u64 + progress.done, total)).map(|_| ()),
                    None => Ok(()),
                });
                match told {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })
        };
        Options { progress: Some(Arc::new(tell)), ..options.clone() }
    }

    /// The exception for an error. If an exception stopped the call, it is that one.
    pub(crate) fn error(&self, py: Python<'_>, error: &Error) -> PyErr {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).take();
        stopped.unwrap_or_else(|| exception(py, error))
    }
}

/// The results of a call over rows.
pub(crate) struct Found {
    /// One column per measure.
    pub(crate) values: Vec<Vec<f64>>,
    pub(crate) status: Vec<RowStatus>,
}

/// Computes `total` rows: every row of `p` against that of `q`. It takes one call if both sides lie in memory as the engine takes
/// them, otherwise several parts.
pub(crate) fn rowwise(
    py: Python<'_>,
    engine: &Engine,
    measures: &[Divergence],
    [p, q]: [&InputSide<'_>; 2],
    total: usize,
    options: &Options,
    watch: &Watch,
) -> PyResult<Found> {
    let call = |p: Rows<'_>, q: Rows<'_>, options: &Options, done: usize| {
        let is_long = p.len().max(q.len()).saturating_mul(p.bins()) >= LONG || watch.is_wanted();
        let options = if is_long { &watch.watched(py, options, done, total) } else { options };
        py.detach(|| engine.rowwise(measures, p, q, options))
    };
    let mut found = Found { values: Vec::new(), status: Vec::new() };
    each_part(py, [p, q], total, |p_rows, q_rows, part| {
        if part == (0..total) {
            let columns = call(p_rows, q_rows, options, 0).map_err(|error| watch.error(py, &error))?;
            found = taken(columns, measures);
            return Ok(());
        }
        // The error names the refused row after all rows are known.
        let null = Options { on_invalid: OnInvalid::Null, ..options.clone() };
        let columns = call(p_rows, q_rows, &null, part.start).map_err(|error| watch.error(py, &error))?;
        let part = taken(columns, measures);
        if found.values.is_empty() {
            found.values = measures.iter().map(|_| reserved(py, total)).collect::<PyResult<_>>()?;
        }
        found.values.iter_mut().zip(part.values).for_each(|(all, part)| all.extend(part));
        found.status.extend(part.status);
        Ok(())
    })?;
    let is_null = |side: &InputSide<'_>, row: usize| side.is_null(if is_shared(side, total) { 0 } else { row });
    if p.has_nulls() || q.has_nulls() {
        // Null rows get no value here: a policy would make one from the zeros that stand for them.
        for row in (0..total).filter(|row| is_null(p, *row) || is_null(q, *row)) {
            found.values.iter_mut().for_each(|values| values[row] = f64::NAN);
            found.status[row] = RowStatus::Empty;
        }
    }
    if options.on_invalid == OnInvalid::Error {
        refuse(py, engine, measures, [p, q], options, &found.status)?;
    }
    Ok(found)
}

/// Whether one row of a side meets all rows of the other.
fn is_shared(side: &InputSide<'_>, total: usize) -> bool {
    side.rows == 1 && total != 1
}

/// Hands the rows of both sides to `visit`, and which of the `total` rows of the result they make: all at once if both sides lie in
/// memory as the engine takes them, otherwise part by part.
fn each_part(
    py: Python<'_>,
    [p, q]: [&InputSide<'_>; 2],
    total: usize,
    mut visit: impl FnMut(Rows<'_>, Rows<'_>, Range<usize>) -> PyResult<()>,
) -> PyResult<()> {
    let mut done = 0;
    loop {
        let at = |side: &InputSide<'_>| if is_shared(side, total) { 0 } else { done };
        let ((p_part, p_end), (q_part, q_end)) = (p.from(at(p))?, q.from(at(q))?);
        let end = |side: &InputSide<'_>, end: usize| if is_shared(side, total) { total } else { end };
        let end = end(p, p_end).min(end(q, q_end)).min(total);
        let (p_rows, q_rows) = (p_part.rows(py, p.bins)?, q_part.rows(py, q.bins)?);
        let cut = |rows: Rows<'_>, side: &InputSide<'_>| -> usize {
            if is_shared(side, total) { 1 } else { (end - done).min(rows.len()) }
        };
        visit(p_rows.slice(0, cut(p_rows, p)), q_rows.slice(0, cut(q_rows, q)), done..end)?;
        done = end;
        if done >= total {
            return Ok(());
        }
    }
}

/// What each bin adds, row after row of `total` rows.
pub(crate) fn contributions(
    py: Python<'_>,
    engine: &Engine,
    measure: Divergence,
    sides: [&InputSide<'_>; 2],
    total: usize,
    options: &Options,
) -> PyResult<Vec<f64>> {
    let watch = Watch::new(py, None)?;
    // It finds the rows that are refused, and those without a value.
    let values = rowwise(py, engine, &[measure], sides, total, options, &watch)?.values.pop().unwrap_or_default();
    let bins = sides[0].bins;
    let mut parts: Vec<f64> = reserved(py, total.saturating_mul(bins))?;
    let null = Options { on_invalid: OnInvalid::Null, ..options.clone() };
    each_part(py, sides, total, |p, q, rows| {
        // Between rows it looks whether the user wants to stop.
        let step = (LONG >> 6).div_ceil(bins);
        let one = |rows: Rows<'_>| rows.len() == 1;
        for first in (0..rows.len()).step_by(step) {
            py.check_signals()?;
            let count = step.min(rows.len() - first);
            let [p, q] = [p, q].map(|side| if one(side) { side } else { side.slice(first, count) });
            let found = py.detach(|| engine.contributions(measure, p, q, &null));
            parts.extend(found.map_err(|error| exception(py, &error))?);
        }
        Ok(())
    })?;
    for (parts, value) in parts.chunks_exact_mut(bins).zip(values) {
        if value.is_nan() {
            parts.fill(f64::NAN);
        }
    }
    Ok(parts)
}

/// Returns the error for the first invalid row, if there is one. Row numbers are those of the whole call.
fn refuse(
    py: Python<'_>,
    engine: &Engine,
    measures: &[Divergence],
    [p, q]: [&InputSide<'_>; 2],
    options: &Options,
    status: &[RowStatus],
) -> PyResult<()> {
    let mut invalid =
        status.iter().enumerate().filter(|(_, status)| **status == RowStatus::Invalid).map(|(row, _)| row);
    let Some(first) = invalid.next() else { return Ok(()) };
    let others = invalid.count() as u64;
    let row_of = |side: &InputSide<'_>| if side.rows == 1 { 0 } else { first };
    let ((p_part, _), (q_part, _)) = (p.from(row_of(p))?, q.from(row_of(q))?);
    let (p_row, q_row) = (p_part.rows(py, p.bins)?.slice(0, 1), q_part.rows(py, q.bins)?.slice(0, 1));
    let Err(mut error) = engine.rowwise(measures, p_row, q_row, options) else { return Ok(()) };
    match &mut error {
        Error::InvalidWeights { count, rows, row, side, .. } => {
            let side = if *side == kullback::Side::P { p } else { q };
            (*count, *rows, *row) = (1 + others, status.len() as u64, row_of(side) as u64);
        }
        Error::PolicyTooLarge { count, rows, row, .. } | Error::RangeTooWide { count, rows, row } => {
            (*count, *rows, *row) = (1 + others, status.len() as u64, first as u64);
        }
        _ => {}
    }
    Err(exception(py, &error))
}

/// An empty vector with memory for `count` values.
pub(crate) fn reserved<T>(py: Python<'_>, count: usize) -> PyResult<Vec<T>> {
    let mut values = Vec::new();
    let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    let error = |_| exception(py, &Error::DeviceMemory { device: "cpu".to_owned(), bytes });
    values.try_reserve_exact(count).map_err(error)?;
    Ok(values)
}

/// The columns, in the order in which they were asked for.
fn taken(columns: Columns, measures: &[Divergence]) -> Found {
    let (values, status) = columns.into_parts();
    debug_assert_eq!(values.len(), measures.len());
    Found { values, status }
}
