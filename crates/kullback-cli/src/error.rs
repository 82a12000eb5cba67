//! What can go wrong in the command. Each error is one line, with the names and numbers, and with what to do about it.

mod option;
mod pairing;

use std::io;

use kullback::Side;
use kullback_arrow::TableFormat;

pub(crate) use option::OptionError;
pub(crate) use pairing::PairingError;

/// Every failure of the command. Rows and bins are counted from 0, and rows as they lie in the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(kullback::Error),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] kullback_arrow::Error),
    /// An option cannot be meant as it is.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Rows or bins that do not pair.
    #[error(transparent)]
    Pairing(Box<PairingError>),
    /// Arrow could not put columns together.
    #[error("the result columns cannot be put together: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// Standard output could not be written.
    #[error("cannot write standard output: {0}")]
    Stdout(io::Error),
    /// The temporary file that holds the output until it is complete could not be used.
    #[error("cannot keep the output in a temporary file: {0}; set TMPDIR to a directory with space, or use -o FILE")]
    Spool(io::Error),
    /// SIGINT or SIGTERM stopped the command.
    #[error("interrupted; nothing was written")]
    Interrupted,

    /// The rows do not fit in the memory of this machine.
    #[error("there is no memory for {bytes} bytes of weights; use a smaller --size")]
    Memory {
        /// Bytes of one side.
        bytes: u64,
    },
    /// A text that is not a size in bytes.
    #[error("`{text}` is not a size: write bytes such as 512MiB, 2GiB or 1000000")]
    Size {
        /// What was given.
        text: String,
    },
    /// Positions that are neither numbers nor a file.
    #[error(
        "`{text}` are no positions: write numbers such as 0,1,2.5, name a text file of numbers ({error}), or say `labels`"
    )]
    Positions {
        /// What was given.
        text: String,
        /// Why it could not be read as a file.
        error: io::Error,
    },
    /// A word among the positions of a file that is no number; empty if the file has no word.
    #[error("`{word}` in {file} is no position: the file holds numbers with commas, spaces or lines between them")]
    NoPosition {
        /// The file.
        file: String,
        /// The word.
        word: String,
    },
    /// A label that is to be a position and is no number.
    #[error("the label `{label}` of {file} is no number and so no position: give --positions as numbers, one per bin")]
    LabelPosition {
        /// The file.
        file: String,
        /// The label.
        label: String,
    },
    /// Positions are to be labels, and there is not one list of them.
    #[error(
        "the bins of {file} have no labels, or other ones in each group: give --positions as numbers, one per bin, or with --by take --zeros exact"
    )]
    NoLabels {
        /// The file.
        file: String,
    },
    /// A threshold that is not a number.
    #[error("`{text}` is not a number to compare with")]
    Threshold {
        /// What was given.
        text: String,
    },
    /// Nothing to compare P with.
    #[error(
        "there is nothing to compare {p} with: name a second file Q, or use --against total, rest, previous, first, uniform or COLUMN=VALUE (only `entropy` needs neither)"
    )]
    NoReference {
        /// The file P.
        p: String,
    },
    /// Both files are standard input.
    #[error("P and Q cannot both be standard input: write one of them to a file")]
    BothStdin,
    /// An option about Q, but no Q.
    #[error("{option} speaks of the file Q, and there is none: name Q, or leave the option out")]
    NeedsQ {
        /// The option.
        option: &'static str,
    },
    /// Both the rows and the JSON report would go to standard output.
    #[error("--json and -o - would both write to standard output: use -o FILE")]
    TwoOnStdout,
    /// An output column whose name is already taken.
    #[error("the key column `{column}` has the name of another output column: rename it, or leave it out of --key")]
    NameTaken {
        /// The column.
        column: String,
    },
    /// A column of `--key` or `--join` that is not a key of the long layout.
    #[error("{file} has no key `{column}` in its long layout: add it to --long, which has {keys}")]
    NotALongKey {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// The keys of the layout.
        keys: String,
    },

    /// A file without rows.
    #[error("{file} has no rows (0): there is nothing to compare")]
    NoRows {
        /// The file.
        file: String,
    },
    /// Filters that no row passes.
    #[error("none of the{} rows of {file} passes {filters}: check the value and its spelling", rows.map_or(String::new(), |rows| format!(" {rows}")))]
    NothingPasses {
        /// The file.
        file: String,
        /// The filters, as given.
        filters: String,
        /// Rows of the file, if they could be counted again.
        rows: Option<u64>,
    },
    /// A minimum total that no row reaches.
    #[error("none of {rows} rows of {file} has a total of at least {total}: lower --min-total")]
    NothingHeavyEnough {
        /// The file.
        file: String,
        /// Rows that were checked.
        rows: u64,
        /// The total asked for.
        total: f64,
    },
    /// Different numbers of bins on the two sides.
    #[error(
        "{p} has {p_bins} bins per row and {q} has {q_bins}: a bin of P is compared with the same bin of Q, so both need the same number"
    )]
    BinsDiffer {
        /// The file P.
        p: String,
        /// Its bins.
        p_bins: usize,
        /// The file Q.
        q: String,
        /// Its bins.
        q_bins: usize,
    },
    /// Different numbers of rows on the two sides, which are paired by position.
    #[error(
        "{p} has {p_rows} rows and {q} has {q_rows}: rows are paired by position; give as many rows on both sides, one row in Q, or pair them by key with --join COLUMN"
    )]
    RowsDiffer {
        /// The file P.
        p: String,
        /// Its rows that pass the filters.
        p_rows: u64,
        /// The file Q.
        q: String,
        /// Its rows that pass the filters.
        q_rows: u64,
    },
    /// Invalid weights.
    #[error(
        "{count} of {rows} rows have an invalid weight; the first is row {row} of {side} ({file}), bin {bin}: {value} (weights must be finite and at least 0). Correct it, or use --on-invalid null"
    )]
    InvalidWeights {
        /// Rows with an invalid weight on either side.
        count: u64,
        /// Rows of the run.
        rows: u64,
        /// The first of these rows.
        row: u64,
        /// The side it is on.
        side: Side,
        /// The file it is in.
        file: String,
        /// Its first invalid bin.
        bin: usize,
        /// The weight in that bin.
        value: f64,
    },
    /// Rows to which the zero policy cannot be applied.
    #[error(
        "the zero policy `{policy}` cannot be applied to {count} of {rows} rows; the first is row {row} of {file}: a bin would become zero or negative. Use a smaller value, or --on-invalid null"
    )]
    PolicyTooLarge {
        /// The policy with its value.
        policy: String,
        /// Rows affected.
        count: u64,
        /// Rows of the run.
        rows: u64,
        /// The first of these rows.
        row: u64,
        /// The file P.
        file: String,
    },
    /// Rows whose weights span more than a 64-bit float can compare.
    #[error(
        "the weights of {count} of {rows} rows of {file} span more than a 64-bit float holds (a weight below 2^-1019 of its total); the first is row {row}: clear such weights to 0, or use --on-invalid null"
    )]
    RangeTooWide {
        /// Rows affected.
        count: u64,
        /// Rows of the run.
        rows: u64,
        /// The first of these rows.
        row: u64,
        /// The file P.
        file: String,
    },
    /// A matrix larger than anyone usually wants.
    #[error(
        "a matrix of {rows} x {columns} entries ({} GB) is surely not meant: keep fewer rows with --where or --min-total, ask for the `nearest` rows alone, or say --yes", bytes / 1_000_000_000
    )]
    MatrixTooLarge {
        /// Rows of P.
        rows: u64,
        /// Rows of Q.
        columns: u64,
        /// Bytes of its values.
        bytes: u64,
    },
    /// A matrix that does not fit on its disk.
    #[error(
        "{bytes} bytes of values do not fit into {directory}, where {available} are free: write it elsewhere, or keep fewer rows"
    )]
    NoSpace {
        /// Bytes of the values.
        bytes: u64,
        /// Bytes that are free there.
        available: u64,
        /// The directory for the file.
        directory: String,
    },
    /// A picture with too many rows or columns to order them.
    #[error(
        "the entries of {rows} x {columns} rows are too many to be ordered: leave --order out, or keep at most {most} rows with --where or --min-total"
    )]
    PictureTooLarge {
        /// Rows of P.
        rows: u64,
        /// Rows of Q.
        columns: u64,
        /// The limit.
        most: u64,
    },
    /// A policy that cannot be applied to some pair.
    #[error(
        "the zero policy `{policy}` cannot be applied to every pair; the first is one of row {row} of {file}: a bin of it or of the other row would become zero or negative. Use a smaller value, or --on-invalid null"
    )]
    PolicyOfPair {
        /// The policy with its value.
        policy: String,
        /// The row of P.
        row: u64,
        /// The file P.
        file: String,
    },
    /// A pair whose weights span more than a 64-bit float can compare.
    #[error(
        "the weights of a pair of row {row} of {file} span more than a 64-bit float holds (a weight below 2^-1019 of its total): clear such weights to 0, or use --on-invalid null"
    )]
    RangeOfPair {
        /// The row of P.
        row: u64,
        /// The file P.
        file: String,
    },
    /// More neighbours than memory can hold.
    #[error(
        "{k} neighbours of each of {rows} rows take {bytes} bytes of memory: ask for fewer with -k, or keep fewer rows with --where or --min-total"
    )]
    TooManyNeighbours {
        /// Neighbours per row.
        k: u64,
        /// Rows of P.
        rows: u64,
        /// Bytes they take.
        bytes: u64,
    },
    /// One file named for two things.
    #[error("{file} is to be both the picture and the table: name two files")]
    OneFileForTwo {
        /// The file.
        file: String,
    },
    /// A picture that could not be drawn.
    #[error("the picture cannot be drawn: {reason}")]
    Picture {
        /// The message of the drawing library.
        reason: String,
    },
    /// A table with more columns than its format can hold.
    #[error("{columns} columns are more than an array can have ({max}): keep fewer rows of Q with --where-q", max = i32::MAX)]
    TooManyColumns {
        /// Rows of Q.
        columns: usize,
    },
    /// Two rows of Q with the same label.
    #[error(
        "two columns of the matrix would be called `{label}`: name more columns with --key, so that each row has a label of its own, or write .npy"
    )]
    LabelTwice {
        /// The label.
        label: String,
    },
    /// A binary format on a terminal.
    #[error("{format} is a binary format and standard output is a terminal: use -o FILE")]
    BinaryOnTerminal {
        /// The format.
        format: TableFormat,
    },
}

impl From<kullback::Error> for Error {
    fn from(error: kullback::Error) -> Self {
        match error {
            // Only the user ever cancels a run.
            kullback::Error::Cancelled { .. } => Error::Interrupted,
            error => Error::Engine(error),
        }
    }
}

impl Error {
    /// Whether the reader of standard output has closed it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Error::Stdout(error) => error.kind() == io::ErrorKind::BrokenPipe,
            Error::File(error) => error.is_broken_pipe(),
            _ => false,
        }
    }

    /// Whether the user stopped the run.
    pub(crate) fn is_interrupt(&self) -> bool {
        matches!(self, Error::Interrupted)
    }
}

/// The result type of the command.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<PairingError> for Error {
    fn from(error: PairingError) -> Self {
        Error::Pairing(Box::new(error))
    }
}
