//! What the options do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::*;
use serde_json::Value;

pub(crate) fn sample() -> Files {
    let files = Files::new();
    let row = |row: [f64; 2]| Some(row.map(Some).to_vec());
    let rows = [row([1.0, 1.0]), row([1.0, 3.0]), None, row([4.0, 0.0]), row([0.0, 0.0]), row([30.0, 10.0])];
    let rows: Vec<Option<&[Option<f64>]>> = rows.iter().map(Option::as_deref).collect();
    files.table("p.parquet", vec![("k", texts(&["a", "b", "c", "d", "e", "f"])), ("w", float_lists(&rows))]);
    files
}

#[test]
fn what_p_is_compared_with() {
    let files = sample();
    let run = |options: &str| files.output(&format!("rowwise p.parquet {options} --measure tv --status"));
    let uniform = run("--against uniform --key k");
    assert_eq!(column(&uniform, "status"), ["ok", "ok", "null", "ok", "empty", "ok"]);
    assert_eq!(column(&uniform, "tv"), ["0.0", "0.25", "", "0.5", "", "0.25"]);
    // The total of all rows is 36 and 14, whatever --min-total keeps.
    let total = run("--against total --min-total 3");
    let values = numbers(&total, "tv");
    assert_eq!(values.len(), 3);
    for (value, p) in values.iter().zip([0.25, 1.0, 0.75]) {
        near(*value, f64::abs(p - 0.72));
    }
    let previous = run("--against previous");
    assert_eq!(column(&previous, "status"), ["empty", "ok", "null", "null", "empty", "empty"]);
    let kept = run("--against previous --min-total 1 --key k");
    assert_eq!(column(&kept, "k"), ["a", "b", "d", "f"]);
    assert_eq!(column(&kept, "tv"), ["", "0.25", "0.75", "0.25"]);
    // A row and its partner go together when rows are paired by position.
    assert_eq!(column(&run("p.parquet --min-total 3 --key k"), "tv"), ["0.0", "0.0", "0.0"]);
    let entropy = files.output("rowwise p.parquet --measure entropy --unit bits");
    assert_eq!(column(&entropy, "entropy")[0], "1.0");
    assert_eq!(column(&entropy, "entropy")[3], "0.0");
}

#[test]
fn joins_leave_out_what_has_no_partner_and_say_so() {
    let files = sample();
    files.bytes("q.csv", "k,x,y\nf,1,1\nzz,1,1\nb,1,3\n");
    files.table("q.parquet", vec![("k", texts(&["f", "zz", "b"])), ("w", int_lists(&[&[1, 1], &[1, 1], &[1, 3]]))]);
    let ran = files.run("rowwise p.parquet q.parquet --join k --measure tv");
    assert_eq!(ran.stdout, "k,tv\nb,0.0\nf,0.25\n");
    assert_eq!(
        ran.stderr,
        "kullback: 4 of 6 rows of P have no partner in Q and were left out; the first is `k=a`\nkullback: 1 rows of Q have no partner in P\n"
    );
    assert_eq!(files.run("rowwise p.parquet q.parquet --join k --measure tv -q").stderr, "");
    // Integer keys of different widths are the same keys.
    files.table("n.parquet", vec![("n", floats(&[2.0, 1.0])), ("w", int_lists(&[&[1, 1], &[1, 3]]))]);
    files.bytes("n.ndjson", "{\"n\": 1, \"w\": [1, 3]}\n{\"n\": 2, \"w\": [1, 1]}\n");
    assert_eq!(files.output("rowwise n.parquet n.ndjson --join n --measure tv"), "n,tv\n2.0,0.0\n1.0,0.0\n");
}

#[test]
fn the_long_layout_gives_both_sides_the_same_bins() {
    let files = Files::new();
    files.bytes("p.csv", "k,b,n\nx,1,1\nx,2,1\ny,3,1\n");
    files.bytes("q.csv", "k,b,n\nx,2,1\ny,4,1\n");
    let csv = files.output("rowwise p.csv q.csv --long k:b:n --join k --measure tv");
    assert_eq!(csv, "k,tv\nx,0.5\ny,1.0\n");
}

#[test]
fn reports_are_complete() {
    let files = sample();
    files.matrix("q.npy", &[&[1.0, 0.0]]);
    let top = files.output("rowwise p.parquet q.npy --key k --top 3");
    assert_eq!(column(&top, "k"), ["a", "b", "f"]);
    assert_eq!(column(&top, "kl"), ["inf", "inf", "inf"]);

    let ran = files.run("rowwise p.parquet --against uniform --summary");
    assert_eq!(column(&ran.stdout, "kl").len(), 6);
    for part in ["rows", "infinite", "mean", "± s.e.", "median", "99.9 %", "maximum", "null (no value)"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }

    assert!(!ran.stderr.contains("finite rows"), "{}", ran.stderr);
    let ran = files.run("rowwise p.parquet q.npy --measure kl,tv --summary -q");
    for part in ["mean of finite rows", "are those of the finite rows alone.\n"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }

    // With a file, the file has all rows and stdout the reports.
    let shown = files.output("rowwise p.parquet --against uniform --key k --top 1 --summary -o all.csv");
    assert!(shown.contains("0.6931471806") && shown.contains("maximum"), "{shown}");
    assert_eq!(std::fs::read_to_string(files.path("all.csv")).unwrap().lines().count(), 7);

    let line =
        "rowwise p.parquet q.npy --key k --measure kl,tv --unit bits --zeros exact --top 2 --json --fail-above 0.4";
    let ran = files.run(line);
    assert_eq!(ran.code, 1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["command"], "rowwise");
    assert_eq!(json["rows"], 6);
    assert_eq!(json["measures"], serde_json::json!(["kl", "tv"]));
    assert_eq!(json["statuses"], serde_json::json!({"ok": 1, "infinite": 3, "empty": 1, "invalid": 0, "null": 1}));
    assert_eq!(json["top"][0], serde_json::json!({"k": "b", "kl": "Infinity", "tv": 0.75}));
    assert_eq!(json["summary"]["kl"]["infinite"], 3);
    assert_eq!(json["summary"]["kl"]["quantiles"]["99.9"], 0.0);
    assert_eq!(json["summary"]["kl"]["standard_error"], Value::Null);
    assert_eq!(json["summary"]["tv"]["finite"], 4);
    assert_eq!(json["summary"]["kl"]["mean_of"], "finite rows");
    assert_eq!(json["summary"]["tv"]["mean_of"], "rows");
    assert_eq!(json["fail_above"]["rows_above"], 3);
    for key in ["version", "inputs", "unit", "zeros", "device", "reason", "rescued", "seconds", "stages"] {
        assert!(!json[key].is_null(), "{key}");
    }
}

#[test]
fn a_threshold_decides_the_exit_code_after_everything_is_written() {
    let files = sample();
    let ran = files.run("rowwise p.parquet --against uniform --fail-above 0.5 -o out.csv");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "kullback: 1 of 6 rows have a value above 0.5: kl in 1\n"));
    assert_eq!(std::fs::read_to_string(files.path("out.csv")).unwrap().lines().count(), 7);
    assert_eq!(files.run("rowwise p.parquet --against uniform --fail-above 0.7").code, 0);
}

#[test]
fn result_files_say_how_they_were_made() {
    let files = sample();
    files.output("rowwise p.parquet --against uniform --measure kl,js --unit bits --zeros mix:0.01 -o out.arrow");
    let reader =
        arrow_ipc::reader::FileReader::try_new(std::fs::File::open(files.path("out.arrow")).unwrap(), None).unwrap();
    let schema = reader.schema();
    let metadata = schema.metadata();
    for (key, value) in
        [("measures", "kl,js"), ("unit", "bits"), ("zeros", "mix:0.01"), ("p", "p.parquet"), ("q", "uniform")]
    {
        assert_eq!(metadata[key], value, "{key}");
    }
    assert!(metadata["device"].starts_with("cpu"));
    assert_eq!(metadata["kullback_version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_closed_pipe_is_quiet() {
    let files = Files::new();
    let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    files.npy("p.npy", "|u1", "(100000, 2)", &bytes);
    let mut child =
        files.command("rowwise p.npy --against uniform").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 3];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(&first, b"kl\n");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_behind() {
    let files = Files::new();
    // A file of 4 GiB of zeros that takes no space.
    files.npy("p.npy", "<f4", "(16777216, 64)", &[]);
    let path = files.path("p.npy");
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length + (4 << 30)).unwrap();
    let mut command = files.command("rowwise p.npy --against uniform -o out.csv");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !files.names().iter().any(|name| name.ends_with(".tmp")) {
        assert!(started.elapsed() < Duration::from_secs(60), "no output was begun");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "kullback: interrupted; nothing was written\n");
    assert_eq!(files.names(), ["p.npy"]);
}

#[test]
fn devices_and_help() {
    let files = Files::new();
    let text = files.output("devices");
    assert!(text.starts_with("CPU (--device cpu): ") && text.contains("kl of rows of 64 bins"), "{text}");
    // Without a GPU there is nothing to compare with; software adapters are measured where they are asked for.
    let software = files.output("devices --software");
    let json: Value = serde_json::from_str(&files.output("devices --json")).unwrap();
    let adapters = json["adapters"].as_array().unwrap().clone();
    assert_eq!(software.contains("faster than the CPU"), !adapters.is_empty(), "{software}");
    if !adapters.is_empty() && adapters.iter().all(|adapter| adapter["is_software"] == true) {
        assert!(text.contains("There is no hardware GPU"), "{text}");
    }
    for adapter in adapters {
        assert!(adapter["refused"].is_null() && adapter["answers"]["seconds"].as_f64().is_some(), "{adapter}");
    }
    let json: Value = serde_json::from_str(&files.output("devices --json --software")).unwrap();
    assert_eq!(json["rates"].as_array().unwrap().len(), 1 + json["adapters"].as_array().unwrap().len());
    for rates in json["rates"].as_array().unwrap() {
        assert!(
            rates["bins_per_second"].as_array().unwrap().iter().all(|rate| rate.as_f64().unwrap() > 0.0),
            "{rates}"
        );
        assert_eq!(rates["faster_than_the_cpu"].is_null(), rates["device"] == "cpu", "{rates}");
    }
    assert!(json["cpu"]["simd_levels"].as_array().unwrap().contains(&Value::from("scalar")));
    assert!(files.output("rowwise --help").contains("--against"));
    assert!(files.output("--version").starts_with("kullback "));
    assert_eq!(files.run("").code, 2);
}

#[test]
fn bench_verifies_and_times() {
    let files = Files::new();
    let json: Value =
        serde_json::from_str(&files.output("bench --device cpu --size 64KiB --bins 1,600 --rounds 1 --json")).unwrap();
    let lines = json["lines"].as_array().unwrap();
    // Three sets of measures of floats and one of counts, for each length.
    assert_eq!(lines.len(), 8);
    for line in lines {
        assert!(line["largest_relative_error"].as_f64().is_some_and(|error| error <= 1e-6), "{line}");
        assert!(line["rows_per_second"].as_f64().unwrap() > 0.0, "{line}");
    }
    let table = files.output("bench --device cpu --size 64KiB --bins 4 --rounds 1 --markdown");
    let columns = |line: &str| line.matches('|').count();
    assert!(table.lines().all(|line| columns(line) == columns(table.lines().next().unwrap())), "{table}");
    assert!(table.contains("kernel, GB/s") && table.contains("kl,js,hellinger,tv"), "{table}");
    for (line, part) in [("bench --size 900000GiB --bins 64", "no memory"), ("bench --bins 0", "length of a row")] {
        let ran = files.run(line);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.lines().count()), (2, "", 1), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{line}: {}", ran.stderr);
    }
}

#[test]
fn verify_reports_and_repeats() {
    let files = Files::new();
    // The reference is held to itself here: what the command reports, not what a device computes.
    let ran = files.run("verify --device reference --seed 7 --rows 1 --json");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &json["passed"], &json["seed"]), (0, &Value::Bool(true), &Value::from(7)));
    assert!(json["devices"][0]["values"].as_u64().unwrap() > 5000);
    let text = files.output("verify --device reference --seed 7 --rows 1 --markdown");
    assert!(text.starts_with("| 24-bit types (allowed 1e-6)"), "{text}");
}

#[test]
fn positions_of_ordered_bins() {
    let files = sample();
    let run = |options: &str| files.output(&format!("rowwise p.parquet --against uniform --measure w1,ks {options}"));
    // The rows are ½ ½, ¼ ¾, none, 1 0, empty and ¾ ¼.
    assert_eq!(column(&run(""), "w1"), ["0.0", "0.25", "", "0.5", "", "0.25"]);
    let spread = run("--positions -2,8");
    assert_eq!(column(&spread, "w1"), ["0.0", "2.5", "", "5.0", "", "2.5"]);
    assert_eq!(column(&spread, "ks"), ["0.0", "0.25", "", "0.5", "", "0.25"]);
    // Between the edges 0, 1 and 3, F − G is a tent over both bins.
    files.bytes("edges.txt", "0\n1\n3\n");
    assert_eq!(column(&run("--positions edges.txt"), "w1"), ["0.0", "0.375", "", "0.75", "", "0.375"]);
    let told = |options: &str| -> Value {
        serde_json::from_str(&files.output(&format!("rowwise p.parquet --against uniform --json {options}"))).unwrap()
    };
    assert_eq!(told("--measure w1 --positions 0,5")["positions"], "0,5");
    assert_eq!(told("--measure w1")["positions"], "steps of 1");
    assert!(told("--measure kl").get("positions").is_none());
    let complaint = |options: &str| {
        let ran = files.run(&format!("rowwise p.parquet --against uniform {options}"));
        assert_ne!(ran.code, 0, "{options}");
        ran.stderr
    };
    assert!(complaint("--measure w1 --positions 1,2,3,4").contains("the number of positions is 4"));
    assert!(complaint("--measure w1 --positions 2,1").contains("not above 2e0 before it"));
    assert!(complaint("--measure kl --positions 1,2").contains("no measure of the call uses them"));
    assert!(complaint("--measure w1 --positions missing.txt").contains("are no positions"));
    files.bytes("words.txt", "0 one 2");
    assert!(complaint("--measure w1 --positions words.txt").contains("`one` in words.txt"));
    files.bytes("none.txt", "\n");
    assert!(complaint("--measure w1 --positions none.txt").contains("none.txt"));
    assert!(complaint("--measure w1 --positions 0,,5").contains("are no positions"));
    files.bytes("marked.txt", "\u{feff}0 5");
    assert_eq!(column(&run("--positions marked.txt"), "w1")[1], "1.25");
    let matrix = files.output("pairwise p.parquet --measure w1 --positions 0,4 --on-invalid null");
    assert!(matrix.contains('1'), "{matrix}");
}
