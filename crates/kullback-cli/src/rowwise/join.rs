//! Rows paired by key. Q is held in memory, and P is streamed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{DataType, Schema};
use kullback_arrow::Batch;

use super::pair::BatchPair;
use super::pairing::{BatchStream, Counts, PairStream, plain};
use crate::error::{Error, Result};
use crate::inputs::InputFile;

/// Streams the rows of P that have a partner in Q, with their partners.
pub(crate) fn joined(
    p: &InputFile,
    stream: BatchStream,
    q: &InputFile,
    columns: &[String],
    counts: &Arc<Counts>,
) -> Result<PairStream> {
    let types = key_types(p, q, columns)?;
    let converter = RowConverter::new(types.iter().cloned().map(SortField::new).collect())?;
    let mut keys = Keys { converter, types, columns: columns.to_vec() };

    let batches = plain(q.source.batches()?).collect::<Result<Vec<_>>>()?;
    if batches.is_empty() {
        return Err(q.nothing_read());
    }
    let held = Batch::concat(&batches)?;
    drop(batches);
    let mut index = HashMap::with_capacity(held.len());
    let mut first_twice = None;
    keys.each(&held, |row, key| {
        if first_twice.is_none() && index.insert(Box::from(key), row).is_some() {
            first_twice = Some(row);
        }
    })?;
    if let Some(row) = first_twice {
        return Err(keys.twice(&q.source.name(), &held, row));
    }

    let mut join =
        Join { keys, used: vec![false; held.len()], held, index, p: p.source.name(), counts: counts.clone() };
    let pairs = stream.map(move |batch| join.pair(&batch?));
    Ok(Box::new(pairs.filter_map(Result::transpose)))
}

/// The types in which the join columns of both sides are compared.
fn key_types(p: &InputFile, q: &InputFile, columns: &[String]) -> Result<Vec<DataType>> {
    let type_of = |schema: &Schema, column: &str| Ok::<_, Error>(schema.field_with_name(column)?.data_type().clone());
    let (p_schema, q_schema) = (p.source.key_schema(), q.source.key_schema());
    let common = |column: &String| {
        let (p_type, q_type) = (type_of(&p_schema, column)?, type_of(&q_schema, column)?);
        match (&p_type, &q_type) {
            (a, b) if a == b => Ok(p_type),
            (a, b) if a.is_signed_integer() && b.is_signed_integer() => Ok(DataType::Int64),
            (a, b) if a.is_unsigned_integer() && b.is_unsigned_integer() => Ok(DataType::UInt64),
            // 38 digits hold every 64-bit integer, signed or not.
            (a, b) if a.is_integer() && b.is_integer() => Ok(DataType::Decimal128(38, 0)),
            (a, b) if a.is_numeric() && b.is_numeric() => Ok(DataType::Float64),
            _ => Err(Error::JoinTypes {
                column: column.clone(),
                p: p.source.name(),
                p_type: p_type.to_string(),
                q: q.source.name(),
                q_type: q_type.to_string(),
            }),
        }
    };
    columns.iter().map(common).collect()
}

/// The join columns as bytes, which are equal exactly if the keys are equal.
struct Keys {
    converter: RowConverter,
    types: Vec<DataType>,
    columns: Vec<String>,
}

impl Keys {
    fn arrays(&self, batch: &Batch) -> Result<Vec<ArrayRef>> {
        let column = |(name, data_type): (&String, &DataType)| -> Result<ArrayRef> {
            let position = batch.keys.schema_ref().index_of(name)?;
            Ok(cast(batch.keys.column(position), data_type)?)
        };
        self.columns.iter().zip(&self.types).map(column).collect()
    }

    /// Calls back with every row that has a key. A null is no key, because it equals nothing.
    fn each(&mut self, batch: &Batch, mut row_and_key: impl FnMut(usize, &[u8])) -> Result<()> {
        let arrays = self.arrays(batch)?;
        let rows = self.converter.convert_columns(&arrays)?;
        for (row, key) in rows.iter().enumerate() {
            if arrays.iter().all(|array| array.is_valid(row)) {
                row_and_key(row, key.data());
            }
        }
        Ok(())
    }

    /// The error for the second row with a key.
    fn twice(&self, file: &str, batch: &Batch, row: usize) -> Error {
        let shown = |name: &String| {
            let array = batch.keys.column_by_name(name);
            let text = array.and_then(|array| {
                let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).ok()?;
                Some(formatter.value(row).to_string())
            });
            format!("{name}={}", text.unwrap_or_default())
        };
        let key = self.columns.iter().map(shown).collect::<Vec<_>>().join(", ");
        Error::DuplicateKey { file: file.to_owned(), row: batch.file_row(row), key: format!("`{key}`") }
    }
}

/// A join in progress.
struct Join {
    keys: Keys,
    held: Batch,
    index: HashMap<Box<[u8]>, usize>,
    /// Marks the rows of Q that have a partner. A second partner means that P has the key twice. A key that P has twice and Q never
    /// has leads to no result, so nothing of P needs to be remembered.
    used: Vec<bool>,
    p: String,
    counts: Arc<Counts>,
}

impl Join {
    fn pair(&mut self, batch: &Batch) -> Result<Option<BatchPair>> {
        let (mut p_rows, mut q_rows, mut twice) = (Vec::new(), Vec::new(), None);
        let Join { keys, index, used, .. } = self;
        keys.each(batch, |row, key| {
            let Some(partner) = index.get(key) else { return };
            if std::mem::replace(&mut used[*partner], true) {
                twice.get_or_insert(row);
            }
            p_rows.push(row);
            q_rows.push(*partner);
        })?;
        if let Some(row) = twice {
            return Err(self.keys.twice(&self.p, batch, row));
        }
        self.counts.leave_out((batch.len() - p_rows.len()) as u64);
        if p_rows.is_empty() {
            return Ok(None);
        }
        let p = if p_rows.len() == batch.len() { batch.clone() } else { batch.take(&p_rows)? };
        Ok(Some(BatchPair { p, q: self.held.take(&q_rows)?, alone: None }))
    }
}
