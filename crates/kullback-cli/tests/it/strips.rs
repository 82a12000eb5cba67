//! `rowwise --plot` of groups: a strip per group, a cell per other key.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::*;

fn picture(files: &Files) -> String {
    std::fs::read_to_string(files.path("s.svg")).unwrap()
}

/// The rectangle of the cell with this text.
fn cell<'s>(svg: &'s str, title: &str) -> &'s str {
    let line = svg.lines().find(|line| line.contains(&format!("<title>{title}</title>")));
    line.unwrap_or_else(|| panic!("`{title}` is not in {svg}"))
}

const BY: &str = "rowwise p.csv --columns x,y --key feature,day --by feature --plot s.svg";

#[test]
fn a_cell_has_the_value_of_its_row_and_the_colour_of_its_value() {
    let files = Files::new();
    // The days come in the order of their values, and zip has no day 2.
    files.bytes("p.csv", "feature,day,x,y\nzip,10,1,0\nsex,1,1,1\nsex,10,1,1\nsex,2,1,3\nzip,1,1,1\n");
    let ran = files.run(&format!("{BY} --against first --measure reverse_kl"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let svg = picture(&files);
    assert!(svg.contains(">reverse_kl in nats of 5 rows: a strip per feature, a cell per day</text>"), "{svg}");
    assert_eq!((svg.matches("<title>").count(), svg.matches("</title>").count()), (5, 5));
    // Half of ln 2 less half of ln 1.5 is the largest finite value, and dark; 0 is light; an infinite value is hatched.
    let largest = cell(&svg, "feature=sex, day=2: reverse_kl = 0.1438410362 nats");
    let nothing = cell(&svg, "feature=sex, day=10: reverse_kl = 0 nats");
    let infinite = cell(&svg, "feature=zip, day=10: reverse_kl = ∞ nats");
    assert!(largest.contains("#12204A") && nothing.contains("#F7F0CD"), "{largest}\n{nothing}");
    assert!(infinite.contains("url(#kullback-infinite)"), "{infinite}");
    let place = |of: &str| svg.find(of).unwrap_or_else(|| panic!("{of} is not in {svg}"));
    let order =
        [">sex</text>", ">zip</text>", ">1</text>", ">2</text>", ">10</text>", ">infinite</text>", ">no row</text>"];
    assert!(order.map(place).is_sorted(), "{svg}");
    assert!(!svg.contains(">no value<"), "{svg}");
    let x = |line: &str| line.split("x=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap();
    assert!(x(largest) < x(nothing) && x(nothing) == x(infinite), "{largest}\n{nothing}\n{infinite}");
    // Below them are the histograms of the largest rows.
    assert!(svg.contains(">\nzip 10: reverse_kl = ∞ nats\n<") && svg.contains(">\nsex 2: reverse_kl = "), "{svg}");
}

#[test]
fn the_first_row_of_a_series_has_no_value() {
    let files = Files::new();
    files.bytes("p.csv", "user,day,hour,n\na,1,9,1\na,1,10,1\na,2,9,1\na,2,10,3\nb,2,9,1\nb,2,10,1\n");
    let run = |rest: &str| files.run(&format!("rowwise p.csv --long user,day:hour:n --measure tv --plot s.svg {rest}"));
    assert_eq!(run("--against previous").code, 0);
    let svg = picture(&files);
    assert!(svg.contains("tv of 3 rows: a strip per user, a cell per day") && svg.contains(">no value<"), "{svg}");
    cell(&svg, "user=a, day=2: tv = 0.25");
    assert!(cell(&svg, "user=a, day=1: tv = no value").contains("#B0B0B0"), "{svg}");
    // Without groups, or without another key, there are no strips.
    assert_eq!(run("--against uniform").code, 0);
    assert!(!picture(&files).contains("a strip per"), "{}", picture(&files));
    assert_eq!(run("--against uniform --by user --key user").code, 0);
    assert!(!picture(&files).contains("a strip per"), "{}", picture(&files));
}

#[test]
fn a_label_is_text_whatever_it_holds() {
    let files = Files::new();
    files.bytes("p.csv", "feature,day,x,y\n<script>alert('1')</script>&,</title><b>,1,1\n\"a\"\"b\",2,1,3\n");
    assert_eq!(files.run(&format!("{BY} --against uniform --measure tv")).code, 0);
    let svg = picture(&files);
    for tag in ["<script", "<b>", "alert('"] {
        assert!(!svg.contains(tag), "{tag}: {svg}");
    }
    cell(&svg, "feature=&lt;script&gt;alert(&apos;1&apos;)&lt;/script&gt;&amp;, day=&lt;/title&gt;&lt;b&gt;: tv = 0");
    cell(&svg, "feature=a&quot;b, day=2: tv = 0.25");
    assert_eq!(svg.matches("</title>").count(), 2);
}

#[test]
fn a_picture_that_is_cut_says_so() {
    let files = Files::new();
    let groups: String = (0..70).map(|group| format!("g{group:02},1,1,1\ng{group:02},2,1,{}\n", 1 + group)).collect();
    files.bytes("p.csv", format!("feature,day,x,y\n{groups}"));
    let line = format!("{BY} --against first --measure tv");
    let ran = files.run(&line);
    let cut = "60 of 70 strips are shown, those with the largest values";
    assert_eq!((ran.code, ran.stderr), (0, format!("kullback: in the picture, {cut}\n")));
    let svg = picture(&files);
    assert!(svg.contains("of 140 rows: a strip per feature, a cell per day</text>"), "{svg}");
    assert!(svg.contains(&format!(">{cut}</text>")), "{svg}");
    assert!(!svg.contains("feature=g09,") && svg.contains("feature=g10,"), "{svg}");
    assert_eq!(svg.matches("<title>").count(), 120);
    assert_eq!(files.run(&format!("{line} --quiet")).stderr, "");

    let day = |day: usize| format!("a,{day},1,{}\n", usize::from(day != 4));
    files.bytes("p.csv", format!("feature,day,x,y\n{}", (1..=1000).map(day).collect::<String>()));
    let ran = files.run(&line);
    let bundled = "a cell is the mean of 3 neighbours by day";
    assert_eq!((ran.code, ran.stderr), (0, format!("kullback: in the picture, {bundled}\n")));
    let svg = picture(&files);
    assert!(svg.contains(bundled), "{svg}");
    assert_eq!(svg.matches("<title>").count(), 334);
    // Of days 4, 5 and 6 only day 4 differs, by a half.
    cell(&svg, "feature=a, day=4 to 6: tv = 0.1666666667");
    cell(&svg, "feature=a, day=1000: tv = 0");

    // Rows that share a cell are told too: on day 1 the shops differ from equal bins by 0 and by a half.
    files.bytes("p.csv", "feature,day,shop,x,y\na,1,n,1,1\na,1,s,1,0\na,2,n,1,1\n");
    let ran = files
        .run("rowwise p.csv --columns x,y --key feature,day --by feature --against uniform --measure tv --plot s.svg");
    let shared = "a cell is the mean of up to 2 rows with the same day";
    assert_eq!((ran.code, ran.stderr), (0, format!("kullback: in the picture, {shared}\n")));
    cell(&picture(&files), "feature=a, day=1: tv = 0.25");
}
