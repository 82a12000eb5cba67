//! Gathers one column per bin into a matrix.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder};
use arrow_schema::DataType;

use crate::matrix::Matrix;
use crate::types::with_weight_type;

/// The first cell without a value in a row that has other values: `(row, bin)`.
pub(crate) type NullCell = (usize, usize);

/// Gathers columns of the same stored type into rows. A bin without a column is 0. A row without any value is null.
pub(crate) fn matrix(columns: &[Option<&ArrayRef>], data_type: &DataType, rows: usize) -> Result<Matrix, NullCell> {
    let nulls = null_rows(columns, rows)?;
    let bins = columns.len();
    let values: ArrayRef = with_weight_type!(data_type, T => {
        let sources: Vec<_> =
            columns.iter().map(|column| column.map(|column| column.as_primitive::<T>().values())).collect();
        let mut weights = vec![Default::default(); rows * bins];
        // Each block has a few rows, so the rows written stay in the cache while every column is read.
        const BLOCK: usize = 64;
        for (block, target) in weights.chunks_mut(BLOCK * bins).enumerate() {
            for (bin, source) in sources.iter().enumerate() {
                let Some(source) = source else { continue };
                let source = &source[block * BLOCK..];
                for (row, value) in target.chunks_exact_mut(bins).zip(source) {
                    row[bin] = *value;
                }
            }
        }
        if let Some(nulls) = &nulls {
            // Arrow does not define the value under a null.
            for (row, weights) in weights.chunks_exact_mut(bins).enumerate() {
                if nulls.is_null(row) {
                    weights.fill(Default::default());
                }
            }
        }
        Arc::new(PrimitiveArray::<T>::new(weights.into(), None))
    }, else arrow_array::new_empty_array(data_type));
    Ok(Matrix { values, bins, nulls })
}

/// Finds the rows that have no value at all.
fn null_rows(columns: &[Option<&ArrayRef>], rows: usize) -> Result<Option<NullBuffer>, NullCell> {
    let mut there = columns.iter().flatten();
    if there.all(|column| column.null_count() == 0) {
        return Ok(None);
    }
    let mut nulls = NullBufferBuilder::new(rows);
    for row in 0..rows {
        match columns.iter().position(|column| column.is_some_and(|column| column.is_null(row))) {
            None => nulls.append_non_null(),
            Some(_) if columns.iter().flatten().all(|column| column.is_null(row)) => nulls.append_null(),
            Some(bin) => return Err((row, bin)),
        }
    }
    Ok(nulls.finish())
}
