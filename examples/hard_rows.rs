//! Random rows that hit the hard part, on every device, against the reference. It prints how many values are outside the contract,
//! by family, and the largest error of each measure.
//!
//! ```sh
//! cargo run --release --example hard_rows -- 100000 1          # rows of each family, seed
//! cargo run --release --example hard_rows -- 100000 1 f64      # of 64-bit weights
//! cargo run --release --example hard_rows -- 10000000 1 wide    # of the CPU alone, against its 64-bit kernel: much quicker
//! cargo run --release --example hard_rows -- 100000 1 "two weights" # of one family
//! ```
//!
//! Lengths and zero policies change from chunk to chunk. Kernels take shorter ways if the measures asked for allow it. So every
//! measure is asked for on the same rows in several calls: all in one, those of second order in another, and a few alone.

use std::collections::BTreeMap;
use std::time::Instant;

use kullback::{Columns, Device, Divergence, Engine, OnInvalid, Options, RowStatus, Rows, WeightType, Zeros, adapters};
use kullback_conformance::{
    FAMILIES, GENERATOR, POLICIES, SMALL_POLICIES, Tolerance, Values, edges, hard_rows, hard_rows_of_family, measures,
    ordered_measures,
};

/// Rows of each family per chunk.
const ROWS: usize = 500;
/// The number of lengths has no common factor with the number of policies, so each length meets each policy.
const LENGTHS: [usize; 15] = [2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 33, 64, 256];
/// Below this value, an error may be that of the reference.
const REFERENCE_ERROR: f64 = 1e-28;
/// How many values outside the contract are shown for each device and family.
const SHOWN: u64 = 3;

/// What was found on a device.
struct Subject {
    engine: Engine,
    values: u64,
    rescued: u64,
    rows: u64,
    outside: [u64; FAMILIES.len()],
    worst: BTreeMap<String, (f64, String)>,
}

/// Rows, and the values that are wanted for them.
struct Chunk<'a> {
    p: Rows<'a>,
    q: Rows<'a>,
    /// The one family of all rows.
    only: Option<usize>,
    wants: Columns,
    /// The rest of the name of a row.
    what: String,
}

fn main() -> kullback::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, other: u64| args.get(i).and_then(|arg| arg.parse().ok()).unwrap_or(other);
    let (rows, seed) = (number(0, 1000) as usize, number(1, 1));
    let of_64_bits = args.iter().any(|arg| arg == "f64");
    let wide = args.iter().any(|arg| arg == "wide");
    let only = FAMILIES.iter().position(|family| args.iter().any(|arg| arg == family));
    let families = if only.is_some() { 1 } else { FAMILIES.len() };
    let weight_type = if of_64_bits { WeightType::F64 } else { WeightType::F32 };
    let mut subjects = subjects(!of_64_bits && !wide);
    let reference = Engine::builder().device(if wide { Device::Cpu } else { Device::Reference }).build()?;
    let all = [measures(), ordered_measures(), edges().concat()].concat();
    let sets = sets();
    let policies: Vec<Zeros> = [Zeros::Exact; 8].into_iter().chain(POLICIES).chain(SMALL_POLICIES).collect();
    let started = Instant::now();
    for (chunk, first) in (0..rows).step_by(ROWS).enumerate() {
        let (bins, zeros) = (LENGTHS[chunk % LENGTHS.len()], policies[chunk % policies.len()]);
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(chunk as u64);
        let count = ROWS.min(rows - first) * families;
        let hard = match only {
            Some(family) => hard_rows_of_family(seed, weight_type, bins, count, family),
            None => hard_rows(seed, weight_type, bins, count),
        };
        let (p, q) = (hard.p.rows(bins), hard.q.rows(bins));
        let options = Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() };
        let wants = match wide {
            true => reference.rowwise(&all, in_64_bits(p).rows(bins), in_64_bits(q).rows(bins), &options)?,
            false => reference.rowwise(&all, p, q, &options)?,
        };
        let rows_of_chunk = Chunk { p, q, only, wants, what: format!("× {bins}, {zeros}, seed {seed}") };
        for subject in &mut subjects {
            for set in &sets {
                let got = subject.engine.rowwise(set, p, q, &options)?;
                subject.compare(&rows_of_chunk, set, &got);
            }
        }
        eprint!("\r{} of {rows} rows of each family, {:.0} s", first + ROWS, started.elapsed().as_secs_f64());
    }
    eprintln!();
    println!("generator {GENERATOR}, seed {seed}, {rows} rows of each of {families} families, {}", weight_type.name());
    subjects.iter().for_each(Subject::report);
    Ok(())
}

/// The CPU, and every GPU if these are wanted.
fn subjects(with_gpus: bool) -> Vec<Subject> {
    let gpus = adapters().into_iter().map(|adapter| Device::GpuAt(adapter.index)).chain([Device::Gl]);
    let devices = [Device::Cpu].into_iter().chain(gpus.filter(|_| with_gpus));
    let open = |device| match Engine::builder().device(device).build() {
        Ok(engine) => {
            let (outside, worst) = ([0; FAMILIES.len()], BTreeMap::new());
            Some(Subject { engine, values: 0, rescued: 0, rows: 0, outside, worst })
        }
        Err(error) => {
            eprintln!("{error}");
            None
        }
    };
    devices.filter_map(open).collect()
}

/// The measures of each call over the same rows.
fn sets() -> Vec<Vec<Divergence>> {
    let [narrow_edges, wide_edges] = edges();
    let narrow = [measures(), narrow_edges].concat();
    let of_second_order = narrow.iter().copied().filter(|measure| measure.is_of_second_order()).collect();
    let alone = [Divergence::Kl, Divergence::Tv, Divergence::CrossEntropy, Divergence::Hellinger];
    [narrow, wide_edges, ordered_measures(), of_second_order]
        .into_iter()
        .chain(alone.map(|measure| vec![measure]))
        .collect()
}

impl Subject {
    /// Compares the values of a call with the wanted ones.
    fn compare(&mut self, chunk: &Chunk<'_>, set: &[Divergence], got: &Columns) {
        let Chunk { p, q, only, wants, what } = chunk;
        self.rescued += got.stats().rescued;
        self.rows += p.len() as u64;
        let has_value = |status: RowStatus| matches!(status, RowStatus::Ok | RowStatus::Infinite);
        for (&measure, row) in set.iter().flat_map(|measure| (0..p.len()).map(move |row| (measure, row))) {
            let family = only.unwrap_or(row % FAMILIES.len());
            let tolerance = Tolerance::of(measure, p, row, q, row);
            let (value, want) = (got[measure][row], wants[measure][row]);
            let same = has_value(got.status()[row]) == has_value(wants.status()[row]);
            let found = if same { tolerance.check(value, want) } else { Err(format!("{}", got.status()[row])) };
            let name = || format!("{measure} of {} {what}, row {row}", FAMILIES[family]);
            let side = |rows: &Rows<'_>| (0..rows.bins()).filter_map(|bin| rows.get(row, bin)).collect::<Vec<f64>>();
            let weights = || [side(p), side(q)];
            // The error is in units of the allowed error, because an absolute error is always allowed.
            let off = (value - want).abs();
            let allowed = (tolerance.relative * want.abs()).max(tolerance.absolute);
            let error = if off > REFERENCE_ERROR { off / allowed * tolerance.relative } else { 0.0 };
            self.note(measure, family, error, found.err(), &name, &weights);
        }
    }

    /// Prints what was found.
    fn report(&self) {
        let outside: u64 = self.outside.iter().sum();
        println!(
            "\n{}: {} values, {} of {} rows rescued, {outside} values outside the contract",
            self.engine.device_name(),
            self.values,
            self.rescued,
            self.rows
        );
        for (family, outside) in FAMILIES.iter().zip(self.outside).filter(|(_, outside)| *outside > 0) {
            println!("  {outside} of {family}");
        }
        for (measure, (error, case)) in &self.worst {
            println!("  {measure:16} {error:.1e}  {case}");
        }
    }

    /// Takes one value. Notes its error (NaN if it has none) and what is wrong with it.
    fn note(
        &mut self,
        measure: Divergence,
        family: usize,
        error: f64,
        wrong: Option<String>,
        name: &dyn Fn() -> String,
        weights: &dyn Fn() -> [Vec<f64>; 2],
    ) {
        self.values += 1;
        let worst = self.worst.entry(measure.to_string()).or_insert((-1.0, String::new()));
        let error = if error.is_finite() { error } else { 0.0 };
        if error > worst.0 {
            *worst = (error, name());
        }
        if let Some(what) = wrong {
            self.outside[family] += 1;
            if self.outside[family] <= SHOWN {
                println!("{}: {what}; {}\n  {:?}", self.engine.device_name(), name(), weights());
            }
        }
    }
}

/// The same weights in 64 bits.
fn in_64_bits(rows: Rows<'_>) -> Values {
    Values::F64((0..rows.len() * rows.bins()).filter_map(|i| rows.weights().get(i)).collect())
}
