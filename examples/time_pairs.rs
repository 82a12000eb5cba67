//! Times all pairs of two matrices in memory. `scripts/bench-pairs` and `scripts/gpu-check` run it for their tables.
//!
//!     cargo run --release --example time_pairs -- P Q BINS MEASURE THREADS VALUES [DEVICE]
//!
//! P and Q are raw little-endian f32, or `random:ROWS` for uniform random weights. Every entry is computed and read. The entries of
//! the first row of P go to VALUES as raw f64. DEVICE is `cpu` (the default), `gpu` or `gpu:N`. It prints the median seconds per
//! call, for a GPU with a clock also the median seconds of its kernels, and how many entries were left to the host.

use std::error::Error;
use std::fs;
use std::time::Instant;

use kullback::{Device, Divergence, Engine, Options, Rows, Tile};

const ROUNDS: usize = 5;

/// Uniform weights above 0 (xorshift; Marsaglia 2003).
fn random(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..count).map(|_| (next() >> 8) as f32 / 16_777_216.0 + 1e-6).collect()
}

fn load(path: &str, seed: u32, bins: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    match path.strip_prefix("random:") {
        Some(rows) => Ok(random(seed, rows.parse::<usize>()? * bins)),
        None => Ok(bytemuck::pod_collect_to_vec(&fs::read(path)?)),
    }
}

fn device(name: &str) -> Result<Device, Box<dyn Error>> {
    Ok(match name.split_once(':') {
        Some(("gpu", index)) => Device::GpuAt(index.parse()?),
        _ if name == "gpu" => Device::Gpu,
        _ if name == "cpu" => Device::Cpu,
        _ => return Err(format!("no device is called {name}").into()),
    })
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (p, q, bins, measure, threads, values, on) = match args.as_slice() {
        [p, q, bins, measure, threads, values] => (p, q, bins, measure, threads, values, "cpu"),
        [p, q, bins, measure, threads, values, on] => (p, q, bins, measure, threads, values, on.as_str()),
        _ => return Err("arguments: P Q BINS MEASURE THREADS VALUES [DEVICE]".into()),
    };
    let (bins, threads): (usize, usize) = (bins.parse()?, threads.parse()?);
    let (p, q) = (load(p, 1, bins)?, load(q, 2, bins)?);
    let measure: Divergence = measure.parse()?;
    let engine = Engine::builder().device(device(on)?).threads(threads).build()?;
    let (p_rows, q_rows) = (Rows::new(&p, bins)?, Rows::new(&q, bins)?);

    let mut first = vec![0.0; q_rows.len()];
    let (mut seconds, mut device_seconds, mut left) = (Vec::new(), Vec::new(), 0);
    for round in 0..=ROUNDS {
        let start = Instant::now();
        let take = |tile: &Tile| {
            let values = tile.values(measure)?;
            if tile.rows().start == 0 {
                first[tile.columns()].copy_from_slice(&values[..tile.columns().len()]);
            }
            Ok::<(), kullback::Error>(())
        };
        let stats = engine.pairwise(&[measure], p_rows, Some(q_rows.into()), &Options::default(), take)?;
        // The first call does not count, because it measures the machine.
        if round > 0 {
            seconds.push(start.elapsed().as_secs_f64());
            device_seconds.push(stats.device_seconds);
            left = stats.rescued;
        }
    }
    fs::write(values, bytemuck::cast_slice::<f64, u8>(&first))?;
    match on {
        "cpu" => println!("{}", median(seconds)),
        _ => println!("{} {} {left}", median(seconds), median(device_seconds)),
    }
    Ok(())
}
