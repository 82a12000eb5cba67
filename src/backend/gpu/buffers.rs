//! Buffers that are kept between calls and only ever grow.

/// The buffers of one device.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) staging: Slot,
    pub(super) p: Slot,
    pub(super) q: Slot,
    pub(super) results: Slot,
    pub(super) readback: Slot,
    pub(super) partials: Slot,
    pub(super) params: Slot,
}

/// One buffer, or none yet.
#[derive(Debug, Default)]
pub(super) struct Slot(Option<wgpu::Buffer>);

impl Slot {
    /// A buffer of at least `bytes` bytes (a multiple of 256): the one that is here if it is large enough.
    pub(super) fn at_least(&mut self, device: &wgpu::Device, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        if let Some(buffer) = &self.0
            && buffer.size() >= bytes
        {
            return buffer.clone();
        }
        // The old one is freed first: two of the largest may not fit.
        self.0 = None;
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("kullback"),
            size: aligned(bytes.max(256)),
            usage,
            mapped_at_creation: false,
        });
        self.0 = Some(buffer.clone());
        buffer
    }

    /// Forgets the buffer, after a failure that may have left it mapped or broken.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

/// The next multiple of 256, which every offset of a binding must be.
pub(super) const fn aligned(bytes: u64) -> u64 {
    bytes.div_ceil(256) * 256
}
