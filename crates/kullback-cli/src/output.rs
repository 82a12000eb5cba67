//! The output of the rows of the result.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use kullback_arrow::{Format, TableFormat, Target, Writer};
use tempfile::TempDir;

use crate::args::{FileArgs, InputArgs};
use crate::error::{Error, OptionError, Result};

/// Rows that a terminal shows if the user asks for no number.
const SHOWN: usize = 20;

/// The destination of the rows. It decides where the reports can go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Destination {
    /// A file, which gets every row.
    File(PathBuf, TableFormat),
    /// Standard output, as data for another program. It gets every row, or the top rows.
    Data(TableFormat),
    /// A table for a person. It shows the first rows, or the top rows.
    Table,
    /// No destination: the user asked only for a report.
    Nowhere,
}

impl Destination {
    /// The destination that the options ask for. Anything wrong with it fails before any work.
    pub(crate) fn choose(args: &FileArgs, json: bool, input: &InputArgs) -> Result<Self> {
        let terminal = io::stdout().is_terminal();
        match &args.output {
            Some(Target::Path(path)) => {
                if input.reads(path) {
                    return Err(OptionError::OverInput { file: path.display().to_string() }.into());
                }
                let format = args.output_format.map_or_else(|| TableFormat::from_path(path), Ok)?;
                Ok(Destination::File(path.clone(), format))
            }
            Some(Target::Stdout) if json => Err(Error::TwoOnStdout),
            None if json => Ok(Destination::Nowhere),
            None if terminal && args.output_format.is_none() => Ok(Destination::Table),
            Some(Target::Stdout) | None => {
                let format = args.output_format.unwrap_or(Format::Csv.into());
                if terminal && format.is_binary() {
                    return Err(Error::BinaryOnTerminal { format });
                }
                Ok(Destination::Data(format))
            }
        }
    }

    /// Whether this destination gets all rows even if only the top rows are shown.
    pub(crate) fn holds_all_rows(&self) -> bool {
        matches!(self, Destination::File(..))
    }

    /// Whether standard output carries rows as data. A report must then go elsewhere.
    pub(crate) fn is_data_on_stdout(&self) -> bool {
        matches!(self, Destination::Data(_))
    }
}

/// The rows that a terminal shows, and how many rows there are in all.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) rows: usize,
}

/// Takes the rows of the result as they come.
pub(crate) struct RowOutput {
    destination: Destination,
    /// Made with the first batch, because its metadata names the device that computed it.
    writer: Option<Writer>,
    /// Holds what goes to stdout until it is complete, so that an error leaves nothing on stdout.
    spool: Option<TempDir>,
    shown: Shown,
    /// The most rows that a terminal shows.
    most: usize,
}

impl RowOutput {
    /// With `top`, a terminal shows all of the rows asked for.
    pub(crate) fn new(destination: Destination, top: Option<NonZeroUsize>) -> Self {
        let most = top.map_or(SHOWN, NonZeroUsize::get);
        Self { destination, writer: None, spool: None, shown: Shown::default(), most }
    }

    /// Whether rows have a destination.
    pub(crate) fn takes_rows(&self) -> bool {
        self.destination != Destination::Nowhere
    }

    /// See [`Destination::holds_all_rows`].
    pub(crate) fn holds_all_rows(&self) -> bool {
        self.destination.holds_all_rows()
    }

    /// Starts the file, so that errors of the file show before the work. Returns `false` if there is no file.
    pub(crate) fn begin(
        &mut self,
        schema: SchemaRef,
        metadata: impl FnOnce() -> BTreeMap<String, String>,
    ) -> Result<bool> {
        if self.writer.is_some() {
            return Ok(true);
        }
        let (path, format) = match &self.destination {
            Destination::Nowhere | Destination::Table => return Ok(false),
            Destination::File(path, format) => (path.clone(), *format),
            Destination::Data(format) => {
                if self.spool.is_none() {
                    self.spool = Some(tempfile::Builder::new().prefix(".kullback-").tempdir().map_err(Error::Spool)?);
                }
                (self.spooled(), *format)
            }
        };
        self.writer = Some(Writer::create(&Target::Path(path), format, schema, metadata())?);
        Ok(true)
    }

    /// Takes rows.
    pub(crate) fn write(
        &mut self,
        batch: &RecordBatch,
        metadata: impl FnOnce() -> BTreeMap<String, String>,
    ) -> Result<()> {
        if self.destination == Destination::Table {
            let left = self.most.saturating_sub(self.shown.rows).min(batch.num_rows());
            if left > 0 {
                self.shown.batches.push(batch.slice(0, left));
            }
            self.shown.rows += batch.num_rows();
        }
        if self.begin(batch.schema(), metadata)?
            && let Some(writer) = &mut self.writer
        {
            writer.write(batch)?;
        }
        Ok(())
    }

    fn spooled(&self) -> PathBuf {
        self.spool.as_ref().map(|spool| spool.path().join("rows")).unwrap_or_default()
    }

    /// Completes the file, or copies the rows to stdout. Returns the rows of a table.
    pub(crate) fn finish(mut self) -> Result<Shown> {
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        if self.spool.is_some() {
            let mut rows = File::open(self.spooled()).map_err(Error::Spool)?;
            let mut stdout = io::stdout().lock();
            io::copy(&mut rows, &mut stdout).and_then(|_| stdout.flush()).map_err(Error::Stdout)?;
        }
        Ok(self.shown)
    }
}
