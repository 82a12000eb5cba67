//! The same values out of every input format, and into every output format.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::*;

const ROWS: [&[f64]; 3] = [&[1.0, 2.0, 3.0], &[5.0, 1.0, 1.0], &[0.0, 4.0, 4.0]];

fn inputs() -> Files {
    let files = Files::new();
    files.matrix("m.npy", &ROWS);
    let lines = |separator: &str| {
        let row = |row: &&[f64]| row.iter().map(f64::to_string).collect::<Vec<_>>().join(separator);
        let header = ["b0", "b1", "b2"].join(separator);
        [header].into_iter().chain(ROWS.iter().map(row)).collect::<Vec<_>>().join("\n") + "\n"
    };
    files.bytes("m.csv", lines(","));
    files.bytes("m.tsv", lines("\t"));
    let objects = ROWS.iter().enumerate().map(|(key, row)| format!("{{\"key\": {key}, \"w\": {row:?}}}\n"));
    files.bytes("m.ndjson", objects.collect::<String>());
    let lists = || int_lists(&[&[1, 2, 3], &[5, 1, 1], &[0, 4, 4]]);
    files.table("m.parquet", vec![("key", texts(&["0", "1", "2"])), ("w", lists())]);
    files.table("m.arrow", vec![("key", texts(&["0", "1", "2"])), ("w", lists())]);
    let cells =
        ROWS.iter().enumerate().flat_map(|(key, row)| row.iter().enumerate().map(move |(bin, n)| (key, bin, n)));
    let cells = cells.filter(|(_, _, n)| **n > 0.0).map(|(key, bin, n)| format!("{key},{bin},{n}\n"));
    files.bytes("long.csv", format!("key,bin,n\n{}", cells.collect::<String>()));
    files
}

#[test]
fn every_input_format_gives_the_same_values() {
    let files = inputs();
    let ends = "--against total --measure kl,js";
    let want = files.output(&format!("rowwise m.npy {ends}"));
    assert_eq!(numbers(&want, "kl").len(), 3);
    for input in [
        "m.csv --columns b*",
        "m.tsv --columns b0,b1,b2",
        "m.ndjson",
        "m.parquet",
        "m.arrow",
        "long.csv --long key:bin:n",
    ] {
        let got = files.output(&format!("rowwise {input} {ends}"));
        for measure in ["kl", "js"] {
            for (got, want) in numbers(&got, measure).into_iter().zip(numbers(&want, measure)) {
                near(got, want);
            }
        }
        assert_eq!(numbers(&got, "kl").len(), 3, "{input}");
    }
    // The keys of the long layout are in the output without being asked for.
    assert_eq!(column(&files.output(&format!("rowwise long.csv --long key:bin:n {ends}")), "key"), ["0", "1", "2"]);
}

#[test]
fn stdin_is_a_file_like_any_other() {
    let files = inputs();
    let input = std::fs::File::open(files.path("m.csv")).unwrap();
    let output = files.command("rowwise - --format csv --columns b* --against total").stdin(input).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout, files.output("rowwise m.csv --columns b* --against total"));
    files.refused("rowwise - --columns b* --against total", &["standard input", "empty"]);
}

#[test]
fn the_two_sides_may_have_different_formats_and_layouts() {
    let files = inputs();
    let zero = |csv: &str| numbers(csv, "tv").iter().filter(|value| **value == 0.0).count();
    assert_eq!(zero(&files.output("rowwise m.parquet m.npy --measure tv --bins w --key key")), 3);
    assert_eq!(zero(&files.output("rowwise m.npy m.csv --measure tv --columns b*")), 3);
    files.matrix("row.npy", &[ROWS[1]]);
    assert_eq!(zero(&files.output("rowwise m.parquet row.npy --measure tv")), 1);
}

#[test]
fn every_output_format_holds_the_same_values() {
    let files = inputs();
    let want = files.output("rowwise m.parquet --against total --key key --measure kl,renyi:2 --status");
    for name in ["o.csv", "o.tsv", "o.parquet", "o.arrow", "o.ndjson"] {
        assert_eq!(
            files.output(&format!(
                "rowwise m.parquet --against total --key key --measure kl,renyi:2 --status -o {name}"
            )),
            ""
        );
        assert!(exists(&files.path(name)), "{name}");
    }
    let read = |name: &str| std::fs::read_to_string(files.path(name)).unwrap();
    assert_eq!(read("o.csv"), want);
    assert_eq!(read("o.tsv").replace('\t', ","), want);
    assert!(read("o.ndjson").starts_with("{\"key\":\"0\",\"kl\":0."), "{}", read("o.ndjson"));
    // Results are rows of one bin each: read back, they are what they were written as.
    for name in ["o.parquet", "o.arrow", "o.ndjson"] {
        let back =
            files.output(&format!("rowwise {name} --columns kl,renyi:2 --against uniform --measure tv --key key"));
        let want = files.output("rowwise o.csv --columns kl,renyi:2 --against uniform --measure tv --key key");
        assert_eq!(numbers(&back, "tv"), numbers(&want, "tv"), "{name}");
    }
    let line = "rowwise m.parquet --against total --key key --measure kl,renyi:2 --status";
    files.output(&format!("{line} -o o.json"));
    // One array that has the lines of NDJSON.
    assert_eq!(read("o.json"), format!("[\n{}\n]\n", read("o.ndjson").trim_end().replace('\n', ",\n")));
    assert_eq!(files.output(&format!("{line} --output-format json")), read("o.json"));
    files.output(&format!("{line} -o o.md"));
    let rows = read("o.csv").replace(',', " | ");
    let rows: Vec<String> = rows.lines().map(|row| format!("| {row} |\n")).collect();
    let markdown = format!("{}|---|---:|---:|---|\n{}", rows[0], rows[1..].concat());
    assert_eq!(read("o.md"), markdown);
    assert_eq!(files.output(&format!("{line} --output-format markdown")), markdown);
    files.refused("rowwise m.parquet --against total --output-format xml", &["`xml`", "json or markdown"]);
    // What is written only is not read.
    files.refused("rowwise o.json --against total", &["o.json", "format"]);
    assert_eq!(files.output("rowwise m.parquet --against total -o o.npy"), "");
    files.refused("rowwise m.parquet --against total --key key --output-format npy", &["`key`", "npy"]);
}
