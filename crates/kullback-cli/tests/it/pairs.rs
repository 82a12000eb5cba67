//! `pairwise` and `nearest`: what they write, what they refuse.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::*;

/// Three rows of two bins, named.
fn sample() -> Files {
    let files = Files::new();
    files.bytes("p.csv", "k,x,y\na,1,1\nb,1,3\nc,3,1\n");
    files.bytes("q.csv", "k,x,y\nu,2,2\nv,0,1\n");
    files
}

const COLUMNS: &str = "--columns x,y --measure tv";

#[test]
fn a_matrix_has_a_row_and_a_column_for_every_label() {
    let files = sample();
    let own = files.output(&format!("pairwise p.csv {COLUMNS} --key k"));
    assert_eq!(own, "k,a,b,c\na,0.0,0.25,0.25\nb,0.25,0.0,0.5\nc,0.25,0.5,0.0\n");
    let other = files.output(&format!("pairwise p.csv q.csv {COLUMNS} --key k"));
    assert_eq!(other, "k,u,v\na,0.0,0.5\nb,0.25,0.25\nc,0.25,0.75\n");
    // Without keys the rows are numbered as they lie in the file.
    let numbered = files.output(&format!("pairwise p.csv {COLUMNS} --where k=c"));
    assert_eq!(numbered, "row,2\n2,0.0\n");
    // Bands of one row give the same file.
    let bands = files.output(&format!("pairwise p.csv {COLUMNS} --key k --memory 1"));
    assert_eq!(bands, own);
}

#[test]
fn every_format_holds_the_same_matrix() {
    let files = sample();
    files.output(&format!("pairwise p.csv q.csv {COLUMNS} --key k -o m.npy"));
    let bytes = std::fs::read(files.path("m.npy")).unwrap();
    let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
    assert!(header.contains("'descr': '<f8'") && header.contains("'shape': (3, 2)"), "{header}");
    let values: Vec<f64> = bytes[128..].chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(values, [0.0, 0.5, 0.25, 0.25, 0.25, 0.75]);
    // One row stays a matrix.
    files.output(&format!("pairwise p.csv q.csv {COLUMNS} --where k=a -o one.npy"));
    let one = std::fs::read(files.path("one.npy")).unwrap();
    assert!(String::from_utf8_lossy(&one[..128]).contains("'shape': (1, 2)"));
    files.output(&format!("pairwise p.csv q.csv {COLUMNS} --key k -o m.parquet"));
    let again = files.output("rowwise m.parquet --measure entropy --columns u,v --key k");
    assert_eq!(column(&again, "k"), ["a", "b", "c"]);
}

#[test]
fn nearest_rows_come_nearest_first_and_never_itself() {
    let files = sample();
    let own = files.output(&format!("nearest p.csv {COLUMNS} --key k -k 2"));
    assert_eq!(own, "k,rank,neighbour_k,tv\na,1,b,0.25\na,2,c,0.25\nb,1,a,0.25\nb,2,c,0.5\nc,1,a,0.25\nc,2,b,0.5\n");
    let other = files.output(&format!("nearest p.csv q.csv {COLUMNS} -k 1"));
    assert_eq!(other, "row,rank,neighbour,tv\n0,1,0,0.0\n1,1,0,0.25\n2,1,0,0.25\n");
    // Fewer than asked for where there are no more.
    assert_eq!(column(&files.output(&format!("nearest p.csv q.csv {COLUMNS} -k 9")), "rank").len(), 6);
    files.output(&format!("nearest p.csv {COLUMNS} --key k -k 2 -o n.parquet"));
    assert!(files.path("n.parquet").exists());
}

#[test]
fn nearest_rows_are_those_by_js_unless_another_measure_is_named() {
    let files = sample();
    let line = "nearest p.csv q.csv --columns x,y --key k";
    let default = files.output(line);
    assert!(default.starts_with("k,rank,neighbour_k,js\n"), "{default}");
    assert_eq!(default, files.output(&format!("{line} --measure js")));
    // Row v lacks a bin that every row of P has: by kl they would be infinitely far from it.
    assert!(numbers(&default, "js").iter().all(|value| value.is_finite()));
    assert!(files.output("nearest --help").contains("[default: js]"));
    assert!(files.output("pairwise --help").contains("[default: kl]"));
}

#[test]
fn rows_without_a_value_have_none_and_are_nobodys_neighbour() {
    let files = sample();
    files.bytes("z.csv", "k,x,y\na,1,1\nb,0,0\nc,3,1\n");
    let matrix = files.output("pairwise z.csv --columns x,y --measure kl --key k");
    assert_eq!(column(&matrix, "b"), ["", "", ""]);
    assert_eq!(column(&files.output("nearest z.csv --columns x,y --key k"), "neighbour_k"), ["c", "", "a"]);
    let infinite = files.output("pairwise p.csv q.csv --columns x,y --measure kl --key k");
    assert_eq!(column(&infinite, "v"), ["inf", "inf", "inf"]);
}

#[test]
fn rows_that_are_null_have_no_value_under_any_policy() {
    let files = Files::new();
    files.bytes("n.ndjson", "{\"k\":\"a\",\"w\":[1,1]}\n{\"k\":\"b\",\"w\":null}\n{\"k\":\"c\",\"w\":[3,1]}\n");
    let matrix = files.output("pairwise n.ndjson --key k --zeros additive:0.5");
    assert_eq!(column(&matrix, "b"), ["", "", ""]);
    assert!(column(&matrix, "c")[0].parse::<f64>().is_ok_and(|value| value > 0.0));
    let near = files.output("nearest n.ndjson --key k --zeros additive:0.5");
    assert_eq!(
        (column(&near, "k"), column(&near, "neighbour_k")),
        (vec!["a".into(), "c".into()], vec!["c".into(), "a".into()])
    );
}

#[test]
fn a_picture_has_its_labels_its_unit_and_its_pixels() {
    let files = sample();
    let stdout = files.output("pairwise p.csv --columns x,y --measure js --unit bits --key k --heatmap m.svg --order");
    assert_eq!(stdout, "");
    let svg = std::fs::read_to_string(files.path("m.svg")).unwrap();
    for part in ["p.csv, 3 rows: js in bits", "data:image/png;base64,", ">\na\n<", ">\nb\n<", ">\nc\n<"] {
        assert!(svg.contains(part), "`{part}` is not in {}", &svg[..svg.len().min(3000)]);
    }
    // The entries are one image, and so are the colours of the scale.
    assert_eq!(svg.matches("<image").count(), 2);
    // Bands of one row give the same picture.
    let line = "pairwise p.csv q.csv --columns x,y --measure tv --key k --heatmap";
    files.output(&format!("{line} m.svg"));
    files.output(&format!("{line} bands.svg --memory 1"));
    let read = |name: &str| std::fs::read_to_string(files.path(name)).unwrap();
    assert_eq!(read("bands.svg"), read("m.svg"));
    assert!(read("m.svg").contains("p.csv (3 rows) against q.csv (2 rows): tv\n"), "{}", read("m.svg"));
    // With an output file both are written.
    files.output("pairwise p.csv --columns x,y --key k --heatmap both.svg -o both.csv");
    assert!(files.path("both.svg").exists() && files.path("both.csv").exists());
}

#[test]
fn a_picture_of_more_rows_than_can_be_told_apart_has_means() {
    let files = sample();
    // 4,001 rows are 1,334 lines of three each.
    let text: String = (0..4001).map(|row| format!("{row},{},1\n", row % 5 + 1)).collect();
    files.bytes("long.csv", format!("k,x,y\n{text}"));
    files.output("pairwise long.csv q.csv --columns x,y --measure tv --key k --heatmap m.svg");
    let svg = std::fs::read_to_string(files.path("m.svg")).unwrap();
    let title = "long.csv (4001 rows) against q.csv (2 rows): tv, each entry the mean of 3 x 1\n";
    for part in [title, "height=\"1334\"", ">\n0\n<", ">\nu\n<"] {
        assert!(svg.contains(part), "`{part}` is not in {}", &svg[..svg.len().min(3000)]);
    }
    files.refused("pairwise long.csv --columns x,y --heatmap m2.svg --order", &["4001 x 4001", "--order", "2000"]);
}

#[test]
fn what_cannot_be_meant_is_refused_in_one_line() {
    let files = sample();
    files.bytes("bad.csv", "k,x,y\na,1,1\nb,1,-3\n");
    files.bytes("wide.csv", "k,x,y,z\na,1,1,1\n");
    files.bytes("twice.csv", "k,x,y\na,1,1\na,1,3\n");
    for command in ["pairwise", "nearest"] {
        files.refused(&format!("{command} bad.csv --columns x,y"), &["row 1 of P", "bad.csv", "bin 1", "-3"]);
        files.refused(&format!("{command} p.csv bad.csv --columns x,y"), &["row 1 of Q", "bad.csv", "bin 1", "-3"]);
        files.refused(&format!("{command} p.csv nowhere.csv --columns x,y"), &["nowhere.csv"]);
        files.refused(&format!("{command} p.csv --columns x,y --measure distance"), &["distance"]);
        files.refused(&format!("{command} p.csv --columns x,y --where-q k=a"), &["--where-q"]);
        files.refused(&format!("{command} p.csv --columns x,y --where k=zz"), &["none of the 3 rows", "k=zz"]);
        files.refused(&format!("{command} p.csv --columns x,y --min-total 100"), &["--min-total", "3 rows"]);
        files.refused(&format!("{command} p.csv --columns x,y --device gpu:70"), &["gpu:70"]);
    }
    files.refused("pairwise twice.csv --columns x,y --key k", &["`a`", "--key"]);
    files.refused("pairwise p.csv q.csv --columns x,y --heatmap m.svg --order", &["--order"]);
    files.refused("nearest p.csv --columns x,y -k 0", &["0"]);
    // Two bins that are missing would take more than the third has.
    files.bytes("full.csv", "x,y,z\n1,1,1\n1,1,2\n");
    files.bytes("one.csv", "x,y,z\n1,1,1\n0,0,1\n");
    for command in ["pairwise", "nearest"] {
        let line = format!("{command} full.csv one.csv --columns x,y,z --zeros epsilon:0.6");
        files.refused(&line, &["epsilon:0.6", "row 0 of", "full.csv", "--on-invalid null"]);
    }
    let npy = files.run("nearest p.csv --columns x,y -o n.npy");
    assert!(npy.code == 2 && npy.stderr.contains("row") && !files.path("n.npy").exists(), "{npy:?}");
}

#[test]
fn a_matrix_that_is_surely_not_meant_asks_first() {
    let files = Files::new();
    let text: String = (0..100_001).map(|row| format!("{}\n", row % 7 + 1)).collect();
    files.bytes("long.csv", format!("x\n{text}"));
    files.refused("pairwise long.csv --columns x", &["100001 x 100001", "80 GB", "--yes"]);
    files.refused("pairwise long.csv --columns x --yes --heatmap m.svg --order", &["--order", "2000"]);
}
