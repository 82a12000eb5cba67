//! What can go wrong, with the numbers that say where it went wrong and what to do about it.

/// The matrix that a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first matrix, `p`.
    P,
    /// The second matrix, `q`.
    Q,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::P => "P",
            Side::Q => "Q",
        })
    }
}

/// Every failure of the engine. Each variant carries the numbers a caller needs to act.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A matrix has no bins: there is nothing to compare.
    #[error("a row needs at least one bin, this matrix has none")]
    ZeroBins,
    /// The stride is shorter than the row.
    #[error(
        "the row stride of {stride} elements is shorter than the {bins} bins of a row; give a stride of at least {bins}"
    )]
    StrideTooShort {
        /// Elements between the starts of two rows.
        stride: usize,
        /// Bins of a row.
        bins: usize,
    },
    /// The slice is not a whole number of rows.
    #[error(
        "{elements} elements are not a whole number of rows of {bins} bins (stride {stride}): {remainder} are left over"
    )]
    PartialRow {
        /// Elements given.
        elements: usize,
        /// Bins of a row.
        bins: usize,
        /// Elements between the starts of two rows.
        stride: usize,
        /// Elements after the last whole row.
        remainder: usize,
    },
    /// The two matrices have different numbers of bins.
    #[error(
        "P has {p} bins per row and Q has {q}: a bin of P is compared with the same bin of Q, so both need the same number"
    )]
    BinsDiffer {
        /// Bins of a row of P.
        p: usize,
        /// Bins of a row of Q.
        q: usize,
    },
    /// The two matrices have different numbers of rows and neither has one.
    #[error("P has {p} rows and Q has {q}: give as many rows on both sides, or one row on either side")]
    RowsDiffer {
        /// Rows of P.
        p: usize,
        /// Rows of Q.
        q: usize,
    },
    /// The call names no measure.
    #[error("no measure was asked for; name at least one")]
    NoMeasure,
    /// A name that is not in the table of measures.
    #[error("unknown measure `{name}`{}", suggestion(.nearest))]
    UnknownDivergence {
        /// What was given.
        name: String,
        /// The nearest name of the table.
        nearest: String,
    },
    /// The order of a measure is outside its definition.
    #[error("the order {order} of `{measure}` is outside its definition: {expected}")]
    Order {
        /// Name of the family.
        measure: &'static str,
        /// What was given.
        order: f64,
        /// What the definition allows.
        expected: &'static str,
    },
    /// Positions of bins in a call without a measure that uses them.
    #[error("positions are given, and no measure of the call uses them; ask for `w1` or leave them out")]
    PositionsUnused,
    /// Neither one position per bin nor one more.
    #[error(
        "rows have {bins} bins, and the number of positions is {positions}: give one per bin (centres), or one more (edges)"
    )]
    PositionCount {
        /// How many are given.
        positions: usize,
        /// Bins of a row.
        bins: usize,
    },
    /// A position that is not finite.
    #[error(
        "position {index} (from 0) is {value:e}, and must be finite: leave its bin out of the rows, or give it a place"
    )]
    Position {
        /// Its place, from 0.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// A position that is not above the one before it.
    #[error(
        "position {index} (from 0) is {value:e}, not above {before:e} before it: sort the bins, and merge those of one place"
    )]
    PositionOrder {
        /// Its place, from 0.
        index: usize,
        /// What was given.
        value: f64,
        /// The position before it.
        before: f64,
    },
    /// Positions further apart than a 64-bit float holds.
    #[error(
        "the positions span {first:e} to {last:e}, which is more than a 64-bit float holds: give them in another unit"
    )]
    PositionSpan {
        /// The first.
        first: f64,
        /// The last.
        last: f64,
    },
    /// A zero policy that is not in the table.
    #[error("unknown zero policy `{name}`{}", suggestion(.nearest))]
    UnknownZeros {
        /// What was given.
        name: String,
        /// The nearest name of the table.
        nearest: String,
    },
    /// The number of a zero policy is outside its definition.
    #[error("the zero policy `{policy}` takes {expected}, not {value}")]
    ZerosValue {
        /// Name of the policy.
        policy: &'static str,
        /// What was given.
        value: f64,
        /// What the definition allows.
        expected: &'static str,
    },
    /// A unit that is neither a name nor a base.
    #[error("unknown unit `{name}`: use nats, bits, bans, or a base above 1 such as 3")]
    UnknownUnit {
        /// What was given.
        name: String,
    },
    /// A device name that does not exist.
    #[error(
        "unknown device `{name}`: use auto, cpu, gpu, gpu:N (N as `kullback devices` shows it), gpu:N+M or gpus for several that share the rows, gl, or reference"
    )]
    UnknownDevice {
        /// What was given.
        name: String,
    },
    /// Rows with a weight that is negative, NaN or infinite.
    #[error(
        "{count} of {rows} rows have an invalid weight; the first is row {row} of {side}, bin {bin}: {value} (weights must be finite and at least 0). Correct it, or ask for null results instead of an error"
    )]
    InvalidWeights {
        /// Rows with an invalid weight on either side.
        count: u64,
        /// Rows in the call.
        rows: u64,
        /// The first such row, from 0.
        row: u64,
        /// Where it lies.
        side: Side,
        /// Its first invalid bin, from 0.
        bin: usize,
        /// The weight found there.
        value: f64,
    },
    /// A single row that has no weight in any bin.
    #[error(
        "the row of {side} has no weight in any bin, so it is no distribution. Leave it out, or add a weight to every bin by the zero policy `additive`"
    )]
    EmptyRow {
        /// Where it lies.
        side: Side,
    },
    /// Rows to which the zero policy cannot be applied.
    #[error(
        "the zero policy `{policy}` cannot be applied to {count} of {rows} rows; the first is row {row}: a bin would become zero or negative. Use a smaller value, or ask for null results instead of an error"
    )]
    PolicyTooLarge {
        /// The policy with its value.
        policy: String,
        /// Rows concerned.
        count: u64,
        /// Rows in the call.
        rows: u64,
        /// The first such row, from 0.
        row: u64,
    },
    /// Rows whose weights span more than a 64-bit float can compare.
    #[error(
        "the weights of {count} of {rows} rows span more than a 64-bit float holds (a weight below 2^-1019 of its total); the first is row {row}. Clear such weights to 0, or ask for null results instead of an error"
    )]
    RangeTooWide {
        /// Rows concerned.
        count: u64,
        /// Rows in the call.
        rows: u64,
        /// The first such row, from 0.
        row: u64,
    },
    /// The device asked for is not there.
    #[error(
        "no {wanted} here; found: {found}. Use the device `cpu`, or install a driver (on Debian: mesa-vulkan-drivers for a software one)"
    )]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// The adapters found, or "none".
        found: String,
    },
    /// A row does not fit on the device.
    #[error("one row needs {needed} bytes on the device, its limit is {limit}; use the device `cpu`")]
    RowTooLarge {
        /// Bytes of one row.
        needed: u64,
        /// The largest binding or buffer the device takes.
        limit: u64,
    },
    /// The device failed while it worked.
    #[error(
        "the device `{device}` failed: {reason}. Nothing was returned; try again, with a smaller memory budget, or on the device `cpu`"
    )]
    DeviceFailed {
        /// Name of the adapter.
        device: String,
        /// What the driver said.
        reason: String,
    },
    /// The device has no memory left.
    #[error(
        "the device `{device}` has no memory for a buffer of {bytes} bytes. Nothing was returned; try again with a smaller memory budget, or on the device `cpu`"
    )]
    DeviceMemory {
        /// Name of the adapter.
        device: String,
        /// Bytes of the buffer that could not be allocated.
        bytes: u64,
    },
    /// The call was cancelled by its progress callback.
    #[error("cancelled after {done} of {total} rows")]
    Cancelled {
        /// Rows finished.
        done: u64,
        /// Rows in the call.
        total: u64,
    },
    /// Threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
    /// The measure is not a sum over bins.
    #[error(
        "`{measure}` is the largest of its terms, not their sum: no bin adds a part of it. Ask for the parts of another measure"
    )]
    NoParts {
        /// The name of the measure.
        measure: String,
    },
    /// A column was not computed.
    #[error("the measure `{measure}` was not asked for in this call")]
    NotComputed {
        /// The name of the measure.
        measure: String,
    },
}

fn suggestion(nearest: &str) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean `{nearest}`?") }
}

/// The engine's result type.
pub type Result<T> = std::result::Result<T, Error>;
