//! Every combination of shader pieces parses and agrees with the host, without a device.

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::params::RowParameters;
use super::probe::ProbeParameters;
use super::product::ProductParameters;
use super::shaders;
use super::summary::{BlockMoments, Measure, SummaryParameters};
use crate::plan::KernelKey;
use crate::plan::kernel_key::{Reads, TERMS_PER_DISPATCH, ZerosKind};
use kullback_kernels::measures::TermKind;
use kullback_kernels::weights::WeightType;

const NARROW: [WeightType; 7] = [
    WeightType::F32,
    WeightType::F16,
    WeightType::Bf16,
    WeightType::U8,
    WeightType::U16,
    WeightType::U32,
    WeightType::I32,
];

fn keys() -> impl Iterator<Item = KernelKey> {
    let (scans, others): (Vec<TermKind>, Vec<TermKind>) = TermKind::ALL.iter().partition(|kind| kind.facts().scan);
    let mut term_sets: Vec<[Option<TermKind>; TERMS_PER_DISPATCH]> = Vec::new();
    for kinds in others.chunks(TERMS_PER_DISPATCH).chain([&scans[..], &scans[1..]]) {
        term_sets.push(std::array::from_fn(|i| kinds.get(i).copied()));
    }
    let mut keys = Vec::new();
    for (i, p) in NARROW.into_iter().enumerate() {
        for zeros in ZerosKind::ALL {
            for &terms in &term_sets {
                for (split, subgroups) in [(false, false), (false, true), (true, false), (true, true)] {
                    let q = NARROW[(i + 1) % NARROW.len()];
                    let key = KernelKey { p, q, zeros, terms, threads: 128, split, usual: None, subgroups };
                    if key.is_scan() {
                        keys.extend((!split).then_some(key));
                        continue;
                    }
                    keys.push(key);
                    if zeros == ZerosKind::Exact && !split {
                        for reads in [Reads::Single, Reads::Streamed, Reads::Held] {
                            keys.push(KernelKey { usual: Some(reads), ..key });
                        }
                    }
                }
            }
        }
    }
    keys.into_iter()
}

fn parse(key: &KernelKey) -> naga::Module {
    let source = shaders::source(key);
    naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{key:?}\n{}", e.emit_to_string(&source)))
}

#[test]
fn every_combination_parses_and_validates() {
    let mut count = 0;
    for key in keys() {
        let module = parse(&key);
        Validator::new(ValidationFlags::all(), Capabilities::all())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{key:?}: {e:?}"));
        count += 1;
    }
    assert!(count > 300, "only {count} combinations");
}

#[test]
fn bindings_and_struct_offsets_match_the_host() {
    for key in keys() {
        let module = parse(&key);
        let bindings: Vec<u32> =
            module.global_variables.iter().filter_map(|(_, v)| v.binding.as_ref().map(|b| b.binding)).collect();
        let bindings: std::collections::BTreeSet<u32> = bindings.into_iter().collect();
        assert_eq!(bindings.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4], "{key:?}");
        let (_, params) =
            module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).expect("the shader declares Params");
        let naga::TypeInner::Struct { members, span } = &params.inner else { panic!("Params is a struct") };
        let offsets: Vec<(&str, usize)> =
            members.iter().map(|m| (m.name.as_deref().unwrap_or(""), m.offset as usize)).collect();
        macro_rules! fields {
            ($($field:ident),*) => { vec![$((stringify!($field), std::mem::offset_of!(RowParameters, $field))),*] };
        }
        let host = fields!(
            rows,
            bins,
            p_stride,
            q_stride,
            parts,
            part_bins,
            zero,
            record,
            policy_high,
            policy_low,
            p_first,
            q_first,
            stamp,
            columns,
            width_unit,
            within,
            orders
        );
        assert_eq!(offsets, host);
        assert_eq!(*span as usize, size_of::<RowParameters>());
        for entry in &module.entry_points {
            assert_eq!(entry.workgroup_size, [crate::plan::kernel_key::WORKGROUP, 1, 1]);
        }
    }
}

/// Every module with its name.
fn modules() -> impl Iterator<Item = (String, naga::Module)> {
    let source = shaders::summary();
    let summary =
        naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("summary\n{}", e.emit_to_string(&source)));
    let rowwise = keys().map(|key| (format!("{key:?}"), parse(&key)));
    let source = shaders::product();
    let product =
        naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("product\n{}", e.emit_to_string(&source)));
    let probes = [("arithmetic", shaders::arithmetic()), ("subgroups", shaders::subgroups())].map(|(name, source)| {
        let module = naga::front::wgsl::parse_str(&source);
        (name.to_owned(), module.unwrap_or_else(|e| panic!("{name}\n{}", e.emit_to_string(&source))))
    });
    rowwise.chain([("product".to_owned(), product), ("summary".to_owned(), summary)]).chain(probes)
}

/// Parses a module by its name and validates it.
fn validated(name: &str) -> naga::Module {
    let (_, module) = modules().find(|(known, _)| known == name).expect("a module");
    let valid = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
    valid.unwrap_or_else(|e| panic!("{e:?}"));
    module
}

/// The offsets of the fields of a struct, and its size.
fn structure(module: &naga::Module, name: &str) -> (Vec<(String, usize)>, usize) {
    let (_, found) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name)).expect("declared");
    let naga::TypeInner::Struct { members, span } = &found.inner else { panic!("{name} is a struct") };
    let offsets = members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset as usize));
    (offsets.collect(), *span as usize)
}

macro_rules! same {
    ($module:ident, $name:literal, $host:ty, $($field:ident),*) => {
        let host = vec![$((stringify!($field).to_owned(), std::mem::offset_of!($host, $field))),*];
        assert_eq!(structure(&$module, $name), (host, size_of::<$host>()));
    };
}

#[test]
fn the_products_validate_and_their_structs_match_the_host() {
    let module = validated("product");
    same!(
        module,
        "Params",
        ProductParameters,
        rows,
        columns,
        first_row,
        first_column,
        bins,
        zero,
        stamp,
        record,
        word,
        is_first,
        infinite,
        pad_0,
        p_words,
        q_words,
        constants,
        p_operands,
        q_operands,
        p_present,
        q_present,
        present_words,
        p_quads,
        q_quads,
        rounding,
        trusted,
        product
    );
    assert_eq!(module.entry_points[0].workgroup_size, [256, 1, 1]);
}

#[test]
fn the_probe_validates_and_its_struct_matches_the_host() {
    let module = validated("arithmetic");
    same!(module, "Params", ProbeParameters, zero, questions, weights, weights_of_one);
    for name in ["arithmetic", "subgroups"] {
        assert_eq!(validated(name).entry_points[0].workgroup_size, [128, 1, 1]);
    }
}

#[test]
fn the_summary_validates_and_its_structs_match_the_host() {
    let module = validated("summary");
    same!(
        module,
        "Params",
        SummaryParameters,
        rows,
        parts,
        record,
        terms,
        measures,
        usual,
        zero,
        stamp,
        first_row,
        capacity,
        top,
        pairs,
        source,
        result,
        surprise,
        blocks,
        columns,
        first_column,
        itself,
        pad_0,
        trusted,
        measure
    );
    same!(module, "Measure", Measure, first, second, infinite, form, most, factor, sign, pad);
    same!(module, "Moments", BlockMoments, count, infinite, mean, squares, least, most);
}

#[test]
fn no_shader_calls_a_builtin_logarithm_exponential_or_power() {
    use naga::MathFunction as M;
    for (key, module) in modules() {
        let functions = module.functions.iter().map(|(_, f)| f).chain(module.entry_points.iter().map(|e| &e.function));
        for function in functions {
            for (_, expression) in function.expressions.iter() {
                if let naga::Expression::Math { fun, .. } = expression {
                    assert!(
                        !matches!(fun, M::Log | M::Log2 | M::Exp | M::Exp2 | M::Pow),
                        "{fun:?} in {:?} of {key}",
                        function.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_check_for_builtins_sees_one_when_it_is_there() {
    let module = naga::front::wgsl::parse_str("fn f(x: f32) -> f32 { return log(x); }").expect("valid WGSL");
    let found = module.functions.iter().any(|(_, f)| {
        f.expressions.iter().any(|(_, e)| matches!(e, naga::Expression::Math { fun: naga::MathFunction::Log, .. }))
    });
    assert!(found);
}

/// Writes every kernel with each back end of naga, to check that no interface lacks anything.
#[test]
fn every_interface_can_be_written() {
    use naga::back::{glsl, hlsl, msl, pipeline_constants, spv};
    let mut written = 0;
    for (name, module) in modules() {
        let with_subgroups = name.contains("subgroups: true") || name == "subgroups";
        let capabilities = if with_subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        let info = validator.validate(&module).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        for entry in &module.entry_points {
            let stage = naga::ShaderStage::Compute;
            let point = Some((stage, entry.name.as_str()));
            let constants = naga::back::PipelineConstants::default();
            let (module, info) = pipeline_constants::process_overrides(&module, &info, point, &constants)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            let what = || format!("{} of {name}", entry.name);
            let pipeline = spv::PipelineOptions { shader_stage: stage, entry_point: entry.name.clone() };
            let words = spv::write_vec(&module, &info, &spv::Options::default(), Some(&pipeline));
            assert!(!words.unwrap_or_else(|e| panic!("{}: SPIR-V: {e}", what())).is_empty());
            let (options, pipeline) = (msl::Options::default(), msl::PipelineOptions::default());
            let options = msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..options };
            let text = msl::write_string(&module, &info, &options, &pipeline);
            assert!(!text.unwrap_or_else(|e| panic!("{}: MSL: {e}", what())).0.is_empty());
            let mut text = String::new();
            let options = hlsl::Options { shader_model: hlsl::ShaderModel::V6_0, ..hlsl::Options::default() };
            let pipeline = hlsl::PipelineOptions::default();
            let writing = hlsl::Writer::new(&mut text, &options, &pipeline).write(&module, &info, None);
            writing.unwrap_or_else(|e| panic!("{}: HLSL: {e}", what()));
            if !with_subgroups {
                let version = glsl::Version::Embedded { version: 310, is_webgl: false };
                let options = glsl::Options { version, ..glsl::Options::default() };
                let pipeline =
                    glsl::PipelineOptions { shader_stage: stage, entry_point: entry.name.clone(), multiview: None };
                let bounds = naga::proc::BoundsCheckPolicies::default();
                let writer = glsl::Writer::new(&mut text, &module, &info, &options, &pipeline, bounds);
                let writing = writer.and_then(|mut writer| writer.write());
                writing.unwrap_or_else(|e| panic!("{}: GLSL: {e}", what()));
            }
            written += 1;
        }
    }
    assert!(written > 400, "only {written} kernels");
}
