//! Parquet. Only the columns that are needed are read, in batches sized by the statistics of the file.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::origin::Origin;
use super::reader::{Column, Reader, Scan};
use crate::error::Result;
use crate::types::{list_element, value_bytes};

pub(crate) struct Parquet {
    origin: Arc<Origin>,
    metadata: ArrowReaderMetadata,
    rows: u64,
}

impl Parquet {
    pub(crate) fn open(origin: Arc<Origin>) -> Result<Self> {
        origin.check_tail(b"PAR1")?;
        let metadata = ArrowReaderMetadata::load(&origin.open()?, ArrowReaderOptions::new());
        let metadata = metadata.map_err(|error| origin.malformed(error))?;
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self { origin, metadata, rows })
    }

    /// Values per row of a column, from the counts in the file.
    fn values_per_row(&self, index: usize) -> u64 {
        let schema = self.metadata.parquet_schema();
        let leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == index);
        let groups = self.metadata.metadata().row_groups();
        let values = leaves.flat_map(|leaf| groups.iter().filter_map(move |group| group.columns().get(leaf)));
        let values: u64 = values.map(|column| u64::try_from(column.num_values()).unwrap_or(0)).sum();
        values.div_ceil(self.rows.max(1))
    }
}

impl Reader for Parquet {
    fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn row_bytes(&self, index: usize) -> usize {
        let Some(field) = self.schema().fields().get(index) else { return 0 };
        match list_element(field.data_type()) {
            Some(element) => usize::try_from(self.values_per_row(index)).unwrap_or(usize::MAX) * value_bytes(element),
            None => value_bytes(field.data_type()),
        }
    }

    fn scan(&self, columns: &[Column], rows: usize) -> Result<Scan> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.origin.open()?, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().map(|column| column.index));
        let batches = builder.with_projection(mask).with_batch_size(rows).build();
        let batches = batches.map_err(|error| self.origin.malformed(error))?;
        let origin = self.origin.clone();
        Ok(Box::new(batches.map(move |batch| batch.map_err(|error| origin.malformed(error)))))
    }
}
