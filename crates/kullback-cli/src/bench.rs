//! `kullback bench`: the speed of this machine's devices on rows in memory, beside a plain read of the same bytes. It verifies
//! before it times.

use std::hint::black_box;
use std::time::Instant;

use kullback::{Columns, Device, Divergence, Engine, Input, Options, Rows, Weight, adapters};
use kullback_conformance::Tolerance;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::args::BenchArgs;
use crate::error::{Error, Result};
use crate::progress::ProgressDisplay;
use crate::report::print;
use crate::report::table::{Style, table};
use crate::{Outcome, interrupt};

/// The sets of measures to time.
const SETS: [&[Divergence]; 3] =
    [&[Divergence::Kl], &[Divergence::Js], &[Divergence::Kl, Divergence::Js, Divergence::Hellinger, Divergence::Tv]];
/// The most rows that are compared with the reference before anything is timed, and the most bins that these rows may have
/// together. There are limits because the reference is slow.
const VERIFIED: usize = 50;
const VERIFIED_BINS: usize = 1 << 18;
/// The error that the contract promises.
const PROMISED: f64 = 1e-6;

/// Runs the command.
pub(crate) fn run(args: &BenchArgs) -> Result<Outcome> {
    let devices = if args.device.is_empty() { every_device() } else { args.device.clone() };
    let reference = Engine::builder().device(Device::Reference).build()?;
    interrupt::work_begins()?;
    let progress = ProgressDisplay::new(!args.json, "timings", None);
    let mut lines = Vec::new();
    for &bins in &args.bins {
        let rows = (args.size as usize / (4 * bins)).max(1);
        let (p, q) = (weights(1, rows * bins)?, weights(2, rows * bins)?);
        // Every weight is at least 1. Otherwise an empty bin of q alone would make every row infinite, and an infinite row says
        // nothing about the error.
        let counts = |weights: &[f32]| {
            let mut weights = weights.iter();
            filled(weights.len(), || weights.next().map_or(1, |x| 1 + (x * 65_534.0) as u16))
        };
        let (p_counts, q_counts) = (counts(&p)?, counts(&q)?);
        let f32_rows = Work { p: Rows::new(&p, bins)?, q: Rows::new(&q, bins)?, read: plain_read(&p, &q, args) };
        let u16_rows = Work {
            p: Rows::new(&p_counts, bins)?,
            q: Rows::new(&q_counts, bins)?,
            read: plain_read(&p_counts, &q_counts, args),
        };
        for &device in &devices {
            let mut builder = Engine::builder().device(device);
            if let Some(threads) = args.threads {
                builder = builder.threads(threads.get());
            }
            let engine = builder.build()?;
            for (work, sets) in [(&f32_rows, &SETS[..]), (&u16_rows, &SETS[..1])] {
                for measures in sets {
                    interrupt::check()?;
                    lines.extend(work.time(&engine, &reference, measures, args)?);
                    progress.reached(lines.len() as u64);
                }
            }
        }
    }
    drop(progress);
    let broken = !lines.iter().all(|line| line.error <= PROMISED);
    if args.json {
        let lines: Vec<Value> = lines.iter().map(Line::json).collect();
        let object = json!({ "command": "bench", "version": env!("CARGO_PKG_VERSION"), "lines": lines });
        print(&format!("{object}\n"))?;
    } else {
        let style = if args.markdown { Style::Markdown } else { Style::Lines };
        let header = [
            "device",
            "rows are",
            "measures",
            "weights",
            "bins",
            "rows/s",
            "GB/s",
            "of a plain read",
            "kernel, GB/s",
            "upload, GB/s",
            "largest error",
        ];
        let cells = lines.iter().map(Line::cells).collect();
        print(&format!("{}\n", table(style, header.map(str::to_owned).to_vec(), cells, 4)))?;
    }
    Ok(if broken { Outcome::Exceeded } else { Outcome::Done })
}

/// The CPU, and every GPU that is hardware.
fn every_device() -> Vec<Device> {
    let gpus = adapters().into_iter().filter(|adapter| !adapter.is_software);
    [Device::Cpu].into_iter().chain(gpus.map(|adapter| Device::GpuAt(adapter.index))).collect()
}

/// `count` weights in (0, 1].
fn weights(seed: u64, count: usize) -> Result<Vec<f32>> {
    let mut rng = SmallRng::seed_from_u64(seed);
    filled(count, || 1.0 - rng.random::<f32>())
}

/// Makes `count` values, if there is memory for them.
fn filled<T>(count: usize, value: impl FnMut() -> T) -> Result<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| Error::Memory { bytes: count as u64 * size_of::<T>() as u64 })?;
    values.extend(std::iter::repeat_with(value).take(count));
    Ok(values)
}

/// How many bytes per second all cores read from two slices.
fn plain_read<W: Weight + bytemuck::Pod>(p: &[W], q: &[W], args: &BenchArgs) -> f64 {
    let read = |values: &[W]| {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let xor = |piece: &[u8]| {
            let (words, _) = piece.as_chunks::<8>();
            words.iter().fold(0, |all, word| all ^ u64::from_ne_bytes(*word))
        };
        bytes.par_chunks(1 << 18).map(xor).reduce(|| 0, |a, b| a ^ b)
    };
    let seconds = median(args.rounds.get(), || {
        let start = Instant::now();
        black_box(read(black_box(p)) ^ read(black_box(q)));
        Ok::<_, kullback::Error>(start.elapsed().as_secs_f64())
    });
    seconds.map_or(f64::NAN, |seconds| 2.0 * size_of_val(p) as f64 / seconds)
}

/// The median of `rounds` timings, after one that does not count.
fn median<E>(rounds: usize, mut time: impl FnMut() -> std::result::Result<f64, E>) -> std::result::Result<f64, E> {
    time()?;
    let mut seconds = (0..rounds).map(|_| time()).collect::<std::result::Result<Vec<f64>, E>>()?;
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[seconds.len() / 2])
}

/// Two matrices to work on.
struct Work<'a> {
    p: Rows<'a>,
    q: Rows<'a>,
    /// The bytes per second of a plain read.
    read: f64,
}

impl Work<'_> {
    /// One line for rows that are sent and, on a GPU, one for rows that are kept there.
    fn time(
        &self,
        engine: &Engine,
        reference: &Engine,
        measures: &[Divergence],
        args: &BenchArgs,
    ) -> Result<Vec<Line>> {
        let call = |p: Input<'_>, q: Input<'_>| engine.rowwise(measures, p, q, &Options::default());
        let few = (VERIFIED_BINS / self.p.bins()).clamp(1, VERIFIED).min(self.p.len());
        let [p_last, q_last] = [self.p, self.q].map(|rows| rows.slice(rows.len() - few, few));
        let want = reference.rowwise(measures, p_last, q_last, &Options::default())?;
        // What only sends the rows is the yardstick for what sends them and computes.
        let (p_kept, q_kept) = (engine.upload(self.p)?, engine.upload(self.q)?);
        let bytes = 2 * self.p.len() * self.p.bins() * self.p.weight_type().size();
        let upload_seconds = if p_kept.is_on_a_device() {
            Some(median(args.rounds.get(), || {
                let start = Instant::now();
                let there = (engine.upload(self.p)?, engine.upload(self.q)?);
                let seconds = start.elapsed().as_secs_f64();
                drop(there);
                Ok::<_, kullback::Error>(seconds)
            })?)
        } else {
            None
        };
        let line = |kept: bool, p: Input<'_>, q: Input<'_>| -> Result<Line> {
            let first = call(p, q)?;
            let error = largest_error(&first, &want, &p_last, &q_last);
            let mut kernels = Vec::new();
            let seconds = median(args.rounds.get(), || {
                let start = Instant::now();
                call(p, q).map(|columns| {
                    kernels.push(black_box(columns).stats().device_seconds);
                    start.elapsed().as_secs_f64()
                })
            })?;
            kernels.sort_by(f64::total_cmp);
            Ok(Line {
                device: engine.device_name().to_string(),
                kept,
                measures: measures.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
                weights: self.p.weight_type().name(),
                bins: self.p.bins(),
                rows: self.p.len(),
                seconds,
                compile_seconds: first.stats().compile_seconds,
                kernel_seconds: Some(kernels[kernels.len() / 2]).filter(|seconds| *seconds > 0.0),
                upload_seconds: upload_seconds.filter(|_| !kept),
                bytes,
                bytes_per_second: bytes as f64 / seconds,
                of_read: bytes as f64 / seconds / self.read,
                error,
            })
        };
        let mut lines = vec![line(false, self.p.into(), self.q.into())?];
        if p_kept.is_on_a_device() {
            lines.push(line(true, (&p_kept).into(), (&q_kept).into())?);
        }
        Ok(lines)
    }
}

/// The largest relative error of the last rows, p and q. A value within the absolute allowance of the contract has no error.
fn largest_error(got: &Columns, want: &Columns, p: &Rows<'_>, q: &Rows<'_>) -> f64 {
    let mut largest = 0.0;
    for ((measure, got), (_, want)) in got.iter().zip(want.iter()) {
        let last = &got[got.len() - want.len()..];
        for (row, (got, want)) in last.iter().zip(want).enumerate() {
            let error = match Tolerance::of(measure, p, row, q, row).check(*got, *want) {
                Ok(relative) => relative.unwrap_or(0.0),
                Err(_) => (got - want).abs() / want,
            };
            largest = worse(largest, error);
        }
    }
    largest
}

/// The larger error. NaN is worse than every other error.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// One line of measurements.
struct Line {
    device: String,
    /// Whether the rows were already on the device.
    kept: bool,
    measures: String,
    weights: &'static str,
    bins: usize,
    rows: usize,
    seconds: f64,
    /// The compile time of the first call.
    compile_seconds: f64,
    /// The kernel time, by the clock of the device.
    kernel_seconds: Option<f64>,
    /// For rows that are sent: the time that sending alone takes.
    upload_seconds: Option<f64>,
    bytes: usize,
    bytes_per_second: f64,
    of_read: f64,
    error: f64,
}

impl Line {
    fn place(&self) -> &'static str {
        if self.kept { "on the device" } else { "in memory" }
    }

    fn json(&self) -> Value {
        json!({
            "device": self.device,
            "rows_are": self.place(),
            "measures": self.measures,
            "weights": self.weights,
            "bins": self.bins,
            "rows": self.rows,
            "seconds": self.seconds,
            "compile_seconds": self.compile_seconds,
            "kernel_seconds": self.kernel_seconds,
            "upload_seconds": self.upload_seconds,
            "rows_per_second": self.rows as f64 / self.seconds,
            "bytes_per_second": self.bytes_per_second,
            "of_a_plain_read": self.of_read,
            "largest_relative_error": self.error,
        })
    }

    fn cells(&self) -> Vec<String> {
        let gigabytes = |seconds: Option<f64>| {
            seconds.map_or_else(String::new, |seconds| format!("{:.2}", self.bytes as f64 / seconds / 1e9))
        };
        vec![
            self.device.clone(),
            self.place().to_owned(),
            self.measures.clone(),
            self.weights.to_owned(),
            self.bins.to_string(),
            format!("{:.3e}", self.rows as f64 / self.seconds),
            format!("{:.2}", self.bytes_per_second / 1e9),
            format!("{:.2}", self.of_read),
            gigabytes(self.kernel_seconds),
            gigabytes(self.upload_seconds),
            format!("{:.1e}", self.error),
        ]
    }
}
