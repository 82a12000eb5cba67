//! The numbers that shaders and the host share, written once and declared to WGSL.

use std::fmt::Write as _;

use crate::backend::found::NoValue;
use crate::plan::kernel_key;
use kullback_kernels::arithmetic::lanes::Real;
use kullback_kernels::arithmetic::pooled::LEAST_POOLED;
use kullback_kernels::measures::Term;
use kullback_kernels::measures::finish::Support;
use kullback_kernels::measures::trust::LEAST_SURPRISE;
use kullback_kernels::row_sums::RowFlags;

/// The totals were in a power-of-two ratio and the policy added nothing, so that u is exact; of the kernel for usual
/// rows: and u is 0 in every bin. A flag beside those of [`RowFlags`], which no other module sees.
pub(super) const EXACT: u32 = 256;
/// Sums above this may have lost an overflow: the kernel keeps every term below the largest float.
pub(super) const LARGEST: f64 = (1u32 << 28) as f64;
/// Below this triangular discrimination a row whose totals are not in a power-of-two ratio is computed again. An error ε of
/// each u makes one of at most ε·√(2/Δ) of a sum Δ of second order (by Cauchy and Schwarz, with p·r at most half of p·r + q
/// where the two are near): 1.6e-7 here.
pub(super) const LEAST: f64 = 1e-6;

/// The least term, beside Q and in the unit of the widths, of a row whose bins are taken in their order. The parts of F − G are good
/// to 2⁻⁴¹ of Q at the worst, and the error of an integral is at most twice that: 1.2e-7 of the value here.
pub(super) const LEAST_SCAN: f64 = 1.0 / (1u32 << 17) as f64;

/// Words of one result record before those of its terms: flags, yardstick, two of the total.
pub(super) const RECORD_HEAD: usize = 4;
/// Words of one record of partial totals.
pub(super) const PARTIAL_WORDS: usize = 8;

/// Words of a question to a device, of its answer, and of the answer of each thread of a subgroup.
pub(super) const QUESTION_WORDS: usize = 16;
pub(super) const ANSWER_WORDS: usize = 32;
pub(super) const LANE_ANSWER_WORDS: usize = 16;

/// Rows of a panel of products, the bins that are multiplied at once, and the threads that do it.
pub(super) const PANEL: usize = 64;
pub(super) const STEP: usize = 16;
pub(super) const PRODUCT_THREADS: u32 = 256;
/// What the words of a row say of it: it can be multiplied; none of its bins is empty.
pub(super) const USABLE: u32 = 1;
pub(super) const FULL: u32 = 2;

/// There is no second sum.
pub(super) const NO_SECOND: u32 = u32::MAX;
/// Words of the state of a summary before its list of rows for the host.
pub(super) const STATE_WORDS: usize = 8;
/// Buckets of a table; the bits of 2⁻⁹⁶, where they begin; how many of a value's bits a bucket leaves out.
pub(super) const BUCKETS: usize = 1 << 23;
pub(super) const LOWEST: u32 = 0x0f80_0000;
pub(super) const BUCKET_SHIFT: u32 = 7;
/// Buckets of which the device adds up the counts, so that the host can find its way.
pub(crate) const TOGETHER: usize = 1024;
/// Values of a block, and the words of what is said of it.
pub(super) const BLOCK: usize = 8192;
pub(super) const BLOCK_WORDS: usize = 6;
/// Values that a workgroup sorts at once.
pub(super) const SORTED: usize = 1024;
/// Distances from a mean are kept in this unit: values lie between 2⁻⁹⁶ and 2³², and the squares of small distances would be
/// subnormal numbers.
pub(super) const DISTANCE_UNIT: f64 = 1.0 / (1u32 << 24) as f64;

/// A number of a shader.
enum Number {
    Word(u32),
    Float(f32),
}
use Number::{Float, Word};

fn declare(text: &mut String, numbers: &[(&str, Number)]) {
    for (name, number) in numbers {
        // Debug prints a float so that it reads back as itself, always with a point or an exponent.
        let _ = match number {
            Word(word) => writeln!(text, "const {name}: u32 = {word}u;"),
            Float(float) => writeln!(text, "const {name}: f32 = {float:?};"),
        };
    }
}

fn word(n: usize) -> Number {
    Word(n as u32)
}

/// What a kernel says of a row: the bits of [`RowFlags`].
fn flags(text: &mut String) {
    declare(
        text,
        &[
            ("COMMON", Word(Support::COMMON.bits())),
            ("ONLY_P", Word(Support::ONLY_P.bits())),
            ("ONLY_Q", Word(Support::ONLY_Q.bits())),
            ("EMPTY", Word(RowFlags::EMPTY)),
            ("INVALID_P", Word(RowFlags::INVALID_P)),
            ("INVALID_Q", Word(RowFlags::INVALID_Q)),
            ("POLICY", Word(RowFlags::POLICY)),
            ("RESCUE", Word(RowFlags::RESCUE)),
            ("EXACT", Word(EXACT)),
        ],
    );
}

/// Those of the rowwise kernels.
pub(super) fn rowwise(text: &mut String) {
    flags(text);
    declare(
        text,
        &[
            ("WORKGROUP", Word(kernel_key::WORKGROUP)),
            ("TOTALS_WORDS", word(PARTIAL_WORDS)),
            ("TINY", Float(f32::TINY)),
            ("LEAST_SCAN", Float(LEAST_SCAN as f32)),
            ("LEAST_POOLED", Float(LEAST_POOLED as f32)),
            ("TRUSTED_POOLED", Float(Term::PooledJs.trusted_from::<f32>(false) as f32)),
        ],
    );
}

/// Those of the kernels of products.
pub(super) fn products(text: &mut String) {
    flags(text);
    declare(
        text,
        &[
            ("PANEL", word(PANEL)),
            ("STEP", word(STEP)),
            ("WORKGROUP", Word(PRODUCT_THREADS)),
            ("USABLE", Word(USABLE)),
            ("FULL", Word(FULL)),
        ],
    );
}

/// Those of the kernels that make a summary.
pub(super) fn summaries(text: &mut String) {
    flags(text);
    declare(
        text,
        &[
            ("WORKGROUP", Word(kernel_key::WORKGROUP)),
            ("HEAD", word(RECORD_HEAD)),
            ("NONE", Word(NO_SECOND)),
            ("LIST", word(STATE_WORDS)),
            ("NO_VALUE", Word(NoValue::FROM)),
            ("STATUS_EMPTY", Word(NoValue::EMPTY)),
            ("STATUS_INVALID", Word(NoValue::INVALID)),
            ("LOWEST", Word(LOWEST)),
            ("BUCKET_SHIFT", Word(BUCKET_SHIFT)),
            ("BUCKETS", word(BUCKETS)),
            ("BLOCK", word(BLOCK)),
            ("BLOCK_WORDS", word(BLOCK_WORDS)),
            ("SORTED", word(SORTED)),
            ("TOGETHER", word(TOGETHER)),
            ("UNIT", Float((1.0 / DISTANCE_UNIT) as f32)),
            ("LARGEST", Word((LARGEST as f32).to_bits())),
            ("LEAST", Float(LEAST as f32)),
            ("LEAST_SURPRISE", Float(LEAST_SURPRISE as f32)),
        ],
    );
}

/// Those of the shaders that ask a device what it is.
pub(super) fn probe(text: &mut String) {
    declare(
        text,
        &[
            ("WORKGROUP", Word(kernel_key::WORKGROUP)),
            ("QUESTION", word(QUESTION_WORDS)),
            ("ANSWER", word(ANSWER_WORDS)),
            ("LANE_ANSWER", word(LANE_ANSWER_WORDS)),
        ],
    );
}

/// That of the series: what stands in for an empty bin.
pub(super) fn series(text: &mut String) {
    declare(text, &[("NOTHING", Float(f32::NOTHING))]);
}
