//! Times all pairs of two matrices in memory: what `scripts/bench-pairs` runs for its own lines of the table.
//!
//!     cargo run --release --example time_pairs -- P Q BINS MEASURE THREADS VALUES
//!
//! P and Q are raw little-endian f32. Every entry is computed and looked at; those of the first row of P go to VALUES as raw
//! f64. Prints the median seconds.

use std::error::Error;
use std::fs;
use std::time::Instant;

use kullback::{Device, Divergence, Engine, Options, Rows, Tile};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [p, q, bins, measure, threads, values] = args.as_slice() else {
        return Err("arguments: P Q BINS MEASURE THREADS VALUES".into());
    };
    let load =
        |path: &String| -> Result<Vec<f32>, std::io::Error> { Ok(bytemuck::pod_collect_to_vec(&fs::read(path)?)) };
    let (p, q) = (load(p)?, load(q)?);
    let (bins, threads): (usize, usize) = (bins.parse()?, threads.parse()?);
    let measure: Divergence = measure.parse()?;
    let engine = Engine::builder().device(Device::Cpu).threads(threads).build()?;
    let (p_rows, q_rows) = (Rows::new(&p, bins)?, Rows::new(&q, bins)?);

    let mut first = vec![0.0; q_rows.len()];
    let mut seconds = Vec::new();
    for _ in 0..=ROUNDS {
        let start = Instant::now();
        let take = |tile: &Tile| {
            let values = tile.values(measure)?;
            if tile.rows().start == 0 {
                first[tile.columns()].copy_from_slice(&values[..tile.columns().len()]);
            }
            Ok::<(), kullback::Error>(())
        };
        engine.pairwise(&[measure], p_rows, Some(q_rows), &Options::default(), take)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    fs::write(values, bytemuck::cast_slice::<f64, u8>(&first))?;
    // The first call finds out about the machine.
    let timed = &mut seconds[1..];
    timed.sort_by(f64::total_cmp);
    println!("{}", timed[timed.len() / 2]);
    Ok(())
}
