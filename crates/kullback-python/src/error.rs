//! Turns errors of the engine into exceptions, with the same numbers as attributes.

use kullback::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;

/// The module that has the classes.
const MODULE: &str = "kullback._errors";

/// An exception of a class in that module, with attributes.
fn raise(py: Python<'_>, class: &str, message: &str, fill: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<()>) -> PyErr {
    let make = || {
        let exception = py.import(MODULE)?.getattr(class)?.call1((message,))?;
        fill(&exception)?;
        Ok(PyErr::from_value(exception))
    };
    make().unwrap_or_else(|error: PyErr| error)
}

/// The exception for input that has no meaning, whatever its numbers are.
pub(crate) fn wrong_input(py: Python<'_>, message: &str) -> PyErr {
    raise(py, "InputError", message, |_| Ok(()))
}

/// The exception for input whose type is no weight type.
pub(crate) fn wrong_type(message: String) -> PyErr {
    PyTypeError::new_err(message)
}

/// The exception for an error of the engine.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let message = error.to_string();
    macro_rules! with {
        ($class:literal $(, $name:ident = $value:expr)*) => {
            raise(py, $class, &message, |exception| {
                $(exception.setattr(stringify!($name), $value)?;)*
                let _ = exception;
                Ok(())
            })
        };
    }
    match error {
        Error::InvalidWeights { count, rows, row, side, bin, value } => {
            with!(
                "InvalidWeightsError",
                count = count,
                rows = rows,
                row = row,
                side = side.to_string(),
                bin = bin,
                value = value
            )
        }
        Error::PolicyTooLarge { policy, count, rows, row } => {
            with!("PolicyError", policy = policy, count = count, rows = rows, row = row)
        }
        Error::RangeTooWide { count, rows, row } => with!("RangeError", count = count, rows = rows, row = row),
        Error::BinsDiffer { p, q } => with!("ShapeError", p = p, q = q),
        Error::RowsDiffer { p, q } => with!("ShapeError", p = p, q = q),
        Error::ZeroBins | Error::PartialRow { .. } | Error::StrideTooShort { .. } => with!("ShapeError"),
        Error::PositionCount { positions, bins } => with!("ShapeError", positions = positions, bins = bins),
        Error::Position { index, value } | Error::PositionOrder { index, value, .. } => {
            with!("InputError", index = index, value = value)
        }
        Error::UnknownDivergence { name, nearest } | Error::UnknownZeros { name, nearest } => {
            with!("InputError", name = name, nearest = nearest)
        }
        Error::NoDevice { wanted, found } => with!("DeviceError", wanted = wanted, found = found),
        Error::RowTooLarge { needed, limit } => with!("DeviceError", needed = needed, limit = limit),
        Error::DeviceFailed { device, reason } => with!("DeviceError", device = device, reason = reason),
        Error::DeviceMemory { device, bytes } => with!("DeviceMemoryError", device = device, bytes = bytes),
        Error::Threads { threads, .. } => with!("InputError", threads = threads),
        Error::Cancelled { .. } => PyKeyboardInterrupt::new_err(message),
        Error::NotComputed { .. } => PyRuntimeError::new_err(message),
        _ => with!("InputError"),
    }
}

/// The exception for an error while reading a column.
pub(crate) fn of_column(py: Python<'_>, error: &kullback_arrow::Error) -> PyErr {
    let class =
        if matches!(error, kullback_arrow::Error::WeightType { .. }) { "WeightTypeError" } else { "InputError" };
    raise(py, class, &error.to_string(), |_| Ok(()))
}
