//! Times one call over matrices in memory, beside a plain read of the same bytes. `scripts/bench-peers` runs it for its own lines
//! of the table.
//!
//!     cargo run --release --example time_rowwise -- P Q BINS MEASURE THREADS VALUES
//!
//! P and Q are raw little-endian f32. The values go to VALUES as raw f64. It prints the median seconds of the read and of the call.
//! The two take turns.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use kullback::{Device, Divergence, Engine, Options, Rows};
use rayon::prelude::*;

const ROUNDS: usize = 7;

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
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let engine = Engine::builder().device(Device::Cpu).threads(threads).build()?;
    let (p_rows, q_rows) = (Rows::new(&p, bins)?, Rows::new(&q, bins)?);

    let (mut reads, mut calls) = (Vec::new(), Vec::new());
    let mut out = engine.rowwise(&[measure], p_rows, q_rows, &Options::default())?;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        pool.install(|| black_box(plain_read(black_box(&p)) ^ plain_read(black_box(&q))));
        reads.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        out = engine.rowwise(&[measure], p_rows, q_rows, &Options::default())?;
        calls.push(start.elapsed().as_secs_f64());
    }
    fs::write(values, bytemuck::cast_slice::<f64, u8>(&out[measure]))?;
    println!("{} {}", median(&mut reads), median(&mut calls));
    Ok(())
}

/// Reads every byte of a slice with all threads of the pool.
fn plain_read(values: &[f32]) -> u32 {
    let xor = |piece: &[f32]| piece.iter().fold(0, |bits, x| bits ^ x.to_bits());
    values.par_chunks(1 << 16).map(xor).reduce(|| 0, |a, b| a ^ b)
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
