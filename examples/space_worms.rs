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

use std::error::Error;
use std::path::{Path, PathBuf};

use kullback::{Device, Divergence, Engine, Options, Rows, Unit, Weight, Zeros};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

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

    draw(&svg, &binomials, &two_parts)?;
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

// ---------------------------------------------------------------------------------------------
// The picture
// ---------------------------------------------------------------------------------------------

const WIDTH: u32 = 900;
const HEIGHT: u32 = 560;
/// The drawing library has only whole-number coordinates. The example draws on a finer grid and states the size in the file's
/// header, which keeps shallow curves smooth.
const FINE: u32 = 8;
/// Bits at the top of the picture. Both curves leave the picture there.
const TOP: f64 = 3.0;

const INK: RGBColor = RGBColor(34, 34, 34);
const SOFT: RGBColor = RGBColor(90, 90, 90);
const GRID: RGBColor = RGBColor(226, 226, 226);
// Two colours of the palette of Okabe and Ito, which differ in every form of colour blindness.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILLION: RGBColor = RGBColor(213, 94, 0);

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws both scans and writes the file.
fn draw(path: &Path, binomials: &Scan, two_parts: &Scan) -> Outcome<()> {
    let mut svg = String::new();
    draw_into(&mut svg, binomials, two_parts)?;
    let drawn = format!("width=\"{}\" height=\"{}\" viewBox", px(WIDTH), px(HEIGHT));
    let svg = svg.replacen(&drawn, &format!("width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox"), 1);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, svg).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}

fn draw_into(svg: &mut String, binomials: &Scan, two_parts: &Scan) -> Outcome<()> {
    let root = SVGBackend::with_string(svg, (px(WIDTH), px(HEIGHT))).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new("Which model is nearest to the space worms?", at(28, 22), bold(22, INK)))?;
    let subtitle = "1,000 worms by their number of teeth, against 1,001 candidates of each model";
    root.draw(&Text::new(subtitle, at(28, 54), font(15, SOFT)))?;
    let mut chart = ChartBuilder::on(&root)
        .margin_top(px(122))
        .margin_right(px(32))
        .margin_bottom(px(14))
        .margin_left(px(20))
        .x_label_area_size(px(52))
        .y_label_area_size(px(66))
        .build_cartesian_2d(0.0..1.0, 0.0..TOP)?;
    draw_axes(&mut chart)?;
    draw_curve(&mut chart, two_parts, VERMILLION)?;
    draw_curve(&mut chart, binomials, BLUE)?;
    draw_best(&mut chart, two_parts, "x", -20, VERMILLION)?;
    draw_best(&mut chart, binomials, "θ", 84, BLUE)?;
    draw_key(&root, at(28, 96), "binomial: each of 10 teeth with probability θ", BLUE)?;
    draw_key(&root, at(436, 96), "two parts: 6–10 teeth with probability x", VERMILLION)?;
    root.present()?;
    Ok(())
}

fn draw_axes(chart: &mut Chart<'_, '_>) -> Outcome<()> {
    chart
        .configure_mesh()
        .max_light_lines(1)
        .bold_line_style(GRID.stroke_width(px(1)))
        .axis_style(SOFT.stroke_width(px(1)))
        .set_all_tick_mark_size(px(5))
        .x_labels(11)
        .y_labels(7)
        .x_label_formatter(&|x| format!("{x:.1}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .label_style(font(14, INK))
        .axis_desc_style(font(15, INK))
        .x_desc("parameter of the model, θ or x (probability)")
        .y_desc("KL(worms ‖ model), bits")
        .draw()?;
    Ok(())
}

fn draw_curve(chart: &mut Chart<'_, '_>, scan: &Scan, colour: RGBColor) -> Outcome<()> {
    chart.draw_series(LineSeries::new(below_top(&scan.curve), colour.stroke_width(px(3))))?;
    Ok(())
}

/// Draws a dot at the minimum, and its value `rise` pixels above it. A thin line joins the two if they are far apart.
fn draw_best(chart: &mut Chart<'_, '_>, scan: &Scan, parameter: &str, rise: i32, colour: RGBColor) -> Outcome<()> {
    let (best, bits) = scan.best;
    let label = format!("{bits:.3} bits at {parameter} = {best:.2}");
    let centred = bold(15, colour).pos(Pos::new(HPos::Center, VPos::Center));
    let offset = |rise: i32| (0, -rise * signed(FINE));
    chart.draw_series([EmptyElement::at(scan.best)
        + PathElement::new([offset(0), offset((rise - 14).max(0))], colour.stroke_width(px(1)))
        + Circle::new((0, 0), px(8), WHITE.filled())
        + Circle::new((0, 0), px(6), colour.filled())
        + Text::new(label, offset(rise), centred)])?;
    Ok(())
}

/// Draws one entry of the legend: a stroke and the name of its curve. `left` is the middle of its left end.
fn draw_key(root: &DrawingArea<SVGBackend<'_>, Shift>, left: (i32, i32), name: &str, colour: RGBColor) -> Outcome<()> {
    let (x, y) = left;
    root.draw(&PathElement::new([left, (x + signed(px(30)), y)], colour.stroke_width(px(3))))?;
    let middle = font(15, INK).pos(Pos::new(HPos::Left, VPos::Center));
    root.draw(&Text::new(name, (x + signed(px(40)), y), middle))?;
    Ok(())
}

/// The part of a curve inside the picture, cut where it crosses the top.
fn below_top(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let crossing = |(x0, y0): (f64, f64), (x1, y1): (f64, f64)| (x0 + (x1 - x0) * (TOP - y0) / (y1 - y0), TOP);
    let mut points = Vec::new();
    for pair in curve.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if !(a.1.is_finite() && b.1.is_finite()) {
            continue;
        }
        match (a.1 <= TOP, b.1 <= TOP) {
            (true, true) => points.extend([a, b]),
            (true, false) => points.extend([a, crossing(a, b)]),
            (false, true) => points.extend([crossing(a, b), b]),
            (false, false) => {}
        }
    }
    points.dedup();
    points
}

/// Pixels of the picture, on the fine grid.
fn px(pixels: u32) -> u32 {
    pixels * FINE
}

fn signed(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// A place in the picture, in pixels.
fn at(x: u32, y: u32) -> (i32, i32) {
    (signed(px(x)), signed(px(y)))
}

/// A font of this many pixels. The drawing library divides sizes by 1.24.
fn font(pixels: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", f64::from(px(pixels)) * 1.24).into_font().color(&colour)
}

fn bold(pixels: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", f64::from(px(pixels)) * 1.24, FontStyle::Bold).into_font().color(&colour)
}
