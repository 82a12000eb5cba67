//! List, wide and long layouts; filters; batches of every size.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::common::*;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float32Array, Int32Array, Int64Array, ListArray, StringArray,
    UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use kullback::WeightType;
use kullback_arrow::{Batch, BinPairing, Layout, ReadOptions, Source};

fn babynames() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/babynames.parquet")
}

fn total(batch: &Batch) -> f64 {
    let rows = batch.rows();
    (0..rows.len()).flat_map(|row| (0..rows.bins()).map(move |bin| rows.get(row, bin).unwrap())).sum()
}

#[test]
fn real_data_in_batches_of_any_size() {
    let source = open(&babynames(), &keyed(&["name", "sex"])).unwrap();
    assert_eq!((source.row_count(), source.bins()), (Some(107_973), None));
    for batch_bytes in [1 << 16, 1 << 20, 16 << 20, 1 << 30] {
        let options = ReadOptions { batch_bytes, ..keyed(&["name", "sex"]) };
        let source = open(&babynames(), &options).unwrap();
        // Twice: a source can be read again.
        for _ in 0..2 {
            let (mut rows, mut births) = (0u64, 0.0);
            for batch in source.batches().unwrap() {
                let batch = batch.unwrap();
                assert_eq!((batch.bins(), batch.weight_type(), batch.first_row()), (138, WeightType::I32, rows));
                assert_eq!((batch.keys.num_rows(), batch.keys.num_columns()), (batch.len(), 2));
                assert!(batch.len() * 138 * 4 <= 2 * batch_bytes, "{} rows", batch.len());
                rows += batch.len() as u64;
                births += total(&batch);
            }
            assert_eq!((rows, births), (107_973, 348_120_517.0));
        }
    }
}

#[test]
fn real_data_split_by_a_filter() {
    let mut births = 0.0;
    let mut rows = 0;
    for sex in ["sex=F", "sex=M"] {
        let batch = read_all(&babynames(), &filtered(keyed(&["sex"]), &[sex])).unwrap();
        assert!(texts(&batch, "sex").iter().all(|value| sex.ends_with(value)));
        births += total(&batch);
        rows += batch.len();
    }
    assert_eq!((rows, births), (107_973, 348_120_517.0));
    let one = read_all(&babynames(), &filtered(keyed(&["name"]), &["sex=F", "name=Mary"])).unwrap();
    assert_eq!((one.len(), texts(&one, "name")), (1, vec!["Mary".to_owned()]));
    assert!(read(&babynames(), &filtered(keyed(&[]), &["sex=X"])).unwrap().is_empty());
}

#[test]
fn filters_by_type() {
    let files = Files::new();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i", Arc::new(Int32Array::from(vec![Some(3), None, Some(-3), Some(3)]))),
        ("f", Arc::new(Float32Array::from(vec![0.1, 0.1, 0.2, 0.1]))),
        ("b", Arc::new(BooleanArray::from(vec![true, true, true, false]))),
        ("d", Arc::new(Date32Array::from(vec![19_000, 19_000, 19_000, 19_000]))),
        ("s", Arc::new(StringArray::from(vec!["3", " 3", "3", "3"]))),
        ("w", full_lists(&[&[0], &[1], &[2], &[3]])),
    ];
    let path = files.table("t.parquet", columns);
    let file_rows = |filters: &[&str]| -> Vec<u64> {
        let batches = read(&path, &filtered(ReadOptions::default(), filters)).unwrap();
        batches.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.file_row(row))).collect()
    };
    assert_eq!(file_rows(&["i=3"]), [0, 3]);
    assert_eq!(file_rows(&["f=0.1"]), [0, 1, 3]);
    assert_eq!(file_rows(&["b=true"]), [0, 1, 2]);
    assert_eq!(file_rows(&["d=2022-01-08"]), [0, 1, 2, 3]);
    assert_eq!(file_rows(&["s=3"]), [0, 2, 3]);
    assert_eq!(file_rows(&["i=3", "b=true"]), [0]);
    assert_eq!(file_rows(&["i=4"]), [0u64; 0]);
    let message = failure(&path, &filtered(ReadOptions::default(), &["i=three"]));
    assert_holds(&message, &["i=three", "int32"]);
}

#[test]
fn many_batches_and_filters_keep_file_rows() {
    let files = Files::new();
    let ids = Int64Array::from_iter_values(0..1000);
    let sevens = Int64Array::from_iter_values((0..1000).map(|row| row % 7));
    let rows: Vec<Vec<i32>> = (0..1000).map(|row| vec![row, 1]).collect();
    let rows: Vec<&[i32]> = rows.iter().map(Vec::as_slice).collect();
    for extension in ["parquet", "arrow", "ndjson"] {
        let columns: Vec<(&str, ArrayRef)> =
            vec![("id", Arc::new(ids.clone())), ("r", Arc::new(sevens.clone())), ("w", full_lists(&rows))];
        let path = files.table(&format!("t.{extension}"), columns);
        let options = ReadOptions { batch_bytes: 160, ..filtered(keyed(&["id"]), &["r=3"]) };
        let batches = read(&path, &options).unwrap();
        assert!(batches.len() > 5, "{extension}: {} batches", batches.len());
        let batch = Batch::concat(&batches).unwrap();
        let expected: Vec<u64> = (0..1000).filter(|row| row % 7 == 3).collect();
        assert_eq!((0..batch.len()).map(|row| batch.file_row(row)).collect::<Vec<_>>(), expected, "{extension}");
        assert_eq!(weights(&batch).iter().map(|row| row[0] as u64).collect::<Vec<_>>(), expected);
        assert_eq!(texts(&batch, "id"), expected.iter().map(u64::to_string).collect::<Vec<_>>());
    }
}

#[test]
fn null_rows_are_zeros_and_flagged() {
    let files = Files::new();
    let row = |a, b| Some(vec![Some(a), Some(b)]);
    for extension in ["parquet", "arrow", "ndjson"] {
        // Null rows before the bins are known, in the middle and at the end; one batch a row.
        let column = lists(vec![None, None, row(1, 2), None, row(3, 4), None]);
        let path = files.table(&format!("n.{extension}"), vec![("w", column)]);
        for batch_bytes in [1, 1 << 20] {
            let batches = read(&path, &ReadOptions { batch_bytes, ..ReadOptions::default() }).unwrap();
            let batch = Batch::concat(&batches).unwrap();
            let zeros = [0.0; 2];
            assert_eq!(weights(&batch), [zeros, zeros, [1.0, 2.0], zeros, [3.0, 4.0], zeros], "{extension}");
            let nulls: Vec<bool> = (0..6).map(|row| batch.is_null(row)).collect();
            assert_eq!((nulls, batch.null_count()), (vec![true, true, false, true, false, true], 4));
            assert_eq!((0..6).map(|row| batch.file_row(row)).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        }
    }
    let path = files.table("all.parquet", vec![("w", lists(vec![None, None, None]))]);
    assert_holds(&failure(&path, &ReadOptions::default()), &["all 3 rows", "`w`", "null"]);
}

/// A list array whose offsets do not start at 0, with elements under its null row and beyond its end.
fn offset_lists() -> ListArray {
    let values = Int32Array::from(vec![Some(99), Some(1), Some(2), None, Some(98), Some(3), Some(4), Some(97)]);
    let field = Arc::new(Field::new_list_field(DataType::Int32, true));
    let offsets = OffsetBuffer::new(vec![1, 3, 5, 7].into());
    ListArray::new(field, offsets, Arc::new(values), Some(NullBuffer::from(vec![true, false, true])))
}

#[test]
fn offsets_and_slices_are_respected() {
    let files = Files::new();
    let column: ArrayRef = Arc::new(offset_lists());
    let path = files.table("o.arrow", vec![("w", column.clone())]);
    let batch = read_all(&path, &ReadOptions::default()).unwrap();
    assert_eq!(weights(&batch), [[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]]);
    assert!(batch.is_null(1));
    let path = files.table("s.arrow", vec![("w", column.slice(2, 1))]);
    assert_eq!(weights(&read_all(&path, &ReadOptions::default()).unwrap()), [[3.0, 4.0]]);

    // Cut into slices on reading: the same rows.
    let rows: Vec<[i32; 3]> = (0..100).map(|row| [row, row + 1, row + 2]).collect();
    let rows: Vec<&[i32]> = rows.iter().map(<[i32; 3]>::as_slice).collect();
    let path = files.table("c.arrow", vec![("w", full_lists(&rows))]);
    let whole = read_all(&path, &ReadOptions::default()).unwrap();
    let cut = read(&path, &ReadOptions { batch_bytes: 84, ..ReadOptions::default() }).unwrap();
    assert!(cut.len() > 10);
    assert_eq!(weights(&Batch::concat(&cut).unwrap()), weights(&whole));
}

#[test]
fn wide_columns() {
    let files = Files::new();
    let number = |from: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![from, from + 1])) };
    let columns = vec![
        ("b2", number(20)),
        ("b_key", Arc::new(StringArray::from(vec!["x", "y"])) as ArrayRef),
        ("b1", number(10)),
        ("c", Arc::new(Float32Array::from(vec![0.5, 1.5])) as ArrayRef),
    ];
    let path = files.table("w.parquet", columns);
    let read_wide = |patterns: &[&str], keys: &[&str]| {
        let options = ReadOptions { layout: wide(patterns).layout, ..keyed(keys) };
        (open(&path, &options).unwrap().bins(), read_all(&path, &options).unwrap())
    };
    // A pattern takes the order of the file and leaves keys out; names take the order given.
    let (bins, batch) = read_wide(&["b*"], &["b_key"]);
    assert_eq!(
        (bins, batch.weight_type(), weights(&batch)),
        (Some(2), WeightType::I64, vec![vec![20.0, 10.0], vec![21.0, 11.0]])
    );
    assert_eq!(texts(&batch, "b_key"), ["x", "y"]);
    let (_, batch) = read_wide(&["b1", "c", "b2", "b1"], &[]);
    assert_eq!(
        (batch.weight_type(), weights(&batch)),
        (WeightType::F64, vec![vec![10.0, 0.5, 20.0], vec![11.0, 1.5, 21.0]])
    );
    // A bin can be a key as well.
    let (_, batch) = read_wide(&["b1", "b2"], &["b1"]);
    assert_eq!(
        (texts(&batch, "b1"), weights(&batch)[0].clone()),
        (vec!["10".to_owned(), "11".to_owned()], vec![10.0, 20.0])
    );
}

#[test]
fn wide_nulls_and_types() {
    let files = Files::new();
    let path = files.bytes("n.csv", "k,a,b\n1,,\n2,1,2\n3,,\n");
    let batch = read_all(&path, &wide(&["a", "b"])).unwrap();
    assert_eq!(
        (batch.weight_type(), weights(&batch)),
        (WeightType::I64, vec![vec![0.0, 0.0], vec![1.0, 2.0], vec![0.0, 0.0]])
    );
    assert_eq!((batch.is_null(0), batch.is_null(1), batch.null_count()), (true, false, 2));
    // A fraction in any column makes all of them floats, so a later fraction elsewhere is no error.
    let mut text = "a,b\n".to_owned() + &"0,0.5\n".repeat(1_500_000);
    text.push_str("0.25,0.75\n");
    let batch = read_all(&files.bytes("late.csv", text), &wide(&["*"])).unwrap();
    assert_eq!((batch.len(), batch.rows().get(1_500_000, 0)), (1_500_001, Some(0.25)));

    let columns: Vec<(&str, ArrayRef)> =
        vec![("u", Arc::new(UInt64Array::from(vec![u64::MAX]))), ("i", Arc::new(Int32Array::from(vec![-1])))];
    let path = files.table("u.arrow", columns);
    assert_holds(&failure(&path, &wide(&["*"])), &["`i`", "uint64", "-1"]);
    assert_eq!(read_all(&path, &wide(&["u"])).unwrap().weight_type(), WeightType::U64);
}

#[test]
fn long_layout() {
    let files = Files::new();
    let text = "day,store,price,n\n2,b,10,1\n1,a,9,2\n2,b,9,3\n1,a,9,4\n2,c,11,5\n";
    let path = files.bytes("l.csv", text);
    let source = open(&path, &long("store,day:price:n")).unwrap();
    assert_eq!((source.bins(), source.row_count()), (Some(3), Some(3)));
    let batch = read_all(&path, &long("store,day:price:n")).unwrap();
    // Rows by first appearance, bins by number (9, 10, 11), missing 0, repeated summed.
    assert_eq!(weights(&batch), [[3.0, 1.0, 0.0], [6.0, 0.0, 0.0], [0.0, 0.0, 5.0]]);
    assert_eq!(
        (texts(&batch, "store"), texts(&batch, "day")),
        (vec!["b".into(), "a".into(), "c".into()], vec!["2".into(), "1".into(), "2".into()])
    );
    assert_eq!((batch.weight_type(), batch.file_row(1), batch.file_row(2)), (WeightType::I64, 1, 4));
    // Filters apply before the pivot.
    let batch = read_all(&path, &filtered(long("store:price:n"), &["day=1"])).unwrap();
    assert_eq!((weights(&batch), texts(&batch, "store")), (vec![vec![6.0]], vec!["a".to_owned()]));
    let none = open(&path, &filtered(long("store:price:n"), &["day=9"])).unwrap();
    assert_eq!((none.bins(), none.batches().unwrap().count()), (None, 0));
    // Small batches.
    let options = ReadOptions { batch_bytes: 1, ..long("store,day:price:n") };
    assert_eq!(read(&path, &options).unwrap().len(), 3);
    // Text bins sort as text, float counts stay floats.
    let path = files.bytes("t.csv", "k,b,n\nx,9,0.5\nx,b,1\nx,10,2\n");
    let batch = read_all(&path, &long("k:b:n")).unwrap();
    assert_eq!((batch.weight_type(), weights(&batch)), (WeightType::F64, vec![vec![2.0, 0.5, 1.0]]));
}

#[test]
fn long_sources_share_their_bins() {
    let files = Files::new();
    let aligned = |p: &str, q: &str| {
        let p = files.bytes("p.csv", format!("k,b,n\n{p}"));
        let q = files.bytes("q.csv", format!("k,b,n\n{q}"));
        let (mut p, mut q) = (open(&p, &long("k:b:n")).unwrap(), open(&q, &long("k:b:n")).unwrap());
        Source::align_bins(&mut p, &mut q, BinPairing::ByName).unwrap();
        let all = |source: &Source| -> Vec<Vec<f64>> {
            source.batches().unwrap().flat_map(|batch| weights(&batch.unwrap())).collect()
        };
        assert!(q.bins().is_none() || p.bins() == q.bins());
        (all(&p), all(&q))
    };
    // Integers against integers; then against floats; then against text, where 10 sorts before 9.
    assert_eq!(aligned("x,9,1\nx,30,2\n", "y,10,3\n"), (vec![vec![1.0, 0.0, 2.0]], vec![vec![0.0, 3.0, 0.0]]));
    assert_eq!(aligned("x,9,1\nx,10,2\n", "y,9.5,3\n"), (vec![vec![1.0, 0.0, 2.0]], vec![vec![0.0, 3.0, 0.0]]));
    assert_eq!(aligned("x,9,1\nx,10,2\n", "y,other,3\n"), (vec![vec![2.0, 1.0, 0.0]], vec![vec![0.0, 0.0, 3.0]]));
    assert_eq!(aligned("x,9,1\nx,10,2\n", "y,10,3\ny,9,4\n"), (vec![vec![1.0, 2.0]], vec![vec![4.0, 3.0]]));
    assert_eq!(aligned("x,9,1\nx,10,2\n", ""), (vec![vec![1.0, 2.0]], vec![]));
}

#[test]
fn batches_slice_concat_and_take() {
    let files = Files::new();
    let row = |a, b| Some(vec![Some(a), Some(b)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("k", Arc::new(StringArray::from(vec!["a", "b", "c", "d"]))),
        ("w", lists(vec![row(1, 2), None, row(3, 4), row(5, 6)])),
    ];
    let path = files.table("b.parquet", columns);
    let batch = read_all(&path, &keyed(&["k"])).unwrap();
    let middle = batch.slice(1, 2);
    assert_eq!(
        (weights(&middle), texts(&middle, "k")),
        (vec![vec![0.0, 0.0], vec![3.0, 4.0]], vec!["b".into(), "c".into()])
    );
    assert_eq!((middle.is_null(0), middle.first_row(), middle.file_row(1)), (true, 1, 2));
    assert_eq!((batch.slice(3, 9).len(), batch.slice(9, 1).len()), (1, 0));
    let both = Batch::concat(&[middle.clone(), batch.slice(0, 1), batch.slice(4, 0)]).unwrap();
    assert_eq!(
        (texts(&both, "k"), both.null_count(), both.file_row(2)),
        (vec!["b".into(), "c".into(), "a".into()], 1, 0)
    );
    let taken = batch.take(&[3, 1, 3]).unwrap();
    assert_eq!(weights(&taken), [[5.0, 6.0], [0.0, 0.0], [5.0, 6.0]]);
    assert_eq!(
        (texts(&taken, "k"), taken.is_null(1), taken.file_row(0)),
        (vec!["d".into(), "b".into(), "d".into()], true, 3)
    );
    assert!(batch.take(&[]).unwrap().is_empty());
    assert_holds(&batch.take(&[4]).unwrap_err().to_string(), &["row 4", "4 rows"]);

    let made = Batch::from_weights(vec![1u32, 2, 3, 4], 2).unwrap();
    assert_eq!(
        (weights(&made), made.keys.num_columns(), made.keys.num_rows()),
        (vec![vec![1.0, 2.0], vec![3.0, 4.0]], 0, 2)
    );
    let taken = made.take(&[1]).unwrap();
    assert_eq!((weights(&taken), taken.keys.num_rows()), (vec![vec![3.0, 4.0]], 1));
    assert_eq!(Batch::concat(&[made.clone(), made.clone()]).unwrap().keys.num_rows(), 4);
    assert_holds(&Batch::concat(&[batch, made]).unwrap_err().to_string(), &["2 bins of u32", "2 bins of i32"]);
    assert_holds(&Batch::from_weights(vec![1.0f64; 3], 2).unwrap_err().to_string(), &["3 weights", "2 bins"]);
    assert!(Batch::from_weights(vec![1.0f64; 3], 0).is_err());
    assert!(Batch::concat(&[]).is_err());
}

#[test]
fn the_view_is_not_a_copy() {
    let files = Files::new();
    let path = files.table("z.arrow", vec![("w", full_lists(&[&[1, 2], &[3, 4]]))]);
    let batch =
        read_all(&path, &ReadOptions { layout: Layout::List(Some("w".into())), ..ReadOptions::default() }).unwrap();
    let (whole, second) = (batch.rows().weights().as_bytes().as_ptr(), batch.slice(1, 1));
    assert_eq!(second.rows().weights().as_bytes().as_ptr(), whole.wrapping_add(8));
}
