//! `Source`: a file, its columns resolved, read as batches of rows of weights any number of times.

mod csv;
mod ipc;
mod list_text;
mod long;
mod ndjson;
mod npy;
mod origin;
mod parquet;
mod pieces;
mod plan;
mod stream;

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use crate::batch::Batch;
use crate::error::Result;
use crate::filter::Filter;
use crate::format::{Format, Location};
use crate::layout::Layout;
use crate::types::value_bytes;
use long::LongTable;
use origin::Origin;
pub use origin::is_decoding;
use pieces::Pieces;
use plan::{Plan, Weights};
use stream::Stream;

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format; `None`: by the file name, and else by its first bytes, which text formats do not give away.
    pub format: Option<Format>,
    /// Where the histograms are.
    pub layout: Layout,
    /// Columns carried along; with [`Layout::Long`] the key columns of the layout are.
    pub keys: Vec<String>,
    /// Only rows that pass all of these are read.
    pub filters: Vec<Filter>,
    /// The bytes of weights that a batch aims at.
    pub batch_bytes: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { format: None, layout: Layout::default(), keys: Vec::new(), filters: Vec::new(), batch_bytes: 16 << 20 }
    }
}

/// A column to be read, and as what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// Its position in the file.
    pub(crate) index: usize,
    /// The type it is held in.
    pub(crate) data_type: DataType,
}

/// Record batches of the columns asked for, in the order of the file.
pub(crate) type Scan = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A file format, as far as reading goes.
pub(crate) trait Reader: Send + Sync {
    /// Every column of the file.
    fn schema(&self) -> &SchemaRef;

    /// Rows of the file, when known.
    fn row_count(&self) -> Option<u64> {
        None
    }

    /// About how many bytes a row of this column takes in memory.
    fn row_bytes(&self, index: usize) -> usize {
        self.schema().fields().get(index).map_or(0, |field| value_bytes(field.data_type()))
    }

    /// Reads `columns` (ascending positions) in batches of about `rows` rows. A reader that parses text parses it as
    /// the type asked for; any other may return the type of the file.
    fn scan(&self, columns: &[Column], rows: usize) -> Result<Scan>;
}

/// A table of histograms that can be read any number of times.
///
/// Opening reads the schema and resolves the columns, so that a wrong name fails before any work. Memory stays bounded
/// however long the file is, with one exception: the long layout has to be pivoted, and is read when it is opened.
pub struct Source {
    origin: Arc<Origin>,
    body: Body,
}

enum Body {
    Stream { reader: Box<dyn Reader>, plan: Arc<Plan> },
    Long(Box<LongTable>),
}

impl Source {
    /// Opens a file and resolves its columns.
    ///
    /// # Errors
    /// When the file cannot be opened, is empty or not of its format; when its columns are not there or of no use; with
    /// the long layout also everything that [`Source::batches`] meets.
    pub fn open(location: &Location, options: &ReadOptions) -> Result<Source> {
        let origin = Arc::new(Origin::new(location, options.format)?);
        if origin.format == Format::Npy {
            npy::check_options(&origin.name, options)?;
        }
        let reader = origin.guarded(|| reader(&origin))??;
        let plan = Arc::new(Plan::new(&origin, reader.as_ref(), options)?);
        let body = match &plan.weights {
            Weights::Long { .. } => Body::Long(Box::new(LongTable::pivot(Pieces::new(&plan, reader.as_ref())?, plan)?)),
            _ => Body::Stream { reader, plan },
        };
        Ok(Source { origin, body })
    }

    /// The file as messages name it.
    #[must_use]
    pub fn name(&self) -> String {
        self.origin.name.clone()
    }

    /// The format it is read as.
    #[must_use]
    pub fn format(&self) -> Format {
        self.origin.format
    }

    /// Bins of a row, when the schema says so (one column a bin, fixed-size lists, arrays) or the table is pivoted.
    #[must_use]
    pub fn bins(&self) -> Option<usize> {
        match &self.body {
            Body::Stream { plan, .. } => plan.bins(),
            Body::Long(table) => table.bins(),
        }
    }

    /// Rows of the file before filters, when known; rows of the pivoted table for the long layout.
    #[must_use]
    pub fn row_count(&self) -> Option<u64> {
        match &self.body {
            Body::Stream { reader, .. } => reader.row_count(),
            Body::Long(table) => Some(table.len() as u64),
        }
    }

    /// The schema of [`Batch::keys`].
    #[must_use]
    pub fn key_schema(&self) -> SchemaRef {
        match &self.body {
            Body::Stream { plan, .. } => plan.key_schema.clone(),
            Body::Long(table) => table.key_schema(),
        }
    }

    /// Reads the rows from the first to the last. Each call starts again.
    ///
    /// # Errors
    /// When the file can no longer be opened or its content cannot be decoded. The iterator yields further errors:
    /// null bins, ragged rows, values that do not fit; it ends after the first.
    pub fn batches(&self) -> Result<Batches> {
        let inner: Box<dyn Iterator<Item = Result<Batch>> + Send> = match &self.body {
            Body::Stream { reader, plan } => Box::new(Stream::new(Pieces::new(plan, reader.as_ref())?, plan.clone())),
            Body::Long(table) => Box::new(table.batches()),
        };
        Ok(Batches { inner, failed: false })
    }

    /// Gives two sources of the long layout the same bins: every label that either of them has, sorted. What a side
    /// lacks is 0. Sources of other layouts keep their bins.
    ///
    /// # Errors
    /// [`crate::Error::Cast`] when the labels cannot be brought to one type; [`crate::Error::PivotTooLarge`].
    pub fn align_bins(p: &mut Source, q: &mut Source) -> Result<()> {
        match (&mut p.body, &mut q.body) {
            (Body::Long(p), Body::Long(q)) => LongTable::align(p, q),
            _ => Ok(()),
        }
    }
}

fn reader(origin: &Arc<Origin>) -> Result<Box<dyn Reader>> {
    let origin = origin.clone();
    Ok(match origin.format {
        Format::Parquet => Box::new(parquet::Parquet::open(origin)?),
        Format::Csv => Box::new(csv::Csv::open(origin, b',')?),
        Format::Tsv => Box::new(csv::Csv::open(origin, b'\t')?),
        Format::Ipc => Box::new(ipc::Ipc::open(origin)?),
        Format::Ndjson => Box::new(ndjson::Ndjson::open(origin)?),
        Format::Npy => Box::new(npy::Npy::open(origin)?),
    })
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("origin", &self.origin).field("bins", &self.bins()).finish_non_exhaustive()
    }
}

/// The batches of a [`Source`], in the order of the file.
pub struct Batches {
    inner: Box<dyn Iterator<Item = Result<Batch>> + Send>,
    failed: bool,
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.inner.next();
        self.failed = !matches!(next, Some(Ok(_)));
        next
    }
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("failed", &self.failed).finish_non_exhaustive()
    }
}
