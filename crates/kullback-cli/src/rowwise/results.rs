//! The values of a batch, and the table made from them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use kullback::{Columns, RowStatus};
use kullback_arrow::Batch;

use super::pair::BatchPair;
use crate::args::AskedMeasure;
use crate::error::{Error, Result};
use crate::inputs::Inputs;
use crate::invalid::Invalid;

/// The name of the status column.
const STATUS: &str = "status";
/// The status of a row that is null in a file.
pub(crate) const NULL: &str = "null";

/// The values of the rows of a batch.
pub(crate) struct Results {
    /// One column per measure, with NaN where there is no value.
    pub(crate) columns: Vec<Vec<f64>>,
    /// One status per row. `None` for a row that is null in a file.
    pub(crate) status: Vec<Option<RowStatus>>,
}

impl Results {
    /// Takes the columns. Removes the values of rows that are null or have nothing to be compared with.
    pub(crate) fn new(pair: &BatchPair, columns: Columns, invalid: &mut Invalid) -> Self {
        let (mut columns, status) = columns.into_parts();
        let decide = |(row, status): (usize, RowStatus)| match status {
            _ if pair.is_null(row) => None,
            RowStatus::Invalid => {
                invalid.note(pair, row);
                Some(RowStatus::Invalid)
            }
            _ if pair.alone.binary_search(&row).is_ok() => Some(RowStatus::Empty),
            status => Some(status),
        };
        let status: Vec<_> = status.into_iter().enumerate().map(decide).collect();
        for (row, status) in status.iter().enumerate() {
            if !status.is_some_and(RowStatus::has_value) {
                columns.iter_mut().for_each(|column| column[row] = f64::NAN);
            }
        }
        Self { columns, status }
    }
}

/// The columns of the output.
pub(crate) struct Schemas {
    /// The positions of the carried columns among the keys of P.
    keys: Vec<usize>,
    table: SchemaRef,
    status: bool,
}

impl Schemas {
    /// The key columns, one column per measure under the name it was asked for, and the status if it is asked for.
    pub(crate) fn new(inputs: &Inputs, measures: &[AskedMeasure], status: bool) -> Result<Self> {
        let schema = inputs.p.source.key_schema();
        let mut fields: Vec<Field> = inputs.keys.iter().map(|key| schema.field(*key).clone()).collect();
        let added = measures.iter().map(|measure| Field::new(&measure.name, DataType::Float64, true));
        for field in added.chain(status.then(|| Field::new(STATUS, DataType::Utf8, false))) {
            if fields.iter().any(|other| other.name() == field.name()) {
                return Err(Error::NameTaken { column: field.name().clone() });
            }
            fields.push(field);
        }
        Ok(Self { keys: inputs.keys.clone(), table: Arc::new(Schema::new(fields)), status })
    }

    /// The positions of the measures in the table.
    pub(crate) fn value_columns(&self) -> Range<usize> {
        self.keys.len()..self.table.fields().len() - usize::from(self.status)
    }

    /// A batch of the output.
    pub(crate) fn table(&self, p: &Batch, results: &Results) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = self.keys.iter().map(|key| p.keys.column(*key).clone()).collect();
        for values in &results.columns {
            let values = values.iter().zip(&results.status);
            let values = values.map(|(value, status)| status.is_some_and(RowStatus::has_value).then_some(*value));
            columns.push(Arc::new(Float64Array::from_iter(values)));
        }
        if self.status {
            let names = results.status.iter().map(|status| status.map_or(NULL, RowStatus::name));
            columns.push(Arc::new(StringArray::from_iter_values(names)));
        }
        Ok(RecordBatch::try_new(self.table.clone(), columns)?)
    }
}
