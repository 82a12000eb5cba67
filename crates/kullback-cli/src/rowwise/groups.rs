//! Baselines of groups: the rows of P that belong together are compared with their own total, or each with the row before it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use kullback::OnInvalid;
use kullback_arrow::{Batch, rows_in_order, without_order};

use super::against::{Totals, heavy_rows};
use super::join::Held;
use super::keys::Keys;
use super::pair::BatchPair;
use super::pairing::{BatchStream, Counts, PairStream, plain};
use crate::error::Result;
use crate::inputs::{InputFile, Inputs};
use crate::progress::ProgressDisplay;

/// Which group a row belongs to, by the columns of --by.
pub(crate) struct Groups {
    keys: Keys,
    numbers: HashMap<Option<Box<[u8]>>, usize>,
}

impl Groups {
    /// Groups by columns of P. Without columns there is one group.
    pub(crate) fn new(p: &InputFile, columns: &[String]) -> Result<Self> {
        Ok(Self { keys: Keys::new(p, p, columns)?, numbers: HashMap::new() })
    }

    /// The group of each row, by its number. Rows whose column is null are a group too.
    pub(crate) fn of(&mut self, batch: &Batch) -> Result<Vec<usize>> {
        if self.keys.is_empty() {
            return Ok(vec![0; batch.len()]);
        }
        let numbers = &mut self.numbers;
        let number = |key| {
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        };
        Ok(self.keys.of(batch)?.into_iter().map(number).collect())
    }
}

/// The groups of a file by their numbers, and their sums, which take a first pass over it.
pub(crate) fn totals(
    p: &InputFile,
    by: &[String],
    (on_invalid, narrow): (OnInvalid, bool),
    progress: &ProgressDisplay,
) -> Result<(Groups, Totals)> {
    let mut groups = Groups::new(p, by)?;
    let mut totals = Totals::new(on_invalid, narrow);
    for batch in plain(p.source.batches()?) {
        let batch = batch?;
        totals.add(&batch, &groups.of(&batch)?);
        progress.reached(batch.file_row(batch.len() - 1) + 1);
    }
    totals.check(p)?;
    Ok((groups, totals))
}

/// Every row against the total of its group.
pub(crate) fn total<'a>(rows: BatchStream<'a>, (mut groups, totals): (Groups, Totals)) -> Result<PairStream<'a>> {
    let totals = totals.finish()?;
    if let [total] = &totals[..] {
        return Ok(super::pairing::one(rows, total.clone()));
    }
    Ok(Box::new(rows.map(move |p| {
        let p = p?;
        let q = of_groups(&groups.of(&p)?, |group| Ok(totals[group].clone()))?;
        Ok(BatchPair { p, q, alone: Vec::new() })
    })))
}

/// One row per row of a batch: that of its group. The rows of a batch have as many bins as those of their groups.
fn of_groups(groups: &[usize], mut row_of: impl FnMut(usize) -> Result<Batch>) -> Result<Batch> {
    let mut places: HashMap<usize, usize> = HashMap::new();
    let (mut used, mut rows) = (Vec::new(), Vec::with_capacity(groups.len()));
    for group in groups {
        let place = match places.get(group) {
            Some(place) => *place,
            None => {
                places.insert(*group, used.len());
                used.push(row_of(*group)?);
                used.len() - 1
            }
        };
        rows.push(place);
    }
    Ok(Batch::concat(&used)?.take(&rows)?)
}

/// Every row against the sum of all other rows of its group.
pub(crate) fn rest<'a>(rows: BatchStream<'a>, (mut groups, totals): (Groups, Totals)) -> PairStream<'a> {
    Box::new(rows.map(move |p| {
        let p = p?;
        let of_rows = groups.of(&p)?;
        let q = totals.without(&p, &of_rows)?;
        Ok(BatchPair { alone: totals.alone(&of_rows), p, q })
    }))
}

/// Every row against the first row of its group. The rows come in the order of [`in_order`].
pub(crate) fn first<'a>(p: &InputFile, rows: BatchStream<'a>, by: &[String]) -> Result<PairStream<'a>> {
    let mut groups = Groups::new(p, by)?;
    let mut first: HashMap<usize, Batch> = HashMap::new();
    Ok(Box::new(rows.map(move |p| {
        let p = p?;
        let of_rows = groups.of(&p)?;
        for (row, group) in of_rows.iter().enumerate() {
            first.entry(*group).or_insert_with(|| p.slice(row, 1));
        }
        let q = of_groups(&of_rows, |group| Ok(first.get(&group).cloned().unwrap_or_else(|| p.slice(0, 1))))?;
        Ok(BatchPair { p, q, alone: Vec::new() })
    })))
}

/// The columns that say which rows are a series: those of --by, or all keys but the last.
pub(crate) fn of_previous(inputs: &Inputs) -> Vec<String> {
    let schema = inputs.p.source.key_schema();
    let keys: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    match keys.split_last() {
        Some((_, others)) if inputs.by.is_empty() => others.iter().map(|name| (*name).clone()).collect(),
        _ => inputs.by.clone(),
    }
}

/// Every row against the row before it in its group. The first row of each group has none. The rows come in the order of
/// [`in_order`].
pub(crate) fn previous<'a>(p: &InputFile, rows: BatchStream<'a>, by: &[String]) -> Result<PairStream<'a>> {
    let mut groups = Groups::new(p, by)?;
    let mut last: HashMap<usize, Batch> = HashMap::new();
    Ok(Box::new(rows.map(move |p| {
        let p = p?;
        let of_rows = groups.of(&p)?;
        // The rows before those of the batch, and then these.
        let mut before: Vec<Batch> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for group in &of_rows {
            if let (Some(row), false) = (last.get(group), places.contains_key(group)) {
                places.insert(*group, before.len());
                before.push(row.clone());
            }
        }
        let (count, mut alone, mut taken) = (before.len(), Vec::new(), Vec::with_capacity(p.len()));
        for (row, group) in of_rows.iter().enumerate() {
            // The first row is compared with itself, so that its weights are checked like all others.
            taken.push(places.insert(*group, count + row).unwrap_or_else(|| {
                alone.push(row);
                count + row
            }));
        }
        for (group, place) in places {
            if place >= count {
                last.insert(group, p.slice(place - count, 1));
            }
        }
        before.push(p.clone());
        let q = Batch::concat(&before)?.take(&taken)?;
        Ok(BatchPair { p, q, alone })
    })))
}

/// The rows of P in the order of their keys. Rows without keys keep the order of the file.
///
/// If text gives the order of the rows of a group, `counts` says so; `by` are the columns of the groups.
pub(crate) fn in_order<'a>(
    p: &InputFile,
    rows: BatchStream<'a>,
    by: &[String],
    min_total: Option<f64>,
    counts: &Arc<Counts>,
) -> Result<BatchStream<'a>> {
    let columns = key_columns(p)?;
    let schema = p.source.key_schema();
    let mut series = schema.fields().iter().zip(&columns).filter(|(field, _)| !by.contains(field.name()));
    if let Some((field, key)) = series.find_map(|(field, column)| Some((field, without_order(column)?))) {
        counts.order_by_text(field.name().clone(), key);
    }
    if columns.is_empty() || rows_in_order(&columns)?.is_sorted() { Ok(rows) } else { sorted(p, min_total, counts) }
}

/// The key columns of a file, each as a whole. It reads the keys once.
fn key_columns(p: &InputFile) -> Result<Vec<ArrayRef>> {
    if p.source.key_schema().fields().is_empty() {
        return Ok(Vec::new());
    }
    let mut keys: Vec<Vec<ArrayRef>> = Vec::new();
    for batch in plain(p.source.batches()?) {
        keys.push(batch?.keys.columns().to_vec());
    }
    let Some(first) = keys.first() else { return Ok(Vec::new()) };
    let column = |position: usize| -> Result<ArrayRef> {
        let parts: Vec<&dyn arrow_array::Array> = keys.iter().map(|columns| columns[position].as_ref()).collect();
        Ok(arrow_select::concat::concat(&parts)?)
    };
    (0..first.len()).map(column).collect()
}

/// The rows of P in the order of their keys, group by group where groups have other bins. It takes memory for all of them.
fn sorted(p: &InputFile, min_total: Option<f64>, counts: &Arc<Counts>) -> Result<BatchStream<'static>> {
    let mut parts = Vec::new();
    for part in Held::read(p)?.parts {
        counts.have_read(part.len() as u64);
        let mut rows = part.take(&rows_in_order(part.keys.columns())?)?;
        if let Some(total) = min_total {
            rows = rows.take(&heavy_rows(&rows.rows(), total))?;
        }
        if !rows.is_empty() {
            parts.push(Ok(rows));
        }
    }
    Ok(Box::new(parts.into_iter()))
}
