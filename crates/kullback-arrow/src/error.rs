//! What can go wrong with a file. Each error has the names and numbers that say where, and what to do about it.

use std::io;

use crate::format::Format;

/// Every failure of this crate. Each message is one line. Rows and bins are counted from 0, rows as they lie in the file, before
/// any filter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is not a format.
    #[error("unknown format `{name}`: use parquet, csv, tsv, npy, arrow or ndjson")]
    UnknownFormat {
        /// What was given.
        name: String,
    },
    /// A file whose format cannot be told from its name.
    #[error("cannot tell the format of {file} from its name: name one of parquet, csv, tsv, npy, arrow or ndjson")]
    NoFormat {
        /// The file.
        file: String,
    },
    /// A long layout that is not `KEY,…:BIN:COUNT`.
    #[error("`{spec}` is not a long layout: write KEY:BIN:COUNT, or KEY,KEY:BIN:COUNT for several key columns")]
    LongSpec {
        /// What was given.
        spec: String,
    },
    /// A filter that is not `COLUMN=VALUE`.
    #[error("`{spec}` is not a filter: write COLUMN=VALUE")]
    FilterSpec {
        /// What was given.
        spec: String,
    },

    /// A file that cannot be opened.
    #[error("cannot open {file}: {source}")]
    Open {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file that cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A directory where a file is needed.
    #[error("{file} is a directory, not a file")]
    IsDirectory {
        /// The directory.
        file: String,
    },
    /// A file of zero bytes.
    #[error("{file} is empty (0 bytes)")]
    EmptyFile {
        /// The file.
        file: String,
    },
    /// A file that is not what its name or the given format says.
    #[error("{file} is not a file of format {format}: it {found}; name its format, or correct its name")]
    NotFormat {
        /// The file.
        file: String,
        /// The format expected.
        format: Format,
        /// What it looks like instead.
        found: String,
    },
    /// A file that ends too early.
    #[error("{file} is cut off: {detail}; write or fetch it again")]
    Truncated {
        /// The file.
        file: String,
        /// What is missing.
        detail: String,
    },
    /// Content that its format does not allow, or that this build cannot decode.
    #[error("{file} cannot be read as {format}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// The format it was read as.
        format: Format,
        /// What the decoder said.
        reason: String,
    },

    /// A column that is not in the file.
    #[error("{file} has no column `{column}` ({purpose}); it has {columns}")]
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
    #[error("no column of {file} matches `{pattern}`; it has {columns}")]
    NoMatch {
        /// The file.
        file: String,
        /// The pattern.
        pattern: String,
        /// The columns that the file has, with their types.
        columns: String,
    },
    /// No list column that could hold the histograms.
    #[error(
        "{file} has no list column to take histograms from; it has {columns}. Name the bins with --columns 'PATTERN' (one column a bin) or --long KEY:BIN:COUNT"
    )]
    NoListColumn {
        /// The file.
        file: String,
        /// The columns that the file has, with their types.
        columns: String,
    },
    /// More than one list column, and no name that says which.
    #[error("{file} has {count} list columns ({names}): say which one with --bins COLUMN")]
    SeveralListColumns {
        /// The file.
        file: String,
        /// How many there are.
        count: usize,
        /// Their names.
        names: String,
    },
    /// The named column holds no lists.
    #[error(
        "column `{column}` of {file} holds {data_type}, not a list of weights; name a list column, or use --columns or --long"
    )]
    NotAList {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// Weights of a type that is not a number the engine takes.
    #[error(
        "column `{column}` of {file} holds {data_type}: weights are 8 to 64-bit integers or 16 to 64-bit floats; cast it first"
    )]
    WeightType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A value that does not fit the type its column is read as.
    #[error("column `{column}` of {file} cannot be read as {data_type}: {reason}")]
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
    #[error(
        "the filter `{column}={value}` cannot be applied to {file}: column `{column}` holds {data_type}, and `{value}` is not one"
    )]
    FilterValue {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The value asked for.
        value: String,
        /// The column's type.
        data_type: String,
    },

    /// A missing bin.
    #[error(
        "bin {bin} of row {row} of {file} (column `{column}`) is null: write 0 for an empty bin, or make the whole row null"
    )]
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
    #[error(
        "row {row} of {file} is null in column `{column}` (bin {bin}) but not in every bin: write 0 for an empty bin, or leave the whole row empty"
    )]
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
    #[error("row {row} of {file} is null in column `{column}`: a row of a long layout needs a bin and a count")]
    NullLong {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The row in the file, from 0.
        row: u64,
    },
    /// A row whose number of bins differs from that of the rows before it.
    #[error(
        "row {row} of {file} (column `{column}`) has {found} bins, the rows before it have {expected}: all rows need the same bins"
    )]
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
    #[error("{file} has rows of zero bins (column `{column}`): there is nothing to compare")]
    ZeroBins {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A table in which no row has weights.
    #[error(
        "all {rows} rows of {file} that were read are null in column `{column}`: there is no histogram to tell the number of bins from"
    )]
    AllNull {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// How many rows were read.
        rows: u64,
    },
    /// Counts of one cell whose sum does not fit 64 bits.
    #[error("the counts of {file} for row {row}, bin {bin} do not fit {data_type} when summed; use float64 counts")]
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
    #[error(
        "{file} pivots to {rows} rows of {bins} bins, too large to hold in memory; keep fewer rows with a filter, or store lists"
    )]
    PivotTooLarge {
        /// The file.
        file: String,
        /// Distinct keys.
        rows: usize,
        /// Distinct bins.
        bins: usize,
    },

    /// An array whose rank is not that of a matrix.
    #[error("{file} holds an array of {rank} dimensions {shape}: a matrix of rows × bins has 2, a single row 1")]
    NpyRank {
        /// The file.
        file: String,
        /// Its number of dimensions.
        rank: usize,
        /// Its shape.
        shape: String,
    },
    /// An array whose type is not a weight type.
    #[error(
        "{file} holds elements of dtype {dtype}: weights are f2, f4, f8, u1, u2, u4, u8, i1, i2, i4 or i8; convert it with astype"
    )]
    NpyType {
        /// The file.
        file: String,
        /// Its dtype.
        dtype: String,
    },
    /// Columns asked of a file that has no columns.
    #[error("{asked} cannot be used with {file}: an .npy file has no columns")]
    NpyColumns {
        /// The file.
        file: String,
        /// What was asked for.
        asked: String,
    },

    /// No batches to put together.
    #[error("there is no batch to put together")]
    NoBatches,
    /// Batches of different shapes or types.
    #[error(
        "a batch of {bins} bins of {weights} cannot follow one of {expected_bins} bins of {expected_weights}, or their key columns differ"
    )]
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
    #[error("{elements} weights are not whole rows of {bins} bins")]
    PartialRow {
        /// Weights given.
        elements: usize,
        /// Bins per row.
        bins: usize,
    },
    /// A row that is not in the batch.
    #[error("row {row} was asked of a batch of {rows} rows")]
    NoRow {
        /// The row asked for.
        row: usize,
        /// Rows of the batch.
        rows: usize,
    },
    /// Key columns that cannot be put together.
    #[error("the key columns cannot be gathered: {reason}")]
    Keys {
        /// What Arrow said.
        reason: String,
    },

    /// An output directory that does not exist.
    #[error("cannot write {file}: there is no directory {directory}; create it first")]
    NoDirectory {
        /// The output file.
        file: String,
        /// The missing directory.
        directory: String,
    },
    /// Output that cannot be created or written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The output file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Values that the output format cannot hold.
    #[error("cannot write {file} as {format}: {reason}")]
    Encode {
        /// The output file.
        file: String,
        /// Its format.
        format: Format,
        /// What the encoder said.
        reason: String,
    },
    /// A column for NPY output that does not hold floats.
    #[error(
        "cannot write {file}: column `{column}` holds {data_type}, and an .npy file holds floats only; drop the column, or write another format"
    )]
    NpyOutput {
        /// The output file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A batch whose columns differ from those of the table it is written to.
    #[error("a batch with the columns {found} cannot be written to {file}, which has the columns {expected}")]
    OutputSchema {
        /// The output file.
        file: String,
        /// Columns of the batch.
        found: String,
        /// Columns of the table.
        expected: String,
    },
}

impl Error {
    /// Whether the reader of our output has closed it. A command then ends quietly.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn write(path: &str, source: io::Error) -> Self {
        Error::Write { file: path.to_owned(), source }
    }
}

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;
