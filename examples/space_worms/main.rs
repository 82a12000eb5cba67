//! Computes the worked examples of the literature again, and checks them against the published digits.
//!
//! ```text
//! cargo run --release --example space_worms [-- curves.svg]
//! ```
//!
//! Every line of the output is one value: its name, what the engine computes, what is published (or follows from what is
//! published), and whether the two agree to the digits printed. The example ends with an error if one does not agree, so it also
//! serves as a check.
//!
//! What it shows:
//! - counts as they are: no row is normalised by hand, and the two sides may have different types;
//! - several measures in one call, in nats or in bits;
//! - fitting a model by its divergence: one call compares one row of data with 1,001 candidate models, and the smallest value is
//!   the best fit (a candidate that rules out something that was observed is infinitely far away; that is its value, not an error);
//! - what a zero means, and what a zero policy makes of it.
//!
//! The two fits are also drawn as an SVG. The first argument is its path (without one, `target/space_worms.svg`).
//!
//! Sources: the space worms, "Kullback-Leibler Divergence Explained", Count Bayesie, 2017; the
//! smoothing of zeros, Han, Kamber, Pei: *Data Mining: Concepts and Techniques*; the counts 9, 12, 4,
//! the encyclopedia's worked example (Wikipedia, "Kullback–Leibler divergence", "Basic example"). The
//! loaded die and the rows R and S are the usual ones of tutorials.

mod picture;

use std::error::Error;
use std::path::PathBuf;

use kullback::{Device, Divergence, Engine, Options, Rows, Unit, Weight, Zeros};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many of 1,000 space worms have 0, 1, … 10 teeth.
const WORMS: [u32; TEETH] = [24, 17, 34, 63, 183, 209, 90, 116, 110, 121, 33];
const TEETH: usize = 11;

/// A scan has one candidate more than this: 0/1000, 1/1000, … 1000/1000.
const STEPS: u32 = 1000;

fn main() -> Outcome<()> {
    let svg = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/space_worms.svg"), PathBuf::from);
    let engine = Engine::builder().device(Device::Auto).build()?;
    let mut report = Report::default();

    worms(&engine, &mut report)?;
    let binomials = Scan::run(&engine, binomial)?;
    binomials.check(&mut report, "binomial models", "θ", "0.57", "0.477");
    let two_parts = Scan::run(&engine, two_part)?;
    two_parts.check(&mut report, "two-part models", "x", "0.47", "0.338");
    loaded_die(&engine, &mut report)?;
    cross_entropy(&engine, &mut report)?;
    smoothing(&engine, &mut report)?;
    encyclopedia(&engine, &mut report)?;

    picture::draw(&svg, &binomials, &two_parts)?;
    println!("\nThe two scans are drawn in {}", svg.display());
    report.finish()
}

// ---------------------------------------------------------------------------------------------
// The examples
// ---------------------------------------------------------------------------------------------

/// The worms against a uniform and a binomial model.
fn worms(engine: &Engine, report: &mut Report) -> Outcome<()> {
    section("Teeth of 1,000 space worms, bits");
    let bits = in_bits();
    let [entropy, kl] = measure(engine, [Divergence::Entropy, Divergence::Kl], &WORMS, &[1_u32; TEETH], &bits)?;
    report.published("entropy of the worms", entropy, "3.12");
    report.published("KL(worms ‖ uniform)", kl, "0.338");
    let both = [Divergence::Kl, Divergence::ReverseKl];
    let [kl, reverse] = measure(engine, both, &WORMS, &binomial(0.57), &bits)?;
    report.published("KL(worms ‖ Binomial(10, 0.57))", kl, "0.477");
    report.published("KL(Binomial(10, 0.57) ‖ worms)", reverse, "0.330");
    Ok(())
}

/// A die that shows one face half of the time, against a fair one.
fn loaded_die(engine: &Engine, report: &mut Report) -> Outcome<()> {
    section("A loaded die against a fair one, nats");
    let loaded = [0.5, 0.1, 0.1, 0.1, 0.1, 0.1];
    let [kl] = measure(engine, [Divergence::Kl], &loaded, &[1_u32; 6], &Options::default())?;
    report.published("KL(loaded ‖ fair)", kl, "0.2939");
    Ok(())
}

/// Cross entropy is entropy plus divergence.
fn cross_entropy(engine: &Engine, report: &mut Report) -> Outcome<()> {
    section("Cross entropy = entropy + KL, nats: R = .42 .31 .27, S = .25 .5 .25");
    let (r, s) = ([0.42, 0.31, 0.27], [0.25, 0.5, 0.25]);
    let measures = [Divergence::Entropy, Divergence::Kl, Divergence::CrossEntropy];
    let [entropy, kl, cross] = measure(engine, measures, &r, &s, &Options::default())?;
    report.published("cross entropy of R and S", cross, "1.17");
    report.same(&format!("  against entropy of R {entropy:.4} + KL(R ‖ S) {kl:.4}"), cross, entropy + kl);
    report.misprint("KL(R ‖ S)", kl, "0.07", "0.0905");
    Ok(())
}

/// Zeros on both sides, as they are and smoothed.
fn smoothing(engine: &Engine, report: &mut Report) -> Outcome<()> {
    const E: f64 = 1e-3;
    section("Zeros, nats: P = (a 3, b 1, c 1, d 0)/5, Q = (a 5, b 3, c 0, d 1)/9");
    let (p, q) = ([3_u32, 1, 1, 0], [5_u32, 3, 0, 1]);
    let both = [Divergence::Kl, Divergence::ReverseKl];
    let exact = Options::default();
    let [kl, reverse] = measure(engine, both, &p, &q, &exact)?;
    report.infinite("KL(P ‖ Q), zeros exact: Q rules out c", kl);
    report.infinite("KL(Q ‖ P), zeros exact: P rules out d", reverse);

    // The book gives the smoothed rows: a missing bin gets E, and the bins with weight share the loss.
    let p_smooth = [3.0 / 5.0 - E / 3.0, 1.0 / 5.0 - E / 3.0, 1.0 / 5.0 - E / 3.0, E];
    let q_smooth = [5.0 / 9.0 - E / 3.0, 3.0 / 9.0 - E / 3.0, E, 1.0 / 9.0 - E / 3.0];
    let [book_kl, book_reverse] = measure(engine, both, &p_smooth, &q_smooth, &exact)?;
    let epsilon = Options { zeros: Zeros::Epsilon(E), ..Options::default() };
    let [kl, reverse] = measure(engine, both, &p, &q, &epsilon)?;
    report.same("KL(P ‖ Q), zeros epsilon:1e-3 (the book's rows)", kl, book_kl);
    report.same("KL(Q ‖ P), zeros epsilon:1e-3 (the book's rows)", reverse, book_reverse);
    Ok(())
}

/// 9, 12 and 4 of 25 against the uniform distribution.
fn encyclopedia(engine: &Engine, report: &mut Report) -> Outcome<()> {
    section("The encyclopedia's example, nats: P = (9, 12, 4)/25");
    let both = [Divergence::Kl, Divergence::ReverseKl];
    let [kl, reverse] = measure(engine, both, &[9_u32, 12, 4], &[1_u32; 3], &Options::default())?;
    report.published("KL(P ‖ uniform)", kl, "0.0852996");
    report.published("KL(uniform ‖ P)", reverse, "0.097455");
    Ok(())
}

/// Computes some measures of one row against one row.
fn measure<const N: usize>(
    engine: &Engine,
    measures: [Divergence; N],
    p: &[impl Weight],
    q: &[impl Weight],
    options: &Options,
) -> Outcome<[f64; N]> {
    let columns = engine.rowwise(&measures, Rows::new(p, p.len())?, Rows::new(q, q.len())?, options)?;
    Ok(measures.map(|measure| columns[measure][0]))
}

fn in_bits() -> Options {
    Options { unit: Unit::Bits, ..Options::default() }
}

// ---------------------------------------------------------------------------------------------
// The scans
// ---------------------------------------------------------------------------------------------

/// The probabilities of 0, 1, … 10 teeth, if each of ten teeth is there with probability `theta`.
fn binomial(theta: f64) -> [f64; TEETH] {
    let mut ways = 1.0;
    let mut row = [0.0; TEETH];
    for (teeth, probability) in (0_u8..).zip(&mut row) {
        let (there, missing) = (i32::from(teeth), 10 - i32::from(teeth));
        *probability = ways * theta.powi(there) * (1.0 - theta).powi(missing);
        ways *= f64::from(missing) / f64::from(there + 1);
    }
    row
}

/// The probabilities of 0, 1, … 10 teeth, if a worm has 6 to 10 teeth with probability `x`, and within each part every number of
/// teeth is equally likely.
fn two_part(x: f64) -> [f64; TEETH] {
    let mut row = [(1.0 - x) / 6.0; TEETH];
    row[6..].fill(x / 5.0);
    row
}

/// KL(worms ‖ model) in bits for every candidate of a model with one parameter in [0, 1].
struct Scan {
    /// Pairs of (parameter, bits), in the order of the parameter.
    curve: Vec<(f64, f64)>,
    /// The point with the smallest value.
    best: (f64, f64),
}

impl Scan {
    /// Computes all candidates in one call: one row of P against many rows of Q.
    fn run(engine: &Engine, model: fn(f64) -> [f64; TEETH]) -> Outcome<Self> {
        let parameters: Vec<f64> = (0..=STEPS).map(|i| f64::from(i) / f64::from(STEPS)).collect();
        let candidates: Vec<f64> = parameters.iter().flat_map(|&parameter| model(parameter)).collect();
        let data = Rows::new(&WORMS, TEETH)?;
        let columns = engine.rowwise(&[Divergence::Kl], data, Rows::new(&candidates, TEETH)?, &in_bits())?;
        let bits = columns.column(Divergence::Kl)?.iter().copied();
        let curve: Vec<(f64, f64)> = parameters.into_iter().zip(bits).collect();
        let best = curve.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).ok_or("a scan without candidates")?;
        Ok(Self { curve, best })
    }

    /// Compares the minimum with the published one. The candidates at both ends of a scan rule out observed worms.
    fn check(&self, report: &mut Report, models: &str, parameter: &str, best: &str, bits: &str) {
        section(&format!("Best of {} {models} in one call, bits", self.curve.len()));
        report.published(&format!("{parameter} of the smallest KL(worms ‖ model)"), self.best.0, best);
        report.published("  its value", self.best.1, bits);
        for (end, point) in [("0", self.curve.first()), ("1", self.curve.last())] {
            report.infinite(&format!("  value at {parameter} = {end}"), point.map_or(f64::NAN, |(_, bits)| *bits));
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The report
// ---------------------------------------------------------------------------------------------

/// Prints one line per comparison and counts the lines that fail.
#[derive(Default)]
struct Report {
    lines: usize,
    failures: usize,
}

impl Report {
    /// Checks agreement to the digits that the source prints.
    fn published(&mut self, what: &str, computed: f64, published: &str) {
        self.line(what, computed, published, rounds_to(computed, published), "");
    }

    /// Shows a number that the source got wrong, and checks the right one.
    fn misprint(&mut self, what: &str, computed: f64, published: &str, right: &str) {
        let note = format!(" with {right} ({published} is a rounding slip of the source)");
        self.line(what, computed, published, rounds_to(computed, right), &note);
    }

    /// Checks agreement with a number obtained another way, within the engine's contract for counts.
    fn same(&mut self, what: &str, computed: f64, expected: f64) {
        let agrees = (computed - expected).abs() <= 1e-6 * expected.abs();
        self.line(what, computed, &format!("{expected:.7}"), agrees, "");
    }

    fn infinite(&mut self, what: &str, computed: f64) {
        self.line(what, computed, "infinite", computed == f64::INFINITY, "");
    }

    fn line(&mut self, what: &str, computed: f64, published: &str, agrees: bool, note: &str) {
        let computed = if computed.is_infinite() { "infinite".to_owned() } else { format!("{computed:.7}") };
        let verdict = if agrees { "yes" } else { "NO" };
        println!("{what:<54}{computed:>12}{published:>12}  {verdict}{note}");
        self.lines += 1;
        self.failures += usize::from(!agrees);
    }

    fn finish(&self) -> Outcome<()> {
        if self.failures > 0 {
            return Err(format!("{} of {} values disagree with what is published", self.failures, self.lines).into());
        }
        println!("All {} values agree.", self.lines);
        Ok(())
    }
}

fn section(title: &str) {
    println!("\n{title}\n{:<54}{:>12}{:>12}  agrees", "", "computed", "published");
}

/// Whether a value is `published` when it is rounded to the decimals of `published`.
fn rounds_to(value: f64, published: &str) -> bool {
    let decimals = published.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    format!("{value:.decimals$}") == published
}
