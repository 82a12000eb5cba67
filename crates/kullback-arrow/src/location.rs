//! The places of files: where a table is read from, and where one is written to.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a table is read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file. A pipe or device is read once, into a temporary file.
    Path(PathBuf),
    /// Standard input, read once, into a temporary file.
    Stdin,
}

impl From<&str> for Location {
    /// `-` is standard input; anything else is a path.
    fn from(text: &str) -> Self {
        if text == "-" { Location::Stdin } else { Location::Path(PathBuf::from(text)) }
    }
}

impl FromStr for Location {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Location::from(text))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => write!(f, "{}", path.display()),
            Location::Stdin => f.write_str("standard input"),
        }
    }
}

/// Where a table is written to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A file, which is replaced when the table is complete. A target that is not a regular file (a device, a pipe) is written
    /// directly.
    Path(PathBuf),
    /// Standard output.
    Stdout,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Path(path) => write!(f, "{}", path.display()),
            Target::Stdout => f.write_str("standard output"),
        }
    }
}

/// The path as messages show it.
pub(crate) fn quoted(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// The directory that holds a file. For a bare name it is the current directory.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
