//! `rowwise --contributions`: which bins add most, where it is shown, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;

use crate::common::*;

/// Three named rows, against the shares ¼ ¼ ½.
fn sample() -> Files {
    let files = Files::new();
    files.bytes("p.csv", "k,x,y,z\na,1,1,2\nb,3,3,2\nc,0,0,4\n");
    files.matrix("q.npy", &[&[1.0, 1.0, 2.0]]);
    files
}

const ROWS: &str = "rowwise p.csv q.npy --columns x,y,z --key k";

/// What `--json` says of the contributions.
fn told(files: &Files, line: &str) -> Value {
    let report: Value = serde_json::from_str(&files.output(&format!("{line} --json"))).unwrap();
    report["contributions"].clone()
}

/// The bins of a row: place, label, share of P, share of Q, part, share of the total. What is null or infinite is NaN.
fn bins(row: &Value) -> Vec<(u64, Option<String>, [f64; 4])> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let bin = |bin: &Value| {
        let numbers = ["p", "q", "part", "of_total"].map(|name| number(&bin[name]));
        (bin["bin"].as_u64().unwrap(), bin["label"].as_str().map(str::to_owned), numbers)
    };
    row["bins"].as_array().unwrap().iter().map(bin).collect()
}

fn close(got: [f64; 4], want: [f64; 4]) {
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-7 * want.abs().max(1.0), "{got} for {want}");
    }
}

#[test]
fn the_largest_parts_are_those_of_the_definition() {
    let files = sample();
    let told = told(&files, &format!("{ROWS} --top 2 --contributions 2"));
    assert_eq!((&told["measure"], &told["unit"], &told["total_is"]), (&"kl".into(), &"nats".into(), &"value".into()));
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["key"]["k"], &rows[0]["row"]), (&"c".into(), &2.into()));
    assert_eq!((&rows[1]["key"]["k"], &rows[1]["row"]), (&"b".into(), &1.into()));
    // kl of c is 1·ln 2, all from z. Parts that are equal keep the order of the bins.
    let c = bins(&rows[0]);
    assert_eq!((c.len(), c[0].0, c[0].1.as_deref(), c[1].1.as_deref()), (2, 2, Some("z"), Some("x")));
    close(c[0].2, [1.0, 0.5, 2f64.ln(), 1.0]);
    close(c[1].2, [0.0, 0.25, 0.0, 0.0]);
    // kl of b is 2·⅜ ln 1.5 + ¼ ln ½: the part of z is below zero, and the largest.
    let (x, z) = (0.375 * 1.5_f64.ln(), 0.25 * 0.5_f64.ln());
    let b = bins(&rows[1]);
    assert_eq!((b[0].1.as_deref(), b[1].1.as_deref()), (Some("z"), Some("x")));
    close(b[0].2, [0.25, 0.5, z, z / (2.0 * x + z)]);
    close(b[1].2, [0.375, 0.25, x, x / (2.0 * x + z)]);
    near(rows[1]["value"].as_f64().unwrap(), 2.0 * x + z);
    assert_eq!(rows[1]["value"], rows[1]["total"]);
}

#[test]
fn units_policies_and_sums_behind_a_value() {
    let files = sample();
    let first = |line: &str| {
        let told = told(&files, &format!("{ROWS} --top 1 --contributions 9 {line}"));
        let row = told["rows"][0].clone();
        (told, bins(&row), row)
    };
    let (told, bits, _) = first("--unit bits");
    assert_eq!((told["unit"].as_str(), bits.len()), (Some("bits"), 3));
    close(bits[0].2, [1.0, 0.5, 1.0, 1.0]);
    // With one more everywhere, c is 1 1 5 of 7 and q is 2 2 3 of 7. The shares are those of the file.
    let (_, smooth, _) = first("--zeros additive:1");
    assert_eq!(smooth[0].1.as_deref(), Some("z"));
    let (z, x) = (5.0 / 7.0 * (5.0_f64 / 3.0).ln(), 1.0 / 7.0 * 0.5_f64.ln());
    close(smooth[0].2, [1.0, 0.5, z, z / (z + 2.0 * x)]);
    // hellinger is the root of a sum. Its parts are shares of that sum.
    let (told, terms, row) = first("--measure hellinger");
    assert_eq!((told["total_is"].as_str(), told["unit"].as_str()), (Some("sum behind the value"), Some("")));
    let z = 0.5 * (1.0 - 0.5_f64.sqrt()).powi(2);
    let sum = z + 2.0 * 0.5 * 0.25;
    near(row["total"].as_f64().unwrap(), sum);
    near(row["value"].as_f64().unwrap(), sum.sqrt());
    assert_eq!(terms.iter().map(|bin| bin.0).collect::<Vec<_>>(), [0, 1, 2]);
    close(terms[2].2, [1.0, 0.5, z, z / sum]);
    // Nothing has a share of a total of 0.
    let none = bins(&self::told(&files, &format!("{ROWS} --contributions 1"))["rows"][2]);
    assert!(none[0].2[3].is_nan() && none[0].2[2] == 0.0, "{none:?}");
}

#[test]
fn infinite_bins_come_first_and_their_row_has_no_shares() {
    let files = sample();
    files.matrix("q.npy", &[&[3.0, 0.0, 1.0]]);
    let told = told(&files, &format!("{ROWS} --top 1 --contributions 2"));
    let row = &told["rows"][0];
    assert_eq!((&row["key"]["k"], &row["value"]), (&"a".into(), &"Infinity".into()));
    assert_eq!((&row["bins"][0]["label"], &row["bins"][0]["part"]), (&"y".into(), &"Infinity".into()));
    assert!(row["bins"][0]["of_total"].is_null() && row["bins"][1]["of_total"].is_null(), "{row}");
    // z: ½ ln(½ / ¼) is larger than x: ¼ ln(¼ / ¾) by its size.
    assert_eq!(row["bins"][1]["label"], "z");
    let ran = files.run(&format!("{ROWS} --top 1 --contributions 1"));
    assert!(ran.stderr.contains("∞"), "{ran:?}");
}

#[test]
fn the_table_goes_where_the_summary_goes() {
    let files = sample();
    let line = format!("{ROWS} --top 2 --contributions 1");
    let caption = "In the 2 largest rows, what each bin adds to kl in nats, largest parts first:";
    let ran = files.run(&line);
    assert_eq!(column(&ran.stdout, "k"), ["c", "b"]);
    for part in [caption, "share of P", "share of Q", "part", "share of kl", "0.6931471806", "-0.1732867951"] {
        assert!(ran.stderr.contains(part), "`{part}` is not in {}", ran.stderr);
    }
    // Beside a file the table follows that of the top rows.
    let ran = files.run(&format!("{line} -o all.csv"));
    let (top, parts) = ran.stdout.split_once(caption).unwrap();
    assert!(top.contains("0.1308120359") && parts.contains("-0.1732867951"), "{ran:?}");
    assert_eq!((ran.stderr.as_str(), ran.stdout.matches(caption).count()), ("", 1));
    let alone = files.output(&format!("{ROWS} --contributions 1 -o all.csv"));
    assert!(alone.starts_with("In the 3 largest rows, "), "{alone}");
    // A document in Markdown has both tables, with letters that a table would take for its own made safe.
    files.bytes("p.csv", "k,x|x,z\na,1,3\n");
    let document = files.output(
        "rowwise p.csv --against uniform --columns 'x|x,z' --key k --contributions 2 --output-format markdown --measure tv",
    );
    assert_eq!(
        document,
        "| k | tv |\n|---|---:|\n| a | 0.25 |\n\nIn the largest row, what each bin adds to tv, largest parts first:\n\n\
         | k | bin | share of P | share of Q | part | share of tv |\n|---|---|---:|---:|---:|---:|\n\
         | a | x\\|x | 0.25 | 0.5 | 0.125 | 0.5 |\n| a | z | 0.75 | 0.5 | 0.125 | 0.5 |\n"
    );
}

#[test]
fn as_many_rows_as_a_picture_shows_and_no_more_are_looked_into() {
    let files = Files::new();
    let rows: Vec<[f64; 2]> = (1..=9).map(|row| [f64::from(row), 10.0]).collect();
    files.matrix("p.npy", &rows.iter().map(<[f64; 2]>::as_slice).collect::<Vec<_>>());
    let line = "rowwise p.npy --against uniform --measure tv --contributions 1";
    let found = told(&files, line);
    let numbers: Vec<u64> = found["rows"].as_array().unwrap().iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    let found = told(&files, &format!("{line} --top 8"));
    assert_eq!(found["rows"].as_array().unwrap().len(), 8);
    assert_eq!(
        (&found["rows"][7]["bins"][0]["label"], &found["rows"][7]["key"]),
        (&Value::Null, &serde_json::json!({}))
    );
}

#[test]
fn bins_have_the_labels_of_their_group() {
    let files = Files::new();
    let lines = ["sex,1,m,1", "sex,1,f,3", "zip,1,10,1", "zip,1,20,3", "zip,2,10,4", "sex,2,m,1", "sex,2,f,1"];
    files.bytes("p.csv", format!("feature,day,bin,n\n{}\n", lines.join("\n")));
    let line = "rowwise p.csv --long feature,day:bin:n --by feature --against first --measure tv --contributions 1";
    let found = told(&files, line);
    let rows = found["rows"].as_array().unwrap();
    assert_eq!((&rows[0]["key"]["feature"], &rows[1]["key"]["feature"]), (&"zip".into(), &"sex".into()));
    assert_eq!((&rows[0]["bins"][0]["label"], &rows[1]["bins"][0]["label"]), (&"10".into(), &"f".into()));
    // A row that is infinite names its bin too.
    files.bytes("p.csv", format!("feature,day,bin,n\n{}\nzip,2,30,1\n", lines.join("\n")));
    let ran = files.run("rowwise p.csv --long feature,day:bin:n --by feature --against first");
    assert!(ran.stderr.contains("kl, because bin 2 (30) has weight in P alone"), "{}", ran.stderr);
}

#[test]
fn the_first_measure_with_parts_is_taken_and_without_one_nothing_is_done() {
    let files = sample();
    let found = told(&files, &format!("{ROWS} --measure ks,tv --contributions 1"));
    assert_eq!((&found["measure"], &found["rows"][0]["value"]), (&"tv".into(), &0.5.into()));
    let parts = ["ks, renyi:inf", "no parts", "such as kl or js"];
    files.refused(&format!("{ROWS} --measure ks,renyi:inf --contributions 1"), &parts);
    // It shows before any file is looked at.
    files.refused("rowwise no.csv none.csv --measure ks --contributions 1", &["no parts"]);
    files.refused(&format!("{ROWS} --contributions 0"), &["0", "--contributions"]);
}
