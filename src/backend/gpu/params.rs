//! The uniform of a dispatch: the twin of `struct Params` in `shaders/lib/params.wgsl`, field by field.

use bytemuck::{Pod, Zeroable};

use super::constants::RECORD_HEAD;

use crate::plan::Shape;
use crate::plan::kernel_key::{SPLIT_BINS, TERMS_PER_DISPATCH};
use kullback_kernels::measures::Term;
use kullback_kernels::measures::scan::unit_of;
use kullback_kernels::problem::{Pairing, Problem};
use kullback_kernels::zeros::Zeros;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct RowParameters {
    pub(super) rows: u32,
    pub(super) bins: u32,
    pub(super) p_stride: u32,
    pub(super) q_stride: u32,
    pub(super) parts: u32,
    pub(super) part_bins: u32,
    pub(super) zero: u32,
    pub(super) record: u32,
    pub(super) policy_high: f32,
    pub(super) policy_low: f32,
    pub(super) p_first: u32,
    pub(super) q_first: u32,
    pub(super) stamp: u32,
    pub(super) columns: u32,
    pub(super) width_unit: f32,
    pub(super) within: u32,
    pub(super) orders: [[f32; 4]; TERMS_PER_DISPATCH],
}

impl RowParameters {
    /// The parameters of one dispatch over `rows` rows of the result. `first` is the element at which each side begins in its
    /// buffer.
    pub(super) fn new(problem: &Problem, terms: &[Term], shape: Shape, rows: usize, first: [u32; 2]) -> Self {
        let number = match problem.zeros {
            Zeros::Exact | Zeros::Skip => 0.0,
            Zeros::Epsilon(x) | Zeros::Additive(x) | Zeros::Floor(x) => x,
            Zeros::Mix(share) => share / (1.0 - share),
        };
        let policy_high = number as f32;
        let mut orders = [[0.0; 4]; TERMS_PER_DISPATCH];
        for (slot, term) in orders.iter_mut().zip(terms) {
            if let Some(order) = term.order() {
                let exponent = order.exponent();
                // Twelve bits: the product with a power of two of a ratio is exact. A ratio of 2¹⁰⁰ makes a hundred times as
                // much of an error of the rest, so the rest is a float of its own.
                let leading = f32::from_bits((exponent as f32).to_bits() & 0xffff_f000);
                *slot = [order.a as f32, order.b as f32, (exponent - f64::from(leading)) as f32, leading];
            }
        }
        let parts = shape.parts();
        let bins = problem.bins as u32;
        // At most MAX_PARTS parts are made; beyond that each part reads more bins.
        let part_bins = if parts == 1 { bins } else { bins.div_ceil(parts).max(SPLIT_BINS) };
        let stride = |shared: bool| if shared { 0 } else { bins };
        Self {
            rows: rows as u32,
            bins,
            p_stride: stride(problem.pairing == Pairing::OneP),
            q_stride: stride(problem.pairing == Pairing::OneQ),
            parts,
            part_bins,
            zero: 0,
            record: (RECORD_HEAD + terms.len()) as u32,
            policy_high,
            policy_low: (number - f64::from(policy_high)) as f32,
            p_first: first[0],
            q_first: first[1],
            stamp: 0,
            columns: 0,
            width_unit: unit_of(&problem.positions, problem.bins) as f32,
            within: u32::from(problem.positions.len() > problem.bins),
            orders,
        }
    }
}
