//! `Batch`: some rows of weights with their keys.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_buffer::{NullBuffer, NullBufferBuilder};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::{concat, concat_batches};
use arrow_select::take::take;
use kullback::{Rows, WeightType};

use crate::error::{Error, Result};
use crate::file_rows::FileRows;
use crate::lists::{Place, matrix};
use crate::matrix::{Matrix, gather};
use crate::types::{ArrowWeight, with_weight_type};

/// Rows of weights, `len() × bins()`, with their key columns and their place in the file.
///
/// Cloning and slicing copy no weights.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The key columns. There are `len()` rows, but no columns if no key was asked for.
    pub keys: RecordBatch,
    /// `len() * bins` weights without nulls, row-major. A null row holds zeros.
    values: ArrayRef,
    bins: usize,
    nulls: Option<NullBuffer>,
    file_rows: FileRows,
}

impl Batch {
    /// The caller guarantees the shapes: as many rows everywhere, at least one bin, and a stored type without nulls.
    pub(crate) fn new(keys: RecordBatch, weights: Matrix, file_rows: impl Into<FileRows>) -> Self {
        let file_rows = file_rows.into();
        let Matrix { values, bins, nulls } = weights;
        debug_assert_eq!(values.len(), file_rows.len() * bins);
        Self { keys, values, bins, nulls: nulls.filter(|nulls| nulls.null_count() > 0), file_rows }
    }

    /// Makes rows of `bins` weights that come from no file. They have no keys and are numbered from 0.
    ///
    /// # Errors
    /// [`Error::PartialRow`] when `weights` are not whole rows of at least one bin.
    pub fn from_weights<W: ArrowWeight>(weights: Vec<W>, bins: usize) -> Result<Self> {
        if bins == 0 || !weights.len().is_multiple_of(bins) {
            return Err(Error::PartialRow { elements: weights.len(), bins });
        }
        let rows = weights.len() / bins;
        let values: ArrayRef = Arc::new(PrimitiveArray::<W::Arrow>::new(weights.into(), None));
        let keys = keyed(Arc::new(Schema::empty()), Vec::new(), rows)?;
        Ok(Self::new(keys, Matrix { values, bins, nulls: None }, FileRows::From { first: 0, count: rows }))
    }

    /// Makes a batch from a column of lists that comes from no file, without a copy where the lists lie next to each other. `name`
    /// is the name of the column in messages, and `first_row` the number of its first row there. The first list decides `bins` if
    /// they are not known. Returns `None` while every row is null and the bins are not known.
    ///
    /// # Errors
    /// [`Error::WeightType`] when the column does not hold lists of numbers, [`Error::Ragged`], [`Error::NullBin`],
    /// [`Error::ZeroBins`].
    pub fn from_lists(column: &ArrayRef, name: &str, first_row: u64, bins: &mut Option<usize>) -> Result<Option<Self>> {
        let file_rows = FileRows::From { first: first_row, count: column.len() };
        let place = Place { file: name, column: "weights", file_rows: &file_rows };
        let Some(matrix) = matrix(column, bins, &place)? else { return Ok(None) };
        let keys = keyed(Arc::new(Schema::empty()), Vec::new(), column.len())?;
        Ok(Some(Self::new(keys, matrix, file_rows)))
    }

    /// Rows in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.file_rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bins per row.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// The type of the weights.
    #[must_use]
    pub fn weight_type(&self) -> WeightType {
        self.rows().weight_type()
    }

    /// Bytes of the weights.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.values.len() * self.weight_type().size()
    }

    /// The weights as an array of `len() * bins()` values.
    pub(crate) fn values(&self) -> ArrayRef {
        self.values.clone()
    }

    /// The place of every row in the file.
    pub(crate) fn file_rows(&self) -> FileRows {
        self.file_rows.clone()
    }

    /// The weights as the engine takes them, without a copy. A null row reads as zeros: see [`Batch::is_null`].
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        let rows = with_weight_type!(self.values.data_type(), T => Rows::new(self.values.as_primitive::<T>().values(), self.bins),
            else Err(kullback::Error::ZeroBins));
        match rows {
            Ok(rows) => rows,
            Err(error) => unreachable!("a batch holds whole rows of a stored type: {error}"),
        }
    }

    /// Whether the row is null in the file. A null row has no weights, and its result is null.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| row < nulls.len() && nulls.is_null(row))
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> usize {
        self.nulls.as_ref().map_or(0, NullBuffer::null_count)
    }

    /// The place of the first row in the file, counted from 0 and before filters; 0 for an empty batch.
    #[must_use]
    pub fn first_row(&self) -> u64 {
        self.file_rows.value(0)
    }

    /// The place of a row in the file, counted from 0 and before filters; 0 outside the batch.
    #[must_use]
    pub fn file_row(&self, row: usize) -> u64 {
        self.file_rows.value(row)
    }

    /// The rows `start .. start + len`, without a copy. Rows out of range are cut off.
    #[must_use]
    pub fn slice(&self, start: usize, len: usize) -> Batch {
        let start = start.min(self.len());
        let len = len.min(self.len() - start);
        Batch {
            keys: self.keys.slice(start, len),
            values: self.values.slice(start * self.bins, len * self.bins),
            bins: self.bins,
            nulls: self.nulls.as_ref().map(|nulls| nulls.slice(start, len)).filter(|nulls| nulls.null_count() > 0),
            file_rows: self.file_rows.slice(start, len),
        }
    }

    /// Puts the rows of all batches one after the other.
    ///
    /// # Errors
    /// [`Error::NoBatches`]; [`Error::BatchesDiffer`] when bins, weight types or key columns are not the same;
    /// [`Error::Keys`] when a text column would pass 2 GiB.
    pub fn concat(batches: &[Batch]) -> Result<Batch> {
        let first = batches.first().ok_or(Error::NoBatches)?;
        if batches.len() == 1 {
            return Ok(first.clone());
        }
        for batch in batches {
            let same = batch.bins == first.bins
                && batch.values.data_type() == first.values.data_type()
                && batch.keys.schema() == first.keys.schema();
            if !same {
                return Err(Error::BatchesDiffer {
                    bins: batch.bins,
                    weights: batch.weight_type().name(),
                    expected_bins: first.bins,
                    expected_weights: first.weight_type().name(),
                });
            }
        }
        let keys =
            concat_batches(first.keys.schema_ref(), batches.iter().map(|batch| &batch.keys)).map_err(keys_error)?;
        let values =
            concat(&batches.iter().map(|batch| batch.values.as_ref()).collect::<Vec<_>>()).map_err(keys_error)?;
        let file_rows = UInt64Array::from_iter_values(batches.iter().flat_map(|batch| batch.file_rows.iter()));
        let mut nulls = NullBufferBuilder::new(file_rows.len());
        for batch in batches {
            match &batch.nulls {
                Some(buffer) => nulls.append_buffer(buffer),
                None => nulls.append_n_non_nulls(batch.len()),
            }
        }
        Ok(Batch::new(keys, Matrix { values, bins: first.bins, nulls: nulls.finish() }, file_rows))
    }

    /// Takes the given rows in the given order. A row may be taken any number of times.
    ///
    /// # Errors
    /// [`Error::NoRow`] for a row outside the batch; [`Error::Keys`] when a text column would pass 2 GiB.
    pub fn take(&self, rows: &[usize]) -> Result<Batch> {
        if let Some(row) = rows.iter().copied().find(|row| *row >= self.len()) {
            return Err(Error::NoRow { row, rows: self.len() });
        }
        let indices = UInt64Array::from_iter_values(rows.iter().map(|row| *row as u64));
        let keys = self.keys.columns().iter().map(|column| take(column, &indices, None));
        let keys = keys.collect::<std::result::Result<Vec<_>, _>>().map_err(keys_error)?;
        let keys = keyed(self.keys.schema(), keys, rows.len())?;
        let spans = rows.iter().map(|row| Some(row * self.bins..(row + 1) * self.bins));
        let nulls = self.nulls.as_ref().map(|nulls| rows.iter().map(|row| nulls.is_valid(*row)).collect());
        let matrix = Matrix { values: gather(&self.values, spans, rows.len(), self.bins), bins: self.bins, nulls };
        let file_rows = UInt64Array::from_iter_values(rows.iter().map(|row| self.file_row(*row)));
        Ok(Batch::new(keys, matrix, file_rows))
    }
}

/// Puts key columns together. There may be none, so `rows` gives the number of rows.
pub(crate) fn keyed(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(keys_error)
}

fn keys_error(error: arrow_schema::ArrowError) -> Error {
    Error::Keys { reason: error.to_string() }
}
