//! Turns the pieces of a file into batches of weights.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, new_empty_array};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::DataType;

use super::pieces::{Piece, Pieces};
use super::plan::{MOST_ROWS, Plan, Weights};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::file_rows::FileRows;
use crate::lists::{self, Place};
use crate::matrix::{Matrix, gather};
use crate::wide;

/// Turns pieces into matrices. It joins small ones, because a filter may leave little of each piece.
pub(crate) struct Stream {
    pieces: Pieces,
    plan: Arc<Plan>,
    bins: Option<usize>,
    /// Null rows before the first row with weights. Their bins are not known yet.
    leading: Vec<(RecordBatch, FileRows)>,
    pending: Vec<Batch>,
    ended: bool,
}

impl Stream {
    pub(crate) fn new(pieces: Pieces, plan: Arc<Plan>) -> Self {
        let bins = plan.bins();
        Self { pieces, plan, bins, leading: Vec::new(), pending: Vec::new(), ended: false }
    }

    fn accept(&mut self, piece: &Piece) -> Result<()> {
        let keys = piece.keys(&self.plan)?;
        let file_rows = piece.file_rows.clone();
        match self.matrix(piece)? {
            None => self.leading.push((keys, file_rows)),
            Some(matrix) => {
                for (keys, file_rows) in std::mem::take(&mut self.leading) {
                    let nulls = null_matrix(file_rows.len(), matrix.bins, matrix.values.data_type());
                    self.pending.push(Batch::new(keys, nulls, file_rows));
                }
                self.pending.push(Batch::new(keys, matrix, file_rows));
            }
        }
        Ok(())
    }

    fn matrix(&mut self, piece: &Piece) -> Result<Option<Matrix>> {
        let plan = &self.plan;
        match &plan.weights {
            Weights::List { position, name } => {
                let place = Place { file: &plan.origin.name, column: name, file_rows: &piece.file_rows };
                lists::matrix(piece.batch.column(*position), &mut self.bins, &place)
            }
            Weights::Wide { positions, data_type } => {
                let columns: Vec<_> =
                    positions.iter().map(|position| position.map(|position| piece.batch.column(position))).collect();
                let matrix = wide::matrix(&columns, data_type, piece.batch.num_rows()).map_err(|(row, bin)| {
                    let column = positions[bin].map(|position| plan.schema.field(position).name().clone());
                    let column = column.unwrap_or_default();
                    Error::NullCell { file: plan.origin.name.clone(), column, row: piece.file_rows.value(row), bin }
                })?;
                Ok(Some(matrix))
            }
            // The long layout is pivoted, not streamed.
            Weights::Long { .. } => Ok(None),
        }
    }

    /// Whether the pending rows fill a batch.
    fn enough(&self) -> bool {
        let bytes: usize = self.pending.iter().map(Batch::weight_bytes).sum();
        let rows: usize = self.pending.iter().map(Batch::len).sum();
        rows > 0 && (bytes >= self.plan.batch_bytes / 2 || rows >= MOST_ROWS / 2)
    }

    fn fill(&mut self) -> Result<()> {
        while !self.ended && !self.enough() {
            match self.pieces.next() {
                Some(piece) => self.accept(&piece?)?,
                None => self.ended = true,
            }
        }
        if self.ended && !self.leading.is_empty() {
            let (file, column) = match &self.plan.weights {
                Weights::List { name, .. } => (self.plan.origin.name.clone(), name.clone()),
                _ => (self.plan.origin.name.clone(), String::new()),
            };
            let rows = self.leading.iter().map(|(_, file_rows)| file_rows.len() as u64).sum();
            return Err(Error::AllNull { file, column, rows });
        }
        Ok(())
    }
}

impl Iterator for Stream {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.fill() {
            return Some(Err(error));
        }
        if self.pending.is_empty() {
            return None;
        }
        Some(Batch::concat(&std::mem::take(&mut self.pending)))
    }
}

/// Rows of zeros, all of them null.
fn null_matrix(rows: usize, bins: usize, data_type: &DataType) -> Matrix {
    let mut nulls = NullBufferBuilder::new(rows);
    nulls.append_n_nulls(rows);
    let spans = std::iter::repeat_n(None, rows);
    Matrix { values: gather(&new_empty_array(data_type), spans, rows, bins), bins, nulls: nulls.finish() }
}
