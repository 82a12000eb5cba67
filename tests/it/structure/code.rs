//! The code of a file, without what only readers or tests see.

/// The code of a file without comments, without what strings say, and without the parts that only tests compile.
pub(super) fn code(text: &str) -> String {
    let code = without_text(text);
    let mut kept = String::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find("#[cfg(test)]").into_iter().chain(rest.find("#[cfg(all(test")).min() {
        kept.push_str(&rest[..at]);
        rest = after_item(&rest[at..]);
    }
    kept + rest
}

/// A code without comments, with nothing in its strings and in its characters.
fn without_text(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let word = kept.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let hashes = rest.bytes().skip(1).take_while(|byte| *byte == b'#').count();
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if c == 'r' && !word && rest[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = &rest[hashes + 2..];
            rest = inside.find(&end).map_or("", |at| &inside[at + end.len()..]);
            kept.push_str("\"\"");
        } else if let Some(length) = quoted(rest) {
            kept.extend([c, c]);
            rest = &rest[length..];
        } else {
            kept.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    kept
}

/// The length of the string or the character that a code begins with. A lifetime is neither.
fn quoted(code: &str) -> Option<usize> {
    let quote = code.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let is_character = || code[1..].starts_with('\\') || code.chars().nth(2) == Some('\'');
    if quote == '\'' && !is_character() {
        return None;
    }
    let mut is_escaped = false;
    for (at, c) in code.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return Some(at + 1);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

/// What follows the item at the start of a code, its attributes included. An item ends with its `;` or its closing brace. A field,
/// a variant or an argument also ends with its comma, or where the braces around it close.
fn after_item(code: &str) -> &str {
    let mut rest = code;
    while rest.starts_with("#[") {
        rest = rest.find(']').map_or("", |at| rest[at + 1..].trim_start());
    }
    let (mut depth, mut angles, mut before) = (0, 0, ' ');
    for (at, c) in rest.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth == 0 => return &rest[at..],
            '}' | ')' | ']' => depth -= 1,
            '<' => angles += 1,
            '>' if !matches!(before, '-' | '=') => angles -= 1,
            _ => {}
        }
        let has_bounds = || rest[..at].split_whitespace().any(|word| word == "where");
        if depth == 0 && (matches!(c, '}' | ';') || c == ',' && angles == 0 && !has_bounds()) {
            return &rest[at + 1..];
        }
        before = c;
    }
    ""
}

#[test]
fn what_only_tests_compile_is_left_out_and_nothing_after_it() {
    let parts = [
        "struct S {\n    #[cfg(test)]\n    no: Map<u8, fn(u8, no) -> no>,\n    yes: u8,\n}\n",
        "struct T { yes: u8, #[cfg(test)] no: no }\n",
        "enum E { #[cfg(test)] No(no, no), Yes }\n",
        "#[cfg(test)]\n#[expect(no)]\nfn no(a: [no; 2], b: no) -> impl Fn(no) -> no { \"}\"; '}'; r#\"}\"}\"#; no }\nfn yes() {}\n",
        "#[cfg(all(test, feature = \"no\"))]\nmod no;\nmod yes;\n",
        "#[cfg(test)]\nimpl<'no, A, B> No<'no, A, B> for no { const NO: no = no; }\nfn yes<'a>(a: &'a u8) { \"// no\"; '\\''; yes } // no\n",
        "#[cfg(test)]\nfn no<A, B>()\nwhere\n    A: No,\n    B: No,\n{\n    no\n}\nuse yes;\n",
        "#[cfg(test)]\nuse no::{no, no};\nuse yes;\n",
    ];
    for part in parts {
        let code = code(part).to_lowercase();
        assert!(code.contains("yes") && !code.contains("no"), "{part}\nbecomes\n{code}");
    }
}
