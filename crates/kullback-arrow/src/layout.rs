//! Where the histograms of a table are.

use crate::error::{Error, Result};

/// How the weights of a row are stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A column of lists, with one list per row. `None` means the only list column of the table.
    List(Option<String>),
    /// One column per bin. A name may contain `*`, which stands for any characters. Such a pattern takes the matching columns in
    /// the order of the file, but no key or filter columns. Plain names are taken in the order given.
    Wide(Vec<String>),
    /// One line per cell. Each distinct value of the key columns is one row, in the order of first appearance. Its bins are the
    /// distinct values of `bin` in the whole file, sorted. A missing cell is 0, and repeated cells are summed.
    Long {
        /// The key columns, at least one.
        keys: Vec<String>,
        /// The column of bin labels.
        bin: String,
        /// The column of counts or weights. Without it, every line counts 1.
        count: Option<String>,
    },
}

impl Default for Layout {
    fn default() -> Self {
        Layout::List(None)
    }
}

impl Layout {
    /// Reads the long layout from `KEY,…:BIN:COUNT`, or from `KEY,…:BIN` where every line counts 1.
    ///
    /// # Errors
    /// [`Error::LongSpec`] when a part is missing or empty.
    pub fn long(spec: &str) -> Result<Self> {
        let parts: Vec<&str> = spec.split(':').map(str::trim).collect();
        let (keys, bin, count) = match parts[..] {
            [keys, bin] => (keys, bin, None),
            [keys, bin, count] => (keys, bin, Some(count)),
            _ => return Err(Error::LongSpec { spec: spec.to_owned() }),
        };
        let keys: Vec<String> = keys.split(',').map(|key| key.trim().to_owned()).collect();
        if keys.iter().map(String::as_str).chain([bin]).chain(count).all(|name| !name.is_empty()) {
            return Ok(Layout::Long { keys, bin: bin.to_owned(), count: count.map(str::to_owned) });
        }
        Err(Error::LongSpec { spec: spec.to_owned() })
    }
}

/// Whether `name` matches `pattern`. A `*` in the pattern stands for any characters, or for none.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("bin_*", "bin_3", true),
            ("bin_*", "bin_", true),
            ("bin_*", "bim_3", false),
            ("*", "anything", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            ("b*ü", "bü", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn long_specs() {
        let expected =
            Layout::Long { keys: vec!["store".into(), "day".into()], bin: "price".into(), count: Some("n".into()) };
        assert_eq!(Layout::long("store, day:price:n").ok(), Some(expected));
        let lines = Layout::Long { keys: vec!["a".into()], bin: "b".into(), count: None };
        assert_eq!(Layout::long("a:b").ok(), Some(lines));
        for wrong in ["", "a", "a:b:c:d", ":b:c", "a,:b:c", "a::c", "a:b:"] {
            let message = Layout::long(wrong).unwrap_err().to_string();
            assert!(message.contains("KEY:BIN:COUNT"), "{message}");
        }
    }
}
