//! What the test files share.
#![allow(dead_code, clippy::unwrap_used, reason = "shared by the test files; not every one uses all of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, ListArray, RecordBatch};
use arrow_cast::cast;
use arrow_schema::DataType;
use kullback_arrow::{Batch, Error, Format, Layout, Location, ReadOptions, Source, Target, Writer};
use tempfile::TempDir;

/// A directory of files that is removed at the end of the test.
pub(crate) struct Files(pub(crate) TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of these bytes.
    pub(crate) fn bytes(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// A file of these columns, in the format of its name.
    pub(crate) fn table(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
        write_batches(&self.path(name), &[batch]);
        self.path(name)
    }

    /// What lies in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn write_batches(path: &Path, batches: &[RecordBatch]) {
    let format = Format::from_path(path).unwrap();
    let target = Target::Path(path.to_path_buf());
    let mut writer = Writer::create(&target, format, batches[0].schema(), BTreeMap::new()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
}

pub(crate) fn location(path: &Path) -> Location {
    Location::Path(path.to_path_buf())
}

pub(crate) fn open(path: &Path, options: &ReadOptions) -> Result<Source, Error> {
    Source::open(&location(path), options)
}

/// All batches of a file.
pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Vec<Batch>, Error> {
    open(path, options)?.batches()?.collect()
}

/// All rows of a file, which has at least one.
pub(crate) fn read_all(path: &Path, options: &ReadOptions) -> Result<Batch, Error> {
    Batch::concat(&read(path, options)?)
}

/// The message of the error that reading meets; one line.
pub(crate) fn failure(path: &Path, options: &ReadOptions) -> String {
    let message = match read(path, options) {
        Ok(batches) => panic!("{} batches where an error was expected", batches.len()),
        Err(error) => error.to_string(),
    };
    assert!(!message.contains('\n'), "{message}");
    assert!(message.contains(path.file_name().unwrap().to_str().unwrap()), "no file name: {message}");
    message
}

/// Asserts that a message holds all of these.
pub(crate) fn assert_holds(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

pub(crate) fn keyed(keys: &[&str]) -> ReadOptions {
    ReadOptions { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..ReadOptions::default() }
}

pub(crate) fn wide(patterns: &[&str]) -> ReadOptions {
    let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    ReadOptions { layout: Layout::Wide(patterns), ..ReadOptions::default() }
}

pub(crate) fn long(spec: &str) -> ReadOptions {
    ReadOptions { layout: Layout::long(spec).unwrap(), ..ReadOptions::default() }
}

pub(crate) fn filtered(mut options: ReadOptions, filters: &[&str]) -> ReadOptions {
    options.filters = filters.iter().map(|filter| filter.parse().unwrap()).collect();
    options
}

/// The weights as nested vectors.
pub(crate) fn weights(batch: &Batch) -> Vec<Vec<f64>> {
    let rows = batch.rows();
    let row = |row| (0..rows.bins()).map(|bin| rows.get(row, bin).unwrap()).collect();
    assert_eq!(rows.len(), batch.len());
    (0..rows.len()).map(row).collect()
}

/// A key column as text.
pub(crate) fn texts(batch: &Batch, column: &str) -> Vec<String> {
    let column = cast(batch.keys.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
    column.as_string::<i32>().iter().map(|text| text.unwrap_or("null").to_owned()).collect()
}

pub(crate) fn lists(rows: Vec<Option<Vec<Option<i32>>>>) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows))
}

/// Rows of lists without nulls.
pub(crate) fn full_lists(rows: &[&[i32]]) -> ArrayRef {
    lists(rows.iter().map(|row| Some(row.iter().copied().map(Some).collect())).collect())
}
