//! All pairs as products of matrices, in place of the row kernels: the host's half of `shaders/pairs/product.wgsl`. The records
//! are used in the same way.
//!
//! A value is numbers of each row alone plus products (see [`Form`](kullback_kernels::measures::form::Form)), and it may be small beside
//! them. So the sums of products are exact except for a small part. That part is rounded, and its error has a known bound for
//! each pair. A pair that may have lost more than the contract allows is left to the host. See `docs/NUMERICS.md`, "All pairs".

pub(super) mod kernels;
mod slices;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytemuck::{Pod, Zeroable};
use wgpu::BufferUsages as Usage;

use self::slices::{Slices, Words};
use super::clock::Ticks;
use super::commands::{Commands, Held};
use super::constants::{PANEL, PRODUCT_THREADS, RECORD_HEAD, STEP};
use super::device::Point;
use super::dispatch::RecordLayout;
use super::guarded::guarded;
use super::opened::Opened;
use super::slots::aligned;
use super::submit::EncodedChunk;
use super::summary::kernels::takes_values;
use crate::backend::cpu::Cpu;
use crate::backend::spent::Spent;
use crate::plan::LIMITS;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::finish::Support;
use kullback_kernels::pairs::{Forms, MOST_PRODUCTS, Products};
use kullback_kernels::problem::Problem;
use kullback_kernels::problem::Slots;
use kullback_kernels::weights::Rows;

/// The most bins of a row. With more bins, sums of products of whole numbers may leave 32 bits.
const MOST_BINS: usize = 1024;
/// Bytes that the threads of a workgroup share.
const SHARED_BYTES: u32 = (2 * STEP * 2 * PANEL * size_of::<f32>()) as u32;
/// Storage buffers that the kernel is bound to.
const STORAGE_BUFFERS: u32 = 5;
/// The largest error of a sum, as a part of it: a fifth of what the contract allows. The rest is for the steps that follow.
const TRUSTED: f32 = 2e-7;

/// The uniform of a dispatch, as in `shaders/pairs/product.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct ProductParameters {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) first_row: u32,
    pub(super) first_column: u32,
    pub(super) bins: u32,
    pub(super) zero: u32,
    pub(super) stamp: u32,
    pub(super) record: u32,
    pub(super) word: u32,
    pub(super) is_first: u32,
    pub(super) infinite: u32,
    pub(super) pad_0: u32,
    pub(super) p_words: u32,
    pub(super) q_words: u32,
    pub(super) constants: u32,
    pub(super) p_operands: u32,
    pub(super) q_operands: u32,
    pub(super) p_present: u32,
    pub(super) q_present: u32,
    pub(super) present_words: u32,
    pub(super) p_quads: u32,
    pub(super) q_quads: u32,
    pub(super) rounding: f32,
    pub(super) trusted: f32,
    pub(super) product: [[u32; 4]; MOST_PRODUCTS],
}

/// Two sides on a device. Every row of one side meets every row of the other.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    cpu: &'a Cpu,
    products: Products,
    p: Rows<'a>,
    q: Rows<'a>,
    /// Bytes that both sides take there.
    bytes: u64,
    /// The sides as a device has them; made anew for a device that was opened anew.
    sides: Mutex<Option<Arc<Sides>>>,
    is_given_up: AtomicBool,
}

/// Some rows of a product: the first row of each side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProductTile<'a> {
    pub(crate) product: &'a Product<'a>,
    pub(crate) first: [usize; 2],
}

/// The rows of both sides on a device.
#[derive(Debug)]
pub(super) struct Sides {
    opened: Arc<Opened>,
    sides: [ProductBuffers; 2],
}

#[derive(Debug)]
struct ProductBuffers {
    operands: wgpu::Buffer,
    rows: wgpu::Buffer,
}

/// Quads of one operand of a side.
fn quads(rows: usize, bins: usize) -> usize {
    rows.div_ceil(PANEL) * bins.next_multiple_of(STEP) * 2 * PANEL / 4
}

/// Bytes of the operands of a side, and of the other numbers of its rows.
fn bytes(products: &Products, side: usize, rows: &Rows<'_>) -> [u64; 2] {
    let operands = products.operands(side).len();
    let words = Words::new(products.terms().len(), operands, rows.bins());
    let operand_bytes = operands * quads(rows.len(), rows.bins()) * size_of::<[f32; 4]>();
    [operand_bytes as u64, (rows.len().next_multiple_of(PANEL) * words.all() * 4) as u64]
}

impl<'a> Product<'a> {
    /// Takes all rows of two sides, for a device whose buffers may take so much. `None` if the problem has no product, if a
    /// product is not worth it, or if the device lacks what it needs.
    pub(super) fn new(
        opened: &Arc<Opened>,
        cpu: &'a Cpu,
        problem: &Problem,
        [p, q]: [Rows<'a>; 2],
        memory: u64,
    ) -> Result<Option<Self>> {
        let Some(products) = Forms::new(problem).and_then(Products::new) else { return Ok(None) };
        let (device, limits) = (&opened.device, opened.device.device.limits());
        let sizes = [(0, &p), (1, &q)].map(|(side, rows)| bytes(&products, side, rows));
        let (sizes, limit) = (sizes.as_flattened(), device.caps.binding_bytes());
        let bytes = sizes.iter().sum();
        let fits = bytes <= memory / 2
            && sizes.iter().all(|bytes| *bytes <= limit)
            && limits.max_compute_invocations_per_workgroup >= PRODUCT_THREADS
            && limits.max_compute_workgroup_storage_size >= SHARED_BYTES
            && limits.max_storage_buffers_per_shader_stage >= STORAGE_BUFFERS;
        let many = p.len().min(q.len()) >= LIMITS.product_rows && problem.bins <= MOST_BINS;
        if !(fits && many && takes_values(device, problem)) {
            return Ok(None);
        }
        let product = Self::of(cpu, products, [p, q], bytes);
        guarded(opened, || product.sides(opened)).map(|sides| sides.map(|_| product))
    }

    fn of(cpu: &'a Cpu, products: Products, [p, q]: [Rows<'a>; 2], bytes: u64) -> Self {
        Self { cpu, products, p, q, bytes, sides: Mutex::new(None), is_given_up: AtomicBool::new(false) }
    }

    /// The same product over a few other rows. `None` if they have no product.
    pub(super) fn over<'b>(&self, problem: &Problem, sides: [Rows<'b>; 2]) -> Option<Product<'b>>
    where
        'a: 'b,
    {
        Some(Product::of(self.cpu, Forms::new(problem).and_then(Products::new)?, sides, 0))
    }

    /// Frees its memory on the device. The row kernels do the rest.
    pub(crate) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
        *self.sides.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether it is no longer in use.
    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    /// Puts it in use again.
    #[cfg(test)]
    pub(crate) fn take_up(&self) {
        self.is_given_up.store(false, Ordering::Relaxed);
    }

    /// Bytes that both sides take on a device.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Both sides on this device. `None` if the product is given up, which happens if they no longer fit there.
    pub(super) fn sides(&self, opened: &Arc<Opened>) -> Result<Option<Arc<Sides>>> {
        if self.is_given_up() {
            return Ok(None);
        }
        let found = self.find(opened);
        if let Err(Error::DeviceMemory { .. }) = found {
            self.give_up();
            return Ok(None);
        }
        found.map(Some)
    }

    /// The sides that are there, or new ones.
    fn find(&self, opened: &Arc<Opened>) -> Result<Arc<Sides>> {
        let mut kept: MutexGuard<'_, _> = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sides) = kept.as_ref().filter(|sides| Arc::ptr_eq(&sides.opened, opened)) {
            return Ok(Arc::clone(sides));
        }
        // The memory of a lost device is freed first.
        *kept = None;
        let sides = [self.upload(opened, 0, &self.p)?, self.upload(opened, 1, &self.q)?];
        let sides = Arc::new(Sides { opened: Arc::clone(opened), sides });
        *kept = Some(Arc::clone(&sides));
        Ok(sides)
    }

    /// Prepares the rows of a side and sends them, some at a time.
    fn upload(&self, opened: &Arc<Opened>, side: usize, rows: &Rows<'_>) -> Result<ProductBuffers> {
        let (products, device) = (&self.products, &opened.device);
        device.check()?;
        let count = products.operands(side).len();
        let words = Words::new(products.terms().len(), count, rows.bins());
        let [operand_bytes, row_bytes] = bytes(products, side, rows);
        let usage = Usage::STORAGE | Usage::COPY_DST;
        let operands = device.buffer(operand_bytes, usage, false)?;
        let of_rows = device.buffer(row_bytes, usage, false)?;
        let at_once = LIMITS.product_bytes / products.forms().bytes_per_row(rows.bins()).max(1) / PANEL;
        let at_once = at_once.max(1) * PANEL;
        for first in (0..rows.len()).step_by(at_once) {
            let part = rows.slice(first, at_once.min(rows.len() - first));
            let prepared = self.cpu.prepare_in(products.forms(), side, &part, PANEL);
            let slices = self.cpu.install(|| Slices::new(products, side, &prepared, words));
            device.reach(Point::Upload)?;
            let before = quads(first, rows.bins()) * size_of::<[f32; 4]>();
            for (place, operand) in slices.operands.iter().enumerate() {
                let offset = operand_bytes / count.max(1) as u64 * place as u64 + before as u64;
                device.queue.write_buffer(&operands, offset, bytemuck::cast_slice(operand));
            }
            let offset = (first * words.all() * size_of::<u32>()) as u64;
            device.queue.write_buffer(&of_rows, offset, bytemuck::cast_slice(&slices.rows));
            // The queue keeps what it has not sent.
            device.reach(Point::Submit)?;
            device.wait(device.queue.submit([]))?;
        }
        Ok(ProductBuffers { operands, rows: of_rows })
    }
}

/// Encodes the products of some rows of P and of Q.
pub(super) fn prepare(
    opened: &Arc<Opened>,
    problem: &Problem,
    (part, sides): (&ProductTile<'_>, &Sides),
    rows: [usize; 2],
) -> Result<EncodedChunk> {
    let device = &opened.device;
    device.check()?;
    let products = &part.product.products;
    let (kernels, compile_seconds) = opened.product_kernels();
    let mut held = Held::take(opened);
    let mut commands = Commands::new(device);
    device.reach(Point::Upload)?;
    let layout = RecordLayout::new(problem, rows[0] * rows[1], rows[1]);
    let slot = held.slot();
    let usage = if device.shared_memory { Usage::MAP_READ } else { Usage::COPY_SRC };
    let results = slot.results.at_least(device, layout.bytes(), Usage::STORAGE | usage)?;
    let uniform_bytes = aligned(size_of::<ProductParameters>() as u64);
    let uniforms = problem.terms.len() as u64 * uniform_bytes;
    let uniform = slot.params.at_least(device, uniforms, Usage::UNIFORM | Usage::COPY_DST)?;
    if slot.ticks.is_none() && device.has_clock {
        slot.ticks = Some(Ticks::new(device)?);
    }
    let panels = |side: usize| {
        let range = part.first[side]..part.first[side] + rows[side];
        range.end.div_ceil(PANEL) - range.start / PANEL
    };
    let workgroups = panels(0) * panels(1);
    let width = workgroups.min(device.caps.max_workgroups as usize).max(1);
    for (term, of_term) in products.terms().iter().enumerate() {
        let params = params(problem, products, part, rows, (term, layout.stamp));
        let offset = term as u64 * uniform_bytes;
        device.queue.write_buffer(&uniform, offset, bytemuck::bytes_of(&params));
        let bound = |binding, buffer, offset, size| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size }),
        };
        let [p, q] = &sides.sides;
        let all = |binding, buffer| bound(binding, buffer, 0, None);
        let of_results = bound(4, &results, 0, std::num::NonZero::new(layout.bytes()));
        let of_uniform = bound(5, &uniform, offset, std::num::NonZero::new(size_of::<ProductParameters>() as u64));
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("product"),
            layout: &kernels.bindings,
            entries: &[
                all(0, &p.operands),
                all(1, &q.operands),
                all(2, &p.rows),
                all(3, &q.rows),
                of_results,
                of_uniform,
            ],
        });
        let ticks = slot.ticks.as_ref().and_then(|ticks| ticks.writes(term == 0, false));
        let descriptor = wgpu::ComputePassDescriptor { label: Some("product"), timestamp_writes: ticks };
        let mut pass = commands.encoder.begin_compute_pass(&descriptor);
        pass.set_pipeline(&kernels.by_products[of_term.products.len() - 1]);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(width as u32, workgroups.div_ceil(width) as u32, 1);
    }
    Ok(EncodedChunk { held, commands, results, spent: Spent { compile_seconds, ..Spent::default() }, layout })
}

/// The uniform of one term.
fn params(
    problem: &Problem,
    products: &Products,
    part: &ProductTile<'_>,
    rows: [usize; 2],
    (term, stamp): (usize, u16),
) -> ProductParameters {
    let bins = problem.bins.next_multiple_of(STEP);
    let [p, q] = [0, 1].map(|side| Words::new(products.terms().len(), products.operands(side).len(), problem.bins));
    let uses = |slots: &&Slots| slots.first == term || slots.second == Some(term);
    let is_infinite =
        |bits: &u32| problem.slots.iter().filter(uses).all(|slots| slots.infinite.on(Support::from_bits(*bits)));
    // The roundings that each number of a side goes through: a product, two sums of a bin, the sums of a step and of all steps.
    let roundings = 2 * STEP + 4 + bins / STEP;
    let mut params = ProductParameters {
        rows: rows[0] as u32,
        columns: rows[1] as u32,
        first_row: part.first[0] as u32,
        first_column: part.first[1] as u32,
        bins: bins as u32,
        stamp: u32::from(stamp),
        record: (RECORD_HEAD + problem.terms.len()) as u32,
        word: (RECORD_HEAD + term) as u32,
        is_first: u32::from(term == 0),
        infinite: (0..8).filter(is_infinite).map(|bits| 1 << bits).sum(),
        p_words: p.all() as u32,
        q_words: q.all() as u32,
        constants: p.term(term) as u32,
        p_operands: p.operands() as u32,
        q_operands: q.operands() as u32,
        p_present: p.present() as u32,
        q_present: q.present() as u32,
        present_words: p.present_words() as u32,
        p_quads: quads(part.product.p.len(), problem.bins) as u32,
        q_quads: quads(part.product.q.len(), problem.bins) as u32,
        rounding: roundings as f32 * f32::EPSILON / 2.0,
        trusted: TRUSTED,
        ..ProductParameters::default()
    };
    for (to, (places, factor)) in params.product.iter_mut().zip(&products.terms()[term].products) {
        let high = *factor as f32;
        let low = (factor - f64::from(high)) as f32;
        *to = [places[0] as u32, places[1] as u32, high.to_bits(), low.to_bits()];
    }
    params
}

/// Some rows of each side of a call.
impl<'a> ProductTile<'a> {
    /// The rows of a chunk, by its rows on either side.
    pub(crate) fn of(self, [p, q]: &[Range<usize>; 2]) -> Self {
        Self { first: [self.first[0] + p.start, self.first[1] + q.start], ..self }
    }
}
