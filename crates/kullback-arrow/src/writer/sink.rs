//! The target for the bytes of a table: a stream, or a file that appears when it is complete.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::format::TableFormat;
use crate::location::{Target, directory_of, quoted};

const BUFFER: usize = 1 << 17;

/// A shared handle. The encoder writes into one copy, and the writer commits the other.
///
/// Encoders turn an `io::Error` into text of their own. The sink keeps the original, so a full disk and a broken pipe can be told
/// from a value that cannot be encoded.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Mutex<State>>);

struct State {
    name: String,
    out: Out,
    failure: Option<io::Error>,
}

enum Out {
    /// A temporary file in the target's directory, and the target.
    File(BufWriter<NamedTempFile>, PathBuf),
    Stream(Box<dyn Write + Send>),
}

/// The name of a target in messages.
pub(crate) fn name_of(target: &Target) -> String {
    match target {
        Target::Path(path) => quoted(path),
        Target::Stdout => target.to_string(),
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sink").field(&self.name()).finish()
    }
}

impl Sink {
    pub(crate) fn create(target: &Target) -> Result<Self> {
        let name = name_of(target);
        let out = match target {
            Target::Stdout => Out::Stream(Box::new(BufWriter::with_capacity(BUFFER, io::stdout()))),
            Target::Path(path) => Out::create(path, &name)?,
        };
        Ok(Self(Arc::new(Mutex::new(State { name, out, failure: None }))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn name(&self) -> String {
        self.state().name.clone()
    }

    /// The reason of a failure: the write that failed, or otherwise the message of the encoder.
    pub(crate) fn error(&self, format: TableFormat, reason: String) -> Error {
        let mut state = self.state();
        match state.failure.take() {
            Some(source) => Error::write(&state.name, source),
            None => Error::Encode { file: state.name.clone(), format, reason: reason.replace('\n', " ") },
        }
    }

    /// Whether bytes that are already written can be written again.
    pub(crate) fn can_rewind(&self) -> bool {
        matches!(self.state().out, Out::File(..))
    }

    /// Overwrites the first bytes of a file. See [`Sink::can_rewind`].
    pub(crate) fn overwrite_start(&self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.state().out {
            Out::File(file, _) => {
                file.seek(SeekFrom::Start(0))?;
                file.write_all(bytes)
            }
            Out::Stream(_) => Err(io::ErrorKind::NotSeekable.into()),
        }
    }

    /// Flushes the bytes. A file then gets its name.
    pub(crate) fn commit(self) -> Result<()> {
        let mut state = self.state();
        let name = state.name.clone();
        let error = |source| Error::write(&name, source);
        match std::mem::replace(&mut state.out, Out::Stream(Box::new(io::sink()))) {
            Out::Stream(mut stream) => stream.flush().map_err(error),
            Out::File(file, path) => {
                let file = file.into_inner().map_err(|failed| error(failed.into_error()))?;
                file.persist(path).map(drop).map_err(|failed| error(failed.error))
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.state().attempt(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.state().attempt(|out| out.flush())
    }
}

impl State {
    fn attempt<T>(&mut self, action: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        let done = match &mut self.out {
            Out::File(file, _) => action(file),
            Out::Stream(stream) => action(stream),
        };
        done.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind.into()
        })
    }
}

impl Out {
    fn create(path: &Path, name: &str) -> Result<Self> {
        let error = |source| Error::write(name, source);
        let existing = std::fs::metadata(path).ok();
        match &existing {
            Some(metadata) if metadata.is_dir() => return Err(Error::IsDirectory { file: name.to_owned() }),
            Some(metadata) if !metadata.is_file() => {
                let device: File = OpenOptions::new().write(true).open(path).map_err(error)?;
                return Ok(Out::Stream(Box::new(BufWriter::with_capacity(BUFFER, device))));
            }
            _ => {}
        }
        // A link keeps pointing at the file that is replaced.
        let path = if existing.is_some() { path.canonicalize().map_err(error)? } else { path.to_path_buf() };
        let directory = directory_of(&path);
        if !directory.is_dir() {
            return Err(Error::NoDirectory { file: name.to_owned(), directory: quoted(&directory) });
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".kullback-").suffix(".tmp");
        if let Some(permissions) = permissions(existing.as_ref()) {
            builder.permissions(permissions);
        }
        let file = builder.tempfile_in(directory).map_err(error)?;
        Ok(Out::File(BufWriter::with_capacity(BUFFER, file), path))
    }
}

/// The permissions of the file that is replaced, or otherwise what the user's mask leaves of `rw-rw-rw-`.
#[cfg(unix)]
fn permissions(existing: Option<&std::fs::Metadata>) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    let mode = existing.map_or(0o666, |metadata| metadata.permissions().mode() & 0o777);
    Some(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permissions(_existing: Option<&std::fs::Metadata>) -> Option<Permissions> {
    None
}
