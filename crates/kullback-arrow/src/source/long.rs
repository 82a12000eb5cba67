//! The long layout, one line per cell. It is pivoted into a matrix, which is held in memory.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, PrimitiveArray, RecordBatch, UInt64Array, new_empty_array};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use arrow_select::concat::{concat, concat_batches};
use arrow_select::take::take_record_batch;

use super::pieces::Pieces;
use super::plan::{Plan, Weights, rows_in};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::types::{strict_cast, type_name, value_bytes, with_weight_type};

/// A pivoted table.
pub(crate) struct LongTable {
    plan: Arc<Plan>,
    /// The distinct bin labels, sorted.
    labels: ArrayRef,
    /// All rows; `None` if there are none.
    table: Option<Batch>,
}

/// Distinct values in the order of their first appearance.
struct Distinct {
    converter: RowConverter,
    seen: HashMap<Box<[u8]>, u32>,
}

impl Distinct {
    fn new(types: impl Iterator<Item = DataType>) -> std::result::Result<Self, ArrowError> {
        Ok(Self { converter: RowConverter::new(types.map(SortField::new).collect())?, seen: HashMap::new() })
    }

    /// The number of the value of each row, and the rows whose value is new.
    fn number(&mut self, columns: &[ArrayRef]) -> std::result::Result<(Vec<u32>, Vec<u64>), ArrowError> {
        let (mut numbers, mut new) = (Vec::new(), Vec::new());
        for (row, value) in self.converter.convert_columns(columns)?.iter().enumerate() {
            let next = u32::try_from(self.seen.len());
            let number = match self.seen.get(value.data()) {
                Some(number) => *number,
                None => {
                    let next = next.map_err(|_| ArrowError::ComputeError("more than 2^32 distinct values".into()))?;
                    self.seen.insert(value.data().into(), next);
                    new.push(row as u64);
                    next
                }
            };
            numbers.push(number);
        }
        Ok((numbers, new))
    }

    /// The distinct values sorted, and the rank of each number. Encoded rows compare as the values that they encode.
    fn sorted(&self) -> std::result::Result<(ArrayRef, Vec<usize>), ArrowError> {
        let mut values: Vec<(&[u8], u32)> = self.seen.iter().map(|(value, number)| (&**value, *number)).collect();
        values.sort_unstable();
        let mut ranks = vec![0; values.len()];
        for (rank, (_, number)) in values.iter().enumerate() {
            ranks[*number as usize] = rank;
        }
        let parser = self.converter.parser();
        let mut columns = self.converter.convert_rows(values.iter().map(|(value, _)| parser.parse(value)))?;
        let labels = columns.pop().ok_or_else(|| ArrowError::ComputeError("no column to sort".into()))?;
        Ok((labels, ranks))
    }
}

impl LongTable {
    /// Reads all pieces and makes one row for each distinct key.
    pub(crate) fn pivot(pieces: Pieces, plan: Arc<Plan>) -> Result<Self> {
        let Weights::Long { bin, count } = plan.weights else {
            return Err(plan.origin.malformed("not a long layout"));
        };
        let arrow = |error: ArrowError| plan.origin.malformed(error);
        let type_of = |position: usize| plan.schema.field(position).data_type().clone();
        let mut keys = Distinct::new(plan.keys.iter().map(|key| type_of(*key))).map_err(arrow)?;
        let mut bins = Distinct::new(std::iter::once(type_of(bin))).map_err(arrow)?;
        let mut key_rows: Vec<RecordBatch> = Vec::new();
        let mut file_rows: Vec<u64> = Vec::new();
        let mut cells: Vec<(u32, u32)> = Vec::new();
        let mut counts: Vec<ArrayRef> = Vec::new();
        for piece in pieces {
            let piece = piece?;
            for position in [bin, count] {
                if let Some(row) = piece
                    .batch
                    .column(position)
                    .nulls()
                    .and_then(|nulls| (0..nulls.len()).find(|row| nulls.is_null(*row)))
                {
                    let column = plan.schema.field(position).name().clone();
                    return Err(Error::NullLong {
                        file: plan.origin.name.clone(),
                        column,
                        row: piece.file_rows.value(row),
                    });
                }
            }
            let key_columns = piece.keys(&plan)?;
            let (rows, new) = keys.number(key_columns.columns()).map_err(arrow)?;
            let (labels, _) = bins.number(&[piece.batch.column(bin).clone()]).map_err(arrow)?;
            cells.extend(rows.into_iter().zip(labels));
            counts.push(piece.batch.column(count).clone());
            file_rows.extend(new.iter().map(|row| piece.file_rows.value(*row as usize)));
            key_rows.push(take_record_batch(&key_columns, &UInt64Array::from(new)).map_err(arrow)?);
        }
        if file_rows.is_empty() {
            return Ok(Self { labels: new_empty_array(&type_of(bin)), table: None, plan });
        }
        let (labels, ranks) = bins.sorted().map_err(arrow)?;
        let cells = cells.into_iter().map(|(row, label)| (row as usize, ranks[label as usize]));
        let values = summed(cells, &counts, file_rows.len(), labels.len(), &plan)?;
        let keys = concat_batches(&plan.key_schema, &key_rows).map_err(arrow)?;
        let table = Batch::new(keys, Matrix { values, bins: labels.len(), nulls: None }, UInt64Array::from(file_rows));
        Ok(Self { labels, table: Some(table), plan })
    }

    pub(crate) fn len(&self) -> usize {
        self.table.as_ref().map_or(0, Batch::len)
    }

    pub(crate) fn bins(&self) -> Option<usize> {
        self.table.as_ref().map(Batch::bins)
    }

    pub(crate) fn key_schema(&self) -> SchemaRef {
        self.plan.key_schema.clone()
    }

    /// The table in slices of the planned size.
    pub(crate) fn batches(&self) -> impl Iterator<Item = Result<Batch>> + Send + use<> {
        let table = self.table.clone();
        let row_bytes = table.as_ref().map_or(1, |table| table.bins() * table.weight_type().size());
        let (rows, len) = (rows_in(self.plan.batch_bytes, row_bytes), self.len());
        (0..len).step_by(rows).filter_map(move |start| table.as_ref().map(|table| Ok(table.slice(start, rows))))
    }

    /// Gives both tables the union of their bins.
    pub(crate) fn align(p: &mut LongTable, q: &mut LongTable) -> Result<()> {
        let (from, to) = (p.labels.data_type(), q.labels.data_type());
        let data_type = match (from, to) {
            _ if from == to || q.labels.is_empty() => from.clone(),
            _ if p.labels.is_empty() => to.clone(),
            _ if from.is_integer() && to.is_integer() => DataType::Int64,
            _ if from.is_numeric() && to.is_numeric() => DataType::Float64,
            _ => DataType::Utf8,
        };
        let (p_labels, q_labels) = (p.labels_as(&data_type)?, q.labels_as(&data_type)?);
        let arrow = |error: ArrowError| p.plan.origin.malformed(error);
        let both = concat(&[&p_labels, &q_labels]).map_err(arrow)?;
        let mut distinct = Distinct::new(std::iter::once(data_type)).map_err(arrow)?;
        let (numbers, _) = distinct.number(&[both]).map_err(arrow)?;
        let (labels, ranks) = distinct.sorted().map_err(arrow)?;
        let ranks: Vec<usize> = numbers.into_iter().map(|number| ranks[number as usize]).collect();
        let (p_ranks, q_ranks) = ranks.split_at(p_labels.len());
        p.spread(&labels, p_ranks)?;
        q.spread(&labels, q_ranks)
    }

    fn labels_as(&self, data_type: &DataType) -> Result<ArrayRef> {
        strict_cast(&self.labels, data_type).map_err(|error| Error::Cast {
            file: self.plan.origin.name.clone(),
            column: match &self.plan.weights {
                Weights::Long { bin, .. } => self.plan.schema.field(*bin).name().clone(),
                _ => String::new(),
            },
            data_type: type_name(data_type),
            reason: error.to_string(),
        })
    }

    /// Moves the bins to their places among `labels`.
    fn spread(&mut self, labels: &ArrayRef, ranks: &[usize]) -> Result<()> {
        let moved = ranks.len() < labels.len() || ranks.iter().enumerate().any(|(bin, rank)| bin != *rank);
        if let Some(table) = self.table.as_ref().filter(|_| moved) {
            let (rows, bins) = (table.len(), ranks.len());
            let cells = (0..rows * bins).map(|cell| (cell / bins, ranks[cell % bins]));
            let values = summed(cells, &[table.values()], rows, labels.len(), &self.plan)?;
            let matrix = Matrix { values, bins: labels.len(), nulls: None };
            self.table = Some(Batch::new(table.keys.clone(), matrix, table.file_rows()));
        }
        self.labels = labels.clone();
        Ok(())
    }
}

/// Sums the counts of each `(row, bin)` into a matrix.
fn summed(
    cells: impl Iterator<Item = (usize, usize)>,
    counts: &[ArrayRef],
    rows: usize,
    bins: usize,
    plan: &Plan,
) -> Result<ArrayRef> {
    let data_type = counts.first().map_or(DataType::Int64, |counts| counts.data_type().clone());
    let too_large = || Error::PivotTooLarge { file: plan.origin.name.clone(), rows, bins };
    let elements = rows.checked_mul(bins).filter(|elements| elements.checked_mul(value_bytes(&data_type)).is_some());
    let elements = elements.ok_or_else(too_large)?;
    with_weight_type!(data_type, T => {
        let mut weights = Vec::new();
        weights.try_reserve_exact(elements).map_err(|_| too_large())?;
        weights.resize(elements, Default::default());
        let counts = counts.iter().flat_map(|counts| counts.as_primitive::<T>().values().iter().copied());
        for ((row, bin), count) in cells.zip(counts) {
            let weight: &mut <T as arrow_array::ArrowPrimitiveType>::Native = &mut weights[row * bins + bin];
            // A negative count or a NaN must reach the report, so a later line must not hide it.
            let none = Default::default();
            if *weight < none {
                continue;
            }
            if !matches!(count.partial_cmp(&none), Some(std::cmp::Ordering::Greater | std::cmp::Ordering::Equal)) {
                *weight = count;
                continue;
            }
            *weight = weight.add_checked(count).map_err(|_| Error::CountOverflow {
                file: plan.origin.name.clone(),
                row,
                bin,
                data_type: type_name(&data_type),
            })?;
        }
        Ok(Arc::new(PrimitiveArray::<T>::new(weights.into(), None)))
    }, else Err(plan.origin.malformed(format!("counts of type {data_type}"))))
}
