//! The uniform of the summary's kernels: the twin of `shaders/summary/params.wgsl`, field by field.

use bytemuck::{Pod, Zeroable};
use kullback_kernels::measures::definition::Definition;

use crate::backend::gpu::collect::trusted_from;
use crate::backend::gpu::constants::{NO_SECOND, RECORD_HEAD};
use crate::plan::Shape;
use crate::plan::kernel_key::{TERMS_PER_DISPATCH, takes_usual};
use kullback_kernels::measures::Term;
use kullback_kernels::measures::finish::{Finisher, Support};
use kullback_kernels::problem::Problem;

/// The most measures of a call: each has a table on the device.
pub(crate) const MOST_MEASURES: usize = 4;
/// The most rows of a call that can be left to the host.
pub(crate) const MOST_FOR_THE_HOST: usize = 1 << 16;

/// One measure, as in `shaders/summary/params.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Measure {
    pub(crate) first: u32,
    pub(crate) second: u32,
    pub(crate) infinite: u32,
    pub(crate) form: u32,
    pub(crate) most: f32,
    pub(crate) factor: f32,
    pub(crate) sign: f32,
    pub(crate) pad: u32,
}

/// The uniform of the kernels, as in the same file.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct SummaryParameters {
    pub(crate) rows: u32,
    pub(crate) parts: u32,
    pub(crate) record: u32,
    pub(crate) terms: u32,
    pub(crate) measures: u32,
    pub(crate) usual: u32,
    pub(crate) zero: u32,
    pub(crate) stamp: u32,
    pub(crate) first_row: u32,
    pub(crate) capacity: u32,
    pub(crate) top: u32,
    pub(crate) pairs: u32,
    pub(crate) source: u32,
    pub(crate) result: u32,
    pub(crate) surprise: u32,
    pub(crate) blocks: u32,
    pub(crate) columns: u32,
    pub(crate) first_column: u32,
    pub(crate) itself: u32,
    pub(crate) pad_0: u32,
    pub(crate) trusted: [[f32; 4]; TERMS_PER_DISPATCH / 4],
    pub(crate) measure: [Measure; MOST_MEASURES],
}

impl SummaryParameters {
    /// The fields that are the same for every chunk.
    pub(crate) fn new(problem: &Problem, top: usize) -> Self {
        let usual = takes_usual(problem, &problem.terms, Shape::of(problem));
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
