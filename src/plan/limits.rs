//! The sizes that decide how a call is cut. Tests inside the crate use small ones, so that a small call meets every cut: they stand
//! here beside the real ones, and nowhere else.

/// Sizes of the parts of a call.
pub(crate) struct Limits {
    /// The most entries of a tile of all pairs: a few mebibytes of values.
    pub(crate) tile_entries: usize,
    /// Bytes that the prepared rows of a side may take on the CPU.
    pub(crate) prepared_bytes: usize,
    /// Bytes of numbers that are prepared together for the products of a device.
    pub(crate) product_bytes: usize,
    /// Rows that each side must have for products to be worth it.
    pub(crate) product_rows: usize,
    /// A device makes a summary itself from this many rows on. For fewer rows its tables take longer than the values would.
    pub(crate) summary_rows: usize,
    /// The part of the memory budget that the tables of a summary may take.
    pub(crate) summary_share: f64,
}

#[cfg(not(test))]
pub(crate) const LIMITS: Limits = Limits {
    tile_entries: 1 << 20,
    prepared_bytes: 64 << 20,
    product_bytes: 32 << 20,
    product_rows: 64,
    summary_rows: 1 << 16,
    summary_share: 0.5,
};

#[cfg(test)]
pub(crate) const LIMITS: Limits = Limits {
    tile_entries: kullback_kernels::pairs::ROWS * kullback_kernels::pairs::COLUMNS,
    prepared_bytes: 1 << 13,
    product_bytes: 1 << 14,
    product_rows: 16,
    summary_rows: 64,
    // Many chunks of few rows.
    summary_share: 1.0,
};
