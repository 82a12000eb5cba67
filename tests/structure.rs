//! The modules of the engine and the direction between them: divergence → rows → plan → backend → output. Only `engine` connects
//! them.

use std::fs;
use std::path::{Path, PathBuf};

/// What each module may import from the crate. `error` and a module's own submodules are always allowed.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("contract", &[]),
    ("divergence", &[]),
    ("rows", &[]),
    ("plan", &["divergence", "rows"]),
    ("backend", &["divergence", "rows", "plan", "output", "contract"]),
    ("input", &["rows", "backend"]),
    ("flow", &[]),
    ("options", &["divergence"]),
    ("calibrate", &["rows", "plan"]),
    ("output", &["divergence", "plan"]),
    ("summary", &["divergence", "output"]),
    ("refused", &["divergence", "rows", "plan", "output"]),
    ("values", &["divergence", "rows", "plan", "backend", "options", "output", "refused"]),
];

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flatten().flat_map(|entry| files(&entry.path())).collect()
}

/// The modules that a source text names after `crate::`.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>())
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn imports_flow_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for (room, allowed) in ALLOWED {
        let paths = [files(&source.join(room)), files(&source.join(format!("{room}.rs")))].concat();
        assert!(!paths.is_empty(), "no file of {room}");
        for path in paths {
            for import in imports(&fs::read_to_string(&path).expect("source")) {
                let ok = import == room || import == "error" || allowed.contains(&import.as_str());
                assert!(ok, "{} imports {import}, which {room} may not", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} imports seen");
}

#[test]
fn the_import_check_sees_a_wrong_direction() {
    assert_eq!(imports("use crate::engine::Engine;\n// crate::rows\n"), ["engine"]);
}

#[test]
fn no_source_file_of_the_engine_is_longer_than_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in [files(&root.join("src")), files(&root.join("shaders"))].concat() {
        let lines = fs::read_to_string(&path).expect("source").lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_plan_and_the_divergences_know_no_device() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in [files(&source.join("plan")), files(&source.join("divergence"))].concat() {
        let text = fs::read_to_string(&path).expect("source");
        assert!(!text.contains("wgpu"), "{} names wgpu", path.display());
    }
}
