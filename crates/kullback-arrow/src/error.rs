//! What can go wrong with a file. Each error has the names and numbers that say where, and what to do about it.

mod message;

use std::io;

use crate::format::{Format, TableFormat};

/// Every failure of this crate. Each message is one line. Rows and bins are counted from 0, rows as they lie in the file, before
/// any filter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is not a format.
    UnknownFormat {
        /// What was given.
        name: String,
    },
    /// A file whose format cannot be told from its name.
    NoFormat {
        /// The file.
        file: String,
    },
    /// A name that is not a format of a result table.
    UnknownTableFormat {
        /// What was given.
        name: String,
    },
    /// A result file whose format cannot be told from its name.
    NoTableFormat {
        /// The file.
        file: String,
    },
    /// A long layout that is not `KEY,…:BIN:COUNT`.
    LongSpec {
        /// What was given.
        spec: String,
    },
    /// A filter that is not a column, a sign and a value.
    FilterSpec {
        /// What was given.
        spec: String,
    },

    /// Bins that one side has and the other lacks.
    BinNames {
        /// The file P.
        p: String,
        /// The names of bins that only P has.
        p_only: Vec<String>,
        /// The file Q.
        q: String,
        /// The names of bins that only Q has.
        q_only: Vec<String>,
    },
    /// Labels of two types that have no value in common.
    LabelTypes {
        /// The file P.
        p: Box<str>,
        /// The type of its labels.
        p_type: Box<str>,
        /// The file Q.
        q: Box<str>,
        /// The type of its labels.
        q_type: Box<str>,
        /// The column of labels.
        column: Box<str>,
    },
    /// Two labels of text that are one value of the other side's type.
    SameLabel {
        /// The file.
        file: Box<str>,
        /// The column of labels.
        column: Box<str>,
        /// The one label.
        first: Box<str>,
        /// The other.
        second: Box<str>,
        /// The type of the other side.
        data_type: Box<str>,
    },

    /// A file that cannot be opened.
    Open {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file that cannot be read.
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A directory where a file is needed.
    IsDirectory {
        /// The directory.
        file: String,
    },
    /// A file of zero bytes.
    EmptyFile {
        /// The file.
        file: String,
    },
    /// A file that is not what its name or the given format says.
    NotFormat {
        /// The file.
        file: String,
        /// The format expected.
        format: Format,
        /// What it looks like instead.
        found: String,
    },
    /// A file that ends too early.
    Truncated {
        /// The file.
        file: String,
        /// What is missing.
        detail: String,
    },
    /// Content that its format does not allow, or that this build cannot decode.
    Malformed {
        /// The file.
        file: String,
        /// The format it was read as.
        format: Format,
        /// What the decoder said.
        reason: String,
    },

    /// A name that two columns have.
    ColumnTwice {
        /// The file.
        file: String,
        /// The name.
        column: String,
    },
    /// A column that is not in the file.
    NoColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// What the column was for.
        purpose: &'static str,
        /// The columns that the file has, with their types.
        columns: String,
    },
    /// A pattern of wide columns that matches nothing.
    NoMatch {
        /// The file.
        file: String,
        /// The pattern.
        pattern: String,
        /// The columns that the file has, with their types.
        columns: String,
    },
    /// No list column that could hold the histograms.
    NoListColumn {
        /// The file.
        file: String,
        /// The columns that the file has, with their types.
        columns: String,
    },
    /// More than one list column, and no name that says which.
    SeveralListColumns {
        /// The file.
        file: String,
        /// How many there are.
        count: usize,
        /// Their names.
        names: String,
    },
    /// The named column holds no lists.
    NotAList {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// Weights of a type that is not a number the engine takes.
    WeightType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A value that does not fit the type its column is read as.
    Cast {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The type asked for.
        data_type: String,
        /// What the cast said.
        reason: String,
    },
    /// A filter value that is not a value of its column.
    FilterValue {
        /// The file.
        file: Box<str>,
        /// The filter.
        filter: Box<str>,
        /// Its column.
        column: Box<str>,
        /// Its value.
        value: Box<str>,
        /// The type of the column.
        data_type: Box<str>,
    },

    /// A missing bin.
    NullBin {
        /// The file.
        file: String,
        /// The list column.
        column: String,
        /// The row in the file, from 0.
        row: u64,
        /// The bin, from 0.
        bin: usize,
    },
    /// A row of wide columns in which some cells are missing, but not all.
    NullCell {
        /// The file.
        file: String,
        /// The first column without a value.
        column: String,
        /// The row in the file, from 0.
        row: u64,
        /// The bin, from 0.
        bin: usize,
    },
    /// A row of the long layout without a bin or a count.
    NullLong {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The row in the file, from 0.
        row: u64,
    },
    /// A row whose number of bins differs from that of the rows before it.
    Ragged {
        /// The file.
        file: String,
        /// The list column.
        column: String,
        /// The first row that differs, counted from 0 in the file.
        row: u64,
        /// Its bins.
        found: usize,
        /// The bins of the rows before it.
        expected: usize,
    },
    /// Rows without bins.
    ZeroBins {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A table in which no row has weights.
    AllNull {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// How many rows were read.
        rows: u64,
    },
    /// Counts of one cell whose sum does not fit 64 bits.
    CountOverflow {
        /// The file.
        file: String,
        /// The row of the pivoted table, from 0.
        row: usize,
        /// The bin, from 0.
        bin: usize,
        /// The type of the sum.
        data_type: String,
    },
    /// A pivoted table that is too large for memory.
    PivotTooLarge {
        /// The file.
        file: String,
        /// Distinct keys.
        rows: usize,
        /// Distinct bins.
        bins: usize,
    },

    /// An array whose rank is not that of a matrix.
    NpyRank {
        /// The file.
        file: String,
        /// Its number of dimensions.
        rank: usize,
        /// Its shape.
        shape: String,
    },
    /// An array whose type is not a weight type.
    NpyType {
        /// The file.
        file: String,
        /// Its dtype.
        dtype: String,
    },
    /// Columns asked of a file that has no columns.
    NpyColumns {
        /// The file.
        file: String,
        /// What was asked for.
        asked: String,
    },

    /// No batches to put together.
    NoBatches,
    /// Batches of different shapes or types.
    BatchesDiffer {
        /// Bins of the batch.
        bins: usize,
        /// Its weight type.
        weights: &'static str,
        /// Bins of the first batch.
        expected_bins: usize,
        /// Weight type of the first batch.
        expected_weights: &'static str,
    },
    /// Weights that are not whole rows.
    PartialRow {
        /// Weights given.
        elements: usize,
        /// Bins per row.
        bins: usize,
    },
    /// A row that is not in the batch.
    NoRow {
        /// The row asked for.
        row: usize,
        /// Rows of the batch.
        rows: usize,
    },
    /// Key columns that cannot be put together.
    Keys {
        /// What Arrow said.
        reason: String,
    },
    /// An output directory that does not exist.
    NoDirectory {
        /// The output file.
        file: String,
        /// The missing directory.
        directory: String,
    },
    /// Output that cannot be created or written.
    Write {
        /// The output file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Values that the output format cannot hold.
    Encode {
        /// The output file.
        file: String,
        /// Its format.
        format: TableFormat,
        /// What the encoder said.
        reason: String,
    },
    /// A column for NPY output that does not hold floats.
    NpyOutput {
        /// The output file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A batch whose columns differ from those of the table it is written to.
    OutputSchema {
        /// The output file.
        file: String,
        /// Columns of the batch.
        found: String,
        /// Columns of the table.
        expected: String,
    },
}

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;
