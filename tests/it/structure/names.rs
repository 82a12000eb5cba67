//! No name of a type has two meanings.

use std::collections::BTreeMap;
use std::fs;

use super::{code, crates, root, sources};

/// The types that a code declares at the level of its module. One that stands in for a missing feature is the same type as the
/// one of the feature.
fn types(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut stands_in = false;
    for line in code.lines() {
        if line.starts_with("#[") {
            stands_in |= line.starts_with("#[cfg(not(feature");
            continue;
        }
        let mut words = line.split(|c: char| c == ' ' && !line.starts_with(' '));
        let first = words.find(|word| !word.starts_with("pub") && *word != "unsafe");
        if first.is_some_and(|word| matches!(word, "struct" | "enum" | "union" | "trait" | "type")) && !stands_in {
            let name = words.next().unwrap_or_default();
            found.push(name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default());
        }
        stands_in = false;
    }
    found
}

#[test]
fn no_type_name_has_two_meanings_in_the_engine_or_in_another_crate() {
    let mut files: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (name, folder) in crates() {
        // The engine and its kernels share their words.
        let among = if name == "kullback-kernels" { "kullback".to_owned() } else { name };
        for path in sources(&folder) {
            let code = code(&fs::read_to_string(&path).expect("source"));
            let file = path.strip_prefix(root()).expect("inside").display().to_string();
            for name in types(&code) {
                files.entry((among.clone(), name.to_owned())).or_default().push(file.clone());
            }
        }
    }
    let twice = files.iter().filter(|(_, files)| files.len() > 1);
    let twice: Vec<String> = twice.map(|((_, name), files)| format!("{name}: {}", files.join(", "))).collect();
    assert!(twice.is_empty(), "type names with two meanings:\n{}", twice.join("\n"));
    assert!(files.len() > 300, "only {} types seen", files.len());
}

#[test]
fn the_search_for_types_sees_those_of_a_module_alone() {
    let code = "pub(crate) struct A<'a> {\n    b: u8,\n}\nenum B {}\npub unsafe trait C: D {}\ntype E<T> = T;\nimpl F for A {\n    type G = u8;\n}\n#[cfg(not(feature = \"\"))]\n#[derive(Debug)]\nenum H {}\nstruct I;\nfn f() {\n    struct J;\n}\nstruct K(u8);";
    assert_eq!(types(code), ["A", "B", "C", "E", "I", "K"]);
}
