//! CSV and TSV with a header line.
//!
//! The first rows decide the types. A text column of bracketed lists, `[1, 2, 3]`, is a list column.

use std::io::{BufReader, Read};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format as CsvFormat;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::list_text::{element_type, parse_lists};
use super::origin::Origin;
use super::reader::{Column, Reader, Scan};
use crate::batch::keyed;
use crate::error::Result;
use crate::types::{list_element, value_bytes};

/// Bytes that are read to infer types: the whole of a short file, and enough rows of a long one.
const SAMPLE_BYTES: u64 = 8 << 20;
/// The most rows that are read to infer types, however long they are.
const SAMPLE_ROWS: usize = 100;

pub(crate) struct Csv {
    origin: Arc<Origin>,
    delimiter: u8,
    schema: SchemaRef,
    /// Rows the types were inferred from.
    sampled: usize,
    /// Average bytes of a cell of each list column; 0 for the others.
    cell_bytes: Vec<usize>,
}

impl Csv {
    pub(crate) fn open(origin: Arc<Origin>, delimiter: u8) -> Result<Self> {
        let format = CsvFormat::default().with_header(true).with_delimiter(delimiter);
        let malformed = |error: ArrowError| origin.malformed(error);
        let rows = usize::try_from(SAMPLE_BYTES / line_bytes(&origin)?).unwrap_or(usize::MAX).max(SAMPLE_ROWS);
        let file = BufReader::new(origin.open()?);
        let (inferred, sampled) = format.infer_schema(file, Some(rows)).map_err(malformed)?;

        let cell_bytes = vec![0; inferred.fields().len()];
        let mut csv = Self { origin, delimiter, schema: Arc::new(inferred), sampled, cell_bytes };
        csv.find_lists()?;
        Ok(csv)
    }

    /// Turns the text columns whose sampled cells are all bracketed lists into list columns.
    fn find_lists(&mut self) -> Result<()> {
        let fields = self.schema.fields().iter().enumerate();
        let texts = fields.filter(|(_, field)| field.data_type() == &DataType::Utf8);
        let texts: Vec<Column> = texts.map(|(index, _)| Column { index, data_type: DataType::Utf8 }).collect();
        if texts.is_empty() {
            return Ok(());
        }
        let Some(sample) = self.scan(&texts, self.sampled.max(1))?.next().transpose()? else { return Ok(()) };
        let mut fields: Vec<Arc<Field>> = self.schema.fields().iter().cloned().collect();
        for (column, cells) in texts.iter().zip(sample.columns()) {
            let cells = cells.as_string::<i32>();
            if let Some(element) = element_type(cells) {
                let list = DataType::LargeList(Arc::new(Field::new_list_field(element, true)));
                fields[column.index] = Arc::new(Field::new(fields[column.index].name(), list, true));
                self.cell_bytes[column.index] = cells.value_data().len() / cells.len().max(1);
            }
        }
        self.schema = Arc::new(Schema::new(fields));
        Ok(())
    }
}

impl Reader for Csv {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn row_bytes(&self, index: usize) -> usize {
        let Some(field) = self.schema.fields().get(index) else { return 0 };
        match list_element(field.data_type()) {
            // A number and its comma take at least two bytes of the cell.
            Some(element) => (self.cell_bytes[index] * value_bytes(element) / 2).max(1),
            None => value_bytes(field.data_type()),
        }
    }

    fn scan(&self, columns: &[Column], rows: usize) -> Result<Scan> {
        // Cells are parsed as the type asked for. Lists are read as text first.
        let mut fields: Vec<Arc<Field>> = self.schema.fields().iter().cloned().collect();
        let mut lists = Vec::new();
        for column in columns {
            let element = list_element(&column.data_type).cloned();
            let data_type = if element.is_some() { DataType::Utf8 } else { column.data_type.clone() };
            fields[column.index] = Arc::new(Field::new(fields[column.index].name(), data_type, true));
            lists.push(element);
        }
        let builder = ReaderBuilder::new(Arc::new(Schema::new(fields)))
            .with_header(true)
            .with_delimiter(self.delimiter)
            .with_batch_size(rows)
            .with_projection(columns.iter().map(|column| column.index).collect());
        let (origin, sampled) = (self.origin.clone(), self.sampled);
        let reader = builder.build(origin.open()?).map_err(|error| origin.malformed(error))?;
        let mut first_row = 0;
        Ok(Box::new(reader.map(move |batch| {
            let batch = batch.map_err(|error| complaint(&origin, error, sampled))?;
            let parsed = with_lists(&batch, &lists, first_row).map_err(|error| complaint(&origin, error, sampled))?;
            first_row += batch.num_rows() as u64;
            Ok(parsed)
        })))
    }
}

/// The average bytes of the first lines.
fn line_bytes(origin: &Origin) -> Result<u64> {
    let mut start = Vec::new();
    let read = origin.open()?.take(1 << 16).read_to_end(&mut start).map_err(|source| origin.read_error(source))?;
    let lines = start.iter().filter(|byte| **byte == b'\n').count();
    Ok((read as u64 / (lines as u64).max(1)).max(1))
}

/// The usual reason for an error is a value whose type differs from that of the first rows, so the message says where the type came
/// from.
fn complaint(origin: &Origin, error: ArrowError, sampled: usize) -> crate::Error {
    match error {
        ArrowError::ParseError(reason) => {
            let reason = reason.split(". Row data:").next().unwrap_or_default();
            origin.malformed(format!("{reason} (types are those of the first {sampled} rows)"))
        }
        error => origin.malformed(error),
    }
}

/// Parses the text of list columns; `lists` holds their element types.
fn with_lists(
    batch: &RecordBatch,
    lists: &[Option<DataType>],
    first_row: u64,
) -> std::result::Result<RecordBatch, ArrowError> {
    if lists.iter().all(Option::is_none) {
        return Ok(batch.clone());
    }
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for ((array, field), element) in batch.columns().iter().zip(batch.schema_ref().fields()).zip(lists) {
        let column = match element {
            None => array.clone(),
            Some(DataType::Int64) => parse_lists::<Int64Type>(array.as_string(), field.name(), first_row)?,
            Some(_) => parse_lists::<Float64Type>(array.as_string(), field.name(), first_row)?,
        };
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    keyed(Arc::new(Schema::new(fields)), columns, batch.num_rows())
        .map_err(|error| ArrowError::SchemaError(error.to_string()))
}
