//! Shader source by plain concatenation: library + zero policy + measures + skeleton, and a few lines of glue that name the
//! weight types, the switches and the terms of the slots.

use std::fmt::Write as _;

use super::constants;
use crate::plan::KernelKey;
use crate::plan::kernel_key::{Reads, ZerosKind};
use kullback_kernels::arithmetic::lanes::Real;
use kullback_kernels::measures::TermKind;
use kullback_kernels::measures::facts::TermFacts;
use kullback_kernels::weights::WeightType;

const LIBRARY: [&str; 5] = [
    include_str!("../../../shaders/lib/params.wgsl"),
    include_str!("../../../shaders/lib/weights.wgsl"),
    include_str!("../../../shaders/lib/two_part.wgsl"),
    include_str!("../../../shaders/lib/series.wgsl"),
    include_str!("../../../shaders/lib/contrast.wgsl"),
];
const MEASURES: [&str; 12] = [
    include_str!("../../../shaders/measures/kl.wgsl"),
    include_str!("../../../shaders/measures/jeffreys.wgsl"),
    include_str!("../../../shaders/measures/js.wgsl"),
    include_str!("../../../shaders/measures/lin_k.wgsl"),
    include_str!("../../../shaders/measures/skew_js.wgsl"),
    include_str!("../../../shaders/measures/pooled_js.wgsl"),
    include_str!("../../../shaders/measures/hellinger.wgsl"),
    include_str!("../../../shaders/measures/tv.wgsl"),
    include_str!("../../../shaders/measures/chi2.wgsl"),
    include_str!("../../../shaders/measures/triangular.wgsl"),
    include_str!("../../../shaders/measures/power.wgsl"),
    include_str!("../../../shaders/measures/entropy.wgsl"),
];
const REDUCE_WORKGROUP: &str = include_str!("../../../shaders/lib/reduce_workgroup.wgsl");
const REDUCE_SUBGROUP: &str = include_str!("../../../shaders/lib/reduce_subgroup.wgsl");
const REDUCE: &str = include_str!("../../../shaders/lib/reduce.wgsl");
const ROWWISE: &str = include_str!("../../../shaders/lib/rowwise.wgsl");
const WHOLE: &str = include_str!("../../../shaders/rowwise_whole.wgsl");
const USUAL: &str = include_str!("../../../shaders/rowwise_usual.wgsl");
const SCAN: &str = concat!(
    include_str!("../../../shaders/lib/step.wgsl"),
    include_str!("../../../shaders/measures/w1.wgsl"),
    include_str!("../../../shaders/measures/ks.wgsl"),
    include_str!("../../../shaders/rowwise_scan.wgsl")
);
const SPLIT: &str = include_str!("../../../shaders/rowwise_split.wgsl");

/// The source of one zero policy.
fn zeros(kind: ZerosKind) -> &'static str {
    match kind {
        ZerosKind::Exact => include_str!("../../../shaders/zeros/exact.wgsl"),
        ZerosKind::Epsilon => include_str!("../../../shaders/zeros/epsilon.wgsl"),
        ZerosKind::Additive => include_str!("../../../shaders/zeros/additive.wgsl"),
        ZerosKind::Floor => include_str!("../../../shaders/zeros/floor.wgsl"),
        ZerosKind::Mix => include_str!("../../../shaders/zeros/mix.wgsl"),
        ZerosKind::Skip => include_str!("../../../shaders/zeros/skip.wgsl"),
    }
}

/// The call that evaluates a term in a slot.
fn term_call(kind: TermKind, slot: usize) -> String {
    match (kind.facts().shader, kind.has_order()) {
        // A row in which it is not 0 is rescued: only the 64-bit kernel ever needs it.
        (None, _) => "0.0".to_owned(),
        (Some(function), false) => format!("{function}(c)"),
        (Some(function), true) => format!("{function}(c, params.orders[{slot}])"),
    }
}

/// The binding of a side and its functions. `fn load_p(i)` decodes element i from its word. `bits_p(i)` gives it as the bits of
/// a float. With `quads`, `quad_p(i)` gives the bits of four elements from one load, if i is a multiple of four.
fn load(side: char, weight_type: WeightType, quads: bool) -> String {
    let binding = u32::from(side == 'q');
    let (shift, mask) = match weight_type.size() {
        1 => (2, 3),
        2 => (1, 1),
        _ => (0, 0),
    };
    let decode = weight_type.name();
    // The type that holds four elements, a word of it, and its words and parts.
    let (quad, word, parts) = match (quads, weight_type.size()) {
        (false, _) => ("u32", format!("{side}_words[i >> {shift}u]"), None),
        (true, 1) => ("u32", format!("{side}_words[i >> 2u]"), Some([("w", 0), ("w", 1), ("w", 2), ("w", 3)])),
        (true, 2) => (
            "vec2<u32>",
            format!("{side}_words[i >> 2u][(i >> 1u) & 1u]"),
            Some([("w.x", 0), ("w.x", 1), ("w.y", 0), ("w.y", 1)]),
        ),
        (true, _) => (
            "vec4<u32>",
            format!("{side}_words[i >> 2u][i & 3u]"),
            Some([("w.x", 0), ("w.y", 0), ("w.z", 0), ("w.w", 0)]),
        ),
    };
    let mut text = format!(
        "@group(0) @binding({binding}) var<storage, read> {side}_words: array<{quad}>;\n\
         fn load_{side}(i: u32) -> Weight {{ return decode_{decode}({word}, i & {mask}u); }}\n\
         fn bits_{side}(i: u32) -> u32 {{ return bits_{decode}({word}, i & {mask}u); }}\n"
    );
    if let Some(parts) = parts {
        let parts = parts.map(|(word, part)| format!("bits_{decode}({word}, {part}u)")).join(", ");
        let _ = writeln!(
            text,
            "fn quad_{side}(i: u32) -> vec4<u32> {{ let w = {side}_words[i >> 2u]; return vec4<u32>({parts}); }}"
        );
    }
    text
}

/// A polynomial by Horner's rule, from the coefficients that the CPU uses.
fn polynomial(name: &str, coefficients: &[f32]) -> String {
    let mut body = String::new();
    for c in coefficients {
        // Debug prints a float so that it reads back as itself, always with a point or an exponent.
        let _ = write!(body, "{c:?} + x * (");
    }
    format!("fn {name}(x: f32) -> f32 {{ return {body}0.0{}; }}\n", ")".repeat(coefficients.len()))
}

/// Every polynomial, and the numbers of the series.
fn series(text: &mut String) {
    constants::series(text);
    text.push_str(&polynomial("atanh_tail", f32::ATANH_TAIL));
    text.push_str(&polynomial("jensen_shannon", f32::JENSEN_SHANNON));
    text.push_str(&polynomial("ln_one_plus", f32::LN_ONE_PLUS));
    text.push_str(&polynomial("exp_tail", f32::EXP_TAIL));
}

fn glue(key: &KernelKey) -> String {
    let mut text = String::new();
    let any = |needs: fn(&TermFacts) -> bool| key.terms.iter().flatten().any(|kind| needs(kind.facts()));
    let needs_log = any(|term| term.log);
    // Rows that are not usual use the triangular discrimination as a yardstick.
    let needs_z = key.usual.is_none() || any(|term| term.z);
    let terms = key.terms.iter().flatten().count();
    let _ = writeln!(text, "const TERMS: u32 = {terms}u;");
    for (name, value) in [
        ("NEEDS_LOG", needs_log),
        ("NEEDS_Z", needs_z),
        ("POOLED", any(|term| term.pooled)),
        ("SKIPS", key.zeros == ZerosKind::Skip),
        ("FLOORS", key.zeros == ZerosKind::Floor),
        ("ADDS", key.zeros == ZerosKind::Additive),
        ("FILLS", key.zeros != ZerosKind::Exact),
        ("EPSILON", key.zeros == ZerosKind::Epsilon),
    ] {
        let _ = writeln!(text, "const {name}: bool = {value};");
    }
    let quads = key.usual.is_some_and(Reads::is_in_quads);
    text.push_str(&load('p', key.p, quads));
    text.push_str(&load('q', key.q, quads));
    series(&mut text);
    text.push_str("fn add_terms(sums: ptr<function, Sums>, c: Contrast) {\n");
    let is_sum =
        |(slot, kind): (usize, &Option<TermKind>)| Some((slot, (*kind)?)).filter(|(_, kind)| !kind.facts().scan);
    for (slot, kind) in key.terms.iter().enumerate().filter_map(is_sum) {
        let _ = writeln!(text, "    (*sums).{} += {};", part_of(slot), term_call(kind, slot));
    }
    text.push_str("}\n");
    let pooled = |kind: &Option<TermKind>| kind.is_some_and(|kind| kind.facts().pooled);
    let sum = key.terms.iter().position(pooled).map_or("0.0".to_owned(), |slot| format!("sums.{}", part_of(slot)));
    let _ = writeln!(text, "fn pooled_sum(sums: Sums) -> f32 {{ return {sum}; }}");
    text
}

/// What a scan does with its terms: takes a step, fuses what two threads have found, asks whether all of it is to be trusted, and
/// puts it into the sums of a record.
fn scan(text: &mut String, key: &KernelKey) {
    let terms = || key.terms.iter().enumerate().filter_map(|(slot, kind)| Some((part_of(slot), (*kind)?)));
    let function = |kind: TermKind| kind.facts().shader.unwrap_or_default();
    text.push_str("fn take_step(found: ptr<function, Running>, step: Step) {\n");
    for (part, kind) in terms() {
        let _ = write!(
            text,
            "    {{ let next = {0}_step(TwoPart((*found).sums.{part}, (*found).lost.{part}), step);\n\
             \x20     (*found).sums.{part} = next.high; (*found).lost.{part} = next.low; }}\n",
            function(kind)
        );
    }
    text.push_str("}\nfn fuse(a: Running, b: Running) -> Running {\n    var all = a;\n");
    for (part, kind) in terms() {
        let _ = write!(
            text,
            "    {{ let both = {0}_fuse(TwoPart(a.sums.{part}, a.lost.{part}), TwoPart(b.sums.{part}, b.lost.{part}));\n\
             \x20     all.sums.{part} = both.high; all.lost.{part} = both.low; }}\n",
            function(kind)
        );
    }
    text.push_str("    return all;\n}\nfn is_trusted(found: Running, least: f32) -> bool {\n    return true");
    for (part, _) in terms() {
        let _ = write!(text, " && found.sums.{part} >= least");
    }
    text.push_str(";\n}\nfn put_found(sums: ptr<function, Sums>, found: Running) {\n");
    for (part, kind) in terms() {
        let unit = if kind == TermKind::W1 { " * params.width_unit" } else { "" };
        let _ = writeln!(text, "    (*sums).{part} = (found.sums.{part} + found.lost.{part}){unit};");
    }
    text.push_str("}\n");
}

/// Where the sum of a slot lies.
fn part_of(slot: usize) -> String {
    format!("{}.{}", ["first", "second"][slot / 4], ["x", "y", "z", "w"][slot % 4])
}

/// The source of the kernels that make a summary of records.
pub(super) fn summary() -> String {
    let mut text = [
        include_str!("../../../shaders/summary/params.wgsl"),
        include_str!("../../../shaders/lib/two_part.wgsl"),
        include_str!("../../../shaders/lib/series.wgsl"),
        include_str!("../../../shaders/summary/values.wgsl"),
        include_str!("../../../shaders/summary/blocks.wgsl"),
        include_str!("../../../shaders/summary/top.wgsl"),
        include_str!("../../../shaders/summary/sums.wgsl"),
        include_str!("../../../shaders/summary/nearest.wgsl"),
    ]
    .join("\n");
    series(&mut text);
    constants::summaries(&mut text);
    text
}

/// The source that asks a device about its arithmetic.
pub(super) fn arithmetic() -> String {
    let mut text =
        [include_str!("../../../shaders/probe/arithmetic.wgsl"), include_str!("../../../shaders/lib/two_part.wgsl")]
            .join("\n");
    constants::probe(&mut text);
    text
}

/// The source that asks a device about its subgroups.
pub(super) fn subgroups() -> String {
    let mut text = include_str!("../../../shaders/probe/subgroups.wgsl").to_owned();
    constants::probe(&mut text);
    text
}

/// The source of the kernel of products.
pub(super) fn product() -> String {
    let mut text =
        [include_str!("../../../shaders/pairs/product.wgsl"), include_str!("../../../shaders/lib/two_part.wgsl")]
            .join("\n");
    constants::products(&mut text);
    text
}

/// The source of a kernel.
pub(super) fn source(key: &KernelKey) -> String {
    let mut text = LIBRARY.join("\n");
    constants::rowwise(&mut text);
    for measure in MEASURES {
        text.push_str(measure);
    }
    text.push_str(&glue(key));
    text.push_str(ROWWISE);
    text.push_str(REDUCE);
    text.push_str(zeros(key.zeros));
    text.push_str(if key.subgroups { REDUCE_SUBGROUP } else { REDUCE_WORKGROUP });
    if key.is_scan() {
        scan(&mut text, key);
        text.push_str(SCAN);
        return text;
    }
    match (key.split, key.usual) {
        (true, _) => text.push_str(SPLIT),
        (false, None) => text.push_str(WHOLE),
        (false, Some(reads)) => {
            text.push_str(USUAL);
            text.push_str(self::reads(reads));
        }
    }
    text
}

/// The source of one way to read a row.
fn reads(reads: Reads) -> &'static str {
    match reads {
        Reads::Single => include_str!("../../../shaders/reads/single.wgsl"),
        Reads::Streamed => {
            concat!(
                include_str!("../../../shaders/reads/quads.wgsl"),
                include_str!("../../../shaders/reads/streamed.wgsl")
            )
        }
        Reads::Held => {
            concat!(include_str!("../../../shaders/reads/quads.wgsl"), include_str!("../../../shaders/reads/held.wgsl"))
        }
    }
}
