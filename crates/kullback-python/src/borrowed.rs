//! Arrays of numpy whose rows lie one after the other. They are read in place.

use kullback::{Rows, Weights};
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;

use crate::error::{exception, wrong_input, wrong_type};

/// What is accepted, for messages.
pub(crate) const ACCEPTED: &str = "a numpy array of f16, f32, f64, bfloat16, bool or integers, an Arrow list column, a CPU tensor, or \
                        nested lists of numbers; the last axis are the bins";

/// A borrowed array whose rows lie one after the other.
pub(crate) enum Borrowed<'py> {
    F16(PyReadonlyArrayDyn<'py, half::f16>),
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
    /// The bits of the floats.
    Bf16(PyReadonlyArrayDyn<'py, u16>),
    U8(PyReadonlyArrayDyn<'py, u8>),
    U16(PyReadonlyArrayDyn<'py, u16>),
    U32(PyReadonlyArrayDyn<'py, u32>),
    U64(PyReadonlyArrayDyn<'py, u64>),
    I32(PyReadonlyArrayDyn<'py, i32>),
    I64(PyReadonlyArrayDyn<'py, i64>),
}

/// How the elements of an array become weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F16,
    F32,
    F64,
    Bf16,
    U8,
    U16,
    U32,
    U64,
    I32,
    I64,
    /// A type of another size or kind. It is converted to this type of numpy.
    Converted(&'static str),
}

impl Kind {
    pub(crate) fn of(array: &Bound<'_, PyUntypedArray>) -> PyResult<Self> {
        let dtype = array.dtype();
        let py = array.py();
        let kind: char = dtype.getattr(intern!(py, "kind"))?.extract()?;
        let size: usize = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
        Ok(match (kind, size) {
            ('f', 2) => Kind::F16,
            ('f', 4) => Kind::F32,
            ('f', 8) => Kind::F64,
            ('u', 1) => Kind::U8,
            ('u', 2) => Kind::U16,
            ('u', 4) => Kind::U32,
            ('u', 8) => Kind::U64,
            ('i', 4) => Kind::I32,
            ('i', 8) => Kind::I64,
            ('i', _) => Kind::Converted("i4"),
            ('b', _) => Kind::Converted("u1"),
            ('f' | 'O', _) => Kind::Converted("f8"),
            _ if dtype.str()?.to_str()? == "bfloat16" => Kind::Bf16,
            _ => return Err(wrong_type(format!("weights of type {dtype} mean nothing here: give {ACCEPTED}"))),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::F16 => "f2",
            Kind::F32 => "f4",
            Kind::F64 => "f8",
            Kind::Bf16 | Kind::U16 => "u2",
            Kind::U8 => "u1",
            Kind::U32 => "u4",
            Kind::U64 => "u8",
            Kind::I32 => "i4",
            Kind::I64 => "i8",
            Kind::Converted(name) => name,
        }
    }
}

impl<'py> Borrowed<'py> {
    /// Borrows an array of such elements. It must have the byte order of this machine, and its rows must lie one after the other.
    pub(crate) fn new(array: &Bound<'py, PyAny>, kind: Kind) -> PyResult<Self> {
        fn of<'py, T: Element>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
            let array = array.cast::<PyArrayDyn<T>>()?;
            array.try_readonly().map_err(|_| wrong_input(array.py(), "the array is being written to elsewhere"))
        }
        Ok(match kind.name() {
            "f2" => Borrowed::F16(of(array)?),
            "f4" => Borrowed::F32(of(array)?),
            "u1" => Borrowed::U8(of(array)?),
            "u2" if kind == Kind::Bf16 => Borrowed::Bf16(of(array)?),
            "u2" => Borrowed::U16(of(array)?),
            "u4" => Borrowed::U32(of(array)?),
            "u8" => Borrowed::U64(of(array)?),
            "i4" => Borrowed::I32(of(array)?),
            "i8" => Borrowed::I64(of(array)?),
            _ => Borrowed::F64(of(array)?),
        })
    }

    pub(crate) fn rows(&self, py: Python<'_>, bins: usize) -> PyResult<Rows<'_>> {
        macro_rules! weights {
            ($variant:ident, $array:expr) => {
                Weights::$variant($array.as_slice().map_err(|_| wrong_input(py, "the array has gaps"))?)
            };
        }
        let weights = match self {
            Borrowed::F16(array) => weights!(F16, array),
            Borrowed::F32(array) => weights!(F32, array),
            Borrowed::F64(array) => weights!(F64, array),
            Borrowed::U8(array) => weights!(U8, array),
            Borrowed::U16(array) => weights!(U16, array),
            Borrowed::U32(array) => weights!(U32, array),
            Borrowed::U64(array) => weights!(U64, array),
            Borrowed::I32(array) => weights!(I32, array),
            Borrowed::I64(array) => weights!(I64, array),
            Borrowed::Bf16(array) => {
                let bits = array.as_slice().map_err(|_| wrong_input(py, "the array has gaps"))?;
                Weights::Bf16(bytemuck::cast_slice(bits))
            }
        };
        Rows::from_weights(weights, bins).map_err(|error| exception(py, &error))
    }
}
