//! NPY output in float64. The shape is `(rows,)` for one column, and `(rows, columns)` for several columns or for one column of
//! fixed-size lists. Null becomes NaN.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, Float64Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, Schema};

use super::sink::Sink;
use crate::types::strict_cast;

/// Bytes of the padded header. Two 20-digit sizes fit.
const HEADER: usize = 128;

pub(crate) struct NpyWriter {
    sink: Sink,
    /// Holds the rows if the header cannot be written last.
    spool: Option<File>,
    columns: usize,
    is_matrix: bool,
    rows: u64,
}

impl NpyWriter {
    pub(crate) fn new(mut sink: Sink, schema: &Schema) -> io::Result<Self> {
        let columns = match schema.fields().as_ref() {
            [field] => match field.data_type() {
                DataType::FixedSizeList(_, length) => usize::try_from(*length).unwrap_or(0),
                _ => 1,
            },
            fields => fields.len(),
        };
        let is_matrix = columns != 1 || schema.fields().iter().any(|field| field.data_type().is_nested());
        let spool = if sink.can_rewind() {
            sink.write_all(&header(0, columns, is_matrix))?;
            None
        } else {
            Some(tempfile::tempfile()?)
        };
        Ok(Self { sink, spool, columns, is_matrix, rows: 0 })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if let [column] = batch.columns()
            && let Some(list) = column.as_fixed_size_list_opt()
        {
            let floats = list.values().as_primitive_opt::<Float64Type>();
            let floats = floats.ok_or_else(|| ArrowError::CastError("the lists hold no float64".to_owned()))?;
            let length = usize::try_from(list.value_length()).unwrap_or(0);
            return self.put(&floats.values()[list.offset() * length..][..list.len() * length], list.len());
        }
        let columns = batch.columns().iter().map(|column| {
            let floats = strict_cast(column, &DataType::Float64)?;
            Ok(floats.as_primitive::<Float64Type>().clone())
        });
        let columns = columns.collect::<Result<Vec<Float64Array>, ArrowError>>()?;
        let mut values = Vec::with_capacity(batch.num_rows() * columns.len());
        for row in 0..batch.num_rows() {
            values.extend(columns.iter().map(|column| if column.is_null(row) { f64::NAN } else { column.value(row) }));
        }
        self.put(&values, batch.num_rows())
    }

    /// Appends rows, value after value.
    fn put(&mut self, values: &[f64], rows: usize) -> Result<(), ArrowError> {
        let swapped: Vec<f64>;
        let values = if cfg!(target_endian = "big") {
            swapped = values.iter().map(|value| f64::from_bits(value.to_bits().swap_bytes())).collect();
            &swapped
        } else {
            values
        };
        let bytes = bytemuck::cast_slice(values);
        match &mut self.spool {
            Some(spool) => spool.write_all(bytes)?,
            None => self.sink.write_all(bytes)?,
        }
        self.rows += rows as u64;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        let header = header(self.rows, self.columns, self.is_matrix);
        match self.spool.take() {
            None => self.sink.overwrite_start(&header),
            Some(mut spool) => {
                self.sink.write_all(&header)?;
                spool.seek(SeekFrom::Start(0))?;
                io::copy(&mut spool, &mut self.sink).map(drop)
            }
        }
    }
}

/// A version 1.0 header of [`HEADER`] bytes.
fn header(rows: u64, columns: usize, is_matrix: bool) -> Vec<u8> {
    let shape = if is_matrix { format!("({rows}, {columns})") } else { format!("({rows},)") };
    let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(((HEADER - 10) as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header.resize(HEADER - 1, b' ');
    header.push(b'\n');
    header
}
