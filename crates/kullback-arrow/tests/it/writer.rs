//! Result tables: what they hold in every format, and that none is left half written.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::common::*;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::reader::FileReader;
use arrow_schema::SchemaRef;
use kullback_arrow::{Error, Format, ReadOptions, TableFormat, Target, Writer};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const AWKWARD: [f64; 6] = [0.1, 1e-300, f64::INFINITY, 123_456_789.123_456_79, -0.0, 1e22];

fn results() -> RecordBatch {
    let values: Vec<Option<f64>> = AWKWARD.iter().copied().map(Some).chain([None]).collect();
    let names = vec![Some("a"), Some("b,\"c"), Some("d\te"), Some("f\ng"), None, Some("ü"), Some("")];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(names))),
        ("id", Arc::new(Int64Array::from_iter_values(1..8))),
        ("kl", Arc::new(Float64Array::from(values))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn metadata() -> BTreeMap<String, String> {
    BTreeMap::from([("kullback.unit".to_owned(), "nats".to_owned())])
}

fn create(path: &Path, schema: SchemaRef) -> Result<Writer, Error> {
    Writer::create(&Target::Path(path.to_path_buf()), TableFormat::from_path(path)?, schema, metadata())
}

fn write(path: &Path, batches: &[RecordBatch]) {
    let mut writer = create(path, batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn json_is_one_array_and_markdown_one_table() {
    let files = Files::new();
    let (json, markdown) = (files.path("r.json"), files.path("r.md"));
    let batch = results();
    write(&json, &[batch.slice(0, 3), batch.slice(3, 4)]);
    let text = std::fs::read_to_string(&json).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[1], lines[8]), ("[", "{\"name\":\"a\",\"id\":1,\"kl\":0.1},", "]"));
    assert!(lines[3].contains("\"kl\":\"Infinity\"") && lines[7].ends_with("\"kl\":null}"), "{text}");
    write(&json, &[batch.slice(0, 0)]);
    assert_eq!(std::fs::read_to_string(&json).unwrap(), "[\n]\n");

    write(&markdown, &[batch.slice(0, 3), batch.slice(3, 4)]);
    let text = std::fs::read_to_string(&markdown).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["| name | id | kl |", "|---|---:|---:|", "| a | 1 | 0.1 |"]);
    assert!(lines[4].ends_with(" | 3 | inf |") && lines[5].starts_with("| f g | 4 |"), "{text}");
    assert_eq!((lines[6].starts_with("|  | 5 |"), lines[8], lines.len()), (true, "|  | 7 |  |", 9));
}

#[test]
fn parquet_and_ipc_keep_values_and_metadata() {
    let files = Files::new();
    let batch = results();
    let (parquet, ipc) = (files.path("r.parquet"), files.path("r.arrow"));
    write(&parquet, &[batch.clone(), batch.slice(0, 3)]);
    write(&ipc, &[batch.clone(), batch.slice(0, 3)]);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&parquet).unwrap()).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    assert!(pairs.iter().any(|pair| pair.key == "kullback.unit" && pair.value.as_deref() == Some("nats")));
    assert!(reader.metadata().row_group(0).column(2).compression().to_string().contains("ZSTD"));
    let read: Vec<RecordBatch> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read[0].columns()[2].slice(0, 7).as_ref(), batch.column(2).as_ref());

    let reader = FileReader::try_new(File::open(&ipc).unwrap(), None).unwrap();
    assert_eq!(reader.schema().metadata().get("kullback.unit").map(String::as_str), Some("nats"));
    let read: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
    assert_eq!((read.len(), read[0].columns()), (2, batch.columns()));
}

#[test]
fn text_floats_read_back_as_the_same_value() {
    let files = Files::new();
    for extension in ["csv", "tsv"] {
        let path = files.path(&format!("r.{extension}"));
        write(&path, &[results()]);
        let text = std::fs::read_to_string(&path).unwrap();
        let comma = if extension == "csv" { ',' } else { '\t' };
        assert!(text.starts_with(&format!("name{comma}id{comma}kl\n")), "{text}");
        let batch = read_all(&path, &ReadOptions { keys: vec!["name".into()], ..wide(&["kl"]) }).unwrap();
        assert_eq!(texts(&batch, "name"), ["a", "b,\"c", "d\te", "f\ng", "null", "ü", "null"]);
        assert!(batch.is_null(6) && text.contains(&format!("{comma}inf\n")));
        for (row, expected) in AWKWARD.into_iter().enumerate() {
            assert_eq!(batch.rows().get(row, 0).map(f64::to_bits), Some(expected.to_bits()), "{expected}");
        }
    }
}

#[test]
fn ndjson_tells_infinite_from_null() {
    let files = Files::new();
    let path = files.path("r.ndjson");
    write(&path, &[results(), results().slice(0, 1)]);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 8);
    assert_eq!(
        (&lines[2]["kl"], &lines[6]["kl"], &lines[4]["name"]),
        (&"Infinity".into(), &serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(lines[3]["name"], "f\ng");
    for (line, expected) in lines.iter().zip(AWKWARD).filter(|(_, value)| value.is_finite()) {
        assert_eq!(line["kl"].as_f64().unwrap().to_bits(), expected.to_bits(), "{line}");
    }
    assert!(lines[0].as_object().unwrap().keys().eq(["name", "id", "kl"]));
    let odd = RecordBatch::try_from_iter(vec![(
        "x",
        Arc::new(Float64Array::from(vec![f64::NEG_INFINITY, f64::NAN, 0.5])) as ArrayRef,
    )]);
    write(&path, &[odd.unwrap()]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"x\":\"-Infinity\"}\n{\"x\":\"NaN\"}\n{\"x\":0.5}\n");
}

#[test]
fn npy_of_one_and_of_several_columns() {
    let files = Files::new();
    let column = |values: Vec<Option<f64>>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let one = RecordBatch::try_from_iter_with_nullable(vec![("a", column(vec![Some(1.0), None]), true)]).unwrap();
    let path = files.path("one.npy");
    write(&path, &[one.clone(), one.clone()]);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 128 + 4 * 8);
    assert!(String::from_utf8_lossy(&bytes[10..128]).contains("'shape': (4,)"));
    let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
    let values: Vec<f64> = npy.into_vec().unwrap();
    assert!(values[0] == 1.0 && values[1].is_nan() && values[3].is_nan());

    let two = vec![("a", column(vec![Some(1.0), Some(2.0)])), ("b", column(vec![Some(3.0), Some(f64::INFINITY)]))];
    let path = files.path("two.npy");
    write(&path, &[RecordBatch::try_from_iter(two).unwrap()]);
    let batch = read_all(&path, &ReadOptions::default()).unwrap();
    assert_eq!(weights(&batch), [[1.0, 3.0], [2.0, f64::INFINITY]]);

    let error = create(&files.path("keys.npy"), results().schema()).unwrap_err().to_string();
    assert_holds(&error, &["keys.npy", "`name`", "text", "floats only"]);
    assert_eq!(files.names(), ["one.npy", "two.npy"]);
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let files = Files::new();
    for name in ["r.parquet", "r.arrow", "r.csv", "r.ndjson", "r.tsv"] {
        let mut writer = create(&files.path(name), results().schema()).unwrap();
        writer.write(&results()).unwrap();
        assert_eq!(files.names().len(), 1, "the temporary file");
        assert!(!files.path(name).exists());
        drop(writer);
        assert!(files.names().is_empty(), "{name}: {:?}", files.names());
    }
    // What was there stays as it was.
    let path = files.bytes("old.csv", "old");
    drop(create(&path, results().schema()).unwrap());
    assert_eq!(
        (std::fs::read_to_string(&path).unwrap(), files.names()),
        ("old".to_owned(), vec!["old.csv".to_owned()])
    );
}

#[test]
fn an_empty_table_is_a_table() {
    let files = Files::new();
    for name in ["e.parquet", "e.arrow", "e.csv", "e.ndjson"] {
        create(&files.path(name), results().schema()).unwrap().finish().unwrap();
    }
    assert_eq!(std::fs::read_to_string(files.path("e.csv")).unwrap(), "name,id,kl\n");
    assert_eq!(std::fs::read_to_string(files.path("e.ndjson")).unwrap(), "");
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(files.path("e.parquet")).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    let floats = RecordBatch::try_from_iter(vec![("a", Arc::new(Float64Array::from(vec![0.0])) as ArrayRef)]).unwrap();
    create(&files.path("e.npy"), floats.schema()).unwrap().finish().unwrap();
    let npy = npyz::NpyFile::new(File::open(files.path("e.npy")).unwrap()).unwrap();
    assert_eq!(npy.shape(), [0]);
}

#[test]
fn targets_that_cannot_be_written() {
    let files = Files::new();
    let error = create(&files.path("no/such/r.csv"), results().schema()).unwrap_err().to_string();
    assert_holds(&error, &["r.csv", "there is no directory", "no/such"]);
    std::fs::create_dir(files.path("d.csv")).unwrap();
    let error = create(&files.path("d.csv"), results().schema()).unwrap_err().to_string();
    assert_holds(&error, &["d.csv", "is a directory"]);
    let nested = RecordBatch::try_from_iter(vec![("w", full_lists(&[&[1]]))]).unwrap();
    let error = create(&files.path("n.csv"), nested.schema()).unwrap_err().to_string();
    assert_holds(&error, &["n.csv", "`w`", "nested"]);
    let mut writer = create(&files.path("s.csv"), results().schema()).unwrap();
    assert_holds(&writer.write(&nested).unwrap_err().to_string(), &["s.csv", "`w` list<int32>", "`kl` float64"]);
}

#[cfg(unix)]
mod unix {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn permissions_are_those_of_an_ordinary_file() {
        let files = Files::new();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let ordinary = mode(&files.bytes("ordinary", ""));
        write(&files.path("new.csv"), &[results()]);
        assert_eq!(mode(&files.path("new.csv")), ordinary);
        let kept = files.bytes("kept.csv", "old");
        std::fs::set_permissions(&kept, PermissionsExt::from_mode(0o600)).unwrap();
        write(&kept, &[results()]);
        assert_eq!(mode(&kept), 0o600);
    }

    #[test]
    fn a_link_keeps_pointing_at_what_is_replaced() {
        let files = Files::new();
        let real = files.bytes("real.csv", "old");
        symlink(&real, files.path("link.csv")).unwrap();
        write(&files.path("link.csv"), &[results()]);
        assert!(files.path("link.csv").is_symlink());
        assert!(std::fs::read_to_string(&real).unwrap().starts_with("name,id,kl"));
    }

    #[test]
    fn devices_and_pipes_are_written_to() {
        let files = Files::new();
        let null = Target::Path("/dev/null".into());
        for format in [Format::Csv, Format::Parquet, Format::Ipc, Format::Ndjson] {
            let mut writer = Writer::create(&null, format, results().schema(), metadata()).unwrap();
            writer.write(&results()).unwrap();
            writer.finish().unwrap();
        }
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());

        // A pipe cannot be rewound: the array is complete all the same.
        let pipe = files.path("pipe.npy");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reading = pipe.clone();
        let thread = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            File::open(reading).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        });
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]));
        write(&pipe, &[RecordBatch::try_from_iter(vec![("a", values)]).unwrap()]);
        let bytes = thread.join().unwrap();
        let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
        assert_eq!(npy.shape(), [3]);
        assert_eq!(npy.into_vec::<f64>().unwrap(), [1.0, 2.0, 3.0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_and_a_closed_pipe_are_told_apart() {
        let full = Target::Path("/dev/full".into());
        for format in [Format::Csv, Format::Parquet, Format::Ipc, Format::Ndjson] {
            let done = Writer::create(&full, format, results().schema(), metadata()).and_then(|mut writer| {
                writer.write(&results())?;
                writer.finish()
            });
            let error = done.unwrap_err();
            assert!(matches!(error, Error::Write { .. }) && !error.is_broken_pipe(), "{format}: {error}");
            assert_holds(&error.to_string(), &["/dev/full", "No space left"]);
        }
        let files = Files::new();
        let pipe = files.path("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reading = pipe.clone();
        let thread = std::thread::spawn(move || drop(File::open(reading).unwrap()));
        let done =
            Writer::create(&Target::Path(pipe), Format::Csv, results().schema(), metadata()).and_then(|mut writer| {
                (0..100_000).try_for_each(|_| writer.write(&results()))?;
                writer.finish()
            });
        thread.join().unwrap();
        assert!(done.unwrap_err().is_broken_pipe());
    }
}
