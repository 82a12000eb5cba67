//! Names that lived the same life: for each given name of the United States with at least 5,000 births, the names whose
//! births over the years are distributed most alike, by Jensen–Shannon.
//!
//! ```text
//! cargo run --release -p kullback-arrow --example names_alike [-- NAME …]
//! ```
//!
//! All rows against all rows, some thirty million pairs of 138 years, and five names of each printed: how near a neighbour
//! is, in bits (0 the same life, 1 nothing in common).

use std::error::Error;
use std::path::Path;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use kullback::{Device, Divergence, Engine, Options, Unit};
use kullback_arrow::{Batch, Location, ReadOptions, Source};

const LEAST_BIRTHS: f64 = 5_000.0;
const SHOWN: usize = 5;
const NAMES: [&str; 5] = ["Linda", "Emma", "Dorothy", "Jennifer", "Michael"];

fn main() -> Result<(), Box<dyn Error>> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let asked = if asked.is_empty() { NAMES.map(str::to_owned).to_vec() } else { asked };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/babynames.parquet");
    let options = ReadOptions { keys: vec!["name".into(), "sex".into()], ..ReadOptions::default() };
    let source = Source::open(&Location::Path(file), &options)?;
    let all = Batch::concat(&source.batches()?.collect::<Result<Vec<Batch>, _>>()?)?;
    let rows = all.rows();
    let births = |row: &usize| (0..rows.bins()).filter_map(|year| rows.get(*row, year)).sum::<f64>();
    let names = all.take(&(0..all.len()).filter(|row| births(row) >= LEAST_BIRTHS).collect::<Vec<_>>())?;

    let engine = Engine::builder().device(Device::Auto).build()?;
    let options = Options { unit: Unit::Bits, ..Options::default() };
    let found = engine.nearest(Divergence::Js, names.rows(), None, SHOWN, &options)?;
    let seconds = found.stats().seconds;
    println!("{} names, {} pairs, {seconds:.1} s on {}", names.len(), names.len().pow(2), found.stats().device);
    let options = FormatOptions::default();
    let columns = names.keys.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let label = |row: usize| format!("{} ({})", columns[0].value(row), columns[1].value(row));
    for row in 0..names.len() {
        if !asked.contains(&columns[0].value(row).to_string()) {
            continue;
        }
        let near = found.of(row).unwrap_or_default().iter();
        let near = near.map(|near| format!("  {} {:.4}", label(near.row as usize), near.value));
        println!("{}{}", label(row), near.collect::<String>());
    }
    Ok(())
}
