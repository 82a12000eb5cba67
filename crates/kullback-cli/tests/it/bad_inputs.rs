//! Every bad input is exit code 2, one line with the numbers in it, and nothing written.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::*;

fn good() -> Files {
    let files = Files::new();
    files.matrix("p.npy", &[&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], &[7.0, 8.0, 9.0]]);
    files
}

#[test]
fn files_without_content() {
    let files = good();
    files.bytes("empty.parquet", "");
    files.bytes("header.csv", "a,b\n");
    files.npy("none.npy", "<f8", "(0, 3)", &[]);
    files.npy("thin.npy", "<f8", "(3, 0)", &[]);
    files.table("lists.parquet", vec![("w", int_lists(&[&[], &[]]))]);
    files.refused("rowwise empty.parquet --against total", &["empty.parquet", "empty (0 bytes)"]);
    files.refused("rowwise header.csv --columns a,b --against uniform", &["header.csv", "no rows (0)"]);
    files.refused("rowwise header.csv --columns a,b --against total", &["header.csv", "no rows (0)"]);
    files.refused("rowwise none.npy --against previous", &["none.npy", "no rows (0)"]);
    files.refused("rowwise p.npy none.npy", &["none.npy", "no rows (0)"]);
    files.refused("rowwise thin.npy --against uniform", &["thin.npy", "zero bins"]);
    files.refused("rowwise lists.parquet --against uniform", &["lists.parquet", "zero bins"]);
}

#[test]
fn files_that_are_something_else() {
    let files = good();
    files.bytes("text.parquet", "name,sex\nMary,F\n");
    files.table("whole.parquet", vec![("w", int_lists(&[&[1, 2], &[3, 4]]))]);
    let whole = std::fs::read(files.path("whole.parquet")).unwrap();
    files.bytes("cut.parquet", &whole[..whole.len() / 2]);
    files.npy("cube.npy", "<f8", "(1, 2, 2)", &[0; 32]);
    files.npy("words.npy", "<U3", "(1, 2)", &[0; 24]);
    files.refused("rowwise text.parquet --against total", &["text.parquet", "parquet", "name,sex"]);
    files.refused("rowwise cut.parquet --against total", &["cut.parquet", "cut off", &(whole.len() / 2).to_string()]);
    files.refused("rowwise cube.npy --against total", &["cube.npy", "3 dimensions", "(1, 2, 2)"]);
    files.refused("rowwise words.npy --against total", &["words.npy", "<U3"]);
    files.refused("rowwise missing.npy --against total", &["missing.npy"]);
}

#[test]
fn columns_that_do_not_fit() {
    let files = good();
    let keys = texts(&["a", "b"]);
    files.table("one.parquet", vec![("name", keys.clone()), ("w", int_lists(&[&[1, 2], &[3, 4]]))]);
    files.table("two.parquet", vec![("v", int_lists(&[&[1], &[2]])), ("w", int_lists(&[&[1], &[2]]))]);
    files.table("ragged.parquet", vec![("w", int_lists(&[&[1, 2], &[3, 4], &[5, 6, 7]]))]);
    files.table("null.parquet", vec![("w", float_lists(&[Some(&[Some(1.0), Some(2.0)]), Some(&[Some(1.0), None])]))]);
    files.table("kl.parquet", vec![("kl", keys), ("w", int_lists(&[&[1, 2], &[3, 4]]))]);
    let columns = "`name` text, `w` list<int32>";
    files.refused("rowwise one.parquet --against total --bins births", &["`births`", columns]);
    files.refused("rowwise one.parquet --against total --key nome", &["`nome`", columns]);
    files.refused("rowwise one.parquet --against total --where sex=F", &["`sex`", columns]);
    files.refused("rowwise two.parquet --against total", &["2 list columns", "`v`, `w`", "--bins"]);
    files.refused("rowwise ragged.parquet --against total", &["row 2", "3 bins", "2"]);
    files.refused("rowwise null.parquet --against total", &["row 1", "bin 1", "null"]);
    files.refused("rowwise kl.parquet --against total --key kl", &["`kl`", "rename"]);
    files.refused("rowwise p.npy --against total --key name", &["p.npy", "name"]);
    files.refused("rowwise one.parquet --against total --long name", &["KEY:BIN:COUNT"]);
    files.bytes("long.csv", "k,b,n\nx,1,2\nx,2,3\ny,1,1\n");
    files.refused("rowwise long.csv --long k:b:n --against total --key q", &["`q`", "`k`"]);
}

#[test]
fn weights_that_are_none() {
    let files = good();
    let rows: [&[f64]; 5] =
        [&[1.0, 1.0, 1.0], &[1.0, -2.0, 0.0], &[1.0, 2.0, 3.0], &[f64::NAN, 1.0, 1.0], &[1.0, 1.0, f64::INFINITY]];
    files.matrix("bad.npy", &rows);
    files.matrix("nan.npy", &rows[3..]);
    files.matrix("inf.npy", &rows[4..]);
    files.refused("rowwise bad.npy --against uniform", &["3 of 5 rows", "row 1 of P", "bad.npy", "bin 1: -2"]);
    files.refused("rowwise bad.npy --against total", &["3 of 5 rows", "row 1 of P", "bin 1: -2"]);
    files.refused("rowwise nan.npy --against uniform", &["2 of 2 rows", "row 0 of P", "bin 0: NaN"]);
    files.refused("rowwise inf.npy --against uniform", &["1 of 1 rows", "row 0 of P", "bin 2: inf"]);
    files.refused("rowwise p.npy inf.npy", &["3 of 3 rows", "row 0 of Q", "inf.npy", "bin 2: inf"]);
    files.refused("rowwise bad.npy --against uniform --min-total 4 --memory 64KiB", &["2 of", "row 3", "bin 0: NaN"]);
    // Rows are numbered as they lie in the file, also behind a filter.
    files.table(
        "keyed.parquet",
        vec![
            ("k", texts(&["a", "b", "b"])),
            (
                "w",
                float_lists(&[
                    Some(&[Some(1.0), Some(1.0)]),
                    Some(&[Some(1.0), Some(2.0)]),
                    Some(&[Some(1.0), Some(-1.0)]),
                ]),
            ),
        ],
    );
    files.refused("rowwise keyed.parquet --against uniform --where k=b", &["1 of 2 rows", "row 2 of P", "bin 1: -1"]);
    let csv = files.output("rowwise bad.npy --against uniform --on-invalid null --status");
    assert_eq!(column(&csv, "status"), ["ok", "invalid", "ok", "invalid", "invalid"]);
    assert_eq!(column(&csv, "kl")[1], "");
    let csv = files.output("rowwise bad.npy --against total --on-invalid null --status");
    assert_eq!(column(&csv, "status"), ["ok", "invalid", "ok", "invalid", "invalid"]);
}

#[test]
fn sides_that_do_not_fit() {
    let files = good();
    files.matrix("two_bins.npy", &[&[1.0, 2.0], &[1.0, 2.0], &[1.0, 2.0]]);
    files.matrix("two_rows.npy", &[&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]]);
    files.refused("rowwise p.npy two_bins.npy", &["p.npy` has 3 bins", "two_bins.npy` has 2"]);
    files.refused("rowwise p.npy two_rows.npy", &["p.npy` has 3 rows", "two_rows.npy` has 2", "--join"]);
    files.bytes("p.csv", "a,b\n1,2\n3,4\n5,6\n");
    files.bytes("q.csv", "a,b\n1,2\n3,4\n");
    files.refused("rowwise p.csv q.csv --columns a,b", &["p.csv` has 3 rows", "q.csv` has 2"]);
    files.refused("rowwise p.npy", &["p.npy", "--against"]);
    files.refused("rowwise p.npy p.npy --against total", &["--against"]);
    files.refused("rowwise - -", &["standard input"]);
    for option in ["--join k", "--where-q k=1", "--format-q csv"] {
        files.refused(&format!("rowwise p.npy --against total {option}"), &[&option[..6], "name Q"]);
    }
}

#[test]
fn keys_that_do_not_pair() {
    let files = Files::new();
    let lists = int_lists(&[&[1, 2], &[3, 4], &[5, 6]]);
    files.table(
        "unique.parquet",
        vec![("k", texts(&["a", "b", "c"])), ("n", floats(&[1.0, 2.0, 3.0])), ("w", lists.clone())],
    );
    files.table(
        "twice.parquet",
        vec![("k", texts(&["a", "b", "a"])), ("n", floats(&[1.0, 2.0, 3.0])), ("w", lists.clone())],
    );
    files.table("other.parquet", vec![("k", texts(&["x", "y", "z"])), ("n", texts(&["1", "2", "3"])), ("w", lists)]);
    files.refused("rowwise unique.parquet twice.parquet --join k", &["row 2", "twice.parquet", "`k=a`"]);
    files.refused("rowwise twice.parquet unique.parquet --key k", &["row 2", "twice.parquet", "`k=a`"]);
    files.refused("rowwise unique.parquet other.parquet --join k", &["none of the 3 rows", "3 rows", "k"]);
    // Text is read as the other side's type.
    assert_eq!(column(&files.output("rowwise unique.parquet other.parquet --join n"), "kl").len(), 3);
    files.refused("rowwise unique.parquet other.parquet --join q", &["`q`", "`k` text"]);
}

#[test]
fn filters_that_keep_nothing() {
    let files = good();
    files.table("k.parquet", vec![("k", texts(&["a", "b"])), ("w", int_lists(&[&[1, 2], &[3, 4]]))]);
    files.refused("rowwise k.parquet --against total --where k=q", &["none of the 2 rows", "`k=q`"]);
    files.refused("rowwise k.parquet --against uniform --where k=q", &["none of the 2 rows", "`k=q`"]);
    files.refused("rowwise k.parquet k.parquet --where-q k=q", &["none of the 2 rows", "`k=q`"]);
    files.refused("rowwise p.npy --against uniform --min-total 100", &["none of 3 rows", "100", "--min-total"]);
}

#[test]
fn options_that_mean_nothing() {
    let files = good();
    files.refused("rowwise p.npy --against total --measure kk", &["unknown measure `kk`", "did you mean `kl`?"]);
    files.refused("rowwise p.npy --against total --measure renyi:-1", &["-1", "renyi"]);
    files.refused("rowwise p.npy --against total --zeros epsilom:1e-3", &["unknown zero policy", "epsilon:1e-3"]);
    files.refused("rowwise p.npy --against total --zeros mix:2", &["mix", "2"]);
    files.refused("rowwise p.npy --against total --unit bytes", &["unknown unit `bytes`", "nats, bits, bans"]);
    files.refused("rowwise p.npy --against total --device tpu", &["`tpu`", "gpu:N"]);
    files.refused("rowwise p.npy --against total --device gpu:99", &["99", "found"]);
    files.refused("rowwise p.npy --against total --memory lots", &["`lots`", "512MiB"]);
    files.refused("rowwise p.npy --against total --top 0", &["--top"]);
    files.refused("rowwise p.npy --against all", &["all", "total, uniform, previous"]);
    files.refused("rowwise p.npy --against total --where sex", &["`sex`", "COLUMN=VALUE"]);
    files.refused("rowwise p.npy --frobnicate", &["--frobnicate"]);
}

#[test]
fn a_policy_that_cannot_be_applied() {
    let files = Files::new();
    files.matrix("p.npy", &[&[1.0, 1.0, 1.0], &[99.0, 1.0, 0.0]]);
    files.matrix("q.npy", &[&[1.0, 1.0, 1.0], &[0.0, 1.0, 1.0]]);
    files.refused("rowwise p.npy q.npy --zeros epsilon:0.9", &["epsilon:0.9", "1 of 2 rows", "row 1 of `p.npy`"]);
}

#[test]
fn output_that_cannot_be_written() {
    let files = good();
    let run = |line: &str, parts: &[&str]| {
        let Ran { code, stderr, .. } = files.run(line);
        assert_eq!((code, stderr.lines().count()), (2, 1), "{line}: {stderr}");
        parts.iter().for_each(|part| assert!(stderr.contains(part), "{line}: {stderr}"));
    };
    run("rowwise p.npy --against total -o no/such/out.csv", &["no/such", "create it"]);
    run("rowwise p.npy --against total -o out.xlsx", &["out.xlsx", "format"]);
    run("rowwise p.npy --against total -o - --json", &["--json"]);
    if exists("/dev/full".as_ref()) {
        run("rowwise p.npy --against total -o /dev/full --output-format csv", &["/dev/full", "No space left"]);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = files.command("rowwise p.npy --against total").stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("No space left"));
    }
    assert_eq!(files.names(), ["p.npy"]);
}
