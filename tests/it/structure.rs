//! The structure of the workspace, read from its sources: no circle of imports between the modules of a crate, no name with two
//! meanings, no long file, no device where there is only arithmetic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod code;
mod names;

use code::code;

/// The path of a module inside its crate.
type Module = Vec<String>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flatten().flat_map(|entry| files(&entry.path())).collect()
}

/// The files of a folder that are compiled without tests too.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let is_code = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|kind| kind == "rs") && name != "tests" && !name.ends_with("_tests")
    };
    files(folder).into_iter().filter(is_code).collect()
}

/// The sources of each crate of the workspace, by its name.
fn crates() -> BTreeMap<String, PathBuf> {
    let members = fs::read_dir(root().join("crates")).expect("crates");
    let named = |path: PathBuf| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path.join("src"));
    let mut crates: BTreeMap<_, _> = members.flatten().map(|member| named(member.path())).collect();
    crates.insert("kullback".to_owned(), root().join("src"));
    crates
}

/// Every path of a code that begins with one of these words, groups in braces taken apart.
fn paths(code: &str, starts: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in starts {
        for (at, _) in code.match_indices(&format!("{start}::")) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if !(before.is_alphanumeric() || before == '_' || before == ':') {
                tree(&code[at..], Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Reads one tree of paths, and returns what follows it.
fn tree<'a>(mut rest: &'a str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    loop {
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        rest = &rest[word.len()..];
        if !word.is_empty() {
            path.push(word);
        }
        let Some(next) = rest.strip_prefix("::") else { break };
        rest = next;
        if let Some(group) = rest.strip_prefix('{') {
            rest = group;
            loop {
                rest = tree(rest.trim_start(), path.clone(), found).trim_start();
                match rest.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => rest = next,
                    _ => break,
                }
            }
            return rest.trim_start_matches([',', ' ', '\n']).strip_prefix('}').unwrap_or(rest);
        }
    }
    found.push(path);
    rest
}

/// The module that a path leads to, from a module: the longest part of it that is one.
fn resolve(path: &[String], from: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut at = match path[0].as_str() {
        "crate" => Vec::new(),
        "super" | "self" => from.clone(),
        _ => [from.as_slice(), &path[..1]].concat(),
    };
    for word in path.iter().skip(usize::from(path[0] != "super")) {
        match word.as_str() {
            "super" => drop(at.pop()),
            "self" => {}
            word => {
                let inner = [at.as_slice(), &[word.to_owned()]].concat();
                if !modules.contains(&inner) {
                    break;
                }
                at = inner;
            }
        }
    }
    modules.contains(&at).then_some(at)
}

/// Which modules each module of a crate uses.
fn uses(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let module = |path: &Path| {
        let inside = path.strip_prefix(source).expect("inside").with_extension("");
        let mut words: Module = inside.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        if words.last().is_some_and(|word| matches!(word.as_str(), "mod" | "lib" | "main")) {
            words.pop();
        }
        words
    };
    let of_crate = sources(source);
    let modules: BTreeSet<Module> = of_crate.iter().map(|path| module(path)).collect();
    let uses_of = |path: &PathBuf| {
        let from = module(path);
        let code = code(&fs::read_to_string(path).expect("source"));
        let children: Vec<&str> = modules
            .iter()
            .filter(|m| m.len() == from.len() + 1 && m.starts_with(&from))
            .map(|m| m[from.len()].as_str())
            .collect();
        let starts = [&["crate", "super", "self"][..], &children].concat();
        let used = paths(&code, &starts).into_iter().filter_map(|path| resolve(&path, &from, &modules));
        (from.clone(), used.filter(|module| *module != from && !module.is_empty()).collect())
    };
    of_crate.iter().map(uses_of).collect()
}

/// The groups of modules of which each leads to all others of its group by what it uses.
fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<&Module>> {
    fn reached<'u>(from: &'u Module, uses: &'u BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'u Module> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(next) = open.pop() {
            open.extend(uses.get(next).into_iter().flatten().filter(|module| seen.insert(*module)));
        }
        seen
    }
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        uses.keys().map(|module| (module, reached(module, uses))).collect();
    let mut groups: Vec<Vec<&Module>> = Vec::new();
    for (module, leads_to) in reached.iter().filter(|(module, leads_to)| leads_to.contains(*module)) {
        match groups.iter_mut().find(|group| leads_to.contains(group[0]) && reached[group[0]].contains(module)) {
            Some(group) => group.push(module),
            None => groups.push(vec![module]),
        }
    }
    groups
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let (mut checked, mut found) = (0, Vec::new());
    for (name, source) in crates() {
        let uses = uses(&source);
        checked += uses.values().map(BTreeSet::len).sum::<usize>();
        for group in circles(&uses) {
            let names: Vec<String> = group.iter().map(|module| module.join("::")).collect();
            found.push(format!("{name}: {}", names.join(", ")));
        }
    }
    assert!(found.is_empty(), "modules that use each other in a circle:\n{}", found.join("\n"));
    assert!(checked > 300, "only {checked} uses seen");
}

#[test]
fn the_search_for_circles_sees_one() {
    let code = code(
        "use super::b::{self, C}; // crate::x\nfn f() { crate::d::E::new() }\n#[cfg(test)]\nmod tests { use crate::f; }\nuse g::{h::{I, J}, k};",
    );
    let words = |path: &[&str]| path.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let found = paths(&code, &["crate", "super", "g"]);
    let expected: [&[&str]; 6] = [
        &["crate", "d", "E", "new"],
        &["super", "b", "self"],
        &["super", "b", "C"],
        &["g", "h", "I"],
        &["g", "h", "J"],
        &["g", "k"],
    ];
    assert_eq!(found, expected.map(words));
    let modules: BTreeSet<Module> = [words(&["a"]), words(&["b"]), words(&["a", "g"])].into();
    assert_eq!(resolve(&found[1], &words(&["a"]), &modules), Some(words(&["b"])));
    assert_eq!(resolve(&found[5], &words(&["a"]), &modules), Some(words(&["a", "g"])));
    let uses = |pairs: &[(&str, &str)]| -> BTreeMap<Module, BTreeSet<Module>> {
        pairs.iter().map(|(from, to)| (words(&[from]), [words(&[to])].into())).collect()
    };
    assert!(circles(&uses(&[("a", "b"), ("b", "c")])).is_empty());
    assert_eq!(circles(&uses(&[("a", "b"), ("b", "c"), ("c", "b")])), [[&words(&["b"]), &words(&["c"])]]);
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let sources =
        crates().into_values().chain(["shaders", "tests", "benches", "examples"].map(|folder| root().join(folder)));
    let tests = crates().into_keys().map(|name| root().join("crates").join(name).join("tests"));
    for path in sources.chain(tests).flat_map(|folder| files(&folder)) {
        if path.extension().is_some_and(|kind| kind == "rs" || kind == "wgsl") {
            let lines = fs::read_to_string(&path).expect("source").lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn plans_and_kernels_know_no_device() {
    let [plan, kernels] = ["src/plan", "crates/kullback-kernels/src"].map(|folder| files(&root().join(folder)));
    for path in plan.into_iter().chain(kernels) {
        let text = fs::read_to_string(&path).expect("source");
        assert!(!text.contains("wgpu"), "{} names wgpu", path.display());
    }
}

#[test]
fn every_measure_is_named_wherever_measures_are_listed() {
    let lists = [
        "README.md",
        "docs/NUMERICS.md",
        "crates/kullback-cli/src/args/mod.rs",
        "crates/kullback-cli/src/args/shared.rs",
        "crates/kullback-python/src/docs/rowwise.txt",
    ];
    let names: Vec<String> = kullback::Divergence::names().collect();
    assert!(names.len() > 17, "{names:?}");
    let golden = kullback_conformance::MEASURES.iter().chain(&kullback_conformance::WIDE_MEASURES);
    let golden = golden.chain(&kullback_conformance::ORDERED_MEASURES);
    let golden: Vec<&str> = golden.map(|name| name.split(':').next().unwrap_or(name)).collect();
    for name in &names {
        for list in lists {
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(list)).expect(list);
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            assert!(text.split(|c| !is_name(c)).any(|word| word.trim_end_matches(':') == name), "{list} lacks {name}");
        }
        assert!(golden.contains(&name.trim_end_matches(":A")), "the golden cases lack {name}");
    }
}
