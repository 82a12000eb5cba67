//! Every wrong input is one clear line with the file name and the numbers.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use crate::common::*;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use kullback_arrow::{Error, Format, Layout, Location, ReadOptions, Source, is_decoding};

fn named(column: &str) -> ReadOptions {
    ReadOptions { layout: Layout::List(Some(column.into())), ..ReadOptions::default() }
}

fn text_column() -> ArrayRef {
    Arc::new(StringArray::from(vec!["a", "b"]))
}

#[test]
fn files_that_are_not_there_or_not_right() {
    let files = Files::new();
    let plain = ReadOptions::default();
    assert_holds(&failure(&files.path("missing.parquet"), &plain), &["cannot open", "No such file"]);
    std::fs::create_dir(files.path("dir.parquet")).unwrap();
    assert_holds(&failure(&files.path("dir.parquet"), &plain), &["is a directory"]);
    for name in ["e.parquet", "e.csv", "e.tsv", "e.npy", "e.arrow", "e.ndjson"] {
        assert_holds(&failure(&files.bytes(name, ""), &plain), &["is empty (0 bytes)"]);
    }
    for name in ["t.parquet", "t.npy", "t.arrow"] {
        assert_holds(
            &failure(&files.bytes(name, "name,sex\nMary,F\n"), &plain),
            &["is not a file of format", "starts with `name,sex"],
        );
    }
    assert_holds(&failure(&files.bytes("old.feather", "FEA1....FEA1"), &plain), &["Feather version 1"]);
    let good = files.table("good.parquet", vec![("w", full_lists(&[&[1, 2]]))]);
    std::fs::copy(&good, files.path("renamed.csv")).unwrap();
    assert_holds(&failure(&files.path("renamed.csv"), &plain), &["not a file of format csv", "looks like parquet"]);
    assert_holds(&failure(&files.bytes("x.dat", "abc"), &plain), &["cannot tell the format"]);
    assert_holds(&failure(&files.bytes("array.ndjson", "[1, 2]\n"), &plain), &["ndjson", "object"]);
    assert_holds(&failure(&files.bytes("broken.ndjson", "{\"w\": [1,\n"), &plain), &["ndjson"]);
    assert_holds(&failure(&files.bytes("ragged.csv", "a,b\n1,2\n3\n"), &wide(&["*"])), &["csv", "line"]);
    assert_holds(&failure(&files.bytes("latin.csv", b"a,b\n1,\xff\n"), &wide(&["*"])), &["csv", "UTF-8"]);
}

/// The same small table in every binary format, whole.
fn whole_files(files: &Files) -> Vec<(String, Vec<u8>)> {
    let rows: Vec<[i32; 8]> = (0..50).map(|row| [row; 8]).collect();
    let rows: Vec<&[i32]> = rows.iter().map(<[i32; 8]>::as_slice).collect();
    let names = StringArray::from_iter_values((0..50).map(|row| format!("name {row}")));
    let columns = || vec![("k", Arc::new(names.clone()) as ArrayRef), ("w", full_lists(&rows))];
    files.table("t.parquet", columns());
    files.table("t.arrow", columns());
    files.table("t.npy", vec![("v", Arc::new(Float64Array::from_iter_values((0..50).map(f64::from))))]);
    let batch = RecordBatch::try_from_iter(columns()).unwrap();
    let file = || std::fs::File::create(files.path("s.arrow")).unwrap();
    let mut stream = StreamWriter::try_new(file(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    stream.finish().unwrap();
    let names = ["t.parquet", "t.arrow", "t.npy", "s.arrow"];
    names.map(|name| (name.to_owned(), std::fs::read(files.path(name)).unwrap())).into()
}

#[test]
fn cut_and_corrupted_files_never_panic() {
    // The decoders' panics are caught: only their messages would be seen.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_decoding() {
            hook(info);
        }
    }));
    let files = Files::new();
    for (name, whole) in whole_files(&files) {
        for length in (1..whole.len()).step_by(13) {
            let cut = files.bytes(&format!("cut-{name}"), &whole[..length]);
            // A stream may end after any message.
            if name != "s.arrow" || read(&cut, &ReadOptions::default()).is_err() {
                failure(&cut, &ReadOptions::default());
            }
        }
        for at in (0..whole.len()).step_by(7) {
            for value in [0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let path = files.bytes(&format!("bad-{name}"), bytes);
                if let Err(error) = read(&path, &keyed(&["k"])).or_else(|_| read(&path, &ReadOptions::default())) {
                    assert!(error.to_string().contains(&format!("bad-{name}")), "{error}");
                }
            }
        }
    }
    let cut = files.path("cut-t.parquet");
    let whole = std::fs::read(files.path("t.parquet")).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 1]).unwrap();
    assert_holds(&failure(&cut, &ReadOptions::default()), &["is cut off", &(whole.len() - 1).to_string(), "PAR1"]);
}

#[test]
fn columns_that_are_not_there() {
    let files = Files::new();
    let path = files.table("c.parquet", vec![("name", text_column()), ("w", full_lists(&[&[1], &[2]]))]);
    let columns = "`name` text, `w` list<int32>";
    assert_holds(&failure(&path, &keyed(&["nome"])), &["no column `nome`", "a key", columns]);
    assert_holds(&failure(&path, &named("v")), &["no column `v`", "the bins", columns]);
    assert_holds(&failure(&path, &filtered(keyed(&[]), &["sex=F"])), &["no column `sex`", "a filter", columns]);
    assert_holds(&failure(&path, &wide(&["bin_*"])), &["matches `bin_*`", columns]);
    assert_holds(&failure(&path, &wide(&["w", "bin"])), &["no column `bin`", "a bin", columns]);
    assert_holds(&failure(&path, &long("name:bin:n")), &["no column `bin`", columns]);
    assert_holds(&failure(&path, &named("name")), &["`name`", "text", "not a list"]);
    assert_holds(&failure(&path, &wide(&["name"])), &["`name`", "text", "64-bit integers"]);
    assert_holds(&failure(&path, &wide(&["w"])), &["`w`", "list<int32>"]);
    assert_holds(&failure(&path, &filtered(keyed(&[]), &["w=1"])), &["w=1", "list<int32>"]);
}

#[test]
fn list_columns_none_two_and_of_text() {
    let files = Files::new();
    let path = files.bytes("none.csv", "a,b\n1,x\n");
    assert_holds(
        &failure(&path, &ReadOptions::default()),
        &["no list column", "`a` int64, `b` text", "--columns", "--long"],
    );
    let two = vec![
        ("v", full_lists(&[&[1]])),
        ("name", Arc::new(StringArray::from(vec!["x"])) as ArrayRef),
        ("w", full_lists(&[&[2]])),
    ];
    let path = files.table("two.parquet", two);
    assert_holds(&failure(&path, &ReadOptions::default()), &["2 list columns", "`v`, `w`", "--bins"]);
    assert_eq!(weights(&read_all(&path, &named("w")).unwrap()), [[2.0]]);
    let path = files.bytes("text.ndjson", "{\"w\": [\"a\"]}\n");
    assert_holds(&failure(&path, &ReadOptions::default()), &["`w`", "list<text>"]);
    let path = files.bytes("empty.ndjson", "{\"w\": []}\n");
    assert_holds(&failure(&path, &ReadOptions::default()), &["`w`", "list<null>"]);
}

#[test]
fn rows_that_are_not_right() {
    let files = Files::new();
    let row = |bins: std::ops::Range<i32>| Some(bins.map(Some).collect::<Vec<_>>());
    for extension in ["parquet", "arrow", "ndjson"] {
        let ragged = lists(vec![row(0..3), None, row(0..3), row(0..2), row(0..1)]);
        let path = files.table(&format!("ragged.{extension}"), vec![("w", ragged)]);
        for batch_bytes in [1, 1 << 20] {
            let options = ReadOptions { batch_bytes, ..ReadOptions::default() };
            assert_holds(&failure(&path, &options), &["row 3", "`w`", "2 bins", "have 3"]);
        }
        let holes = lists(vec![row(0..2), None, Some(vec![Some(1), None])]);
        let path = files.table(&format!("holes.{extension}"), vec![("w", holes)]);
        assert_holds(&failure(&path, &ReadOptions::default()), &["bin 1 of row 2", "`w`", "null"]);
    }
    for extension in ["parquet", "arrow"] {
        let empty = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(Vec::<Option<i32>>::new())]);
        let path = files.table(&format!("zero.{extension}"), vec![("w", Arc::new(empty) as ArrayRef)]);
        assert_holds(&failure(&path, &ReadOptions::default()), &["zero bins", "`w`"]);
    }
    // A filtered row is named by its place in the file.
    let holes = lists(vec![row(0..2), row(0..3), row(0..2), Some(vec![None, Some(1)])]);
    let parity: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 0, 0]));
    let path = files.table("f.parquet", vec![("even", parity), ("w", holes)]);
    assert_holds(&failure(&path, &filtered(keyed(&[]), &["even=0"])), &["bin 0 of row 3"]);
    let path = files.bytes("cell.csv", "k,a,b\nx,1,2\ny,3,\n");
    assert_holds(&failure(&path, &wide(&["a", "b"])), &["row 1", "`b`", "bin 1", "null"]);
    let path = files.bytes("list.csv", "w\n\"[1, 2]\"\n\"[1, ]\"\n");
    assert_holds(&failure(&path, &ReadOptions::default()), &["bin 1 of row 1"]);
}

#[test]
fn long_rows_that_are_not_right() {
    let files = Files::new();
    let path = files.bytes("null.csv", "k,b,n\nx,1,1\nx,2,\n");
    assert_holds(&failure(&path, &long("k:b:n")), &["row 1", "`n`", "null"]);
    let path = files.bytes("label.csv", "k,b,n\nx,1,1\nx,,2\n");
    assert_holds(&failure(&path, &long("k:b:n")), &["row 1", "`b`", "null"]);
    let path = files.bytes("sum.csv", format!("k,b,n\nx,1,5\nx,2,{max}\nx,2,{max}\n", max = i64::MAX));
    assert_holds(&failure(&path, &long("k:b:n")), &["row 0, bin 1", "int64"]);
    let path = files.bytes("text.csv", "k,b,n\nx,1,many\n");
    assert_holds(&failure(&path, &long("k:b:n")), &["`n`", "text"]);
}

#[test]
fn a_late_change_of_type_says_where_the_type_came_from() {
    let files = Files::new();
    let mut text = "id,a\n".to_owned() + &"1,2\n".repeat(2_200_000);
    text.push_str("1,2.5\n");
    let path = files.bytes("late.csv", text);
    assert_holds(&failure(&path, &wide(&["a"])), &["2.5", "Int64", "types are those of the first 20"]);
}

#[test]
fn arrays_that_are_not_matrices() {
    let files = Files::new();
    let npy = |name: &str, descr: &str, shape: &str, data: &[u8]| {
        let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (text.len() as u16).to_le_bytes();
        files.bytes(name, [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), data].concat())
    };
    let plain = ReadOptions::default();
    assert_holds(&failure(&npy("cube.npy", "'<f8'", "(2, 3, 4)", &[0; 192]), &plain), &["3 dimensions", "(2, 3, 4)"]);
    assert_holds(&failure(&npy("scalar.npy", "'<f8'", "()", &[0; 8]), &plain), &["0 dimensions"]);
    for (name, descr) in
        [("c.npy", "'<c16'"), ("s.npy", "'<U3'"), ("o.npy", "'|O'"), ("t.npy", "'<f16'"), ("r.npy", "[('a', '<f8')]")]
    {
        let message = failure(&npy(name, descr, "(2, 3)", &[0; 96]), &plain);
        assert_holds(&message, &[descr.trim_matches('\'').trim_matches(['[', ']', '(', ')'])]);
    }
    assert_holds(&failure(&npy("zero.npy", "'<f8'", "(2, 0)", &[]), &plain), &["zero bins"]);
    assert_holds(&failure(&npy("cut.npy", "'<f8'", "(2, 3)", &[0; 47]), &plain), &["cut off", "48 bytes", "47"]);
    assert_holds(&failure(&npy("huge.npy", "'<f8'", "(18446744073709551615, 3)", &[0; 8]), &plain), &["cut off"]);
    assert_holds(&failure(&files.bytes("head.npy", b"\x93NUMPY\x01\x00\x80\x00{'descr"), &plain), &["cut off"]);
    // The comma of a number is no border of a size, and a second array is not left unread.
    assert_holds(&failure(&npy("comma.npy", "'|u1'", "(1,024, )", &[0; 1024]), &plain), &["its header is"]);
    assert_holds(&failure(&npy("two.npy", "'|u1'", "(2, 3)", &[0; 20]), &plain), &["6 bytes", "20", "one array"]);
    let good = npy("good.npy", "'<f8'", "(1, 1)", &[0; 8]);
    for options in [keyed(&["name"]), filtered(keyed(&[]), &["sex=F"]), wide(&["a*"]), named("w"), long("k:b:n")] {
        assert_holds(&failure(&good, &options), &["an .npy file has no columns"]);
    }
}

#[test]
fn tables_without_rows() {
    let files = Files::new();
    let no_rows = full_lists(&[]);
    for extension in ["parquet", "arrow"] {
        let path = files.table(&format!("z.{extension}"), vec![("w", no_rows.clone())]);
        assert!(read(&path, &ReadOptions::default()).unwrap().is_empty());
    }
    let path = files.bytes("header.csv", "a,b\n");
    assert!(read(&path, &wide(&["*"])).unwrap().is_empty());
}

#[test]
fn an_error_ends_the_batches() {
    let files = Files::new();
    let path = files.table("r.parquet", vec![("w", full_lists(&[&[1, 2], &[1], &[1, 2]]))]);
    let options = ReadOptions { batch_bytes: 1, ..ReadOptions::default() };
    let mut batches = open(&path, &options).unwrap().batches().unwrap();
    let results: Vec<bool> = batches.by_ref().map(|batch| batch.is_ok()).collect();
    assert_eq!(results, [true, false]);
    assert!(batches.next().is_none());
}

#[test]
fn nothing_hides_in_the_location() {
    let error = Source::open(&Location::from("no/such.xyz"), &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Open { .. }), "{error}");
    assert!(!error.is_broken_pipe());
    assert!(matches!(Format::from_path("a.xyz".as_ref()), Err(Error::NoFormat { .. })));
}
