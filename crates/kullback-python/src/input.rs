//! Turns what Python gives into rows of weights. Arrays of numpy and columns of Arrow are read in place. Everything else is copied,
//! some rows at a time.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, StructArray, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use kullback::{Rows, Weights, Zeros};
use kullback_arrow::Batch;
use numpy::{PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyException, PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PySlice;

use crate::borrowed::{ACCEPTED, Borrowed, Kind};
use crate::column::column;
use crate::error::{exception, of_column, wrong_input, wrong_type};
use crate::memory::{Within, addresses, meet};
use crate::uploaded::Uploaded;

/// Bytes of rows that are copied at one time.
const COPIED_BYTES: usize = 16 << 20;

/// Consecutive rows of a side.
pub(crate) enum InputPiece<'py> {
    Numpy(Borrowed<'py>),
    Arrow(Batch),
    /// To be copied when its turn comes: this number of rows for each step along the first axis.
    Elsewhere {
        array: Bound<'py, PyAny>,
        kind: Kind,
        per_step: usize,
    },
}

/// One side of a call.
pub(crate) struct InputSide<'py> {
    /// The pieces, each with the row where it begins.
    pieces: Vec<(usize, InputPiece<'py>)>,
    pub(crate) rows: usize,
    pub(crate) bins: usize,
    /// The axes before the bins. There are none for a single row.
    pub(crate) shape: Vec<usize>,
    /// Which rows are null although zeros stand in their place. It is empty if none is.
    absent: Vec<bool>,
}

/// A function of numpy.
fn numpy<'py>(py: Python<'py>, name: &'static str) -> PyResult<&'py Bound<'py, PyAny>> {
    static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static CONTIGUOUS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static FROM_DLPACK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static REQUIRE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let cell = match name {
        "asarray" => &ASARRAY,
        "from_dlpack" => &FROM_DLPACK,
        "require" => &REQUIRE,
        _ => &CONTIGUOUS,
    };
    let function = cell.get_or_try_init(py, || py.import("numpy")?.getattr(name).map(Bound::unbind))?;
    Ok(function.bind(py))
}

impl<'py> InputSide<'py> {
    /// Reads what Python gives for a side. `name` is the name of the side in messages.
    pub(crate) fn new(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Self> {
        let py = object.py();
        if let Ok(array) = object.cast::<PyUntypedArray>() {
            if array.get_type().name()? == "MaskedArray" && object.getattr("mask")?.call_method0("any")?.is_truthy()? {
                return Err(wrong_input(
                    py,
                    &format!("{name} has masked bins, which mean nothing here: fill them (`.filled(0)`)"),
                ));
            }
            return Self::of_array(array, name);
        }
        if object.is_instance_of::<Uploaded>() {
            let message = format!("{name} are rows that an engine keeps: compare them with the rowwise of that engine");
            return Err(wrong_input(py, &message));
        }
        if object.hasattr(intern!(py, "__arrow_c_stream__"))? || object.hasattr(intern!(py, "__arrow_c_array__"))? {
            return Self::of_arrow(object, name);
        }
        if object.hasattr(intern!(py, "__dlpack__"))? {
            let (array, kind) = of_tensor(object)?;
            return Self::of_kind(array.cast::<PyUntypedArray>()?, kind, name);
        }
        let array = numpy(py, "asarray")?.call1((object,)).map_err(|error| {
            // For example, rows of several lengths.
            of_input(py, error, |error| {
                wrong_input(py, &format!("{name} is not a matrix of weights ({error}): give {ACCEPTED}"))
            })
        })?;
        Self::of_array(array.cast::<PyUntypedArray>()?, name)
    }

    fn of_array(array: &Bound<'py, PyUntypedArray>, name: &str) -> PyResult<Self> {
        Self::of_kind(array, None, name)
    }

    /// Reads an array. `kind` says what its elements are, if that is known already.
    fn of_kind(array: &Bound<'py, PyUntypedArray>, kind: Option<Kind>, name: &str) -> PyResult<Self> {
        let py = array.py();
        let kind = kind.map_or_else(|| Kind::of(array), Ok)?;
        let Some((&bins, shape)) = array.shape().split_last() else {
            return Err(wrong_input(py, &format!("{name} is a single number: give rows of bins")));
        };
        if bins == 0 {
            return Err(exception(py, &kullback::Error::ZeroBins));
        }
        let rows = shape.iter().product();
        let lies_well = array.is_c_contiguous() && array.dtype().is_native_byteorder() != Some(false);
        let is_aligned = array.getattr(intern!(py, "flags"))?.getattr(intern!(py, "aligned"))?.extract()?;
        let piece = if lies_well && is_aligned && !matches!(kind, Kind::Converted(_)) {
            let array = array.as_any();
            let viewed;
            let array = if kind == Kind::Bf16 {
                viewed = array.call_method1(intern!(py, "view"), ("u2",))?;
                &viewed
            } else {
                array
            };
            InputPiece::Numpy(Borrowed::new(array, kind)?)
        } else {
            let array = if shape.is_empty() { array.get_item((py.None(),))? } else { array.as_any().clone() };
            let per_step = shape.iter().skip(1).product();
            InputPiece::Elsewhere { array, kind, per_step }
        };
        Ok(Self { pieces: vec![(0, piece)], rows, bins, shape: shape.to_vec(), absent: Vec::new() })
    }

    fn of_arrow(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Self> {
        let py = object.py();
        let column = arrow_column(object, name)?;
        let (mut bins, mut rows, mut pieces, mut nothing) = (None, 0, Vec::new(), Vec::new());
        for chunk in &column {
            let batch =
                Batch::from_lists(chunk, name, rows as u64, &mut bins).map_err(|error| of_column(py, &error))?;
            match batch {
                Some(batch) => pieces.push((rows, InputPiece::Arrow(batch))),
                // All rows so far are null. A later chunk says how many bins they have.
                None => nothing.push((rows, chunk)),
            }
            rows += chunk.len();
        }
        let message = || format!("{name} has no row that says how many bins there are");
        let bins = bins.ok_or_else(|| wrong_input(py, &message()))?;
        for (first, chunk) in nothing {
            let batch = Batch::from_lists(chunk, name, first as u64, &mut Some(bins));
            pieces.extend(batch.map_err(|error| of_column(py, &error))?.map(|batch| (first, InputPiece::Arrow(batch))));
        }
        pieces.sort_by_key(|(first, _)| *first);
        Ok(Self { pieces, rows, bins, shape: vec![rows], absent: Vec::new() })
    }

    /// Makes rows null. `absent` is an array of booleans, one per row.
    pub(crate) fn without(mut self, absent: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        if let Some(absent) = absent {
            self.absent = absent.cast::<PyArray1<bool>>()?.try_readonly()?.as_array().to_vec();
        }
        Ok(self)
    }

    /// Whether any row is null.
    pub(crate) fn has_nulls(&self) -> bool {
        let of_piece = |piece: &InputPiece<'_>| matches!(piece, InputPiece::Arrow(batch) if batch.null_count() > 0);
        self.absent.contains(&true) || self.pieces.iter().any(|(_, piece)| of_piece(piece))
    }

    /// Whether a row is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        let (piece, start, _) = self.piece(row);
        self.absent.get(row).is_some_and(|absent| *absent)
            || matches!(piece, InputPiece::Arrow(batch) if batch.is_null(row - start))
    }

    /// Which rows are null, as an array of booleans. None if no row is.
    pub(crate) fn nulls(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<bool>>> {
        self.has_nulls().then(|| PyArray1::from_vec(py, (0..self.rows).map(|row| self.is_null(row)).collect()))
    }

    /// Refuses null rows if a policy would make a value from the zeros that stand for them.
    pub(crate) fn without_nulls(self, py: Python<'_>, zeros: Zeros, name: &str) -> PyResult<Self> {
        if self.has_nulls() && fills_nulls(zeros) {
            let message = format!(
                "{name} has null rows, which the zero policy `{zeros}` would fill: drop them, or fill them first"
            );
            return Err(wrong_input(py, &message));
        }
        Ok(self)
    }

    /// The piece of a row, and the rows where it begins and ends.
    fn piece(&self, row: usize) -> (&InputPiece<'py>, usize, usize) {
        let i = self.pieces.partition_point(|(start, _)| *start <= row).saturating_sub(1);
        let end = self.pieces.get(i + 1).map_or(self.rows, |(start, _)| *start);
        (&self.pieces[i].1, self.pieces[i].0, end)
    }

    /// All rows as the engine takes them, without a copy if they lie in memory like that. A side that must be copied becomes a
    /// copy.
    pub(crate) fn whole(&self, py: Python<'py>) -> PyResult<ReadableRows<'_, 'py>> {
        if let [(_, piece)] = &self.pieces[..] {
            return match piece {
                InputPiece::Elsewhere { array, kind, .. } => copied(array, *kind, 0..self.rows, None),
                _ => Ok(ReadableRows::Here(piece, 0, self.rows)),
            };
        }
        let batch = |(_, piece): &(usize, InputPiece<'_>)| {
            if let InputPiece::Arrow(batch) = piece { Some(batch.clone()) } else { None }
        };
        let batches: Vec<Batch> = self.pieces.iter().filter_map(batch).collect();
        let joined = Batch::concat(&batches).map_err(|error| of_column(py, &error))?;
        Ok(ReadableRows::Joined(joined))
    }

    /// The rows from `row` on that are available at once, and the row where they end.
    pub(crate) fn from(&self, row: usize) -> PyResult<(ReadableRows<'_, 'py>, usize)> {
        let (piece, start, end) = self.piece(row);
        match piece {
            InputPiece::Elsewhere { array, kind, per_step } => {
                let row_bytes = self.bins * 8;
                let steps = (COPIED_BYTES / (row_bytes * (*per_step).max(1))).max(1);
                let first = row / (*per_step).max(1);
                let end = ((first + steps) * per_step).min(self.rows);
                let part = copied(array, *kind, first..first + steps, Some(row - first * per_step))?;
                Ok((part, end))
            }
            _ => Ok((ReadableRows::Here(piece, row - start, end - row), end)),
        }
    }
}

impl Within for InputSide<'_> {
    fn lies_within(&self, array: &Bound<'_, PyAny>, span: &Range<usize>) -> PyResult<bool> {
        let py = array.py();
        for (_, piece) in &self.pieces {
            let meets = match piece {
                InputPiece::Numpy(rows) => meet(&addresses(rows.rows(py, self.bins)?.weights().as_bytes()), span),
                InputPiece::Arrow(batch) => batch.lies_within(array, span)?,
                InputPiece::Elsewhere { array: other, .. } => {
                    py.import("numpy")?.call_method1("may_share_memory", (array, other))?.is_truthy()?
                }
            };
            if meets {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Within for Batch {
    fn lies_within(&self, _: &Bound<'_, PyAny>, span: &Range<usize>) -> PyResult<bool> {
        Ok(meet(&addresses(self.rows().weights().as_bytes()), span))
    }
}

/// Whether a policy would make a value from the zeros that stand for a null row.
pub(crate) fn fills_nulls(zeros: Zeros) -> bool {
    !matches!(zeros, Zeros::Exact | Zeros::Skip)
}

/// Rows that the engine can read.
pub(crate) enum ReadableRows<'s, 'py> {
    /// Rows of a piece: the first row, and how many.
    Here(&'s InputPiece<'py>, usize, usize),
    /// A copy. Some of its rows are not needed.
    Copied(Borrowed<'py>, usize),
    Joined(Batch),
}

impl ReadableRows<'_, '_> {
    /// The rows as the engine takes them.
    pub(crate) fn rows(&self, py: Python<'_>, bins: usize) -> PyResult<Rows<'_>> {
        match self {
            ReadableRows::Here(InputPiece::Numpy(array), first, count) => {
                Ok(array.rows(py, bins)?.slice(*first, *count))
            }
            ReadableRows::Here(InputPiece::Arrow(batch), first, count) => Ok(batch.rows().slice(*first, *count)),
            ReadableRows::Here(InputPiece::Elsewhere { .. }, ..) => Err(wrong_input(py, "rows that have to be copied")),
            ReadableRows::Copied(array, first) => {
                let rows = array.rows(py, bins)?;
                Ok(rows.slice(*first, rows.len()))
            }
            ReadableRows::Joined(batch) => Ok(batch.rows()),
        }
    }
}

impl ReadableRows<'_, '_> {
    /// The rows in memory that they own. An Arrow column needs no copy.
    pub(crate) fn owned(&self, py: Python<'_>, bins: usize) -> PyResult<Batch> {
        let rows = match self {
            ReadableRows::Here(InputPiece::Arrow(batch), first, count) => return Ok(batch.slice(*first, *count)),
            ReadableRows::Joined(batch) => return Ok(batch.clone()),
            _ => self.rows(py, bins)?,
        };
        let batch = match rows.weights() {
            Weights::F16(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::F32(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::F64(weights) => Batch::from_weights(weights.to_vec(), bins),
            // Arrow has no such type. A 32-bit float holds each of its values.
            Weights::Bf16(weights) => Batch::from_weights(weights.iter().map(|weight| weight.to_f32()).collect(), bins),
            Weights::U8(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::U16(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::U32(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::U64(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::I32(weights) => Batch::from_weights(weights.to_vec(), bins),
            Weights::I64(weights) => Batch::from_weights(weights.to_vec(), bins),
            other => return Err(wrong_type(format!("weights of type {:?} cannot be kept", other.weight_type()))),
        };
        batch.map_err(|error| of_column(py, &error))
    }
}

/// The exception for an error of numpy. If numpy cannot take the input, it is `ours`; any other error stays as it is.
fn of_input(py: Python<'_>, error: PyErr, ours: impl FnOnce(&PyErr) -> PyErr) -> PyErr {
    let is_of_input = error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyOverflowError>(py);
    if is_of_input { ours(&error) } else { error }
}

/// Copies some steps along the first axis of an array, with the byte order and the element order that the engine reads.
fn copied<'s, 'py>(
    array: &Bound<'py, PyAny>,
    kind: Kind,
    steps: Range<usize>,
    skip: Option<usize>,
) -> PyResult<ReadableRows<'s, 'py>> {
    let py = array.py();
    let some = match skip {
        Some(_) => array.get_item(PySlice::new(py, steps.start as isize, steps.end as isize, 1))?,
        None => array.clone(),
    };
    let some = if kind == Kind::Bf16 {
        // numpy itself does not know this type, so it makes a contiguous copy first.
        numpy(py, "ascontiguousarray")?.call1((some,))?.call_method1(intern!(py, "view"), ("u2",))?
    } else {
        // In C order, and aligned for the processor.
        let made = numpy(py, "require")?.call1((&some, kind.name(), "CA"));
        made.map_err(|error| {
            of_input(py, error, |error| wrong_type(format!("these objects are no numbers ({error}): give {ACCEPTED}")))
        })?
    };
    Ok(ReadableRows::Copied(Borrowed::new(&some, kind)?, skip.unwrap_or(0)))
}

/// Turns a tensor of another library, in the memory of this machine, into an array. If numpy has no such type, also says what its
/// elements are.
fn of_tensor<'py>(tensor: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Option<Kind>)> {
    let py = tensor.py();
    let (device, _): (i32, i32) = tensor.call_method0(intern!(py, "__dlpack_device__"))?.extract()?;
    if device != 1 {
        let message = "the tensor is not in the memory of the CPU: bring it there first (`tensor.cpu()`); weights travel to a \
                       GPU through the host";
        return Err(wrong_input(py, message));
    }
    let is_bf16 = tensor.getattr(intern!(py, "dtype")).is_ok_and(|dtype| dtype.to_string() == "torch.bfloat16");
    if is_bf16 {
        let bits = py.import("torch")?.getattr("int16")?;
        let bits = tensor.call_method0("detach")?.call_method1("view", (bits,))?;
        return Ok((numpy(py, "from_dlpack")?.call1((bits,))?.call_method1("view", ("u2",))?, Some(Kind::Bf16)));
    }
    let array = numpy(py, "from_dlpack")?.call1((tensor,)).or_else(|_| numpy(py, "asarray")?.call1((tensor,)));
    let refused = |error: PyErr| {
        let is_refusal = error.is_instance_of::<PyException>(py);
        if is_refusal { wrong_input(py, &format!("the tensor cannot be read: {error}")) } else { error }
    };
    Ok((array.map_err(refused)?, None))
}

/// The chunks of a column of lists. A table with one column stands for that column.
fn arrow_column(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<ArrayRef>> {
    let py = object.py();
    let (data_type, chunks) = column(object, name)?;
    let DataType::Struct(fields) = data_type else { return Ok(chunks) };
    if fields.len() != 1 {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let message =
            format!("{name} is a table of {} columns ({}): give one column of lists", names.len(), names.join(", "));
        return Err(wrong_input(py, &message));
    }
    // A null row of the table is a null row.
    let of_struct = |chunk: &ArrayRef| {
        let table = chunk.as_any().downcast_ref::<StructArray>()?;
        let list = table.column(0);
        let nulls = NullBuffer::union(table.nulls(), list.nulls());
        Some(make_array(list.to_data().into_builder().nulls(nulls).build().ok()?))
    };
    Ok(chunks.iter().filter_map(of_struct).collect())
}
