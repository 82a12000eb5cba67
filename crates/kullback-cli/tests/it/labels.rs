//! What labels and keys may hide, and what is said about it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::*;

fn json(files: &Files, line: &str) -> serde_json::Value {
    serde_json::from_str(&files.output(line)).unwrap()
}

#[test]
fn text_that_is_no_number_is_told_where_the_order_counts() {
    let files = Files::new();
    let months = |names: [&str; 3]| {
        let lines = names.iter().zip([[9, 1], [5, 5], [1, 9]]);
        let lines = lines.map(|(name, [a, b])| format!("{name},a,{a}\n{name},b,{b}\n")).collect::<String>();
        format!("month,bin,n\n{lines}")
    };
    files.bytes("words.csv", months(["Jan", "Feb", "Mar"]));
    files.bytes("short.csv", months(["2013-9", "2013-10", "2013-11"]));
    files.bytes("iso.csv", months(["2013-09", "2013-10", "2013-11"]));
    files.bytes("numbers.csv", months(["9", "10", "11"]));
    for (file, first) in
        [("words.csv", Some("Jan")), ("short.csv", Some("2013-9")), ("iso.csv", None), ("numbers.csv", None)]
    {
        for against in ["previous", "first"] {
            let ran = files.run(&format!("rowwise {file} --long month:bin:n --against {against} -m tv"));
            let told = ran.stderr.contains("in the order of text by month");
            assert_eq!(told, first.is_some(), "{file}, {against}: {}", ran.stderr);
            assert!(first.is_none_or(|first| ran.stderr.contains(&format!("`{first}`"))), "{file}: {}", ran.stderr);
        }
        // Where each row meets the total, the order of the rows says nothing.
        assert!(
            !files.run(&format!("rowwise {file} --long month:bin:n --against total -m tv")).stderr.contains("order")
        );
    }
    let order = |file: &str| {
        json(&files, &format!("rowwise {file} --long month:bin:n --against first --json"))["text_order"].clone()
    };
    assert_eq!(order("words.csv"), serde_json::json!({ "column": "month", "key": "Jan" }));
    assert!(order("iso.csv").is_null());
    // Groups have an order of their own, which says nothing either.
    files.bytes("groups.csv", "shop,day,bin,n\neast,1,a,1\neast,2,b,1\nwest,1,a,1\n");
    assert!(
        !files
            .run("rowwise groups.csv --long shop,day:bin:n --by shop --against previous -m tv")
            .stderr
            .contains("order")
    );
}

#[test]
fn one_label_that_is_no_number_is_told_to_measures_of_ordered_bins() {
    let files = Files::new();
    files.bytes("p.csv", "day,delay,n\n1,2,4\n1,10,4\n1,NA,2\n2,2,1\n2,10,8\n2,NA,1\n");
    let ran = files.run("rowwise p.csv --long day:delay:n --against total -m w1");
    for part in ["w1 takes the labels of delay in the order of text", "`NA`", "--where 'delay!=NA'"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert!(!files.run("rowwise p.csv --long day:delay:n --against total -m js").stderr.contains("order of text"));
    assert!(
        !files.run("rowwise p.csv --long day:delay:n --where delay!=NA --against total -m w1").stderr.contains("text")
    );
    assert!(files.run("pairwise p.csv --long day:delay:n -m ks").stderr.contains("ks takes the labels"));
}

#[test]
fn labels_may_be_the_positions_of_the_bins() {
    let files = Files::new();
    files.bytes("p.csv", "day,hour,n\n1,1,1\n1,5,0\n1,21,0\n2,1,0\n2,5,0\n2,21,1\n");
    let steps = files.run("rowwise p.csv --long day:hour:n --against previous -m w1");
    assert!(steps.stdout.ends_with("2,2.0\n"), "{}", steps.stdout);
    assert!(steps.stderr.contains("up to 16 apart: --positions labels"), "{}", steps.stderr);
    let labels = files.run("rowwise p.csv --long day:hour:n --against previous -m w1 --positions labels");
    assert!(labels.stdout.ends_with("2,20.0\n"), "{}", labels.stdout);
    assert_eq!(labels.stderr, "");
    assert!(files.output("pairwise p.csv --long day:hour:n -m w1 --positions labels").contains("20.0"));
    assert_eq!(
        json(&files, "rowwise p.csv --long day:hour:n --against previous -m w1 --positions labels --json")["positions"],
        "labels"
    );
    // The groups of --by have other hours, and one list of positions.
    files.bytes("groups.csv", "shop,day,hour,n\na,1,1,1\na,2,5,1\nb,1,1,1\nb,2,21,1\n");
    let groups =
        files.output("rowwise groups.csv --long shop,day:hour:n --by shop --against previous -m w1 --positions labels");
    assert_eq!(groups, "shop,day,w1\na,1,\na,2,4.0\nb,1,\nb,2,20.0\n");
    files.refused(
        "rowwise groups.csv --long shop,day:hour:n --by shop --against previous -m w1 --positions labels --zeros additive:1",
        &["in each group", "--zeros exact"],
    );
    files.bytes("words.csv", "day,hour,n\n1,early,1\n1,late,2\n2,early,1\n");
    files.refused(
        "rowwise words.csv --long day:hour:n --against total -m w1 --positions labels",
        &["`early`", "no number"],
    );
    files.matrix("wide.npy", &[&[1.0, 2.0], &[3.0, 4.0]]);
    files.refused("rowwise wide.npy --against total -m w1 --positions labels", &["have no labels"]);
}

#[test]
fn labels_that_do_not_meet_are_told() {
    let files = Files::new();
    files.bytes("p.csv", "day,hour,n\n1,6,3\n1,7,2\n");
    files.bytes("padded.csv", "day,hour,n\n1,06,3\n1,07,2\n");
    files.bytes("partly.csv", "day,hour,n\n1,6,3\n1,07,2\n");
    let apart = files.run("rowwise p.csv padded.csv --long day:hour:n -m js");
    assert!(apart.stderr.contains("no label in common"), "{}", apart.stderr);
    assert!(apart.stderr.contains("`06`") && apart.stderr.contains("`6`"), "{}", apart.stderr);
    let partly = files.run("rowwise p.csv partly.csv --long day:hour:n -m js").stderr;
    assert!(!partly.contains("in common") && partly.contains("one number but two labels"), "{partly}");
    assert_eq!(files.run("rowwise p.csv p.csv --long day:hour:n -m js").stderr, "");
    // Long numbers that 64-bit floats do not tell apart are not one number.
    files.bytes("long.csv", "day,id,n\n1,9007199254740992,3\n1,9007199254740993,2\n");
    assert_eq!(files.run("rowwise long.csv --long day:id:n --against total -m js").stderr, "");
}

#[test]
fn a_row_that_is_left_out_is_named() {
    let files = Files::new();
    files.bytes("p.csv", "carrier,a,b\nAA,1,2\nOO,3,4\nXX,1,1\n");
    files.bytes("q.csv", "carrier,a,b\nAA,2,2\n");
    files.bytes("r.csv", "carrier,a,b\nAA,2,2\nZZ,2,2\n");
    let ran = files.run("rowwise p.csv r.csv --columns a,b --key carrier");
    assert!(
        ran.stderr.contains("2 of 3 rows of P have no partner in Q and were left out; the first is `carrier=OO`"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        json(&files, "rowwise p.csv r.csv --columns a,b --key carrier --json")["first_left_out"],
        "`carrier=OO`"
    );
    files.bytes("days.csv", "shop,day,a,b\neast,1,1,2\neast,2,1,2\nwest,1,1,1\n");
    files.refused(
        "rowwise days.csv --columns a,b --key shop,day --by shop --against 'day<=2'",
        &["`day<=2` names two rows of the group `shop=east`"],
    );
}

#[test]
fn a_cell_that_is_no_number_is_named_and_so_is_a_column_that_comes_twice() {
    let files = Files::new();
    files.bytes("na.csv", "k,a,b\nx,1,2\ny,NA,4\n");
    files.refused("rowwise na.csv --columns a,b --against total", &["column `a`", "row 1 holds `NA`"]);
    files.bytes("twice.csv", "k,a,a\nx,1,2\n");
    files.refused("rowwise twice.csv --columns 'a*' --against total", &["two columns named `a`"]);
    files.refused("rowwise twice.csv --long k:a --against total", &["two columns named `a`"]);
}

#[test]
fn infinite_neighbours_are_told() {
    let files = Files::new();
    files.bytes("p.csv", "k,a,b\nx,1,0\ny,0,1\n");
    let far = files.run("nearest p.csv --columns a,b --key k -m kl -k 1");
    assert!(far.stderr.contains("2 neighbours are infinitely far by kl"), "{}", far.stderr);
    assert_eq!(files.run("nearest p.csv --columns a,b --key k -k 1").stderr, "");
}
