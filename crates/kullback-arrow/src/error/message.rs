//! The message of each error, and what a caller asks of one.

use std::fmt;
use std::io;

use super::Error;

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

impl fmt::Display for Error {
    #[expect(clippy::too_many_lines, reason = "a list: one message per error")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownFormat { name } => {
                write!(f, "unknown format `{name}`: use parquet, csv, tsv, npy, arrow or ndjson")
            }
            Error::NoFormat { file } => write!(
                f,
                "cannot tell the format of {file} from its name: name one of parquet, csv, tsv, npy, arrow or ndjson"
            ),
            Error::UnknownTableFormat { name } => {
                write!(f, "unknown format `{name}`: use parquet, csv, tsv, npy, arrow, ndjson, json or markdown")
            }
            Error::NoTableFormat { file } => write!(
                f,
                "cannot tell the format of {file} from its name: name one of parquet, csv, tsv, npy, arrow, ndjson, json or markdown"
            ),
            Error::LongSpec { spec } => write!(
                f,
                "`{spec}` is not a long layout: write KEY:BIN:COUNT, KEY,KEY:BIN:COUNT for several key columns, or KEY:BIN where every line counts 1"
            ),
            Error::FilterSpec { spec } => {
                write!(f, "`{spec}` is not a filter: write COLUMN=VALUE, or with !=, <, <=, > or >=")
            }
            Error::BinNames { p, p_only, q, q_only } => write!(
                f,
                "the bins of {p} and {q} have other names: {}, and {}; name the same columns on both sides, count a missing bin as 0 with --missing-bins zero, or pair bins by their places with --by-position",
                only(p, p_only),
                only(q, q_only)
            ),
            Error::LabelTypes { p, p_type, q, q_type, column } => write!(
                f,
                "column `{column}` holds {p_type} in {p} and {q_type} in {q}, which cannot be equal: store it as the same type on both sides, or as text"
            ),
            Error::SameLabel { file, column, first, second, data_type } => write!(
                f,
                "the labels `{first}` and `{second}` in column `{column}` of {file} are one {data_type}, which the other side has: write them the same way, or store the column as text on both sides"
            ),
            Error::Open { file, source } => write!(f, "cannot open {file}: {source}"),
            Error::Read { file, source } => write!(f, "cannot read {file}: {source}"),
            Error::IsDirectory { file } => write!(f, "{file} is a directory, not a file"),
            Error::EmptyFile { file } => write!(f, "{file} is empty (0 bytes)"),
            Error::NotFormat { file, format, found } => {
                write!(f, "{file} is not a file of format {format}: it {found}; name its format, or correct its name")
            }
            Error::Truncated { file, detail } => write!(f, "{file} is cut off: {detail}; write or fetch it again"),
            Error::Malformed { file, format, reason } => write!(f, "{file} cannot be read as {format}: {reason}"),
            Error::ColumnTwice { file, column } => {
                write!(
                    f,
                    "{file} has two columns named `{column}`, and the name says neither: give them different names"
                )
            }
            Error::NoColumn { file, column, purpose, columns } => {
                write!(f, "{file} has no column `{column}` ({purpose}); it has {columns}")
            }
            Error::NoMatch { file, pattern, columns } => {
                write!(f, "no column of {file} matches `{pattern}`; it has {columns}")
            }
            Error::NoListColumn { file, columns } => write!(
                f,
                "{file} has no list column to take histograms from; it has {columns}. Name the bins with --columns 'PATTERN' (one column per bin) or --long KEY:BIN:COUNT"
            ),
            Error::SeveralListColumns { file, count, names } => {
                write!(f, "{file} has {count} list columns ({names}): say which one with --bins COLUMN")
            }
            Error::NotAList { file, column, data_type } => write!(
                f,
                "column `{column}` of {file} holds {data_type}, not a list of weights; name a list column, or use --columns or --long"
            ),
            Error::WeightType { file, column, data_type } => write!(
                f,
                "column `{column}` of {file} holds {data_type}: weights are 8 to 64-bit integers or 16 to 64-bit floats; cast it first"
            ),
            Error::Cast { file, column, data_type, reason } => {
                write!(f, "column `{column}` of {file} cannot be read as {data_type}: {reason}")
            }
            Error::FilterValue { file, filter, column, value, data_type } => write!(
                f,
                "the filter `{filter}` cannot be applied to {file}: column `{column}` holds {data_type}, and `{value}` is not one"
            ),
            Error::NullBin { file, column, row, bin } => write!(
                f,
                "bin {bin} of row {row} of {file} (column `{column}`) is null: write 0 for an empty bin, or make the whole row null"
            ),
            Error::NullCell { file, column, row, bin } => write!(
                f,
                "row {row} of {file} is null in column `{column}` (bin {bin}) but not in every bin: write 0 for an empty bin, or leave the whole row empty"
            ),
            Error::NullLong { file, column, row } => write!(
                f,
                "row {row} of {file} is null in column `{column}`: a row of a long layout needs a bin and a count; --where '{column}!=' leaves such rows out"
            ),
            Error::Ragged { file, column, row, found, expected } => write!(
                f,
                "row {row} of {file} (column `{column}`) has {found} bins, the rows before it have {expected}: all rows need the same bins"
            ),
            Error::ZeroBins { file, column } => {
                write!(f, "{file} has rows of zero bins (column `{column}`): there is nothing to compare")
            }
            Error::AllNull { file, column, rows } => write!(
                f,
                "all {rows} rows of {file} that were read are null in column `{column}`: there is no histogram to tell the number of bins from"
            ),
            Error::CountOverflow { file, row, bin, data_type } => write!(
                f,
                "the counts of {file} for row {row}, bin {bin} do not fit {data_type} when summed; use float64 counts"
            ),
            Error::PivotTooLarge { file, rows, bins } => write!(
                f,
                "{file} pivots to {rows} rows of {bins} bins, too large to hold in memory; keep fewer rows with a filter, or store lists"
            ),
            Error::NpyRank { file, rank, shape } => write!(
                f,
                "{file} holds an array of {rank} dimensions {shape}: a matrix of rows × bins has 2, a single row 1"
            ),
            Error::NpyType { file, dtype } => write!(
                f,
                "{file} holds elements of dtype {dtype}: weights are f2, f4, f8, u1, u2, u4, u8, i1, i2, i4 or i8; convert it with astype"
            ),
            Error::NpyColumns { file, asked } => {
                write!(f, "{asked} cannot be used with {file}: an .npy file has no columns")
            }
            Error::NoBatches => f.write_str("there is no batch to put together"),
            Error::BatchesDiffer { bins, weights, expected_bins, expected_weights } => write!(
                f,
                "a batch of {bins} bins of {weights} cannot follow one of {expected_bins} bins of {expected_weights}, or their key columns differ"
            ),
            Error::PartialRow { elements, bins } => write!(f, "{elements} weights are not whole rows of {bins} bins"),
            Error::NoRow { row, rows } => write!(f, "row {row} was asked of a batch of {rows} rows"),
            Error::Keys { reason } => write!(f, "the key columns cannot be gathered: {reason}"),
            Error::NoDirectory { file, directory } => {
                write!(f, "cannot write {file}: there is no directory {directory}; create it first")
            }
            Error::Write { file, source } => write!(f, "cannot write {file}: {source}"),
            Error::Encode { file, format, reason } => write!(f, "cannot write {file} as {format}: {reason}"),
            Error::NpyOutput { file, column, data_type } => write!(
                f,
                "cannot write {file}: column `{column}` holds {data_type}, and an .npy file holds floats only; drop the column, or write another format"
            ),
            Error::OutputSchema { file, found, expected } => write!(
                f,
                "a batch with the columns {found} cannot be written to {file}, which has the columns {expected}"
            ),
        }
    }
}

/// The names that only one file has; a few of them, if they are many.
fn only(file: &str, names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => format!("{file} has none that the other lacks"),
        all @ ..=SHOWN => format!("{file} alone has {}", &shown[..all].join(", ")),
        all => format!("{file} alone has {} and {} more", shown.join(", "), all - SHOWN),
    }
}
