//! NDJSON: one object per line.
//!
//! The types are those of the whole file, so it is read once to find them. Otherwise a number with a fraction, in a column of whole
//! numbers, would silently be cut to a whole number, however late it comes.

use std::io::BufReader;
use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_json::reader::infer_json_schema;
use arrow_schema::{Field, Schema, SchemaRef};

use super::origin::Origin;
use super::reader::{Column, Reader, Scan};
use crate::error::Result;
use crate::types::{list_element, value_bytes};

pub(crate) struct Ndjson {
    origin: Arc<Origin>,
    schema: SchemaRef,
    rows: u64,
}

impl Ndjson {
    pub(crate) fn open(origin: Arc<Origin>) -> Result<Self> {
        let inferred = infer_json_schema(BufReader::new(origin.open()?), None);
        let (schema, rows) = inferred.map_err(|error| origin.malformed(error))?;
        Ok(Self { origin, schema: Arc::new(schema), rows: rows as u64 })
    }
}

impl Reader for Ndjson {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn row_bytes(&self, index: usize) -> usize {
        let Some(field) = self.schema.fields().get(index) else { return 0 };
        match list_element(field.data_type()) {
            // A number and its comma take at least two bytes of the line.
            Some(element) => {
                let line = self.origin.bytes / self.rows.max(1);
                usize::try_from(line).unwrap_or(usize::MAX).saturating_mul(value_bytes(element)) / 2
            }
            None => value_bytes(field.data_type()),
        }
    }

    fn scan(&self, columns: &[Column], rows: usize) -> Result<Scan> {
        let fields = columns.iter().map(|column| {
            let name = self.schema.field(column.index).name();
            Field::new(name, column.data_type.clone(), true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        // A column of text and numbers was inferred as text.
        let reader = ReaderBuilder::new(schema).with_batch_size(rows).with_coerce_primitive(true);
        let reader = reader.build(BufReader::new(self.origin.open()?)).map_err(|error| self.origin.malformed(error))?;
        let origin = self.origin.clone();
        Ok(Box::new(reader.map(move |batch| batch.map_err(|error| origin.malformed(error)))))
    }
}
