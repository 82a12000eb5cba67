//! `kullback pairwise` writes a matrix to a file, one band of rows at a time.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use kullback::{Divergence, Engine, Stats, Tile};
use kullback_arrow::{Batch, Format, Location, TableFormat, Target, WholeFile};

use super::averaged::AveragedMatrix;
use super::picture::{self, Picture};
use super::{LoadedSides, PairsRun, labels, metadata, note};
use crate::args::PairwiseArgs;
use crate::drawing::end_of;
use crate::error::{Error, Result};
use crate::output::{Destination, RowOutput};
use crate::report::{listed, print};
use crate::{Outcome, interrupt, rowwise};

/// A matrix with more entries than this is made only if the user confirms it.
const MEANT: u64 = 10_000_000_000;
/// Bytes per band of the matrix, unless --memory says less.
const BAND_BYTES: u64 = 256 << 20;
/// The most letters of a file in the title of a picture.
const NAME: usize = 30;
/// Columns of the matrix that a terminal shows.
const SHOWN: usize = 12;

/// Runs the command.
pub(crate) fn run(args: &PairwiseArgs) -> Result<Outcome> {
    let heatmap = args.matrix.heatmap.as_ref();
    let only_picture = heatmap.is_some() && args.file.output.is_none() && args.file.output_format.is_none();
    let destination = Destination::choose(&args.file, only_picture, &args.sides.input)?;
    if let (Some(picture), Destination::File(path, _)) = (heatmap, &destination)
        && picture == path
    {
        return Err(Error::OneFileForTwo { file: path.display().to_string() });
    }
    let measure = args.measure.measure.measure;
    let engine = rowwise::engine(&args.run)?;
    let sides = LoadedSides::read(&args.sides.input, &args.how, &args.run, false)?;
    let how = sides.inputs.with_positions(&args.how, &[measure], args.run.quiet)?;
    let args = &PairwiseArgs { how, ..args.clone() };
    let matrix = MatrixOutput::new(&sides, args, measure, &destination)?;
    // This finds errors of the destination before the work.
    let about = || metadata(&args.sides.input, &args.how, measure, &engine.device_name());
    let mut rows = RowOutput::new(destination.clone(), None);
    rows.begin(matrix.schema.clone(), about)?;
    let picture = heatmap.map(|path| WholeFile::create(&Target::Path(path.clone()))).transpose()?;
    let mut picture = picture.map(|file| (file, matrix.averaged()));
    let run = PairsRun::new(&args.how, &args.run, matrix.entries());
    let mut stats = Stats::default();
    let mut first = 0;
    while first < sides.p.len() {
        let count = matrix.band.min(sides.p.len() - first);
        let (values, mut of_band) = matrix.band(&engine, &run, first, count)?;
        of_band.seconds += stats.seconds;
        stats = of_band;
        if let Some((_, averaged)) = &mut picture {
            averaged.add(&values, first);
        }
        if rows.takes_rows() {
            rows.write(&matrix.table(values, first)?, about)?;
        }
        interrupt::check()?;
        first += count;
    }
    drop(run);
    let shown = rows.finish()?;
    if let Some((mut file, averaged)) = picture {
        file.write(matrix.picture(&averaged)?.as_bytes())?;
        file.finish()?;
    }
    note(&args.run, matrix.entries(), &stats);
    rowwise::tell_left_out(&args.run, &engine);
    let text = listed(&shown.batches, &shown)?;
    let more = match destination {
        Destination::Table if matrix.columns() > SHOWN => {
            format!("… {} more columns, use -o FILE\n", matrix.columns() - SHOWN)
        }
        _ => String::new(),
    };
    print(&(text + &more))?;
    Ok(Outcome::Done)
}

/// The matrix to write.
struct MatrixOutput<'a> {
    sides: &'a LoadedSides,
    args: &'a PairwiseArgs,
    measure: Divergence,
    /// The rows of a band, which are in memory at one time.
    band: usize,
    keys: RecordBatch,
    labels: [Vec<String>; 2],
    schema: SchemaRef,
    /// Whether all columns form one array, for formats that have no columns.
    is_array: bool,
}

impl<'a> MatrixOutput<'a> {
    fn new(
        sides: &'a LoadedSides,
        args: &'a PairwiseArgs,
        measure: Divergence,
        destination: &Destination,
    ) -> Result<Self> {
        let (rows, columns) = (sides.p.len() as u64, sides.others().len() as u64);
        let entries = rows.saturating_mul(columns);
        // The order is one of single rows, and means nothing for means of rows.
        if args.matrix.order && rows.max(columns) > picture::MOST as u64 {
            return Err(Error::PictureTooLarge { rows, columns, most: picture::MOST as u64 });
        }
        if entries > MEANT && !args.matrix.yes {
            return Err(Error::MatrixTooLarge { rows, columns, bytes: entries.saturating_mul(8) });
        }
        let format = match destination {
            Destination::File(path, format) => {
                fits(path, *format, entries)?;
                Some(*format)
            }
            Destination::Data(format) => Some(*format),
            Destination::Table | Destination::Nowhere => None,
        };
        let [keys, other_keys] = sides.keys()?;
        let labels = [labels(&keys, &sides.p)?, labels(&other_keys, sides.others())?];
        let is_array = format == Some(TableFormat::File(Format::Npy));
        let shown = if *destination == Destination::Table { SHOWN } else { usize::MAX };
        let schema = schema(&keys, &labels[1][..labels[1].len().min(shown)], is_array, destination)?;
        let bytes = args.run.memory.map_or(BAND_BYTES, |memory| (memory / 4).min(BAND_BYTES));
        let band = (bytes / (columns * 8).max(1)).max(1);
        let bands = rows.div_ceil(band);
        // All bands have about the same size, because a short one would be computed another way.
        let band = rows.div_ceil(bands) as usize;
        Ok(Self { sides, args, measure, band, keys, labels, schema, is_array })
    }

    fn columns(&self) -> usize {
        self.sides.others().len()
    }

    fn entries(&self) -> u64 {
        self.sides.p.len() as u64 * self.columns() as u64
    }

    /// The matrix of the picture, still empty.
    fn averaged(&self) -> AveragedMatrix {
        AveragedMatrix::new(self.sides.p.len(), self.columns(), picture::MOST)
    }

    /// Draws the picture.
    fn picture(&self, averaged: &AveragedMatrix) -> Result<String> {
        let unit = if self.measure.has_unit() { self.args.how.unit.to_string() } else { String::new() };
        let [rows, columns] = averaged.labels([&self.labels[0], &self.labels[1]]);
        let name = |location: &Location| end_of(&location.to_string(), NAME);
        let (p, count) = (name(&self.args.sides.input.p), self.sides.p.len());
        let about = match &self.args.sides.input.q {
            None => format!("{p}, {count} rows"),
            Some(q) => format!("{p} ({count} rows) against {} ({} rows)", name(q), self.columns()),
        };
        let drawn = Picture {
            values: &averaged.values(),
            labels: [&rows, &columns],
            about: &about,
            group: averaged.group,
            measure: &self.args.measure.measure.name,
            unit: &unit,
        };
        drawn.svg(self.args.matrix.order)
    }

    /// The values of some rows, and how they were computed.
    fn band(&self, engine: &Engine, run: &PairsRun<'_>, first: usize, count: usize) -> Result<(Vec<f64>, Stats)> {
        let columns = self.columns();
        let mut values = vec![f64::NAN; count * columns];
        let take = |tile: &Tile| {
            let part = tile.values(self.measure)?;
            for (row, part) in tile.rows().zip(part.chunks(tile.columns().len())) {
                values[row * columns..][tile.columns()].copy_from_slice(part);
            }
            Ok::<(), kullback::Error>(())
        };
        let (p, options) = (self.sides.p(), run.options((first * columns) as u64));
        // The whole matrix of a file with itself has two equal halves.
        let whole = count == p.len();
        let q = if whole { self.sides.q() } else { Some(self.sides.q().unwrap_or(p)) };
        let stats = engine.pairwise(&[self.measure], p.slice(first, count), q.map(Into::into), &options, take);
        let stats = stats.map_err(|error| self.sides.error(&self.args.how, error, first))?;
        self.without_nulls(&mut values, first);
        Ok((values, stats))
    }

    /// Removes the values of rows that are null in their file.
    fn without_nulls(&self, values: &mut [f64], first: usize) {
        let (p, others) = (&self.sides.p, self.sides.others());
        if p.null_count() + others.null_count() == 0 {
            return;
        }
        for (row, values) in (first..).zip(values.chunks_mut(self.columns())) {
            for (column, value) in values.iter_mut().enumerate() {
                if p.is_null(row) || others.is_null(column) {
                    *value = f64::NAN;
                }
            }
        }
    }

    /// The table of some rows of the file.
    fn table(&self, values: Vec<f64>, first: usize) -> Result<RecordBatch> {
        let columns = self.columns();
        let rows = values.len() / columns;
        if self.is_array {
            let values: ArrayRef = Arc::new(Float64Array::from(values));
            let (item, length) = (item(), i32::try_from(columns).unwrap_or(i32::MAX));
            let list = FixedSizeListArray::try_new(item, length, values, None)?;
            return Ok(RecordBatch::try_new(self.schema.clone(), vec![Arc::new(list)])?);
        }
        let mut arrays: Vec<ArrayRef> = self.keys.slice(first, rows).columns().to_vec();
        if arrays.is_empty() {
            arrays.push(Arc::new(row_numbers(&self.sides.p, first, rows)));
        }
        for column in 0..self.schema.fields().len() - arrays.len() {
            let of_column = values.iter().skip(column).step_by(columns);
            let array: Float64Array = of_column.map(|value| (!value.is_nan()).then_some(*value)).collect();
            arrays.push(Arc::new(array));
        }
        Ok(RecordBatch::try_new(self.schema.clone(), arrays)?)
    }
}

/// The numbers of rows in their file.
fn row_numbers(batch: &Batch, first: usize, count: usize) -> UInt64Array {
    UInt64Array::from_iter_values((first..first + count).map(|row| batch.file_row(row)))
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float64, false))
}

/// The keys of P, or the numbers of its rows, and one column per row of Q, named by its label.
fn schema(keys: &RecordBatch, labels: &[String], is_array: bool, destination: &Destination) -> Result<SchemaRef> {
    if is_array {
        let length = i32::try_from(labels.len()).map_err(|_| Error::TooManyColumns { columns: labels.len() })?;
        let list = DataType::FixedSizeList(item(), length);
        return Ok(Arc::new(Schema::new(vec![Field::new("values", list, false)])));
    }
    let mut fields: Vec<Field> = keys.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    if fields.is_empty() {
        fields.push(Field::new("row", DataType::UInt64, false));
    }
    let mut seen: std::collections::HashSet<&str> = std::collections::HashSet::new();
    if matches!(destination, Destination::Table | Destination::Nowhere) {
        seen.extend(labels.iter().map(String::as_str));
    } else if let Some(label) = labels.iter().find(|label| !seen.insert(label)) {
        return Err(Error::LabelTwice { label: label.clone() });
    }
    let clash = fields.iter().find(|field| seen.contains(field.name().as_str()));
    if let Some(column) = clash.filter(|_| *destination != Destination::Nowhere) {
        return Err(Error::NameTaken { column: column.name().clone() });
    }
    fields.extend(labels.iter().map(|label| Field::new(label, DataType::Float64, true)));
    Ok(Arc::new(Schema::new(fields)))
}

/// Refuses a file that surely does not fit on its disk.
fn fits(path: &Path, format: TableFormat, entries: u64) -> Result<()> {
    // The least bytes per entry. How well a column compresses is not known before.
    let least = match format {
        TableFormat::File(Format::Npy | Format::Ipc) => 8,
        TableFormat::File(Format::Csv | Format::Tsv | Format::Ndjson) | TableFormat::Json | TableFormat::Markdown => 2,
        TableFormat::File(Format::Parquet) => 0,
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let bytes = entries.saturating_mul(least);
    match fs4::available_space(directory) {
        Ok(available) if bytes > available => {
            Err(Error::NoSpace { bytes, available, directory: directory.display().to_string() })
        }
        // If the directory does not exist, the writer says so.
        _ => Ok(()),
    }
}
