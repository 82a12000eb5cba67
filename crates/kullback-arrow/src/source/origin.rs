//! The file behind a source. It is opened as often as needed, and named in every message.

use std::cell::Cell;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Result};
use crate::format::Format;
use crate::location::{Location, quoted};

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is decoding a file.
///
/// The decoders of Arrow and Parquet panic on some damaged files. This crate catches such a panic and turns it into an error, but
/// the panic hook has then already printed its message. The hook of a command can ask this function, and stay quiet.
#[must_use]
pub fn is_decoding() -> bool {
    DECODING.get()
}

/// The number of first bytes that tell the binary formats apart.
const HEAD: usize = 16;

/// A file that can be read any number of times.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: u64,
    path: PathBuf,
    /// The data that came from a pipe. It is removed with the source.
    _spool: Option<TempPath>,
}

impl Origin {
    /// Finds the file, reads a pipe to its end, decides the format, and checks that the first bytes agree with the format.
    pub(crate) fn new(location: &Location, format: Option<Format>) -> Result<Self> {
        let name = match location {
            Location::Path(path) => quoted(path),
            Location::Stdin => location.to_string(),
        };
        let open_error = |source| Error::Open { file: name.clone(), source };
        let read_error = |source| Error::Read { file: name.clone(), source };
        let (path, spool) = match location {
            Location::Stdin => spooled(io::stdin().lock()).map_err(read_error)?,
            Location::Path(path) => {
                let metadata = std::fs::metadata(path).map_err(open_error)?;
                if metadata.is_dir() {
                    return Err(Error::IsDirectory { file: name });
                }
                if metadata.is_file() {
                    (path.clone(), None)
                } else {
                    spooled(File::open(path).map_err(open_error)?).map_err(read_error)?
                }
            }
        };
        let mut file = File::open(&path).map_err(open_error)?;
        let bytes = file.metadata().map_err(open_error)?.len();
        if bytes == 0 {
            return Err(Error::EmptyFile { file: name });
        }
        let mut head = Vec::with_capacity(HEAD);
        file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(read_error)?;

        let named = match location {
            Location::Path(path) => Format::from_path(path).ok(),
            Location::Stdin => None,
        };
        let format = format.or(named).or(Format::sniff(&head)).ok_or_else(|| Error::NoFormat { file: name.clone() })?;
        check_head(&name, format, &head)?;
        Ok(Self { name, format, bytes, path, _spool: spool })
    }

    pub(crate) fn open(&self) -> Result<File> {
        File::open(&self.path).map_err(|source| Error::Open { file: self.name.clone(), source })
    }

    /// Checks that the file ends with the end mark of its format.
    pub(crate) fn check_tail(&self, mark: &[u8]) -> Result<()> {
        let mut tail = vec![0; mark.len()];
        let mut file = self.open()?;
        // The marks at the start and at the end must not be the same bytes.
        let whole = self.bytes >= 2 * mark.len() as u64
            && file.seek(SeekFrom::End(-(mark.len() as i64))).and_then(|_| file.read_exact(&mut tail)).is_ok()
            && tail == mark;
        if whole {
            return Ok(());
        }
        let detail =
            format!("its {} bytes do not end with the mark `{}` of its format", self.bytes, mark.escape_ascii());
        Err(Error::Truncated { file: self.name.clone(), detail })
    }

    pub(crate) fn read_error(&self, source: io::Error) -> Error {
        Error::Read { file: self.name.clone(), source }
    }

    /// Runs a decoder. Some decoders panic on damaged files; such a panic becomes an error like any other.
    pub(crate) fn guarded<T>(&self, decode: impl FnOnce() -> T) -> Result<T> {
        let outer = DECODING.replace(true);
        // The state that the decoder leaves behind is dropped, because a scan ends with its first error.
        let decoded = catch_unwind(AssertUnwindSafe(decode));
        DECODING.set(outer);
        decoded.map_err(|_| self.malformed("it is damaged: its parts contradict each other"))
    }

    /// The message of a decoder, cut to one line of bounded length.
    pub(crate) fn malformed(&self, reason: impl Display) -> Error {
        const LONGEST: usize = 300;
        let mut reason = reason.to_string().replace(['\n', '\r'], " ");
        // The CSV reader repeats the whole line of the file.
        if let Some(end) = reason.find(". Row data:") {
            reason.truncate(end);
        }
        if let Some((end, _)) = reason.char_indices().nth(LONGEST) {
            reason.truncate(end);
            reason.push('…');
        }
        Error::Malformed { file: self.name.clone(), format: self.format, reason }
    }
}

fn spooled(mut input: impl Read) -> io::Result<(PathBuf, Option<TempPath>)> {
    let mut spool = NamedTempFile::with_prefix(".kullback-")?;
    io::copy(&mut input, &mut spool)?;
    let path = spool.into_temp_path();
    Ok((path.to_path_buf(), Some(path)))
}

fn check_head(name: &str, format: Format, head: &[u8]) -> Result<()> {
    let seen = Format::sniff(head);
    if seen == Some(format) || (seen.is_none() && format.is_text()) {
        return Ok(());
    }
    let found = match seen {
        Some(seen) => format!("looks like {seen}"),
        None if head.starts_with(b"FEA1") => {
            "is Feather version 1, which only version 2 (Arrow IPC) has replaced".to_owned()
        }
        None => format!("starts with `{}`", head.escape_ascii()),
    };
    Err(Error::NotFormat { file: name.to_owned(), format, found })
}
