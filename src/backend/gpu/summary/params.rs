//! The uniform of the summary's kernels: the twin of `shaders/summary/params.wgsl`, field by field.

use bytemuck::{Pod, Zeroable};
use kullback_kernels::measures::definition::Definition;

use super::{MOST_FOR_THE_HOST, MOST_MEASURES};
use crate::backend::gpu::collect::trusted_from;
use crate::backend::gpu::constants::{NO_SECOND, RECORD_HEAD};
use crate::plan::Shape;
use crate::plan::kernel_key::{TERMS_PER_DISPATCH, takes_usual};
use kullback_kernels::measures::Term;
use kullback_kernels::measures::finish::{Finisher, Support};
use kullback_kernels::problem::Problem;

/// One measure, as in `shaders/summary/params.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(in crate::backend::gpu) struct Measure {
    pub(in crate::backend::gpu) first: u32,
    pub(in crate::backend::gpu) second: u32,
    pub(in crate::backend::gpu) infinite: u32,
    pub(in crate::backend::gpu) form: u32,
    pub(in crate::backend::gpu) most: f32,
    pub(in crate::backend::gpu) factor: f32,
    pub(in crate::backend::gpu) sign: f32,
    pub(in crate::backend::gpu) pad: u32,
}

/// The uniform of the kernels, as in the same file.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(in crate::backend::gpu) struct Params {
    pub(in crate::backend::gpu) rows: u32,
    pub(in crate::backend::gpu) parts: u32,
    pub(in crate::backend::gpu) record: u32,
    pub(in crate::backend::gpu) terms: u32,
    pub(in crate::backend::gpu) measures: u32,
    pub(in crate::backend::gpu) usual: u32,
    pub(in crate::backend::gpu) zero: u32,
    pub(in crate::backend::gpu) stamp: u32,
    pub(in crate::backend::gpu) first_row: u32,
    pub(in crate::backend::gpu) capacity: u32,
    pub(in crate::backend::gpu) top: u32,
    pub(in crate::backend::gpu) pairs: u32,
    pub(in crate::backend::gpu) source: u32,
    pub(in crate::backend::gpu) result: u32,
    pub(in crate::backend::gpu) surprise: u32,
    pub(in crate::backend::gpu) blocks: u32,
    pub(in crate::backend::gpu) columns: u32,
    pub(in crate::backend::gpu) first_column: u32,
    pub(in crate::backend::gpu) itself: u32,
    pub(in crate::backend::gpu) pad_0: u32,
    pub(in crate::backend::gpu) trusted: [[f32; 4]; TERMS_PER_DISPATCH / 4],
    pub(in crate::backend::gpu) measure: [Measure; MOST_MEASURES],
}

impl Params {
    /// The fields that are the same for every chunk.
    pub(in crate::backend::gpu) fn new(problem: &Problem, top: usize) -> Self {
        let usual = takes_usual(problem, Shape::of(problem));
        let mut params = Self {
            parts: Shape::of(problem).parts(),
            record: (RECORD_HEAD + problem.terms.len()) as u32,
            terms: problem.terms.len() as u32,
            measures: problem.slots.len() as u32,
            usual: u32::from(usual),
            capacity: MOST_FOR_THE_HOST as u32,
            top: top as u32,
            ..Self::default()
        };
        for (i, term) in problem.terms.iter().enumerate() {
            params.trusted[i / 4][i % 4] = trusted_from(*term, usual).min(f64::from(f32::MAX)) as f32;
            let surprises = matches!(term, Term::CrossEntropy | Term::Entropy);
            params.surprise |= u32::from(surprises) << i;
        }
        for (to, slots) in params.measure.iter_mut().zip(&problem.slots) {
            let infinite = |support| u32::from(slots.infinite.on(Support::from_bits(support))) << support;
            let (form, most, sign, divisor) = match slots.measure.finisher(problem.unit) {
                Finisher::Scaled { most, divisor, root } => (u32::from(root), most, 1.0, divisor),
                Finisher::PowerSum { divisor } => (0, f64::INFINITY, 1.0, divisor),
                Finisher::Logarithm { sign, factor, ln_base } => (2, f64::INFINITY, sign, factor * ln_base),
            };
            *to = Measure {
                first: slots.first as u32,
                second: slots.second.map_or(NO_SECOND, |second| second as u32),
                infinite: (0..8).map(infinite).sum(),
                form,
                most: most.min(f64::from(f32::MAX)) as f32,
                factor: (1.0 / divisor) as f32,
                sign: sign as f32,
                ..Measure::default()
            };
        }
        params
    }
}
