//! The values of real histograms, known to twelve digits.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use crate::common::*;

fn names() -> (Files, String) {
    (Files::new(), format!("'{NAMES}'"))
}

#[test]
fn the_names_least_like_all_births() {
    let (files, names) = names();
    let csv = files.output(&format!("rowwise {names} --against total --key name,sex --top 3"));
    let mut first = cells(&csv)[1..3].iter().map(|row| row[..2].join(" ")).collect::<Vec<_>>();
    first.sort();
    assert_eq!(first, ["Roll M", "Zilpah F"]);
    let values = numbers(&csv, "kl");
    assert_eq!(values.len(), 3);
    near(values[0], 7.499_190_194);
    assert_eq!(values[0], values[1]);
    assert!(values[2] < values[1]);
}

#[test]
fn girls_against_boys_of_the_same_name() {
    let (files, names) = names();
    let pairs = format!("rowwise {names} {names} --where sex=F --where-q sex=M --join name -q -o");
    assert_eq!(files.output(&format!("{pairs} exact.csv --measure kl,js,js_distance")), "");
    assert_eq!(files.output(&format!("{pairs} one.csv --zeros additive:1")), "");
    let read = |name: &str| std::fs::read_to_string(files.path(name)).unwrap();
    let (exact, one) = (read("exact.csv"), read("one.csv"));
    let value = |csv: &str, name: &str, measure: &str| {
        let row = column(csv, "name").iter().position(|found| found == name).unwrap();
        numbers(csv, measure)[row]
    };
    // Every name that both sexes have, once.
    assert_eq!(column(&exact, "name").len(), 10_663);
    for (name, kl, js) in [
        ("Leslie", 0.923_307_868_120_352_5, 0.216_282_745_313),
        ("James", 0.065_351_398_725_962_07, 0.016_329_974_110),
        ("Taylor", 0.281_327_103_959_582_16, 0.078_156_259_19),
        ("Jordan", 0.080_710_630_896_461_59, 0.022_215_677_941),
        ("Ashley", 0.914_093_087_913_742_9, 0.240_991_369_616),
    ] {
        near(value(&exact, name, "kl"), kl);
        near(value(&exact, name, "js"), js);
    }
    near(value(&exact, "Leslie", "js_distance"), 0.465_062_087_589);
    near(value(&one, "Leslie", "kl"), 0.920_290_912_495);
    near(value(&one, "Ashley", "kl"), 0.914_530_901_97);
}

#[test]
fn boys_against_girls_is_infinite_and_says_so() {
    let (files, names) = names();
    let pair =
        format!("rowwise {names} {names} --where sex=M --where-q sex=F --where name=Taylor --join name --status");
    let ran = files.run(&format!("{pair} --key sex"));
    assert_eq!(ran.code, 0);
    for part in
        ["rows of Q have no partner in P", "1 of 1 rows has an infinite value; the first is `name=Taylor, sex=M`"]
    {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "name,sex,kl,status\nTaylor,M,inf,infinite\n");
    assert_eq!(files.run(&format!("{pair} --fail-above 1e300 -q")).code, 1);
}

#[test]
fn small_batches_give_the_same_rows() {
    let (files, names) = names();
    let line = |memory: &str| {
        format!("rowwise {names} --against previous --key name --where sex=F --min-total 20000 {memory}")
    };
    let whole = files.output(&line(""));
    assert_eq!(whole, files.output(&line("--memory 1MiB")));
    assert_eq!(numbers(&whole, "kl").iter().filter(|value| value.is_nan()).count(), 1);
    assert!(column(&whole, "kl")[0].is_empty());
}

/// The sample commands of the README run on files of the repository and say what the README says.
#[test]
fn the_commands_of_the_readme_run() {
    let files = Files::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let flights = std::fs::read(root.join("examples/data/flights.csv")).unwrap();
    files.bytes("flights.csv", flights);
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let commands = readme.lines().filter_map(|line| line.strip_prefix("kullback "));
    let commands: Vec<&str> = commands.map(|line| line.split(" #").next().unwrap_or(line).trim()).collect();
    let on_flights: Vec<&&str> = commands.iter().filter(|line| line.contains("flights.csv")).collect();
    assert_eq!(on_flights.len(), 6, "{commands:?}");
    for line in on_flights {
        let ran = files.run(line);
        assert_eq!(ran.code, i32::from(line.contains("--fail-above")), "{line}: {ran:?}");
    }
    assert!(files.path("months.svg").exists() && files.path("distances.npy").exists());
}
