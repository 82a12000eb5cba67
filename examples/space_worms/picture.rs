//! Draws the two scans as an SVG.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::{Outcome, Scan};

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
pub(crate) fn draw(path: &Path, binomials: &Scan, two_parts: &Scan) -> Outcome<()> {
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
