//! What a device can do, in plain numbers.

/// The limits that a plan respects. For a GPU they come from the adapter; tests make them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caps {
    /// Bytes one binding may have.
    pub(crate) max_binding_bytes: u64,
    /// Bytes one buffer may have.
    pub(crate) max_buffer_bytes: u64,
    /// Workgroups in one dimension of a dispatch.
    pub(crate) max_workgroups: u32,
    /// Whether subgroup operations are there and work.
    pub(crate) subgroups: bool,
}

/// Metal silently miscompiles bindings of 4 GiB and more; half of it is safe everywhere.
const SAFE_BINDING_BYTES: u64 = 1 << 31;

impl Caps {
    /// Bytes that a binding of this project may have.
    pub(crate) fn binding_bytes(&self) -> u64 {
        self.max_binding_bytes.min(self.max_buffer_bytes).min(SAFE_BINDING_BYTES - 4) & !3
    }
}
