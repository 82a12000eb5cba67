//! The long layout, one line per cell. It is pivoted into a matrix, which is held in memory.

mod bins;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, Int64Array, PrimitiveArray, RecordBatch, UInt64Array};
use arrow_cast::cast;
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use arrow_select::concat::{concat, concat_batches};
use arrow_select::take::{take, take_record_batch};

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::labels::{one_zero, order};
use crate::matrix::Matrix;
use crate::source::pieces::Pieces;
use crate::source::plan::{Plan, Weights, rows_in};
use crate::types::{type_name, value_bytes, with_weight_type};

/// A pivoted table: one matrix per group, or one for all rows.
pub(crate) struct LongTable {
    plan: Arc<Plan>,
    groups: Vec<PivotedGroup>,
    /// The key columns whose values share no label with each other, if there are several values.
    separating: Vec<String>,
}

/// The rows that belong together.
struct PivotedGroup {
    /// The distinct bin labels, in the order of their values.
    labels: ArrayRef,
    table: Batch,
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
        let columns: Vec<ArrayRef> = columns.iter().map(one_zero).collect();
        for (row, value) in self.converter.convert_columns(&columns)?.iter().enumerate() {
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

    /// The distinct values of one column in the order of their values, and the rank of each number.
    fn sorted(&self) -> std::result::Result<(ArrayRef, Vec<usize>), ArrowError> {
        let mut values: Vec<(&[u8], u32)> = self.seen.iter().map(|(value, number)| (&**value, *number)).collect();
        values.sort_unstable_by_key(|(_, number)| *number);
        let parser = self.converter.parser();
        let mut columns = self.converter.convert_rows(values.iter().map(|(value, _)| parser.parse(value)))?;
        let labels = columns.pop().ok_or_else(|| ArrowError::ComputeError("no column to sort".into()))?;
        let order = order(&labels)?;
        let mut ranks = vec![0; order.len()];
        for (rank, number) in order.iter().enumerate() {
            ranks[*number] = rank;
        }
        let places = UInt64Array::from_iter_values(order.into_iter().map(|number| number as u64));
        Ok((take(&labels, &places, None)?, ranks))
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
            for position in [Some(bin), count].into_iter().flatten() {
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
            counts.push(match count {
                Some(count) => piece.batch.column(count).clone(),
                None => Arc::new(Int64Array::from_value(1, piece.batch.num_rows())),
            });
            file_rows.extend(new.iter().map(|row| piece.file_rows.value(*row as usize)));
            key_rows.push(take_record_batch(&key_columns, &UInt64Array::from(new)).map_err(arrow)?);
        }
        if file_rows.is_empty() {
            return Ok(Self { groups: Vec::new(), separating: Vec::new(), plan });
        }
        let (labels, ranks) = bins.sorted().map_err(arrow)?;
        let keys = concat_batches(&plan.key_schema, &key_rows).map_err(arrow)?;
        let cells: Vec<(usize, usize)> =
            cells.into_iter().map(|(row, label)| (row as usize, ranks[label as usize])).collect();
        let separating = (0..keys.num_columns())
            .filter(|column| separates(keys.column(*column), &cells, labels.len()).unwrap_or(false))
            .map(|column| plan.key_schema.field(column).name().clone());
        let separating = separating.collect();
        let mut group_of = Distinct::new(plan.groups.iter().map(|group| type_of(plan.keys[*group]))).map_err(arrow)?;
        let group_columns: Vec<ArrayRef> = plan.groups.iter().map(|group| keys.column(*group).clone()).collect();
        let of_rows = if group_columns.is_empty() {
            vec![0; keys.num_rows()]
        } else {
            group_of.number(&group_columns).map_err(arrow)?.0
        };
        let whole = Whole { keys, file_rows, cells, counts, labels };
        let groups = whole.groups(&of_rows, &plan)?;
        Ok(Self { groups, separating, plan })
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.table.len()).sum()
    }

    /// Bins per row, if all rows have as many.
    pub(crate) fn bins(&self) -> Option<usize> {
        let mut bins = self.groups.iter().map(|group| group.table.bins());
        let first = bins.next()?;
        bins.all(|bins| bins == first).then_some(first)
    }

    /// The labels of the bins, if every row has the same.
    pub(crate) fn labels(&self) -> Option<Vec<String>> {
        let [group] = &self.groups[..] else { return None };
        group.texts()
    }

    /// The labels of each group.
    pub(crate) fn labels_of_groups(&self) -> impl Iterator<Item = &ArrayRef> {
        self.groups.iter().map(|group| &group.labels)
    }

    /// The column that holds the labels.
    pub(crate) fn bin_column(&self) -> String {
        match &self.plan.weights {
            Weights::Long { bin, .. } => self.plan.schema.field(*bin).name().clone(),
            _ => String::new(),
        }
    }

    /// The labels of the bins of a row, by its place in the file.
    pub(crate) fn labels_of(&self, file_row: u64) -> Option<Vec<String>> {
        let has_row = |group: &&PivotedGroup| group.table.file_rows().iter().any(|row| row == file_row);
        self.groups.iter().find(has_row)?.texts()
    }

    /// The key columns whose values share no label with each other.
    pub(crate) fn separating(&self) -> &[String] {
        &self.separating
    }

    pub(crate) fn key_schema(&self) -> SchemaRef {
        self.plan.key_schema.clone()
    }

    /// The table in slices of the planned size, group by group.
    pub(crate) fn batches(&self) -> impl Iterator<Item = Result<Batch>> + Send + use<> {
        let batch_bytes = self.plan.batch_bytes;
        let tables: Vec<Batch> = self.groups.iter().map(|group| group.table.clone()).collect();
        tables.into_iter().flat_map(move |table| {
            let rows = rows_in(batch_bytes, table.bins() * table.weight_type().size());
            (0..table.len()).step_by(rows).map(move |start| Ok(table.slice(start, rows)))
        })
    }

    pub(crate) fn name(&self) -> String {
        self.plan.origin.name.clone()
    }
}

impl PivotedGroup {
    /// The labels as text.
    fn texts(&self) -> Option<Vec<String>> {
        let texts = cast(&self.labels, &DataType::Utf8).ok()?;
        Some(texts.as_string::<i32>().iter().map(|label| label.unwrap_or_default().to_owned()).collect())
    }

    /// Moves the bins to their places among `labels`.
    fn spread(&mut self, labels: &ArrayRef, ranks: &[usize], plan: &Plan) -> Result<()> {
        let moved = ranks.len() < labels.len() || ranks.iter().enumerate().any(|(bin, rank)| bin != *rank);
        if moved {
            let (table, rows, bins) = (&self.table, self.table.len(), ranks.len());
            let cells = (0..rows * bins).map(|cell| (cell / bins, ranks[cell % bins]));
            let values = summed(cells, &[table.values()], rows, labels.len(), plan)?;
            let matrix = Matrix { values, bins: labels.len(), nulls: None };
            self.table = Batch::new(table.keys.clone(), matrix, table.file_rows());
        }
        self.labels = labels.clone();
        Ok(())
    }
}

/// Whether a key has several values and no label occurs under two of them.
fn separates(column: &ArrayRef, cells: &[(usize, usize)], labels: usize) -> std::result::Result<bool, ArrowError> {
    let mut values = Distinct::new(std::iter::once(column.data_type().clone()))?;
    let (numbers, new) = values.number(std::slice::from_ref(column))?;
    let mut of_label: Vec<Option<u32>> = vec![None; labels];
    let is_own = |(row, label): &(usize, usize)| *of_label[*label].get_or_insert(numbers[*row]) == numbers[*row];
    Ok(new.len() > 1 && cells.iter().all(is_own))
}

/// All cells of a file, before they are put into groups.
struct Whole {
    /// One row per distinct key.
    keys: RecordBatch,
    file_rows: Vec<u64>,
    /// The row and the label of each count.
    cells: Vec<(usize, usize)>,
    counts: Vec<ArrayRef>,
    labels: ArrayRef,
}

impl Whole {
    /// One matrix per group, over the labels that occur in the group.
    fn groups(self, of_rows: &[u32], plan: &Plan) -> Result<Vec<PivotedGroup>> {
        let count = of_rows.iter().max().map_or(0, |most| *most as usize + 1);
        if count == 1 {
            return Ok(vec![self.group(plan, None)?]);
        }
        let counts = self.counts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>();
        let counts = vec![concat(&counts).map_err(|error| plan.origin.malformed(error))?];
        let whole = Self { counts, ..self };
        let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut place = vec![0; of_rows.len()];
        for (row, group) in of_rows.iter().enumerate() {
            place[row] = rows_of[*group as usize].len();
            rows_of[*group as usize].push(row);
        }
        let mut cells_of: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (cell, (row, _)) in whole.cells.iter().enumerate() {
            cells_of[of_rows[*row] as usize].push(cell);
        }
        let parts = rows_of.into_iter().zip(cells_of);
        parts.map(|(rows, cells)| whole.group(plan, Some((&rows, &cells, &place)))).collect()
    }

    /// The matrix of some rows and cells; `place` says which row of its group each row is. Without them, of all.
    fn group(&self, plan: &Plan, part: Option<(&[usize], &[usize], &[usize])>) -> Result<PivotedGroup> {
        let arrow = |error: ArrowError| plan.origin.malformed(error);
        let Some((rows, cells, place)) = part else {
            let values =
                summed(self.cells.iter().copied(), &self.counts, self.file_rows.len(), self.labels.len(), plan)?;
            let matrix = Matrix { values, bins: self.labels.len(), nulls: None };
            let table = Batch::new(self.keys.clone(), matrix, UInt64Array::from(self.file_rows.clone()));
            return Ok(PivotedGroup { labels: self.labels.clone(), table });
        };
        let mut own: Vec<Option<usize>> = vec![None; self.labels.len()];
        cells.iter().for_each(|cell| own[self.cells[*cell].1] = Some(0));
        let labels: Vec<u64> = (0..own.len()).filter(|label| own[*label].is_some()).map(|label| label as u64).collect();
        labels.iter().enumerate().for_each(|(rank, label)| own[*label as usize] = Some(rank));
        let places = UInt64Array::from_iter_values(cells.iter().map(|cell| *cell as u64));
        let counts = take(&self.counts[0], &places, None).map_err(arrow)?;
        let of_group = cells.iter().map(|cell| {
            let (row, label) = self.cells[*cell];
            (place[row], own[label].unwrap_or_default())
        });
        let values = summed(of_group, &[counts], rows.len(), labels.len(), plan)?;
        let row_places = UInt64Array::from_iter_values(rows.iter().map(|row| *row as u64));
        let keys = take_record_batch(&self.keys, &row_places).map_err(arrow)?;
        let file_rows = UInt64Array::from_iter_values(rows.iter().map(|row| self.file_rows[*row]));
        let table = Batch::new(keys, Matrix { values, bins: labels.len(), nulls: None }, file_rows);
        Ok(PivotedGroup { labels: take(&self.labels, &UInt64Array::from(labels), None).map_err(arrow)?, table })
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
