//! `rowwise --plot`: what the picture shows, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::*;

/// Three named rows, against the shares ¼ ¼ ½.
fn sample() -> Files {
    let files = Files::new();
    files.bytes("p.csv", "k,x,y,z\na,1,1,2\nb,3,3,2\nc,0,0,4\n");
    files.matrix("q.npy", &[&[1.0, 1.0, 2.0]]);
    files
}

fn holds(svg: &str, parts: &[&str]) {
    for part in parts {
        assert!(svg.contains(part), "`{part}` is not in {svg}");
    }
}

const ROWS: &str = "rowwise p.csv q.npy --columns x,y,z --key k";

#[test]
fn a_picture_shows_both_histograms_and_the_parts_of_the_largest_rows() {
    let files = sample();
    let read = || std::fs::read_to_string(files.path("top.svg")).unwrap();
    let table = files.output(&format!("{ROWS} --top 2 --plot top.svg"));
    assert_eq!(column(&table, "k"), ["c", "b"]);
    let svg = read();
    // kl of c is ln 2; that of b is ¾ ln 1.5 + ¼ ln ½.
    holds(
        &svg,
        &[
            ">\np.csv against q.npy: the 2 largest of 3 rows by kl in nats\n<",
            ">\nP: p.csv\n<",
            ">\nQ: q.npy\n<",
            ">\nc: kl = 0.6931471806 nats\n<",
            ">\nb: kl = 0.1308120359 nats\n<",
            ">\nx\n<",
            ">\ny\n<",
            ">\nz\n<",
            ">\n100 %\n<",
            ">\nwhat each bin adds to kl\n<",
        ],
    );
    // The paper and two samples of colour; of c one bar of P, three of Q and one part; of b three of each.
    assert_eq!(svg.matches("<rect").count(), 3 + 5 + 9);
    assert_eq!(svg.matches("#96508C").count(), 1, "one part is below zero: {svg}");

    // The largest come first whatever is done with the rows.
    files.output(&format!("{ROWS} --measure hellinger,kl --unit bits --plot top.svg -o all.csv"));
    assert_eq!(std::fs::read_to_string(files.path("all.csv")).unwrap().lines().count(), 4);
    let svg = read();
    let places = ["\nc: hellinger = ", "\nb: hellinger = ", "\na: hellinger = 0, kl = 0 bits\n"]
        .map(|row| svg.find(row).unwrap());
    assert!(places.is_sorted(), "{svg}");
    holds(&svg, &["the 3 largest of 3 rows by hellinger\n", "the terms of the sum that is behind hellinger"]);
}

#[test]
fn a_picture_says_what_it_lacks_and_what_is_infinite() {
    let files = sample();
    let read = || std::fs::read_to_string(files.path("top.svg")).unwrap();
    let ran = files.run(&format!("{ROWS} --measure ks,kl --plot top.svg"));
    let lacking = "ks is not a sum over the bins: the picture has no parts of it";
    assert_eq!((ran.code, ran.stderr), (0, format!("kullback: {lacking}\n")));
    holds(&read(), &[lacking, ">\nc: ks = 0.5, kl = 0.6931471806 nats\n<"]);
    assert!(!read().contains("adds to"), "{}", read());

    files.matrix("q.npy", &[&[1.0, 0.0, 1.0]]);
    let ran = files.run(&format!("{ROWS} --plot top.svg --top 1"));
    assert!(ran.code == 0 && ran.stderr.contains("bin 1 (y) has weight in P alone"), "{ran:?}");
    holds(&read(), &["a: kl = ∞ nats", "what each bin adds to kl (red: infinite)", "the largest of 3 rows by kl"]);
    assert_eq!(read().matches("#C81E3C").count(), 1, "{}", read());
    // Positions are for w1 alone, whose parts the picture does not show here.
    files.output(&format!("{ROWS} --measure tv,w1 --positions 0,5,6 --plot top.svg"));
    files.output(&format!("{ROWS} --measure w1 --positions 0,5,6 --plot top.svg"));
    holds(&read(), &["what each bin adds to w1"]);
}

#[test]
fn many_bins_and_many_rows_stay_readable() {
    let files = Files::new();
    let rows: Vec<Vec<f64>> =
        (0..10).map(|row| (0..500).map(|bin| f64::from(1 + (bin * (row + 1)) % 7)).collect()).collect();
    files.matrix("p.npy", &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    files.output("rowwise p.npy --against uniform --measure js --plot top.svg");
    let svg = std::fs::read_to_string(files.path("top.svg")).unwrap();
    holds(
        &svg,
        &["p.npy against uniform: the 6 largest of 10 rows by js in nats", "each bar is 3 bins", "row 0: js = "],
    );
    // 167 bars of each side and of each part, in six rows; a part may be nothing.
    let bars = svg.matches("<rect").count() - 3;
    assert!((6 * 167 * 2..=6 * 167 * 3).contains(&bars), "{bars}");
}

#[test]
fn pictures_that_cannot_be_meant_are_refused() {
    let files = sample();
    files.refused(&format!("{ROWS} --plot top.png"), &["top.png.svg"]);
    files.refused(&format!("{ROWS} --plot top.svg --top 61"), &["61 rows", "--top 60"]);
    files.refused(&format!("{ROWS} --plot no/such/top.svg"), &["no/such"]);
    let one = files.run(&format!("{ROWS} --plot one.svg -o one.svg --output-format csv"));
    assert!(one.code == 2 && one.stderr.contains("one.svg is to be both"), "{one:?}");
    // A run that is an error leaves no picture.
    files.bytes("p.csv", "k,x,y,z\na,1,1,2\nb,3,-3,2\n");
    files.refused(&format!("{ROWS} --plot top.svg"), &["bin 1: -3"]);
}
