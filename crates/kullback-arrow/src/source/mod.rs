//! `Source`: a file whose columns are resolved. It is read as batches of rows of weights, any number of times.

mod csv;
mod ipc;
mod list_text;
mod long;
mod ndjson;
mod npy;
mod options;
mod origin;
mod parquet;
mod pieces;
mod plan;
mod reader;
mod stream;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::labels::{one_number_twice, without_order};
use crate::location::Location;
use long::LongTable;
pub use options::ReadOptions;
use origin::Origin;
pub use origin::is_decoding;
use pieces::Pieces;
use plan::{Plan, Weights};
use reader::Reader;
use stream::Stream;

/// A table of histograms that can be read any number of times.
///
/// Opening a source reads the schema and resolves the columns, so a wrong name fails before any work. Memory stays bounded however
/// long the file is. The one exception is the long layout: it must be pivoted, so it is read when the source is opened.
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
    /// When the file cannot be opened, is empty or is not of its format. When its columns are missing or not usable. With the long
    /// layout also every error that [`Source::batches`] can return.
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

    /// The name of the file in messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.origin.name.clone()
    }

    /// The format that the file is read as.
    #[must_use]
    pub fn format(&self) -> Format {
        self.origin.format
    }

    /// Bins per row, if the schema says so (one column per bin, fixed-size lists, arrays) or the table is pivoted.
    #[must_use]
    pub fn bins(&self) -> Option<usize> {
        match &self.body {
            Body::Stream { plan, .. } => plan.bins(),
            Body::Long(table) => table.bins(),
        }
    }

    /// Rows of the file before filters, if known. For the long layout, rows of the pivoted table.
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

    /// A label of the long layout that makes the bins come in the order of text, and the column that holds it: a label that is no
    /// number, among text of which not all is times. The order matters to measures of ordered bins.
    #[must_use]
    pub fn bin_without_order(&self) -> Option<(String, String)> {
        let Body::Long(table) = &self.body else { return None };
        table.labels_of_groups().find_map(without_order).map(|label| (table.bin_column(), label))
    }

    /// Two labels of the long layout that are one number in other words, such as `6` and `06`, and the column that holds them.
    #[must_use]
    pub fn one_number_twice(&self) -> Option<(String, [String; 2])> {
        let Body::Long(table) = &self.body else { return None };
        table.labels_of_groups().find_map(one_number_twice).map(|labels| (table.bin_column(), labels))
    }

    /// The names of the bins, if they have names and every row has the same bins: columns, or labels as text.
    #[must_use]
    pub fn bin_labels(&self) -> Option<Vec<String>> {
        match &self.body {
            Body::Stream { plan, .. } => {
                let names = plan.bin_names()?;
                (Some(names.len()) == plan.bins()).then(|| names.into_iter().map(str::to_owned).collect())
            }
            Body::Long(table) => table.labels(),
        }
    }

    /// The names of the bins of one row, by its place in the file ([`Batch::file_row`]), if they have names. Rows of other groups may
    /// have other bins.
    #[must_use]
    pub fn bin_labels_of(&self, file_row: u64) -> Option<Vec<String>> {
        match &self.body {
            Body::Stream { .. } => self.bin_labels(),
            Body::Long(table) => table.labels_of(file_row),
        }
    }

    /// The keys of the long layout that keep bins apart: no label occurs under two of their values. Rows of different values then
    /// have no bin in common.
    #[must_use]
    pub fn separating_keys(&self) -> &[String] {
        match &self.body {
            Body::Stream { .. } => &[],
            Body::Long(table) => table.separating(),
        }
    }

    /// Reads the rows from the first to the last. Each call starts again.
    ///
    /// # Errors
    /// When the file can no longer be opened or its content cannot be decoded. The iterator returns further errors: null bins,
    /// ragged rows, values that do not fit. It ends after the first error.
    pub fn batches(&self) -> Result<Batches> {
        let inner: Box<dyn Iterator<Item = Result<Batch>> + Send> = match &self.body {
            Body::Stream { reader, plan } => Box::new(Stream::new(Pieces::new(plan, reader.as_ref())?, plan.clone())),
            Body::Long(table) => Box::new(table.batches()),
        };
        Ok(Batches { inner, failed: false })
    }

    /// Gives two sources the same bins in the same order, if both have names for them: labels of the long layout, or columns. In
    /// the long layout these are the labels that either side has, in the order of their values, and a bin that a side lacks is 0.
    /// Columns come in the order of P.
    ///
    /// Returns how many bins both sides have, if labels met labels and the sides have a group in common.
    ///
    /// # Errors
    /// [`crate::Error::BinNames`] when one side has columns that the other lacks; [`crate::Error::LabelTypes`] and
    /// [`crate::Error::SameLabel`] when labels cannot be compared; [`crate::Error::PivotTooLarge`].
    pub fn align_bins(p: &mut Source, q: &mut Source, pairing: BinPairing) -> Result<Option<usize>> {
        match (&mut p.body, &mut q.body) {
            _ if pairing == BinPairing::ByPosition => {}
            (Body::Long(p), Body::Long(q)) => return LongTable::align(p, q),
            (Body::Stream { plan: p, .. }, Body::Stream { plan: q, .. }) => align_columns(p, q, pairing)?,
            (Body::Stream { plan, .. }, Body::Long(long)) => align_long(plan, long, pairing, false)?,
            (Body::Long(long), Body::Stream { plan, .. }) => align_long(plan, long, pairing, true)?,
        }
        Ok(None)
    }
}

/// How the bins of two sides meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinPairing {
    /// By their names, where both sides have names. Both sides have the same columns.
    #[default]
    ByName,
    /// By their names. A column that one side lacks is a bin of zeros there.
    WithZeros,
    /// By their places.
    ByPosition,
}

/// Gives the columns of both sides the same order.
fn align_columns(p: &mut Arc<Plan>, q: &mut Arc<Plan>, pairing: BinPairing) -> Result<()> {
    let (Some(p_names), Some(q_names)) = (p.bin_names(), q.bin_names()) else { return Ok(()) };
    if p_names == q_names {
        return Ok(());
    }
    let only = |names: &[&str], others: &[&str]| -> Vec<String> {
        let others: HashSet<&str> = others.iter().copied().collect();
        names.iter().filter(|name| !others.contains(*name)).map(|name| (*name).to_owned()).collect()
    };
    let (p_only, q_only) = (only(&p_names, &q_names), only(&q_names, &p_names));
    if pairing == BinPairing::ByName && !(p_only.is_empty() && q_only.is_empty()) {
        let (p, q) = (p.origin.name.clone(), q.origin.name.clone());
        return Err(Error::BinNames { p, p_only, q, q_only });
    }
    let names: Vec<String> = p_names.into_iter().map(str::to_owned).chain(q_only).collect();
    // No stream has begun yet.
    [p, q].into_iter().filter_map(Arc::get_mut).for_each(|plan| plan.place_bins(&names));
    Ok(())
}

/// Gives the long layout of one side the columns of the other. A column that no label names is a bin of zeros, as a missing cell is.
fn align_long(columns: &mut Arc<Plan>, long: &mut LongTable, pairing: BinPairing, long_is_p: bool) -> Result<()> {
    let Some(names) = columns.bin_names() else { return Ok(()) };
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let more = long.labels_beside(&names)?;
    if !more.is_empty() && pairing == BinPairing::ByName {
        let (of_columns, of_long) = ((columns.origin.name.clone(), Vec::new()), (long.name(), more));
        let ((p, p_only), (q, q_only)) = if long_is_p { (of_long, of_columns) } else { (of_columns, of_long) };
        return Err(Error::BinNames { p, p_only, q, q_only });
    }
    names.extend(more);
    // No stream has begun yet.
    Arc::get_mut(columns).into_iter().for_each(|plan| plan.place_bins(&names));
    long.place(&names)
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
