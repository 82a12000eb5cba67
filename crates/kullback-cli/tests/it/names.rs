//! What is compared with what: rows by their keys, bins by their names, groups by themselves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};

use crate::common::*;

/// The values of a column of CSV output.
fn numbers(csv: &str, name: &str) -> Vec<Option<f64>> {
    column(csv, name).iter().map(|cell| cell.parse().ok()).collect()
}

fn near(values: &[Option<f64>], want: &[Option<f64>]) {
    assert_eq!(values.len(), want.len(), "{values:?}");
    for (value, want) in values.iter().zip(want) {
        match (value, want) {
            (Some(value), Some(want)) => assert!((value - want).abs() < 1e-12, "{value} for {want}"),
            _ => assert_eq!(value, want),
        }
    }
}

#[test]
fn columns_pair_by_name() {
    let files = Files::new();
    files.bytes("p.csv", "bin_a,bin_b,bin_c\n10,30,60\n1,1,2\n");
    files.bytes("q.csv", "bin_c,bin_a,bin_b\n60,10,30\n2,1,1\n");
    assert_eq!(files.output("rowwise p.csv q.csv --columns 'bin_*'"), "kl\n0.0\n0.0\n");
    let ran = files.run("rowwise p.csv q.csv --columns 'bin_*' --by-position --measure tv");
    near(&numbers(&ran.stdout, "tv"), &[Some(0.5), Some(0.25)]);
    // Some names are on one side only.
    files.bytes("r.csv", "bin_b,bin_c,bin_d\n30,60,10\n1,1,2\n");
    files.refused(
        "rowwise p.csv r.csv --columns 'bin_*'",
        &["`p.csv` alone has `bin_a`", "`r.csv` alone has `bin_d`", "--missing-bins zero", "--by-position"],
    );
    files.refused("pairwise p.csv r.csv --columns 'bin_*'", &["`bin_a`", "`bin_d`"]);
    let zeros = files.output("rowwise p.csv r.csv --columns 'bin_*' --missing-bins zero --measure tv");
    near(&numbers(&zeros, "tv"), &[Some(0.1), Some(0.5)]);
    // A subset of the other's columns too, and a row that is null stays null.
    files.bytes("s.csv", "bin_c,bin_a\n60,40\n,\n");
    files.refused("rowwise p.csv s.csv --columns 'bin_*'", &["`p.csv` alone has `bin_b`", "`s.csv` has none"]);
    let zeros = files.output("rowwise p.csv s.csv --columns 'bin_*' --missing-bins zero --measure tv --status");
    assert_eq!(column(&zeros, "status"), ["ok", "null"]);
    near(&numbers(&zeros, "tv"), &[Some(0.3), None]);
}

#[test]
fn rows_pair_by_the_keys_that_both_files_have() {
    let files = Files::new();
    files.bytes("p.csv", "shop,a,b\nnorth,1,1\neast,1,3\nsouth,3,1\n");
    files.bytes("q.csv", "shop,a,b\nnorth,1,1\nsouth,3,1\neast,1,3\n");
    let ran = files.run("rowwise p.csv q.csv --columns a,b --key shop");
    assert_eq!(ran.stdout, "shop,kl\nnorth,0.0\neast,0.0\nsouth,0.0\n");
    assert_eq!(
        ran.stderr,
        "kullback: from row 1 on, P and Q have other keys in the same row: the rows were paired by shop, and Q is in memory\n"
    );
    let json = files.output("rowwise p.csv q.csv --columns a,b --key shop --json -o r.csv");
    assert!(json.contains("\"joined_from\"") && json.contains("\"left_out_of_q\""), "{json}");
    let places = files.run("rowwise p.csv q.csv --columns a,b --key shop --by-position --measure tv");
    assert_eq!(
        (column(&places.stdout, "tv"), places.stderr),
        (vec!["0.0".into(), "0.5".into(), "0.5".into()], String::new())
    );
    // Keys that agree row by row need no word and no memory.
    assert_eq!(files.run("rowwise p.csv p.csv --columns a,b --key shop").stderr, "");
    // Rows of one side only are counted on both sides.
    files.bytes("r.csv", "shop,a,b\nwest,1,1\neast,1,3\n");
    let ran = files.run("rowwise p.csv r.csv --columns a,b --key shop");
    assert_eq!(ran.stdout, "shop,kl\neast,0.0\n");
    for part in ["from row 0 on", "2 of 3 rows of P have no partner", "1 rows of Q have no partner in P"] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    // A key of the output that Q lacks pairs nothing, and one row of Q is for all.
    files.bytes("one.csv", "shop,a,b\nall,1,1\n");
    assert_eq!(column(&files.output("rowwise p.csv one.csv --columns a,b --key shop"), "shop").len(), 3);
    files.bytes("plain.csv", "a,b\n1,1\n1,3\n3,1\n");
    assert_eq!(column(&files.output("rowwise p.csv plain.csv --columns a,b --key shop"), "kl"), ["0.0"; 3]);
}

#[test]
fn a_key_that_q_has_twice_is_an_error_and_one_row_of_q_may_serve_many() {
    let files = Files::new();
    files.bytes("p.csv", "shop,a,b\nnorth,1,1\neast,1,3\neast,3,1\n");
    files.bytes("q.csv", "shop,a,b\neast,1,3\neast,1,3\nnorth,1,1\n");
    files
        .refused("rowwise p.csv q.csv --columns a,b --key shop", &["row 1 of `q.csv`", "`shop=east`", "--by-position"]);
    files.bytes("r.csv", "shop,a,b\neast,1,1\nnorth,1,1\n");
    files.refused("rowwise p.csv r.csv --columns a,b --key shop", &["row 2 of `p.csv`", "`shop=east`"]);
    let many = files.output("rowwise p.csv r.csv --columns a,b --join shop --measure tv");
    assert_eq!(many, "shop,tv\nnorth,0.0\neast,0.25\neast,0.25\n");
}

#[test]
fn rows_of_the_long_layout_are_their_keys() {
    let files = Files::new();
    files.bytes("p.csv", "shop,hour,n\nnorth,9,1\nnorth,10,1\neast,9,1\neast,10,3\n");
    files.bytes("q.csv", "shop,hour,n\neast,10,3\neast,9,1\nnorth,9,1\nnorth,10,1\n");
    assert_eq!(files.output("rowwise p.csv q.csv --long shop:hour:n"), "shop,kl\nnorth,0.0\neast,0.0\n");
}

#[test]
fn the_row_before_is_that_of_the_same_group_by_the_order_of_the_keys() {
    let files = Files::new();
    let lines = ["b,10,9,1", "b,10,10,1", "a,2,9,1", "a,2,10,3", "a,1,9,1", "a,1,10,1", "b,9,9,1"];
    files.bytes("p.csv", format!("user,day,hour,n\n{}\n", lines.join("\n")));
    let ran = files.run("rowwise p.csv --long user,day:hour:n --against previous --measure tv --status");
    assert_eq!(column(&ran.stdout, "user"), ["a", "a", "b", "b"]);
    assert_eq!(column(&ran.stdout, "day"), ["1", "2", "9", "10"]);
    assert_eq!(column(&ran.stdout, "status"), ["empty", "ok", "empty", "ok"]);
    near(&numbers(&ran.stdout, "tv"), &[None, Some(0.25), None, Some(0.5)]);
    assert!(ran.stderr.contains("by day that has the same user") && ran.stderr.contains("--by"), "{}", ran.stderr);
    // A policy gives the first row nothing either.
    let smooth =
        files.output("rowwise p.csv --long user,day:hour:n --against previous --measure tv --zeros additive:1");
    assert_eq!(numbers(&smooth, "tv")[2], None);
    // One column per bin, in an order that is not that of the days.
    files.bytes("wide.csv", "shop,day,x,y\nn,2024-01-10,1,3\nn,2024-01-09,1,1\ns,2024-01-09,1,0\nn,2024-01-11,1,3\n");
    let csv = files.output("rowwise wide.csv --columns x,y --key day,shop --by shop --against previous --measure tv");
    assert_eq!(column(&csv, "day"), ["2024-01-09", "2024-01-10", "2024-01-11", "2024-01-09"]);
    near(&numbers(&csv, "tv"), &[None, Some(0.25), Some(0.0), None]);
}

#[test]
fn groups_have_their_own_totals_and_bins() {
    let files = Files::new();
    let lines =
        ["sex,1,m,1", "sex,1,f,3", "zip,1,10,1", "zip,1,20,1", "zip,1,30,2", "sex,2,m,1", "sex,2,f,3", "zip,2,10,2"];
    files.bytes("p.csv", format!("feature,day,bin,n\n{}\n", lines.join("\n")));
    let long = "rowwise p.csv --long feature,day:bin:n";
    files.refused(&format!("{long} --against total"), &["`feature`", "--by"]);
    let total = files.output(&format!("{long} --against total --by feature --measure tv"));
    assert_eq!(column(&total, "feature"), ["sex", "sex", "zip", "zip"]);
    let zip = [(0.25 - 0.5_f64).abs(), (0.25 - 1.0 / 6.0_f64).abs(), (0.5 - 1.0 / 3.0_f64).abs()];
    let second = [(1.0 - 0.5_f64).abs(), 1.0 / 6.0, 1.0 / 3.0];
    let half = |parts: [f64; 3]| Some(0.5 * parts.iter().sum::<f64>());
    near(&numbers(&total, "tv"), &[Some(0.0), Some(0.0), half(zip), half(second)]);
    let uniform = files.output(&format!("{long} --against uniform --by feature"));
    let of_sex = 2f64.ln() + 0.25 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln();
    near(&numbers(&uniform, "kl")[..2], &[Some(of_sex), Some(of_sex)]);
    // Of two files too: a policy smooths over the bins of the group.
    files.bytes("q.csv", "feature,day,bin,n\nzip,1,40,9\nsex,1,m,3\nsex,1,f,1\n");
    let run = |by: &str| {
        files.output(&format!("rowwise p.csv q.csv --long feature,day:bin:n {by} --zeros additive:0.5 --measure psi"))
    };
    let name = if run("").contains("psi") { "psi" } else { "jeffreys" };
    near(&numbers(&run("--by feature"), name)[..1], &[Some(0.8 * (3.5_f64 / 1.5).ln())]);
    near(&numbers(&run(""), name)[..1], &[Some(2.0 * (2.0 / 7.0) * (3.5_f64 / 1.5).ln())]);
}

#[test]
fn labels_of_text_stay_as_they_are_written() {
    let files = Files::new();
    // The other cells of a column do not make numbers of these.
    files.bytes("p.csv", "k,label,n\nx,01,12\nx,02,30\nx,10,58\n");
    files.bytes("q.csv", "k,label,n\nx,01,15\nx,02,30\nx,10,55\nx,XX,10\n");
    let kl: f64 = [(12.0, 15.0), (30.0, 30.0), (58.0, 55.0)]
        .iter()
        .map(|(p, q): &(f64, f64)| p / 100.0 * ((p / 100.0) / (q / 110.0)).ln())
        .sum();
    near(&numbers(&files.output("rowwise p.csv q.csv --long k:label:n"), "kl"), &[Some(kl)]);
    files.bytes("v.csv", "version,err,n\n1.1,a,1\n1.1,b,1\n1.10,a,1\n1.10,b,3\n01,a,1\n01,b,3\n");
    let csv = files.output("rowwise v.csv --long version:err:n --against uniform --measure tv");
    assert_eq!(csv, "version,tv\n1.1,0.0\n1.10,0.25\n01,0.25\n");
    files.bytes("codes.csv", "code,a,b\n01234,1,1\n1234,1,1\n");
    assert_eq!(
        column(&files.output("rowwise codes.csv --columns a,b --against uniform --key code"), "code"),
        ["01234", "1234"]
    );
}

#[test]
fn text_meets_a_type_by_value_and_both_zeros_are_one_bin() {
    let files = Files::new();
    let whole = |values: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let texts = |cells: &[&str]| -> ArrayRef { Arc::new(StringArray::from(cells.to_vec())) };
    files.table("typed.parquet", vec![("k", texts(&["x"; 2])), ("b", whole(&[1, 2])), ("n", whole(&[1, 3]))]);
    files.bytes("text.csv", "k,b,n\nx,1,1\nx,02,3\n");
    assert_eq!(files.output("rowwise text.csv typed.parquet --long k:b:n"), "k,kl\nx,0.0\n");
    files.bytes("twice.csv", "k,b,n\nx,1,1\nx,01,3\n");
    files.refused(
        "rowwise twice.csv typed.parquet --long k:b:n",
        &["`1`", "`01`", "twice.csv", "store the column as text"],
    );
    let floats = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let table = |zero: f64| vec![("k", texts(&["x"; 2])), ("edge", floats(&[zero, 1.0])), ("n", whole(&[1, 3]))];
    files.table("plus.parquet", table(0.0));
    files.table("minus.parquet", table(-0.0));
    assert_eq!(files.output("rowwise plus.parquet minus.parquet --long k:edge:n"), "k,kl\nx,0.0\n");
    let both = vec![("k", texts(&["x"; 3])), ("edge", floats(&[-0.0, 0.0, 1.0])), ("n", whole(&[1, 1, 6]))];
    files.table("both.parquet", both);
    assert_eq!(files.output("rowwise both.parquet plus.parquet --long k:edge:n"), "k,kl\nx,0.0\n");
}

#[test]
fn counts_against_shares_are_told_where_an_amount_is_added() {
    let files = Files::new();
    files.bytes("counts.csv", "a,b\n50,50\n");
    files.bytes("shares.csv", "a,b\n0.5,0.5\n");
    let ran = files.run("rowwise counts.csv shares.csv --columns a,b --zeros additive:0.5");
    for part in ["row 0 of P has the total 100", "Q 1:", "0.5 in 2 bins", "mix:L"] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    assert_eq!(files.run("rowwise counts.csv counts.csv --columns a,b --zeros additive:0.5").stderr, "");
    assert_eq!(files.run("rowwise counts.csv shares.csv --columns a,b --zeros mix:0.01").stderr, "");
}

#[test]
fn a_row_without_weight_has_a_line_without_a_neighbour() {
    let files = Files::new();
    files.bytes("p.csv", "k,a,b\nx,1,1\ny,0,0\nz,1,3\n");
    let ran = files.run("nearest p.csv --columns a,b --key k -k 1 --measure tv");
    assert_eq!(ran.stdout, "k,rank,neighbour_k,tv\nx,1,z,0.25\ny,,,\nz,1,x,0.25\n");
    assert!(ran.stderr.contains("1 of 3 rows have no neighbour"), "{}", ran.stderr);
    files.output("nearest p.csv --columns a,b --key k -k 1 --measure tv -o n.parquet");
    let again = files.output("nearest p.csv --columns a,b -k 1 --measure tv");
    assert_eq!(column(&again, "neighbour"), ["2", "", "0"]);
}

#[test]
fn lines_are_counted_and_filters_compare() {
    let files = Files::new();
    files.bytes("log.csv", "user,hour,ms\na,9,5\na,10,7\na,10,8\na,10,90\nb,9,1\nb,9,1\n");
    let csv = files.output("rowwise log.csv --long user:hour --against uniform --measure tv");
    assert_eq!(csv, "user,tv\na,0.25\nb,0.5\n");
    let some =
        files.output("rowwise log.csv --long user:hour --against uniform --measure tv --where ms<90 --where user!=b");
    assert_eq!(column(&some, "user"), ["a"]);
    near(&numbers(&some, "tv"), &[Some(2.0 / 3.0 - 0.5)]);
    // As numbers, though the labels are text.
    let late = files.output("rowwise log.csv --long user:hour --against uniform --measure tv --where hour>=10");
    near(&numbers(&late, "tv"), &[Some(0.0)]);
}

#[test]
fn q_may_have_a_layout_of_its_own() {
    let files = Files::new();
    files.bytes("wide.csv", "shop,b,a,c\nn,3,1,0\ns,1,1,2\n");
    files.bytes("long.csv", "shop,bin,n\ns,c,2\ns,a,1\ns,b,1\nn,a,1\nn,b,3\n");
    let line = "rowwise wide.csv long.csv --columns a,b,c --key shop --long-q shop:bin:n";
    assert_eq!(files.output(line), "shop,kl\nn,0.0\ns,0.0\n");
    assert_eq!(
        files.output("rowwise long.csv wide.csv --long shop:bin:n --columns-q a,b,c --measure tv"),
        "shop,tv\ns,0.0\nn,0.0\n"
    );
    files.refused(
        "rowwise wide.csv long.csv --columns a,b --key shop --long-q shop:bin:n",
        &["`long.csv` alone has `c`"],
    );
    let zeros = files.output(
        "rowwise wide.csv long.csv --columns a,b --key shop --long-q shop:bin:n --missing-bins zero --measure tv",
    );
    near(&numbers(&zeros, "tv"), &[Some(0.0), Some(0.5)]);
    files.refused("rowwise wide.csv --columns a,b --long-q shop:bin:n --against total", &["--long-q"]);
}

#[test]
fn a_row_may_be_compared_with_the_first_with_the_others_or_with_one_row() {
    let files = Files::new();
    let lines = ["n,2,1,3", "n,1,1,1", "n,3,3,1", "s,2,0,1", "s,1,1,0"];
    files.bytes("p.csv", format!("shop,day,x,y\n{}\n", lines.join("\n")));
    let run = |against: &str| {
        files.output(&format!("rowwise p.csv --columns x,y --key shop,day --by shop --measure tv --against {against}"))
    };
    let first = run("first");
    assert_eq!(column(&first, "day"), ["1", "2", "3", "1", "2"]);
    near(&numbers(&first, "tv"), &[Some(0.0), Some(0.25), Some(0.25), Some(0.0), Some(1.0)]);
    // The others of n are (4, 2), (4, 4) and (2, 4), in the order of the file.
    let others = [(0.25 - 4.0 / 6.0_f64).abs(), 0.0, (0.75 - 2.0 / 6.0_f64).abs(), 1.0, 1.0];
    near(&numbers(&run("rest"), "tv")[1..], &others.map(Some)[1..]);
    let rest = numbers(&run("rest"), "tv");
    near(&rest[..1], &[Some((0.25 - 4.0 / 6.0_f64).abs())]);
    let one = run("day=2");
    near(&numbers(&one, "tv"), &[Some(0.0), Some(0.25), Some(0.5), Some(0.0), Some(1.0)]);
    files.refused("rowwise p.csv --columns x,y --key shop,day --against day=2", &["`day=2` names 2 rows", "--by"]);
    files.refused("rowwise p.csv --columns x,y --against nothing", &["`nothing`", "previous", "day=2024-01-01"]);
    let alone = files.output("rowwise p.csv --columns x,y --key day --where shop=n --against day=1 --measure tv");
    near(&numbers(&alone, "tv"), &[Some(0.25), Some(0.0), Some(0.25)]);
    // Nearly all of the total is one row.
    files.matrix("m.npy", &[&[1e12, 1e12], &[0.25, 0.5], &[0.25, 0.0]]);
    let rest = files.output("rowwise m.npy --against rest --measure tv");
    near(&numbers(&rest, "tv")[..1], &[Some(0.0)]);
}

#[test]
fn what_is_left_out_changes_no_group() {
    let files = Files::new();
    files.bytes("p.csv", "g,k,x,y\na,1,1,0\nb,1,8,2\na,2,2,8\n");
    let run =
        |options: &str| files.output(&format!("rowwise p.csv --columns x,y --key g,k --by g --measure tv {options}"));
    let total = run("--against total --min-total 5");
    near(&numbers(&total, "tv"), &[Some(0.0), Some((0.2 - 3.0 / 11.0_f64).abs())]);
    // The only row of its group has no others, whatever a policy would make of nothing.
    let rest = run("--against rest --min-total 5 --zeros additive:1 --status");
    assert_eq!(column(&rest, "status"), ["empty", "ok"]);
    near(&numbers(&rest, "tv"), &[None, Some((0.25 - 2.0 / 3.0_f64).abs())]);
}

#[test]
fn groups_never_meet_across() {
    let files = Files::new();
    files.bytes("p.csv", "f,k,b,n\nsex,1,M,1\nsex,1,F,3\n");
    files.bytes("q.csv", "f,k,b,n\nzip,1,01,3\nzip,1,02,1\n");
    let long = "rowwise p.csv q.csv --long f,k:b:n --by f --measure tv";
    files.refused(long, &["none of the 1 rows"]);
    files.refused(&format!("{long} --join k"), &["--by f", "--join"]);
    files.refused(&format!("{long} --by-position"), &["--by f"]);
    files.bytes("two.csv", "k,b,n\n1,M,3\n2,F,1\n");
    files.refused("rowwise p.csv two.csv --long f:b:n --long-q k:b:n", &["`f`", "`k`", "--by-position"]);
    // Keys that Q lacks are told, and rows of the long layout keep all their keys.
    files.bytes("w.csv", "shop,x\na,1\nb,2\n");
    files.bytes("v.csv", "x\n1\n2\n");
    let ran = files.run("rowwise w.csv v.csv --columns x --key shop --measure tv");
    assert!(ran.stderr.contains("`v.csv` has no column `shop`"), "{}", ran.stderr);
    files.bytes("r.csv", "f,b,n\nsex,M,1\nsex,F,1\n");
    let joined = files.output("rowwise p.csv r.csv --long f,k:b:n --long-q f:b:n --join f --measure tv");
    assert_eq!(joined, "f,k,tv\nsex,1,0.25\n");
}

#[test]
fn no_label_is_rounded_to_another() {
    let files = Files::new();
    let texts = |cells: &[&str]| -> ArrayRef { Arc::new(StringArray::from(cells.to_vec())) };
    let ones: ArrayRef = Arc::new(Int64Array::from(vec![1, 1]));
    let decimals = arrow_array::Decimal128Array::from(vec![1_i128, 200]).with_precision_and_scale(10, 2).unwrap();
    files.table("d.parquet", vec![("k", texts(&["x"; 2])), ("b", Arc::new(decimals)), ("n", ones.clone())]);
    files.bytes("same.csv", "k,b,n\nx,0.010000,1\nx,2,1\n");
    files.bytes("near.csv", "k,b,n\nx,0.011,1\nx,2,1\n");
    assert_eq!(files.output("rowwise same.csv d.parquet --long k:b:n --measure tv"), "k,tv\nx,0.0\n");
    assert_eq!(files.output("rowwise near.csv d.parquet --long k:b:n --measure tv"), "k,tv\nx,0.5\n");
    let days: ArrayRef = Arc::new(arrow_array::Date32Array::from(vec![19_723, 19_724]));
    files.table("t.parquet", vec![("k", texts(&["x"; 2])), ("b", days), ("n", ones)]);
    files.bytes("day.csv", "k,b,n\nx,2024-01-01,1\nx,2024-01-02,1\n");
    files.bytes("noon.csv", "k,b,n\nx,2024-01-01 12:00:00,1\nx,2024-01-02,1\n");
    assert_eq!(files.output("rowwise day.csv t.parquet --long k:b:n --measure tv"), "k,tv\nx,0.0\n");
    assert_eq!(files.output("rowwise noon.csv t.parquet --long k:b:n --measure tv"), "k,tv\nx,0.5\n");
    files.refused("rowwise d.parquet --long k:b:n --against uniform --where b=2.001", &["`b=2.001`", "decimal"]);
}

#[test]
fn a_result_never_replaces_an_input() {
    let files = Files::new();
    files.bytes("p.csv", "a,b\n1,2\n");
    files.bytes("q.csv", "a,b\n2,1\n");
    for line in [
        "rowwise p.csv q.csv --columns a,b -o ./q.csv",
        "nearest p.csv q.csv --columns a,b -o p.csv",
        "pairwise p.csv --columns a,b -o p.csv",
    ] {
        let ran = files.run(line);
        assert!(ran.code == 2 && ran.stderr.contains("is an input"), "{line}: {ran:?}");
    }
    assert_eq!(std::fs::read(files.path("q.csv")).unwrap(), b"a,b\n2,1\n");
    assert_eq!(std::fs::read(files.path("p.csv")).unwrap(), b"a,b\n1,2\n");
}
