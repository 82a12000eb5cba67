//! NDJSON and JSON output: Arrow's writer, with words for the floats that JSON has no number for.

use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_json::writer::{Encoder, EncoderFactory, EncoderOptions, JsonFormat, NullableEncoder};
use arrow_json::{Writer, WriterBuilder};
use arrow_schema::{ArrowError, DataType, FieldRef};

use super::sink::Sink;

/// Writes one object per row, in lines or as one array.
pub(crate) struct JsonWriter<F: JsonFormat>(Writer<Sink, F>);

/// One array with an object per line.
#[derive(Debug, Default)]
pub(crate) struct OneArray;

impl JsonFormat for OneArray {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(writer.write_all(if is_first_row { b"\n" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}

impl<F: JsonFormat> JsonWriter<F> {
    pub(crate) fn new(sink: Sink) -> Self {
        let builder = WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(Words));
        Self(builder.build(sink))
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.0.write(batch)
    }

    pub(crate) fn finish(mut self) -> Result<(), ArrowError> {
        self.0.finish()
    }
}

/// Writes words for floats that are not finite. Arrow writes `null` for them, which looks the same as a missing value.
#[derive(Debug)]
struct Words;

impl EncoderFactory for Words {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        Ok(match array.data_type() {
            DataType::Float16 => words::<Float16Type>(array.as_primitive()),
            DataType::Float32 => words::<Float32Type>(array.as_primitive()),
            DataType::Float64 => words::<Float64Type>(array.as_primitive()),
            _ => None,
        })
    }
}

/// An encoder for arrays that need words. Arrow's encoder takes all others.
fn words<'a, T: ArrowPrimitiveType>(array: &'a PrimitiveArray<T>) -> Option<NullableEncoder<'a>>
where
    f64: From<T::Native>,
    T::Native: 'a,
{
    if array.values().iter().all(|value| f64::from(*value).is_finite()) {
        return None;
    }
    let encoder = Box::new(Floats::<T>(array.values().clone()));
    Some(NullableEncoder::new(encoder, array.nulls().cloned()))
}

struct Floats<T: ArrowPrimitiveType>(ScalarBuffer<T::Native>);

impl<T: ArrowPrimitiveType> Encoder for Floats<T>
where
    f64: From<T::Native>,
{
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let Some(value) = self.0.get(index).copied() else { return };
        let wide = f64::from(value);
        let word: &[u8] = if wide.is_nan() {
            b"\"NaN\""
        } else if wide == f64::INFINITY {
            b"\"Infinity\""
        } else if wide == f64::NEG_INFINITY {
            b"\"-Infinity\""
        } else {
            // The debug form is the shortest text that reads back as the same value, with an exponent where it would be long.
            let written = write!(out, "{value:?}");
            debug_assert!(written.is_ok(), "a vector takes every byte");
            return;
        };
        out.extend_from_slice(word);
    }
}
