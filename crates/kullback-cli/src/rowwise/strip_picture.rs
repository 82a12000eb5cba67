//! The picture of strips: one strip per group, one cell per place, coloured by its value.

use plotters::style::RGBColor;

use crate::drawing::{INFINITE, NOTHING, colour, escaped, short};
use crate::report::table::{readable, rounded};

/// The heights of the caption and of a second line of it, of a strip with the space below it, of the cells alone, of the labels below all strips, of the
/// legend, and of the margin at the end.
const CAPTION: i32 = 26;
const LINE: i32 = 16;
const STRIP: i32 = 19;
const CELL: i32 = 16;
const LABELS: i32 = 24;
const LEGEND: i32 = 18;
const MARGIN: i32 = 26;
/// The greatest width of a cell.
const WIDEST: f64 = 48.0;
/// The size of all text, the pixels that one letter takes, and the most letters of a group, of a place and of the caption.
const SIZE: &str = "11.3";
const LETTER: f64 = 7.5;
const GROUP_LETTERS: usize = 24;
const PLACE_LETTERS: usize = 16;
const WORDS: usize = 150;
/// The width of the scale of colours.
const SCALE: i32 = 140;

/// A group or a place.
#[derive(Clone, Debug, Default)]
pub(super) struct StripLabel {
    /// What stands beside it.
    pub(super) text: String,
    /// What is shown over a cell, with the names of its keys.
    pub(super) full: String,
}

/// Strips to draw.
pub(super) struct StripPicture {
    pub(super) caption: String,
    /// What the strips lack. It may be empty.
    pub(super) lacking: String,
    pub(super) strips: Vec<StripLabel>,
    pub(super) along: Vec<StripLabel>,
    /// Strip after strip. `None` where there is no row, and NaN where a row has no value.
    pub(super) values: Vec<Option<f64>>,
    /// The measure, by the name it was asked for, and its unit after a space.
    pub(super) measure: String,
    pub(super) unit: String,
}

impl StripPicture {
    pub(super) fn height(&self) -> i32 {
        self.above() + STRIP * self.strips.len() as i32 + LABELS + LEGEND + MARGIN
    }

    /// The height of the caption.
    fn above(&self) -> i32 {
        if self.lacking.is_empty() { CAPTION } else { CAPTION + LINE }
    }

    /// The elements of the picture. Labels start right of `left` at the earliest, and cells end at `right`.
    pub(super) fn svg(&self, top: i32, [left, right]: [i32; 2]) -> String {
        let letters = self.strips.iter().map(|strip| strip.text.chars().count().min(GROUP_LETTERS)).max().unwrap_or(0);
        let start = left.max(16 + (letters as f64 * LETTER) as i32);
        let width = (f64::from(right - start) / self.along.len().max(1) as f64).min(WIDEST);
        let largest = self.values.iter().flatten().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        let mut svg =
            format!("<g font-family=\"sans-serif\" font-size=\"{SIZE}\" fill=\"#000000\">\n{}", definitions());
        svg.push_str(&words((f64::from(left), top + 8), "start", &short(&self.caption, WORDS)));
        if !self.lacking.is_empty() {
            svg.push_str(&words((f64::from(left), top + 8 + LINE), "start", &short(&self.lacking, WORDS)));
        }
        for (at, strip) in self.strips.iter().enumerate() {
            let y = top + self.above() + STRIP * at as i32;
            let label = short(&strip.text, GROUP_LETTERS);
            svg.push_str(&words((f64::from(start - 8), y + CELL / 2), "end", &label));
            svg.push_str(&self.cells(at, (f64::from(start), y), width, largest));
        }
        let bottom = top + self.above() + STRIP * self.strips.len() as i32;
        svg.push_str(&self.places((f64::from(start), bottom + 10), width));
        svg.push_str(&self.legend((start, bottom + LABELS), largest));
        svg.push_str("</g>\n");
        svg
    }

    /// The cells of a strip and the line around it.
    fn cells(&self, strip: usize, (x, y): (f64, i32), width: f64, largest: f64) -> String {
        let count = self.along.len();
        let values = &self.values[strip * count..(strip + 1) * count];
        let mut svg = format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.2}\" height=\"{}\" fill=\"none\" stroke=\"#CDCDCD\"/>\n<g shape-rendering=\"crispEdges\">\n",
            x - 0.5,
            f64::from(y) - 0.5,
            width * count as f64 + 1.0,
            CELL + 1
        );
        for (at, (value, place)) in values.iter().zip(&self.along).enumerate() {
            let Some(value) = value else { continue };
            let text =
                if value.is_nan() { "no value".to_owned() } else { format!("{}{}", readable(*value), self.unit) };
            let title = format!("{}, {}: {} = {text}", self.strips[strip].full, place.full, self.measure);
            svg.push_str(&format!(
                "<rect x=\"{:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{CELL}\" fill=\"{}\"><title>{}</title></rect>\n",
                x + width * at as f64,
                fill(*value, largest),
                escaped(&title)
            ));
        }
        svg.push_str("</g>\n");
        svg
    }

    /// As many labels of places as fit without touching each other.
    fn places(&self, (x, y): (f64, i32), width: f64) -> String {
        let widest = self.along.iter().map(|place| place.text.chars().count().min(PLACE_LETTERS)).max().unwrap_or(0);
        let step = ((widest as f64 * LETTER + 10.0) / width).ceil().max(1.0) as usize;
        let mut svg = String::new();
        for (at, place) in self.along.iter().enumerate().step_by(step) {
            let middle = x + width * (at as f64 + 0.5);
            svg.push_str(&words((middle, y), "middle", &short(&place.text, PLACE_LETTERS)));
        }
        svg
    }

    /// The scale of colours, and what stands for an infinite value, no value and no row, where they occur.
    fn legend(&self, (x, y): (i32, i32), largest: f64) -> String {
        let middle = y + LEGEND / 2;
        let mut svg = words((f64::from(x), middle), "start", "0");
        let scale = x + 14;
        svg.push_str(&format!(
            "<rect x=\"{scale}\" y=\"{y}\" width=\"{SCALE}\" height=\"{LEGEND}\" fill=\"url(#kullback-scale)\"/>\n"
        ));
        let end = format!("{}{}", rounded(largest), self.unit);
        svg.push_str(&words((f64::from(scale + SCALE + 6), middle), "start", &end));
        let mut at = scale + SCALE + 30 + (end.chars().count() as f64 * LETTER) as i32;
        let is_seen = |is: fn(f64) -> bool| self.values.iter().flatten().any(|value| is(*value));
        let kinds = [
            ("infinite", fill(f64::INFINITY, largest), is_seen(f64::is_infinite)),
            ("no value", fill(f64::NAN, largest), is_seen(f64::is_nan)),
            ("no row", "#FFFFFF".to_owned(), self.values.contains(&None)),
        ];
        for (word, fill, _) in kinds.iter().filter(|(_, _, is_seen)| *is_seen) {
            svg.push_str(&format!(
                "<rect x=\"{at}\" y=\"{y}\" width=\"{LEGEND}\" height=\"{LEGEND}\" fill=\"{fill}\" stroke=\"#CDCDCD\"/>\n"
            ));
            svg.push_str(&words((f64::from(at + LEGEND + 6), middle), "start", word));
            at += LEGEND + 40 + (word.len() as f64 * LETTER) as i32;
        }
        svg
    }
}

/// The hatching of infinite values, and the scale of the legend.
fn definitions() -> String {
    let red = hex(INFINITE);
    let stops = [0.0, 0.25, 0.5, 0.75, 1.0];
    let stop = |at: f64| format!("<stop offset=\"{at}\" stop-color=\"{}\"/>", fill(at, 1.0));
    format!(
        "<defs><pattern id=\"kullback-infinite\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"4\" height=\"4\" fill=\"#FFFFFF\"/><rect width=\"2.6\" height=\"4\" fill=\"{red}\"/></pattern>\
         <linearGradient id=\"kullback-scale\">{}</linearGradient></defs>\n",
        stops.map(stop).concat()
    )
}

/// What a cell is filled with: from light for 0 to dark for the largest value, so that paper without a row is not the largest.
fn fill(value: f64, largest: f64) -> String {
    if value.is_infinite() {
        return "url(#kullback-infinite)".to_owned();
    }
    if value.is_nan() {
        return hex(NOTHING);
    }
    let share = if largest > 0.0 { value / largest } else { 0.0 };
    hex(colour(1.0 - share, 1.0))
}

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// A line of text, centred on its height.
fn words((x, y): (f64, i32), anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y}\" dy=\"0.35em\" text-anchor=\"{anchor}\">{}</text>\n", escaped(text))
}
