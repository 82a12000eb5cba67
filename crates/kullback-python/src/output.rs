//! Converts the results of calls for Python.

use std::ops::Range;

use kullback::{RowStatus, Weights};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyReadwriteArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::{Found, Measures};
use crate::error::{wrong_input, wrong_type};
use crate::memory::{Within, addresses, meet};

/// Makes an array of a shape from the values of a call.
pub(crate) fn array<'py, T: numpy::Element>(
    py: Python<'py>,
    values: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let flat = PyArray1::from_vec(py, values);
    match shape {
        [_] => Ok(flat.into_any()),
        // A single row gives a single number.
        [] => flat.into_any().get_item(0),
        shape => Ok(flat.reshape(shape.to_vec())?.into_any()),
    }
}

/// The array that the caller gave for the values.
pub(crate) fn given<'py>(out: &Bound<'py, PyAny>, shape: &[usize]) -> PyResult<PyReadwriteArrayDyn<'py, f64>> {
    let py = out.py();
    let Ok(array) = out.cast::<PyArrayDyn<f64>>() else {
        return Err(wrong_type("out is a numpy array of float64 (native, writeable)".to_owned()));
    };
    if array.shape() != shape || !array.is_c_contiguous() || !array.is_aligned() {
        let message = format!("out is an array in C order of the shape {shape:?}, not of {:?}", array.shape());
        return Err(wrong_input(py, &message));
    }
    let busy = |_| {
        wrong_input(
            py,
            "out cannot be written to: it is read-only, or lies in the memory of an input: give an array of its own",
        )
    };
    array.try_readwrite().map_err(busy)
}

/// Checks before the work whether the arrays that the caller gave can take the values. Each lies apart from the others and from the
/// inputs.
pub(crate) fn check(
    out: Option<&Bound<'_, PyAny>>,
    measures: &Measures,
    shape: &[usize],
    inputs: &[(&str, &dyn Within)],
) -> PyResult<()> {
    let Some(out) = out else { return Ok(()) };
    if !measures.is_list {
        return apart(out, "out", shape, inputs).map(|_| ());
    }
    let py = out.py();
    let mut taken: Vec<(&str, Range<usize>)> = Vec::new();
    for name in &measures.names {
        let missing = |_| wrong_input(py, &format!("out has no array for \"{name}\": give a dictionary of arrays"));
        let span = apart(&out.get_item(name).map_err(missing)?, &format!("out[\"{name}\"]"), shape, inputs)?;
        // A measure that is asked for twice has the same values twice.
        let meets = |(other, of_other): &&(&str, Range<usize>)| *other != name && meet(of_other, &span);
        if let Some((other, _)) = taken.iter().find(meets) {
            let message = format!(
                "out[\"{name}\"] lies in the memory of out[\"{other}\"], and one would replace the other: give each measure an \
                 array of its own"
            );
            return Err(wrong_input(py, &message));
        }
        taken.push((name, span));
    }
    Ok(())
}

/// Checks that an array can take values and lies apart from the inputs. Returns its addresses.
pub(crate) fn apart(
    out: &Bound<'_, PyAny>,
    name: &str,
    shape: &[usize],
    inputs: &[(&str, &dyn Within)],
) -> PyResult<Range<usize>> {
    let py = out.py();
    let span = {
        let array = given(out, shape)?;
        addresses(bytemuck::cast_slice(array.as_slice().map_err(|_| wrong_input(py, "out has gaps"))?))
    };
    for (input, side) in inputs {
        if side.lies_within(out, &span)? {
            let message = format!(
                "{name} lies in the memory of {input}, which the values would replace: give an array of its own"
            );
            return Err(wrong_input(py, &message));
        }
    }
    Ok(span)
}

/// The columns of a call: an array for one measure, a dictionary for several, with the statuses if they are wanted.
pub(crate) fn columns<'py>(
    py: Python<'py>,
    found: Found,
    measures: &Measures,
    shape: &[usize],
    out: Option<&Bound<'py, PyAny>>,
    return_status: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let Found { values, status } = found;
    let status = if return_status { Some(array(py, codes(&status), shape)?) } else { None };
    let values = if measures.is_list {
        let dict = PyDict::new(py);
        for (name, values) in measures.names.iter().zip(values) {
            let wanted = out.map(|out| out.get_item(name)).transpose()?;
            dict.set_item(name, column(py, values, shape, wanted.as_ref())?)?;
        }
        dict.into_any()
    } else {
        column(py, values.into_iter().next().unwrap_or_default(), shape, out)?
    };
    match status {
        Some(status) => Ok((values, status).into_pyobject(py)?.into_any()),
        None => Ok(values),
    }
}

fn column<'py>(
    py: Python<'py>,
    values: Vec<f64>,
    shape: &[usize],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(out) = out else { return array(py, values, shape) };
    let mut writable = given(out, shape)?;
    let slice = writable.as_slice_mut().map_err(|_| wrong_input(py, "out has gaps"))?;
    slice.copy_from_slice(&values);
    Ok(out.clone())
}

/// The numbers of statuses, as `kullback.Status` defines them.
fn codes(status: &[RowStatus]) -> Vec<u8> {
    status.iter().map(|status| *status as u8).collect()
}

/// Weights as an array of their type.
pub(crate) fn weights<'py>(py: Python<'py>, weights: Weights<'_>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    match weights {
        Weights::F16(weights) => array(py, weights.to_vec(), shape),
        Weights::F32(weights) => array(py, weights.to_vec(), shape),
        Weights::F64(weights) => array(py, weights.to_vec(), shape),
        // numpy has no such type. A 32-bit float holds each of its values.
        Weights::Bf16(weights) => array(py, weights.iter().map(|weight| weight.to_f32()).collect(), shape),
        Weights::U8(weights) => array(py, weights.to_vec(), shape),
        Weights::U16(weights) => array(py, weights.to_vec(), shape),
        Weights::U32(weights) => array(py, weights.to_vec(), shape),
        Weights::U64(weights) => array(py, weights.to_vec(), shape),
        Weights::I32(weights) => array(py, weights.to_vec(), shape),
        Weights::I64(weights) => array(py, weights.to_vec(), shape),
        other => Err(wrong_type(format!("weights of type {:?} are none of numpy's", other.weight_type()))),
    }
}
