//! An engine that the user makes.

use std::sync::Arc;

use kullback::{Divergence, Engine, Input};
use pyo3::prelude::*;

use crate::amount::{self, Side};
use crate::call::{self, Choices, Found, Measures, Watch};
use crate::error::{exception, wrong_input};
use crate::functions::{Baseline, on_engine, shape_of};
use crate::input::InputSide;
use crate::paired::LAST;
use crate::uploaded::{Resident, Uploaded};
use crate::{output, pairs};

#[doc = include_str!("docs/engine.txt")]
#[pyclass(frozen, name = "Engine", module = "kullback")]
pub(crate) struct PyEngine {
    engine: Arc<Engine>,
    /// The process that has its threads.
    process: u32,
}

impl PyEngine {
    /// The engine, in the process that has its threads.
    fn engine(&self, py: Python<'_>) -> PyResult<&Arc<Engine>> {
        if self.process == std::process::id() {
            return Ok(&self.engine);
        }
        Err(wrong_input(py, "an engine has its threads in the process that made it: make another one in this process"))
    }
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (device="auto", *, threads=None, memory=None))]
    fn new(py: Python<'_>, device: &str, threads: Option<usize>, memory: Option<u64>) -> PyResult<Self> {
        let mut builder = Engine::builder().device(call::device(py, device)?);
        if let Some(threads) = threads {
            builder = builder.threads(threads);
        }
        if let Some(memory) = memory {
            builder = builder.memory(memory);
        }
        let engine = py.detach(|| builder.build()).map_err(|error| exception(py, &error))?;
        Ok(Self { engine: Arc::new(engine), process: std::process::id() })
    }

    /// The name of the device.
    #[getter]
    fn device(&self) -> String {
        self.engine.device_name().to_string()
    }

    fn __repr__(&self) -> String {
        format!("<kullback.Engine on {}>", self.engine.device_name())
    }

    #[doc = include_str!("docs/rowwise.txt")]
    #[pyo3(signature = (p, q=None, measure=None, *, against=None, by=None, axis=-1, unit="nats", zeros="exact", positions=None, on_invalid="error", out=None, return_status=false, progress=None), text_signature = "($self, p, q=None, measure='kl', *, against=None, by=None, axis=-1, unit='nats', zeros='exact', positions=None, on_invalid='error', out=None, return_status=False, progress=None)")]
    #[expect(clippy::too_many_arguments, clippy::too_many_lines, reason = "the arguments of a Python function")]
    fn rowwise<'py>(
        &self,
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
        out: Option<&Bound<'py, PyAny>>,
        return_status: bool,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        fn kept<'s>(side: &'s Bound<'_, PyAny>) -> Option<&'s Uploaded> {
            side.cast::<Uploaded>().ok().map(Bound::get)
        }
        let choices = Choices { unit, zeros, positions, on_invalid };
        let (kept_p, kept_q) = (kept(p), q.and_then(|q| kept(q)));
        if kept_p.is_none() && kept_q.is_none() {
            let baseline = Baseline { against, by };
            return on_engine(
                py,
                self.engine(py)?,
                p,
                q,
                measure,
                baseline,
                axis,
                &choices,
                out,
                return_status,
                progress,
            );
        }
        let engine = self.engine(py)?;
        let measures = Measures::new(measure, Divergence::Kl)?;
        let Some(q) = q.filter(|_| against.is_none() && by.is_none() && axis == LAST) else {
            return Err(wrong_input(
                py,
                "rows that an engine keeps are compared with q, rows of any kind with their bins on the last axis, and with nothing else",
            ));
        };
        let options = choices.options(py)?;
        // If this engine does not keep the rows, they become one matrix for it.
        let side = |object: &Bound<'py, PyAny>, kept: Option<&Uploaded>, name| match kept {
            Some(kept) if Arc::ptr_eq(&kept.engine, &self.engine) => Ok(None),
            Some(_) => Err(wrong_input(py, "these rows are kept by another engine")),
            None => InputSide::new(object, name)?.without_nulls(py, options.zeros, name).map(Some),
        };
        let (p_side, q_side) = (side(p, kept_p, "p")?, side(q, kept_q, "q")?);
        let (p_part, q_part) = (
            p_side.as_ref().map(|side| side.whole(py)).transpose()?,
            q_side.as_ref().map(|side| side.whole(py)).transpose()?,
        );
        macro_rules! input {
            ($kept:expr, $side:expr, $part:expr) => {
                match ($kept, &$side, &$part) {
                    (Some(kept), ..) => Input::from(kept.rows.borrow_dependent()),
                    (None, Some(side), Some(part)) => Input::from(part.rows(py, side.bins)?),
                    _ => return Err(wrong_input(py, "no rows")),
                }
            };
        }
        let (p_input, q_input) = (input!(kept_p, p_side, p_part), input!(kept_q, q_side, q_part));
        let (Some(p), Some(q)) = (Side::new(kept_p, p_side.as_ref()), Side::new(kept_q, q_side.as_ref())) else {
            return Err(wrong_input(py, "no rows"));
        };
        let shape = shape_of(py, &p.shape(), &q.shape())?;
        output::check(out, &measures, &shape, &[("p", p.within()), ("q", q.within())])?;
        amount::note(py, options.zeros, &p, &q)?;
        let total = shape.iter().product();
        let watch = Watch::new(py, progress)?;
        let options = watch.watched(py, &options, 0, total);
        let columns = py.detach(|| engine.rowwise(&measures.list, p_input, q_input, &options));
        let (values, status) = columns.map_err(|error| watch.error(py, &error))?.into_parts();
        output::columns(py, Found { values, status }, &measures, &shape, out, return_status)
    }

    #[doc = include_str!("docs/pairwise.txt")]
    #[pyo3(signature = (p, q=None, measure=None, *, unit="nats", zeros="exact", positions=None, on_invalid="error", out=None, progress=None), text_signature = "($self, p, q=None, measure='kl', *, unit='nats', zeros='exact', positions=None, on_invalid='error', out=None, progress=None)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
    fn pairwise<'py>(
        &self,
        py: Python<'py>,
        p: &Bound<'py, PyAny>,
        q: Option<&Bound<'py, PyAny>>,
        measure: Option<&Bound<'py, PyAny>>,
        unit: &str,
        zeros: &str,
        positions: Option<&Bound<'py, PyAny>>,
        on_invalid: &str,
        out: Option<&Bound<'py, PyAny>>,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        pairs::matrix(
            py,
            self.engine(py)?,
            (p, q),
            measure,
            &Choices { unit, zeros, positions, on_invalid },
            out,
            progress,
        )
    }

    #[doc = include_str!("docs/nearest.txt")]
    #[pyo3(signature = (p, q=None, k=10, measure=None, *, unit="nats", zeros="exact", positions=None, on_invalid="error", progress=None), text_signature = "($self, p, q=None, k=10, measure='js', *, unit='nats', zeros='exact', positions=None, on_invalid='error', progress=None)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Python function")]
    fn nearest<'py>(
        &self,
        py: Python<'py>,
        p: &Bound<'py, PyAny>,
        q: Option<&Bound<'py, PyAny>>,
        k: usize,
        measure: Option<&Bound<'py, PyAny>>,
        unit: &str,
        zeros: &str,
        positions: Option<&Bound<'py, PyAny>>,
        on_invalid: &str,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        pairs::neighbours(
            py,
            self.engine(py)?,
            (p, q),
            (k, measure),
            &Choices { unit, zeros, positions, on_invalid },
            progress,
        )
    }

    #[doc = include_str!("docs/upload.txt")]
    fn upload(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Uploaded> {
        let side = InputSide::new(rows, "rows")?;
        if side.has_nulls() {
            return Err(wrong_input(py, "rows that are null cannot be kept: drop them, or fill them first"));
        }
        let part = side.whole(py)?;
        let batch = part.owned(py, side.bins)?;
        let engine = Arc::clone(self.engine(py)?);
        let resident = py.detach(|| Resident::try_new(batch, |batch| engine.upload(batch.rows())));
        let rows = resident.map_err(|error| exception(py, &error))?;
        Ok(Uploaded { engine, rows })
    }
}
