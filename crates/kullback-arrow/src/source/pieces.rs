//! The content of a file, column by column: with the planned types, filtered, numbered, and cut to size.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow_schema::DataType;
use arrow_select::filter::{filter, filter_record_batch};

use super::plan::{Plan, Weights, rows_in};
use super::reader::{Reader, Scan};
use crate::batch::keyed;
use crate::error::Result;
use crate::file_rows::FileRows;
use crate::filter::merged;
use crate::types::{list_element, strict_cast, value_bytes};

/// Some rows that passed the filters.
pub(crate) struct Piece {
    /// The columns of [`Plan::columns`].
    pub(crate) batch: RecordBatch,
    /// Where the rows lie in the file.
    pub(crate) file_rows: FileRows,
}

impl Piece {
    /// The key columns of the plan.
    pub(crate) fn keys(&self, plan: &Plan) -> Result<RecordBatch> {
        let columns = plan.keys.iter().map(|position| self.batch.column(*position).clone()).collect();
        keyed(plan.key_schema.clone(), columns, self.batch.num_rows())
    }
}

/// The rows of a file that pass the filters of a plan.
pub(crate) struct Pieces {
    plan: Arc<Plan>,
    scan: Scan,
    next_row: u64,
    ready: VecDeque<Piece>,
}

impl Pieces {
    pub(crate) fn new(plan: &Arc<Plan>, reader: &dyn Reader) -> Result<Self> {
        let scan = plan.origin.guarded(|| reader.scan(&plan.columns, plan.rows))??;
        Ok(Self { plan: plan.clone(), scan, next_row: 0, ready: VecDeque::new() })
    }

    /// Cuts a batch of the file to the planned size. The batch may have any size.
    fn accept(&mut self, batch: &RecordBatch) -> Result<()> {
        let plan = self.plan.clone();
        let rows = rows_in(plan.batch_bytes, weight_row_bytes(batch, &plan));
        let mut start = 0;
        while start < batch.num_rows() {
            let left = batch.num_rows() - start;
            // If less than half a piece is left over, it joins the piece before it.
            let count = if left < rows + rows / 2 { left } else { rows };
            let slice = batch.slice(start, count);
            let piece = filtered(&slice, FileRows::From { first: self.next_row, count }, &plan)?;
            self.ready.extend(piece.filter(|piece| piece.batch.num_rows() > 0));
            self.next_row += count as u64;
            start += count;
        }
        Ok(())
    }
}

impl Iterator for Pieces {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(Ok(piece));
            }
            let next = self.plan.origin.guarded(|| self.scan.next());
            match next.transpose()?.flatten().and_then(|batch| self.accept(&batch)) {
                Ok(()) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Converts the columns to their planned types and keeps the rows that pass. Returns `None` if none passes.
fn filtered(batch: &RecordBatch, file_rows: FileRows, plan: &Plan) -> Result<Option<Piece>> {
    let columns = batch.columns().iter().zip(&plan.columns).enumerate().map(|(position, (array, column))| {
        strict_cast(array, &column.data_type).map_err(|error| plan.cast_error(position, error))
    });
    let batch = keyed(plan.schema.clone(), columns.collect::<Result<Vec<ArrayRef>>>()?, batch.num_rows())?;
    let arrow = |error| plan.origin.malformed(error);
    let mut mask: Option<BooleanArray> = None;
    for predicate in &plan.filters {
        let passes = predicate.mask(batch.column(predicate.position)).map_err(arrow)?;
        mask = Some(match mask {
            Some(mask) => merged(&mask, &passes, |a, b| a & b),
            None => passes,
        });
    }
    let Some(mask) = mask else { return Ok(Some(Piece { batch, file_rows })) };
    match mask.true_count() {
        0 => Ok(None),
        all if all == batch.num_rows() => Ok(Some(Piece { batch, file_rows })),
        _ => {
            let batch = filter_record_batch(&batch, &mask).map_err(arrow)?;
            let all = UInt64Array::from_iter_values(file_rows.iter());
            let file_rows = filter(&all, &mask).map_err(arrow)?.as_primitive::<UInt64Type>().clone().into();
            Ok(Some(Piece { batch, file_rows }))
        }
    }
}

/// The bytes of weights per row in this batch.
fn weight_row_bytes(batch: &RecordBatch, plan: &Plan) -> usize {
    match &plan.weights {
        Weights::Wide { positions, data_type } => positions.len() * value_bytes(data_type),
        Weights::Long { .. } => 16,
        Weights::List { position, .. } => {
            let lists = batch.column(*position);
            let elements = match lists.data_type() {
                DataType::List(_) => spread(lists.as_list::<i32>().value_offsets()),
                DataType::LargeList(_) => spread(lists.as_list::<i64>().value_offsets()),
                _ => return value_bytes(lists.data_type()),
            };
            let element = list_element(lists.data_type()).map_or(1, value_bytes);
            elements / lists.len().max(1) * element
        }
    }
}

/// The number of elements between the first and the last offset.
fn spread<O: arrow_array::OffsetSizeTrait>(offsets: &[O]) -> usize {
    match (offsets.first(), offsets.last()) {
        (Some(first), Some(last)) => last.as_usize() - first.as_usize(),
        _ => 0,
    }
}
