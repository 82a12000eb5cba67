//! `Writer` writes result tables as files.

mod json;
mod markdown;
mod npy;
mod sink;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;

use arrow_array::RecordBatch;
use arrow_csv::{Writer as CsvWriter, WriterBuilder as CsvBuilder};
use arrow_ipc::writer::FileWriter;
use arrow_json::writer::LineDelimited;
use arrow_schema::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::error::{Error, Result};
use crate::format::{Format, TableFormat};
use crate::location::Target;
use crate::types::column_list;
use json::{JsonWriter, OneArray};
use markdown::MarkdownWriter;
use npy::NpyWriter;
use sink::Sink;

/// Bytes that a row group of Parquet holds in memory before it is written.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// A file that is not a table. It gets its name when [`WholeFile::finish`] succeeds.
#[derive(Debug)]
pub struct WholeFile(Sink);

impl WholeFile {
    /// Starts the file.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::IsDirectory`] and [`Error::Write`] when the target cannot be written.
    pub fn create(target: &Target) -> Result<WholeFile> {
        Ok(WholeFile(Sink::create(target)?))
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|source| Error::write(&self.0.name(), source))
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`Error::Write`]. In that case there is no file.
    pub fn finish(self) -> Result<()> {
        self.0.commit()
    }
}

/// Writes a table batch by batch.
///
/// A file gets its name when [`Writer::finish`] succeeds. A writer that is dropped earlier leaves nothing behind. Standard output,
/// pipes and devices receive each batch as it comes. The exception is NPY: its header holds the number of rows, so it is written at
/// the end.
///
/// | format | null | infinite | NaN | metadata |
/// |---|---|---|---|---|
/// | Parquet | null | inf | NaN | key-value metadata of the file |
/// | Arrow IPC | null | inf | NaN | metadata of the schema |
/// | CSV, TSV | empty | `inf` | `NaN` | – |
/// | NDJSON, JSON | `null` | `"Infinity"` (a string: JSON has no such number) | `"NaN"` | – |
/// | Markdown | empty | `inf` | `NaN` | – |
/// | NPY | NaN | inf | NaN | – |
///
/// A float in text is the shortest text that reads back as the same value.
pub struct Writer {
    sink: Sink,
    format: TableFormat,
    schema: SchemaRef,
    encoder: Encoder,
}

enum Encoder {
    Csv(Box<CsvWriter<Sink>>),
    Ipc(Box<FileWriter<Sink>>),
    Json(JsonWriter<OneArray>),
    Markdown(MarkdownWriter),
    Ndjson(JsonWriter<LineDelimited>),
    Npy(NpyWriter),
    Parquet(Box<ArrowWriter<Sink>>),
}

impl Writer {
    /// Starts a table of the given columns. `metadata` is written if the format has a place for it.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::IsDirectory`] and [`Error::Write`] when the target cannot be written; [`Error::NpyOutput`]
    /// when a column does not hold floats and the format is NPY; [`Error::Encode`] when the format cannot hold a column.
    pub fn create(
        target: &Target,
        format: impl Into<TableFormat>,
        schema: SchemaRef,
        metadata: BTreeMap<String, String>,
    ) -> Result<Writer> {
        let format = format.into();
        check_columns(target, format, &schema)?;
        let sink = Sink::create(target)?;
        let encoder = Encoder::new(&sink, format, &schema, metadata)?;
        Ok(Writer { sink, format, schema, encoder })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`Error::OutputSchema`] when the columns differ from those at the start; [`Error::Write`], [`Error::Encode`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let (found, expected) = (batch.schema_ref().fields().iter(), self.schema.fields().iter());
        let same = found.len() == expected.len()
            && found.zip(expected).all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
        if !same {
            return Err(Error::OutputSchema {
                file: self.sink.name(),
                found: column_list(batch.schema_ref()),
                expected: column_list(&self.schema),
            });
        }
        let written = match &mut self.encoder {
            Encoder::Csv(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Encoder::Ipc(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Encoder::Json(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Encoder::Markdown(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Encoder::Ndjson(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Encoder::Npy(writer) => writer.write(batch).map_err(|error| error.to_string()),
            Encoder::Parquet(writer) => writer.write(batch).map_err(|error| error.to_string()),
        };
        written.map_err(|reason| self.sink.error(self.format, reason))
    }

    /// Completes the table and gives the file its name.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Encode`]. In that case there is no file.
    pub fn finish(self) -> Result<()> {
        let Writer { sink, format, encoder, .. } = self;
        let finished = match encoder {
            Encoder::Csv(_) | Encoder::Markdown(_) => Ok(()),
            Encoder::Ipc(mut writer) => writer.finish().map_err(|error| error.to_string()),
            Encoder::Json(writer) => writer.finish().map_err(|error| error.to_string()),
            Encoder::Ndjson(writer) => writer.finish().map_err(|error| error.to_string()),
            Encoder::Npy(writer) => writer.finish().map_err(|error| error.to_string()),
            Encoder::Parquet(writer) => writer.close().map(drop).map_err(|error| error.to_string()),
        };
        finished.map_err(|reason| sink.error(format, reason))?;
        sink.commit()
    }
}

impl Encoder {
    fn new(sink: &Sink, format: TableFormat, schema: &SchemaRef, metadata: BTreeMap<String, String>) -> Result<Self> {
        let fail = |reason: String| sink.error(format, reason);
        let file_format = match format {
            TableFormat::Json => return Ok(Encoder::Json(JsonWriter::new(sink.clone()))),
            TableFormat::Markdown => {
                let writer = MarkdownWriter::new(sink.clone(), schema);
                return Ok(Encoder::Markdown(writer.map_err(|error| fail(error.to_string()))?));
            }
            TableFormat::File(format) => format,
        };
        Ok(match file_format {
            Format::Csv | Format::Tsv => {
                let delimiter = if file_format == Format::Csv { b',' } else { b'\t' };
                let mut writer = CsvBuilder::new().with_delimiter(delimiter).build(sink.clone());
                // The header belongs to the table, even if no row follows.
                let header = writer.write(&RecordBatch::new_empty(schema.clone()));
                header.map_err(|error| fail(error.to_string()))?;
                Encoder::Csv(Box::new(writer))
            }
            Format::Ipc => {
                let schema = Schema::new_with_metadata(schema.fields().clone(), metadata.into_iter().collect());
                let writer = FileWriter::try_new(sink.clone(), &schema);
                Encoder::Ipc(Box::new(writer.map_err(|error| fail(error.to_string()))?))
            }
            Format::Ndjson => Encoder::Ndjson(JsonWriter::new(sink.clone())),
            Format::Npy => {
                let writer = NpyWriter::new(sink.clone(), schema);
                Encoder::Npy(writer.map_err(|error| fail(error.to_string()))?)
            }
            Format::Parquet => {
                let pairs = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    // Otherwise a wide table would stay in memory until it has a million rows.
                    .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
                    .set_key_value_metadata(Some(pairs))
                    .build();
                let writer = ArrowWriter::try_new(sink.clone(), schema.clone(), Some(properties));
                Encoder::Parquet(Box::new(writer.map_err(|error| fail(error.to_string()))?))
            }
        })
    }
}

/// Refuses columns that the format cannot hold, before anything is created.
fn check_columns(target: &Target, format: TableFormat, schema: &Schema) -> Result<()> {
    let file = || sink::name_of(target);
    for field in schema.fields() {
        let data_type = field.data_type();
        let is_matrix = schema.fields().len() == 1
            && matches!(data_type, DataType::FixedSizeList(item, _) if *item.data_type() == DataType::Float64);
        let floats = matches!(data_type, DataType::Float16 | DataType::Float32 | DataType::Float64) || is_matrix;
        if format == TableFormat::File(Format::Npy) && !floats {
            let data_type = crate::types::type_name(data_type);
            return Err(Error::NpyOutput { file: file(), column: field.name().clone(), data_type });
        }
        let is_flat = matches!(format, TableFormat::File(Format::Csv | Format::Tsv) | TableFormat::Markdown);
        if is_flat && data_type.is_nested() {
            let reason = format!("column `{}` is nested; use parquet, arrow, ndjson or json", field.name());
            return Err(Error::Encode { file: file(), format, reason });
        }
    }
    Ok(())
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("file", &self.sink.name()).field("format", &self.format).finish_non_exhaustive()
    }
}
