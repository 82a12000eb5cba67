//! Columns of other libraries, through the C interface of Arrow, without a copy.
#![expect(unsafe_code, reason = "other libraries hand over a column as structures of C")]

use std::ffi::CStr;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, make_array};
use arrow_schema::{ArrowError, DataType};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::wrong_input;

/// The type of a column and its chunks.
type Column = (DataType, Vec<ArrayRef>);

/// Takes over the column of an object that has `__arrow_c_array__` or `__arrow_c_stream__`. `name` is its name in messages.
pub(crate) fn column(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Column> {
    let py = object.py();
    let column = if object.hasattr(intern!(py, "__arrow_c_array__"))? {
        let capsules = object.call_method0(intern!(py, "__arrow_c_array__"))?;
        let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = capsules.extract()?;
        let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
        let array = array.pointer_checked(Some(c"arrow_array"))?.cast::<FFI_ArrowArray>();
        // SAFETY: capsules of these names hold these structures, and both capsules live here. The array is moved out, and an empty
        // one is left behind. No Python runs while the schema is read.
        let (schema, array) = unsafe { (schema.as_ref(), FFI_ArrowArray::from_raw(array.as_ptr())) };
        DataType::try_from(schema).and_then(|data_type| Ok((data_type.clone(), vec![taken(array, data_type)?])))
    } else {
        let capsule = object.call_method0(intern!(py, "__arrow_c_stream__"))?.cast_into::<PyCapsule>()?;
        let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
        // SAFETY: a capsule of this name holds a stream. It is moved out, and an empty one is left behind.
        chunks(unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr()) })
    };
    column.map_err(|error| wrong_input(py, &format!("{name} cannot be read: {error}")))
}

/// An array of a library that keeps to the interface.
fn taken(array: FFI_ArrowArray, data_type: DataType) -> Result<ArrayRef, ArrowError> {
    if array.is_released() {
        return Err(ArrowError::CDataInterface("the array was given away before".to_owned()));
    }
    // SAFETY: the array is there, and the library says that this is its type.
    unsafe { from_ffi_and_data_type(array, data_type) }.map(make_array)
}

/// All arrays of a stream of a library that keeps to the interface.
fn chunks(mut stream: FFI_ArrowArrayStream) -> Result<Column, ArrowError> {
    let (Some(get_schema), Some(get_next)) = (stream.get_schema, stream.get_next) else {
        return Err(ArrowError::CDataInterface("the stream was given away before".to_owned()));
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the stream is not released. It writes a schema, or returns that it did not.
    if unsafe { get_schema(&raw mut stream, &raw mut schema) } != 0 {
        return Err(failure(&mut stream));
    }
    let (data_type, mut chunks) = (DataType::try_from(&schema)?, Vec::new());
    loop {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above.
        if unsafe { get_next(&raw mut stream, &raw mut array) } != 0 {
            return Err(failure(&mut stream));
        }
        // A released array is the end.
        if array.is_released() {
            return Ok((data_type, chunks));
        }
        chunks.push(taken(array, data_type.clone())?);
    }
}

/// What a stream says of its last failure.
fn failure(stream: &mut FFI_ArrowArrayStream) -> ArrowError {
    // SAFETY: the stream is not released. The text, if there is one, lives until the stream is used again.
    let text = stream.get_last_error.map(|last| unsafe { last(stream) }).filter(|text| !text.is_null());
    // SAFETY: as above.
    let text = text.map(|text| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned());
    ArrowError::CDataInterface(text.unwrap_or_else(|| "no reason is given".to_owned()))
}
