//! What stands behind an option, read.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use kullback_arrow::Target;

use crate::error::{Error, Result};

pub(super) fn bins(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(bins @ 1..=10_000_000) => Ok(bins),
        _ => Err(format!("`{text}` is no length of a row: a number from 1 to 10000000")),
    }
}

pub(super) fn target(text: &str) -> std::result::Result<Target, std::convert::Infallible> {
    Ok(if text == "-" { Target::Stdout } else { Target::Path(text.into()) })
}

pub(super) fn svg(text: &str) -> std::result::Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_svg = path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("svg"));
    if is_svg { Ok(path) } else { Err(format!("a picture is an SVG: call it `{text}.svg`")) }
}

pub(super) fn number(text: &str) -> Result<f64> {
    let parsed = text.parse().ok().filter(|x: &f64| !x.is_nan());
    parsed.ok_or_else(|| Error::Threshold { text: text.to_owned() })
}

/// The positions of the bins.
#[derive(Clone, Debug)]
pub(crate) enum BinPositions {
    /// The labels of the bins, which are numbers.
    Labels,
    /// Numbers, and the text that gave them.
    Given { text: String, list: Arc<[f64]> },
}

impl BinPositions {
    /// The numbers. The labels are numbers once the files are open: [`crate::inputs::Inputs::with_positions`].
    pub(crate) fn list(&self) -> Option<Arc<[f64]>> {
        match self {
            BinPositions::Labels => None,
            BinPositions::Given { list, .. } => Some(Arc::clone(list)),
        }
    }
}

impl fmt::Display for BinPositions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinPositions::Labels => "labels",
            BinPositions::Given { text, .. } => text,
        })
    }
}

/// Reads `labels`, or numbers with commas, spaces or lines between them: the text itself, or the file that it names.
impl FromStr for BinPositions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        fn numbers(text: &str) -> std::result::Result<Arc<[f64]>, &str> {
            let pieces: Vec<&str> = text.split(',').collect();
            // Nothing may stand between two commas, or a number is missing. After the last comma nothing need stand.
            let is_missing = |piece: &&str| piece.trim().is_empty();
            if let Some(missing) = pieces[..pieces.len() - 1].iter().find(|piece| is_missing(piece)) {
                return Err(missing);
            }
            let words = pieces.iter().flat_map(|piece| piece.split_whitespace());
            words.map(|word| word.parse().map_err(|_| word)).collect()
        }
        if text == "labels" {
            return Ok(BinPositions::Labels);
        }
        let owned = text.to_owned();
        if let Some(list) = numbers(text).ok().filter(|list| !list.is_empty()) {
            return Ok(BinPositions::Given { text: owned, list });
        }
        let read = std::fs::read_to_string(text).map_err(|error| Error::Positions { text: owned.clone(), error })?;
        // Some editors begin a file with a mark that nobody sees.
        let content = read.trim_start_matches('\u{feff}');
        match numbers(content) {
            Ok(list) if list.is_empty() => Err(Error::NoPosition { file: owned, word: String::new() }),
            Ok(list) => Ok(BinPositions::Given { text: owned, list }),
            Err(word) => Err(Error::NoPosition { file: owned, word: word.chars().take(40).collect() }),
        }
    }
}

/// Bytes with an optional unit: powers of 1024 with an `i`, of 1000 without.
pub(super) fn size(text: &str) -> Result<u64> {
    let error = || Error::Size { text: text.to_owned() };
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| error())?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "ki" | "kib" => 1024.0,
        "mi" | "mib" => 1024.0 * 1024.0,
        "gi" | "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(error()),
    };
    let bytes = number * unit;
    if (1.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("512MiB", 512 << 20), ("1.5GiB", 3 << 29), ("2kB", 2000), ("100", 100), ("3 MiB", 3 << 20)]
        {
            assert_eq!(size(text).ok(), Some(bytes), "{text}");
        }
        for wrong in ["", "MiB", "-1", "5 parsecs", "0", "1e9GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
