//! Every format gives back the weights, keys and types that were put in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::File;
use std::sync::Arc;

use crate::common::*;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float64Array, Int64Array, LargeListArray, ListArray, ListViewArray,
    RecordBatch, StringArray, StringViewArray, TimestampSecondArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use half::f16;
use kullback::WeightType;
use kullback_arrow::{Format, Layout, Location, ReadOptions};

/// `row * 10 + bin` in every type that weights come in, and the type they are held in.
fn lists_of_every_type() -> Vec<(&'static str, ArrayRef, WeightType)> {
    macro_rules! list {
        ($name:literal, $type:ident, $native:ty, $weight:ident) => {{
            let rows = (0..3).map(|row| Some((0..4).map(move |bin| Some((row * 10 + bin) as u8 as $native))));
            ($name, Arc::new(ListArray::from_iter_primitive::<$type, _, _>(rows)) as ArrayRef, WeightType::$weight)
        }};
    }
    let halves = (0..3).map(|row| Some((0..4).map(move |bin| Some(f16::from_f32((row * 10 + bin) as f32)))));
    vec![
        list!("i8", Int8Type, i8, I32),
        list!("i16", Int16Type, i16, I32),
        list!("i32", Int32Type, i32, I32),
        list!("i64", Int64Type, i64, I64),
        list!("u8", UInt8Type, u8, U8),
        list!("u16", UInt16Type, u16, U16),
        list!("u32", UInt32Type, u32, U32),
        list!("u64", UInt64Type, u64, U64),
        ("f16", Arc::new(ListArray::from_iter_primitive::<Float16Type, _, _>(halves)), WeightType::F16),
        list!("f32", Float32Type, f32, F32),
        list!("f64", Float64Type, f64, F64),
    ]
}

fn expected() -> Vec<Vec<f64>> {
    (0..3).map(|row| (0..4).map(|bin| f64::from(row * 10 + bin)).collect()).collect()
}

fn key() -> ArrayRef {
    Arc::new(StringArray::from(vec![Some("a"), Some("b,\"c\""), None]))
}

#[test]
fn binary_formats_keep_every_type() {
    let files = Files::new();
    for (name, list, weight_type) in lists_of_every_type() {
        for extension in ["parquet", "arrow"] {
            let path = files.table(&format!("{name}.{extension}"), vec![("key", key()), ("w", list.clone())]);
            let batch = read_all(&path, &keyed(&["key"])).unwrap();
            assert_eq!(batch.weight_type(), weight_type, "{name} {extension}");
            assert_eq!(weights(&batch), expected(), "{name} {extension}");
            assert_eq!(texts(&batch, "key"), ["a", "b,\"c\"", "null"]);
            assert_eq!(batch.null_count(), 0);
        }
    }
}

#[test]
fn text_formats_round_trip() {
    let files = Files::new();
    for (name, list, weight_type) in lists_of_every_type() {
        let path = files.table(&format!("{name}.ndjson"), vec![("key", key()), ("w", list)]);
        let batch = read_all(&path, &keyed(&["key"])).unwrap();
        let float = matches!(weight_type, WeightType::F16 | WeightType::F32 | WeightType::F64);
        assert_eq!(batch.weight_type(), if float { WeightType::F64 } else { WeightType::I64 }, "{name}");
        assert_eq!(weights(&batch), expected(), "{name}");
        assert_eq!(texts(&batch, "key"), ["a", "b,\"c\"", "null"]);
    }
    for (extension, comma) in [("csv", ","), ("tsv", "\t")] {
        let text = "key,a0,a1\nx,1,0.5\n\"y,\"\"z\",3,4\n".replace(',', comma);
        let path = files.bytes(&format!("wide.{extension}"), text);
        let batch = read_all(&path, &ReadOptions { keys: vec!["key".into()], ..wide(&["a*"]) }).unwrap();
        assert_eq!(weights(&batch), [[1.0, 0.5], [3.0, 4.0]]);
        assert_eq!(texts(&batch, "key"), ["x".to_owned(), format!("y{comma}\"z")]);
        assert_eq!(batch.weight_type(), WeightType::F64);
    }
}

#[test]
fn csv_columns_of_list_text() {
    let files = Files::new();
    let path = files.bytes("l.csv", "id,h\n7,\"[1, 2,3]\"\n8,\"[ 4,5 , 6 ]\"\n9,\n");
    for layout in [Layout::List(None), Layout::List(Some("h".into()))] {
        let batch = read_all(&path, &ReadOptions { layout, ..keyed(&["id"]) }).unwrap();
        assert_eq!(batch.weight_type(), WeightType::I64);
        assert_eq!(weights(&batch), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.0; 3]]);
        assert_eq!(texts(&batch, "id"), ["7", "8", "9"]);
        assert!(batch.is_null(2) && !batch.is_null(1));
    }
    let path = files.bytes("spaces.csv", "h\n[1 2  3]\n\"[4. 5.\n 6.]\"\n");
    let batch = read_all(&path, &ReadOptions::default()).unwrap();
    assert_eq!(
        (batch.weight_type(), weights(&batch)),
        (WeightType::F64, vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]])
    );
    let path = files.bytes("f.tsv", "h\n[1, 2.5e-3]\n[NaN,1]\n");
    let batch = read_all(&path, &ReadOptions::default()).unwrap();
    assert_eq!((batch.weight_type(), batch.rows().get(0, 1)), (WeightType::F64, Some(0.0025)));
    assert!(batch.rows().get(1, 0).unwrap().is_nan());
}

#[test]
fn ndjson_types_are_those_of_the_whole_file() {
    let files = Files::new();
    // Ten thousand rows of whole numbers, then a fraction.
    let mut text = "{\"w\": [1, 0]}\n".repeat(10_000);
    text.push_str("{\"w\": [1, 0.5]}\n");
    let path = files.bytes("late.ndjson", text);
    let source = open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(source.row_count(), Some(10_001));
    let batch = read_all(&path, &ReadOptions::default()).unwrap();
    assert_eq!((batch.weight_type(), batch.rows().get(10_000, 1)), (WeightType::F64, Some(0.5)));
}

#[test]
fn ndjson_columns_keep_the_order_of_the_file() {
    let files = Files::new();
    let path = files.bytes("w.jsonl", "{\"b2\": 2, \"b10\": 10, \"b1\": 1}\n{\"b10\": 20, \"b1\": 3, \"b2\": 4}\n");
    assert_eq!(weights(&read_all(&path, &wide(&["b*"])).unwrap()), [[2.0, 10.0, 1.0], [4.0, 20.0, 3.0]]);
}

/// A version 1 header.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn npy_of_every_type_and_byte_order() {
    let files = Files::new();
    macro_rules! check {
        ($dtype:literal, $native:ty, $weight:ident, $from:expr) => {{
            let values: Vec<$native> = [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23].iter().map($from).collect();
            let little: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let big: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
            for (order, data) in [("<", little), (">", big)] {
                let path = files.bytes("a.npy", npy(&format!("'{order}{}'", $dtype), "False", "(3, 4)", &data));
                let batch = read_all(&path, &ReadOptions::default()).unwrap();
                assert_eq!(
                    (batch.weight_type(), weights(&batch)),
                    (WeightType::$weight, expected()),
                    "{order}{}",
                    $dtype
                );
            }
        }};
    }
    check!("u1", u8, U8, |v: &i32| *v as u8);
    check!("u2", u16, U16, |v: &i32| *v as u16);
    check!("u4", u32, U32, |v: &i32| *v as u32);
    check!("u8", u64, U64, |v: &i32| *v as u64);
    check!("i1", i8, I32, |v: &i32| *v as i8);
    check!("i2", i16, I32, |v: &i32| *v as i16);
    check!("i4", i32, I32, |v: &i32| *v);
    check!("i8", i64, I64, |v: &i32| i64::from(*v));
    check!("f2", f16, F16, |v: &i32| f16::from_f32(*v as f32));
    check!("f4", f32, F32, |v: &i32| *v as f32);
    check!("f8", f64, F64, |v: &i32| f64::from(*v));
}

#[test]
fn npy_orders_ranks_and_blocks() {
    let files = Files::new();
    let columns: Vec<u8> =
        [0u16, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23].iter().flat_map(|v| v.to_le_bytes()).collect();
    let path = files.bytes("fortran.npy", npy("'<u2'", "True", "(3, 4)", &columns));
    for batch_bytes in [1, 16, 1 << 20] {
        let options = ReadOptions { batch_bytes, ..ReadOptions::default() };
        assert_eq!(weights(&read_all(&path, &options).unwrap()), expected(), "{batch_bytes}");
        assert_eq!(open(&path, &options).unwrap().bins(), Some(4));
        assert_eq!(open(&path, &options).unwrap().row_count(), Some(3));
    }
    let path = files.bytes("row.npy", npy("'|u1'", "True", "(4,)", &[1, 2, 3, 4]));
    assert_eq!(weights(&read_all(&path, &ReadOptions::default()).unwrap()), [[1.0, 2.0, 3.0, 4.0]]);
    let path = files.bytes("none.npy", npy("'<f8'", "False", "(0, 4)", &[]));
    assert!(read(&path, &ReadOptions::default()).unwrap().is_empty());
}

#[test]
fn ipc_stream_and_compressed_file() {
    let files = Files::new();
    let column = full_lists(&[&[1, 2], &[3, 4]]);
    let batch = RecordBatch::try_from_iter(vec![("w", column)]).unwrap();
    let mut stream = StreamWriter::try_new(File::create(files.path("s.arrow")).unwrap(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    stream.write(&batch).unwrap();
    stream.finish().unwrap();
    let read = read_all(&files.path("s.arrow"), &ReadOptions::default()).unwrap();
    assert_eq!(weights(&read), [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]);

    for compression in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        let options = IpcWriteOptions::default().try_with_compression(Some(compression)).unwrap();
        let file = File::create(files.path("c.feather")).unwrap();
        let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        let read = read_all(&files.path("c.feather"), &ReadOptions::default()).unwrap();
        assert_eq!(weights(&read), [[1.0, 2.0], [3.0, 4.0]], "{compression:?}");
    }
}

#[test]
fn large_and_fixed_size_lists() {
    let files = Files::new();
    let rows = || (0..3).map(|row| Some((0..4).map(move |bin| Some(row * 10 + bin))));
    let columns: [ArrayRef; 3] = [
        Arc::new(LargeListArray::from_iter_primitive::<Int32Type, _, _>(rows())),
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(rows(), 4)),
        Arc::new(ListViewArray::from_iter_primitive::<Int32Type, _, _>(rows())),
    ];
    for (column, bins) in columns.into_iter().zip([None, Some(4), None]) {
        for extension in ["parquet", "arrow"] {
            let path = files.table(&format!("l.{extension}"), vec![("w", column.clone())]);
            assert_eq!(open(&path, &ReadOptions::default()).unwrap().bins(), bins);
            assert_eq!(weights(&read_all(&path, &ReadOptions::default()).unwrap()), expected());
        }
    }
}

#[test]
fn keys_are_plain_text_whatever_the_encoding() {
    let files = Files::new();
    let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), None, Some("x")].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("d", Arc::new(dictionary)),
        ("v", Arc::new(StringViewArray::from(vec!["p", "q", "r"]))),
        ("i", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("f", Arc::new(Float64Array::from(vec![0.5, 1.5, 0.5]))),
        ("w", full_lists(&[&[1, 1], &[2, 2], &[3, 3]])),
    ];
    let path = files.table("k.arrow", columns);
    let options = keyed(&["v", "d", "i", "v"]);
    let source = open(&path, &options).unwrap();
    let names: Vec<String> = source.key_schema().fields().iter().map(|field| field.to_string()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[0].contains("\"v\": nullable Utf8") && names[1].contains("\"d\": nullable Utf8"), "{names:?}");
    let batch = read_all(&path, &filtered(options, &["d=x", "f=0.50"])).unwrap();
    assert_eq!((texts(&batch, "v"), texts(&batch, "i")), (vec!["p".into(), "r".into()], vec!["1".into(), "3".into()]));
    assert_eq!((batch.keys.schema(), batch.file_row(1)), (source.key_schema(), 2));
}

#[test]
fn a_time_keeps_the_time_zone_that_its_column_names() {
    let files = Files::new();
    let times = TimestampSecondArray::from(vec![0, 86_400]).with_timezone("Europe/Berlin");
    let columns: Vec<(&str, ArrayRef)> = vec![("t", Arc::new(times)), ("w", full_lists(&[&[1, 1], &[2, 2]]))];
    let path = files.table("times.parquet", columns);
    let batch = read_all(&path, &filtered(keyed(&["t"]), &["t=1970-01-02T00:00:00Z"])).unwrap();
    assert_eq!((texts(&batch, "t"), weights(&batch)), (vec!["1970-01-02T01:00:00+01:00".into()], vec![vec![2.0, 2.0]]));
}

#[test]
fn formats_by_name_and_content() {
    let files = Files::new();
    let path = files.table("t.parquet", vec![("w", full_lists(&[&[1, 2]]))]);
    let bare = files.path("bare");
    std::fs::copy(&path, &bare).unwrap();
    assert_eq!(open(&bare, &ReadOptions::default()).unwrap().format(), Format::Parquet);
    let message = failure(&files.bytes("text", "a,b\n1,2\n"), &wide(&["*"]));
    assert_holds(&message, &["format", "parquet, csv, tsv, npy, arrow or ndjson"]);
    let options = ReadOptions { format: Some(Format::Csv), ..wide(&["*"]) };
    assert_eq!(weights(&read_all(&files.path("text"), &options).unwrap()), [[1.0, 2.0]]);
    for name in ["parquet", "csv", "tsv", "npy", "arrow", "feather", "ipc", "ndjson", "jsonl", "PARQUET"] {
        let format: Format = name.parse().unwrap();
        assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
    }
    assert_holds(&"xml".parse::<Format>().unwrap_err().to_string(), &["`xml`", "parquet"]);
    assert_eq!(Location::from("-"), Location::Stdin);
    assert_eq!(Location::from("-").to_string(), "standard input");
    assert_eq!("a/b".parse::<Location>().unwrap().to_string(), "a/b");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_and_then_as_often_as_needed() {
    let files = Files::new();
    let pipe = files.path("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = pipe.clone();
    let thread = std::thread::spawn(move || std::fs::write(writer, "a,b\n1,2\n3,4\n").unwrap());
    let source = open(&pipe, &wide(&["*"])).unwrap();
    thread.join().unwrap();
    for _ in 0..2 {
        let batches: Vec<_> = source.batches().unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(weights(&batches[0]), [[1.0, 2.0], [3.0, 4.0]]);
    }
}
