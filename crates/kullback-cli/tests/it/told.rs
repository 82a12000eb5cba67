//! What `rowwise` tells about its values: their names, limits, order, and which are infinite.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::behaviour::sample;
use crate::common::*;
use serde_json::Value;

#[test]
fn infinite_rows_at_the_top_are_ordered_by_the_next_measure() {
    let files = Files::new();
    files.bytes("p.csv", "k,x,y\na,1,0\nb,1,1\nc,1,3\nd,0,1\ne,1,3\n");
    files.matrix("q.npy", &[&[1.0, 0.0]]);
    let run = |measures: &str| files.output(&format!("rowwise p.csv q.npy --columns x,y --key k --measure {measures}"));
    // kl is infinite but for a; tv is 0, 1/2, 3/4, 1 and 3/4.
    assert_eq!(column(&run("kl,tv --top 4"), "k"), ["d", "c", "e", "b"]);
    assert_eq!(column(&run("kl,tv --top 2"), "k"), ["d", "c"]);
    // chi2 is infinite for the same rows, so the measure after it decides.
    assert_eq!(column(&run("kl,chi2,tv --top 9"), "k"), ["d", "c", "e", "b", "a"]);
    assert_eq!(column(&run("kl --top 9"), "k"), ["b", "c", "d", "e", "a"]);
}

#[test]
fn infinite_rows_are_told_with_the_first_of_them_and_what_would_help() {
    let files = Files::new();
    files.bytes("p.csv", "k,x,y,z\na,1,1,1\nb,0,1,1\nc,1,0,2\n");
    files.bytes("q.csv", "k,x,y,z\na,1,1,1\nb,1,0,1\nc,1,0,0\n");
    let sides = "rowwise p.csv q.csv --columns x,y,z";
    let told = |options: &str| {
        let ran = files.run(&format!("{sides} {options}"));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stderr
    };
    let choose = "for finite values choose --zeros epsilon:E, additive:A, floor:E, mix:L (skip leaves out the bins that one side lacks, and so this difference)\n";
    let begin = "kullback: 2 of 3 rows have an infinite value; the first is";
    // Row b has y in P alone and x in Q alone.
    assert_eq!(told("--key k"), format!("{begin} `k=b`: kl, because bin 1 (y) has weight in P alone; {choose}"));
    let reverse = told("--measure tv,reverse_kl --where k=b --where-q k=b");
    let one = "kullback: 1 of 1 rows has an infinite value; the first is row 1: reverse_kl,";
    assert_eq!(reverse, format!("{one} because bin 0 (x) has weight in Q alone; {choose}"));
    assert_eq!(told("--measure tv"), "");
    assert_eq!(told("--zeros additive:1"), "");
    assert_eq!(told("-q"), "");
    files.bytes("p.ndjson", "{\"w\":[1,0]}\n");
    files.bytes("q.ndjson", "{\"w\":[0,1]}\n");
    let apart = files.run("rowwise p.ndjson q.ndjson --measure bhattacharyya");
    assert!(apart.stderr.contains("row 0: bhattacharyya, because no bin has weight on both sides;"), "{apart:?}");
    let json = |options: &str| -> Value {
        let report: Value = serde_json::from_str(&files.output(&format!("{sides} --json {options}"))).unwrap();
        report["infinite"].clone()
    };
    let of = json("--key k --measure psi");
    let want = serde_json::json!({
        "row": 1, "key": {"k": "b"}, "measure": "psi", "bin": 0, "label": "x", "alone_in": "Q"
    });
    assert_eq!((&of["rows"], &of["first"]), (&Value::from(2), &want));
    assert_eq!(of["finite_with"][0], "epsilon:E");
    let none = json("--measure tv");
    assert_eq!((&none["rows"], &none["first"]), (&Value::from(0), &Value::Null));
}

#[test]
fn each_measure_may_have_a_limit_of_its_own() {
    let files = sample();
    // tv is 0, 0.25, none, 0.5, none and 0.25; kl of the row 1 0 is ln 2, and that of the others is below 0.14.
    let run = |limits: &str| files.run(&format!("rowwise p.parquet --against uniform --measure tv,kl,psi {limits}"));
    let ran = run("--fail-above tv=0.2,kl=0.5");
    let told = "kullback: 3 of 6 rows have a value above a limit: tv in 3 (limit 0.2), kl in 1 (limit 0.5)\n";
    assert_eq!((ran.code, ran.stderr.lines().last().map(|line| format!("{line}\n"))), (1, Some(told.to_owned())));
    // A measure without a limit has none: psi is infinite in one row.
    assert_eq!(run("--fail-above tv=0.5,kl=0.7").code, 0);
    assert_eq!(run("--fail-above psi=1e300 -q").stderr, "");
    assert_eq!((run("--fail-above psi=1e300").code, run("--fail-above jeffreys=1e300").code), (1, 1));
    let json: Value = serde_json::from_str(&run("--fail-above tv=0.3,kl=0.7 --json").stdout).unwrap();
    let want = serde_json::json!({"rows_above": 1, "measures": {
        "tv": {"limit": 0.3, "rows_above": 1}, "kl": {"limit": 0.7, "rows_above": 0}}});
    assert_eq!(json["fail_above"], want);
    for (limits, parts) in [
        ("js=0.1", vec!["`js`", "not computed", "tv, kl, psi"]),
        ("nonsense=0.1", vec!["`nonsense`", "not computed", "tv, kl, psi"]),
        ("psi=0.1,jeffreys=0.2", vec!["`psi`", "two limits"]),
        ("tv=0.1,0.2", vec!["`0.2`", "psi=0.2,js=0.1"]),
        ("tv=much", vec!["`much`", "not a number"]),
        ("much", vec!["`much`", "not a number"]),
    ] {
        let line = format!("rowwise p.parquet --against uniform --measure tv,kl,psi --fail-above {limits}");
        files.refused(&line, &parts);
    }
}

#[test]
fn a_column_is_named_as_its_measure_was_asked_for() {
    let files = sample();
    let run = |options: &str| files.output(&format!("rowwise p.parquet --against uniform {options}"));
    assert!(run("--measure psi").starts_with("psi\n"));
    // The first of two names of one measure wins, and an order is as it was written.
    assert!(run("--measure js,psi,jeffreys,renyi:2.0").starts_with("js,psi,renyi:2.0\n"));
    assert!(run("--measure jeffreys,psi").starts_with("jeffreys\n"));
    assert!(run("--measure psi --key k --output-format ndjson").starts_with("{\"k\":\"a\",\"psi\":0.0}\n"));
    let json: Value = serde_json::from_str(&run("--measure psi --json --top 1")).unwrap();
    assert_eq!(json["measures"], serde_json::json!(["psi"]));
    assert!(json["summary"]["psi"]["finite"] == 3 && json["top"][0]["psi"] == "Infinity", "{json}");
    assert!(files.run("rowwise p.parquet --against uniform --measure psi --summary").stderr.contains(" psi "));
    files.output("rowwise p.parquet --against uniform --measure psi,js -o out.arrow");
    let file = std::fs::File::open(files.path("out.arrow")).unwrap();
    let schema = arrow_ipc::reader::FileReader::try_new(file, None).unwrap().schema();
    assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["psi", "js"]);
    assert_eq!(schema.metadata()["measures"], "jeffreys,js");
    let near = files.output("nearest p.parquet --measure psi --key k -k 1");
    assert!(near.starts_with("k,rank,neighbour_k,psi\n"), "{near}");
    files.output("pairwise p.parquet --measure psi --key k --heatmap m.svg");
    assert!(std::fs::read_to_string(files.path("m.svg")).unwrap().contains("psi in nats"));
    files.refused("rowwise p.parquet --against uniform --measure kl,psj", &["`psj`"]);
}
