//! `kullback nearest`: the nearest rows of every row, with one line per neighbour.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use kullback::Neighbours;

use super::{LoadedSides, PairsRun, metadata, note};
use crate::args::NearestArgs;
use crate::error::{Error, Result};
use crate::output::{Destination, RowOutput};
use crate::report::{listed, print};
use crate::{Outcome, complain, interrupt, rowwise};

/// Lines that are written at one time.
const LINES: usize = 1 << 16;
/// The most bytes of neighbours in memory.
const MOST_BYTES: u64 = 16 << 30;

/// Runs the command.
pub(crate) fn run(args: &NearestArgs) -> Result<Outcome> {
    let destination = Destination::choose(&args.file, false, &args.sides.input)?;
    let measure = args.measure.measure.measure;
    let engine = rowwise::engine(&args.run)?;
    let sides = LoadedSides::read(&args.sides.input, &args.how, &args.run, true)?;
    let how = sides.inputs.with_positions(&args.how, &[measure], args.run.quiet)?;
    let args = &NearestArgs { how, ..args.clone() };
    let keys = sides.keys()?;
    let schema = schema(&keys, &args.measure.measure.name)?;
    let pairs = sides.p.len() as u64 * sides.others().len() as u64;
    let k = args.k.get();
    let kept = k.min(sides.others().len()) as u64;
    let bytes = (sides.p.len() as u64).saturating_mul(kept).saturating_mul(16);
    if bytes > MOST_BYTES {
        return Err(Error::TooManyNeighbours { k: k as u64, rows: sides.p.len() as u64, bytes });
    }
    // This finds errors of the destination before the work.
    let about = || metadata(&args.sides.input, &args.how, measure, &engine.device_name());
    let mut rows = RowOutput::new(destination, None);
    rows.begin(schema.clone(), about)?;
    let run = PairsRun::new(&args.how, &args.run, pairs);
    let found = engine.nearest(measure, sides.p(), sides.q().map(Into::into), k, &run.options(0));
    let found = found.map_err(|error| sides.error(&args.how, error, 0))?;
    drop(run);
    for first in (0..found.len()).step_by((LINES / k).max(1)) {
        let end = found.len().min(first + (LINES / k).max(1));
        let batch = table(&sides, &keys, &schema, &found, first..end)?;
        rows.write(&batch, about)?;
        interrupt::check()?;
    }
    let shown = rows.finish()?;
    note(&args.run, pairs, found.stats());
    let infinite =
        (0..found.len()).filter_map(|row| found.of(row)).flatten().filter(|near| near.value.is_infinite()).count();
    if infinite > 0 && !args.run.quiet {
        complain(&format!(
            "{infinite} neighbours are infinitely far by {measure}, because one row has a bin that the other lacks: among these \
             the order says nothing; js is always finite, and so is {measure} with --zeros"
        ));
    }
    let without = (0..found.len()).filter(|row| found.of(*row).is_none_or(<[_]>::is_empty)).count();
    if without > 0 && !args.run.quiet {
        complain(&format!(
            "{without} of {} rows have no neighbour, because they have no weight or no value",
            found.len()
        ));
    }
    rowwise::tell_left_out(&args.run, &engine);
    print(&listed(&shown.batches, &shown)?)?;
    Ok(Outcome::Done)
}

/// The columns: the keys of a row, the rank, the keys of the neighbour, and the value. Row numbers stand in if there are no keys.
fn schema([keys, others]: &[RecordBatch; 2], measure: &str) -> Result<SchemaRef> {
    let number = |name: &str, nullable| Field::new(name, DataType::UInt64, nullable);
    let mut fields: Vec<Field> = keys.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    if fields.is_empty() {
        fields.push(number("row", false));
    }
    fields.push(number("rank", true));
    let others = others.schema();
    let renamed = |field: &Arc<Field>| {
        field.as_ref().clone().with_name(format!("neighbour_{}", field.name())).with_nullable(true)
    };
    fields.extend(others.fields().iter().map(renamed));
    if others.fields().is_empty() {
        fields.push(number("neighbour", true));
    }
    fields.push(Field::new(measure, DataType::Float64, true));
    let taken = (1..fields.len()).find(|at| fields[..*at].iter().any(|field| field.name() == fields[*at].name()));
    match taken {
        Some(at) => Err(Error::NameTaken { column: fields[at].name().clone() }),
        None => Ok(Arc::new(Schema::new(fields))),
    }
}

/// The lines of some rows.
fn table(
    sides: &LoadedSides,
    [keys, others]: &[RecordBatch; 2],
    schema: &SchemaRef,
    found: &Neighbours,
    rows: Range<usize>,
) -> Result<RecordBatch> {
    // A row without weight has no neighbour, and one line that says so.
    let lines = || {
        rows.clone().flat_map(|row| {
            let near = found.of(row).unwrap_or_default();
            let of_row = near.iter().enumerate().map(move |(rank, near)| (row, Some((rank as u64 + 1, *near))));
            of_row.chain(near.is_empty().then_some((row, None)))
        })
    };
    let of = |indices: UInt64Array, keys: &RecordBatch, numbers: &dyn Fn(usize) -> u64| -> Result<Vec<ArrayRef>> {
        if keys.num_columns() == 0 {
            let numbers = indices.iter().map(|row| row.map(|row| numbers(row as usize)));
            return Ok(vec![Arc::new(numbers.collect::<UInt64Array>())]);
        }
        Ok(take_record_batch(keys, &indices)?.columns().to_vec())
    };
    let mine = UInt64Array::from_iter_values(lines().map(|(row, _)| row as u64));
    let mut columns = of(mine, keys, &|row| sides.p.file_row(row))?;
    columns.push(Arc::new(lines().map(|(_, near)| near.map(|(rank, _)| rank)).collect::<UInt64Array>()));
    let theirs = lines().map(|(_, near)| near.map(|(_, near)| near.row)).collect();
    columns.extend(of(theirs, others, &|row| sides.others().file_row(row))?);
    columns.push(Arc::new(lines().map(|(_, near)| near.map(|(_, near)| near.value)).collect::<Float64Array>()));
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}
