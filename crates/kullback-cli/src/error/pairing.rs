//! Rows and bins that do not pair.

/// What keeps the rows of two sides apart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PairingError {
    /// A key that two rows share.
    #[error(
        "row {row} of {file} has the key {key} of an earlier row: rows pair by key, so each key comes once; add a column to --key, filter, name what both files share with --join if many rows of P meet one row of Q, or pair rows by their places with --by-position"
    )]
    DuplicateKey {
        /// The file.
        file: String,
        /// The second row.
        row: u64,
        /// The key, as `column=value, …`.
        key: String,
    },
    /// Join columns whose types cannot be compared.
    #[error(
        "column `{column}` is {p_type} in {p} and {q_type} in {q}: --join needs columns of the same kind; cast one of them"
    )]
    JoinTypes {
        /// The column.
        column: String,
        /// The file P.
        p: String,
        /// Its type there.
        p_type: String,
        /// The file Q.
        q: String,
        /// Its type there.
        q_type: String,
    },
    /// A total over rows that have no bin in common.
    #[error(
        "rows of {file} with another `{columns}` have no bin in common, so their total says nothing: compare each group with its own total, with --by `{columns}`"
    )]
    BinsApart {
        /// The file.
        file: String,
        /// The columns that keep the bins apart.
        columns: String,
    },
    /// Rows that are to be held, and do not fit.
    #[error(
        "the rows of {file} do not come in the order of their keys, so they are held, and need more than the {memory} bytes of --memory: allow more, or sort by the keys, then nothing is held"
    )]
    HeldTooLarge {
        /// The file.
        file: String,
        /// The bytes allowed.
        memory: u64,
    },
    /// A join that pairs nothing.
    #[error(
        "none of the {p_rows} rows of {p} has a partner among the {q_rows} rows of {q} by {columns}: pair them by other columns with --join, or by their places with --by-position"
    )]
    NoPartner {
        /// The file P.
        p: String,
        /// Its rows.
        p_rows: u64,
        /// The file Q.
        q: String,
        /// Its rows.
        q_rows: u64,
        /// The join columns.
        columns: String,
    },
    /// Groups whose rows do not meet by the columns of the groups.
    #[error(
        "--by {columns} keeps the bins of its groups apart, so rows pair within their groups: both files need these columns, --join names them too, and --by-position leaves out --by"
    )]
    GroupsApart {
        /// The columns of --by.
        columns: String,
    },
    /// Keys of both sides whose names differ.
    #[error(
        "the keys of {p} are {p_keys} and those of {q} are {q_keys}: give them the same names, or pair rows by their places with --by-position"
    )]
    OtherKeys {
        /// The file P.
        p: String,
        /// Its keys.
        p_keys: String,
        /// The file Q.
        q: String,
        /// Its keys.
        q_keys: String,
    },
    /// A row of P as the baseline of a stream that is gone once it is read.
    #[error("--against COLUMN=VALUE reads P twice, and stdin comes once: give a file")]
    BaselineOfStdin,
    /// A filter that should name one row of each group.
    #[error(
        "`{filter}` names two rows of the group {key} of {file}, and a baseline is one row: name it by more of its keys with --where"
    )]
    BaselineOfGroup {
        /// The file.
        file: String,
        /// The filter.
        filter: String,
        /// The group, as `column=value, …`.
        key: String,
    },
    /// A filter that should name one row.
    #[error(
        "`{filter}` names {rows} rows of {file}, and a baseline is one row: name it by more of its keys with --where, or one row per group with --by"
    )]
    BaselineRows {
        /// The file.
        file: String,
        /// The filter.
        filter: String,
        /// The rows that pass it.
        rows: usize,
    },
}
