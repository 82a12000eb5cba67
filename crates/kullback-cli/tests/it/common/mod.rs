//! What several test files need: a directory of files, and runs of the command.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests; not every test file uses every one")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{ArrayRef, Float64Array, ListArray, RecordBatch, StringArray};
use kullback_arrow::{Format, Target, Writer};
use tempfile::TempDir;

/// The births of the United States by name and sex.
pub(crate) const NAMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/babynames.parquet");

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A directory of files that is removed at the end of the test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn bytes(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// A file of these columns, in the format of its name.
    pub(crate) fn table(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
        let path = self.path(name);
        let format = Format::from_path(&path).unwrap();
        let mut writer = Writer::create(&Target::Path(path), format, batch.schema(), BTreeMap::new()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }

    /// An array of this type, shape and content.
    pub(crate) fn npy(&self, name: &str, descr: &str, shape: &str, elements: &[u8]) {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(elements);
        self.bytes(name, bytes);
    }

    /// A matrix of 64-bit floats.
    pub(crate) fn matrix(&self, name: &str, rows: &[&[f64]]) {
        let elements: Vec<u8> = rows.iter().flat_map(|row| row.iter().flat_map(|w| w.to_le_bytes())).collect();
        let bins = rows.first().map_or(0, |row| row.len());
        self.npy(name, "<f8", &format!("({}, {bins})", rows.len()), &elements);
    }

    /// What lies in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command, in this directory.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kullback"));
        // Words in quotes may hold spaces.
        for (i, part) in line.split('\'').enumerate() {
            if i % 2 == 1 {
                command.arg(part);
            } else {
                command.args(part.split_whitespace());
            }
        }
        // GL drivers complain on stderr when it is not set.
        command.current_dir(self.0.path()).env("XDG_RUNTIME_DIR", self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the command in this directory.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let output = self.command(line).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the command, which must do its work.
    pub(crate) fn output(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
        ran.stdout
    }

    /// Runs the command with an output file, which must be refused in one line that holds all of `parts`.
    pub(crate) fn refused(&self, line: &str, parts: &[&str]) {
        let before = self.names();
        for output in ["", " -o out.csv"] {
            let line = format!("{line}{output}");
            let Ran { code, stdout, stderr } = self.run(&line);
            assert_eq!(code, 2, "{line}: {stdout}{stderr}");
            assert_eq!(stdout, "", "{line}");
            assert!(stderr.starts_with("kullback: ") && stderr.ends_with('\n'), "{line}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{line}: {stderr}");
            for part in parts {
                assert!(stderr.contains(part), "{line}: `{part}` is not in: {stderr}");
            }
            assert_eq!(self.names(), before, "{line} left a file");
        }
    }
}

/// The cells of CSV output, header included.
pub(crate) fn cells(csv: &str) -> Vec<Vec<String>> {
    csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// A column of CSV output, without its header.
pub(crate) fn column(csv: &str, name: &str) -> Vec<String> {
    let cells = cells(csv);
    let position = cells[0].iter().position(|header| header == name).unwrap();
    cells[1..].iter().map(|row| row[position].clone()).collect()
}

pub(crate) fn numbers(csv: &str, name: &str) -> Vec<f64> {
    column(csv, name).iter().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()
}

pub(crate) fn near(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-6 * want, "{got} for {want}");
}

pub(crate) fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(crate) fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub(crate) fn int_lists(rows: &[&[i32]]) -> ArrayRef {
    let rows = rows.iter().map(|row| Some(row.iter().copied().map(Some).collect::<Vec<_>>()));
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows))
}

/// Lists of floats in which a row or a bin may be null.
pub(crate) fn float_lists(rows: &[Option<&[Option<f64>]>]) -> ArrayRef {
    let rows = rows.iter().map(|row| row.map(<[Option<f64>]>::to_vec));
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows))
}

pub(crate) fn exists(path: &Path) -> bool {
    std::fs::exists(path).unwrap()
}
