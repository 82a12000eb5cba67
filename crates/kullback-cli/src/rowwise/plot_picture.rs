//! The picture of some rows: for each, both histograms side by side, and below them what each bin adds to a measure.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::strip_picture::StripPicture;
use crate::drawing::{Canvas, Drawn, INFINITE, end_of, fail, short, text};
use crate::error::{Error, Result};
use crate::report::table::rounded;

/// The left edge of the bars, where the numbers of the axes end, and the width of all bars.
const LEFT: i32 = 92;
const WIDTH: i32 = 960;
/// The margin at the right, for half of the last label.
const RIGHT: i32 = 70;
/// The height of the title with the names of the sides, of the heading of a row, of the histograms, of the caption above the parts,
/// of the parts, of the labels of the bins, and of the margin below a row.
const TOP: i32 = 70;
const HEADING: i32 = 28;
const SHARES: i32 = 130;
const CAPTION: i32 = 26;
const PARTS: i32 = 90;
const LABELS: i32 = 22;
const MARGIN: i32 = 22;
/// The size of labels and numbers, the pixels that one of their letters takes, and the most letters of a label.
const SMALL: i32 = 14;
const LETTER: f64 = 7.5;
const LETTERS: usize = 16;
/// The most letters of a file name, of the title, and of the heading of a row.
const NAME: usize = 30;
const TITLE: usize = 125;
const WORDS: usize = 140;
/// The colours of P, of Q, and of parts above and below zero.
const SIDES: [RGBColor; 2] = [RGBColor(39, 87, 130), RGBColor(230, 150, 30)];
const ABOVE: RGBColor = RGBColor(76, 148, 158);
const BELOW: RGBColor = RGBColor(150, 80, 140);
const LINE: RGBColor = RGBColor(205, 205, 205);

/// Rows to draw.
pub(super) struct PlotPicture<'a> {
    /// The names of P and of Q.
    pub(super) sides: [&'a str; 2],
    /// What follows the names in the title.
    pub(super) title: String,
    /// What else is to be said. It may be empty.
    pub(super) note: String,
    /// What stands above the rows.
    pub(super) strips: Option<StripPicture>,
    pub(super) panels: Vec<Panel>,
}

/// A row: bars of both sides, and their parts.
pub(super) struct Panel {
    pub(super) heading: String,
    /// The bars of P and of Q, as parts of 1.
    pub(super) shares: [Vec<f64>; 2],
    pub(super) parts: Option<Parts>,
    /// One label per bar.
    pub(super) labels: Vec<String>,
}

/// What each bar adds to a measure.
pub(super) struct Parts {
    pub(super) caption: String,
    pub(super) values: Vec<f64>,
}

/// The sums of `group` neighbours each.
pub(super) fn grouped(values: &[f64], group: usize) -> Vec<f64> {
    values.chunks(group).map(|bins| bins.iter().sum()).collect()
}

impl PlotPicture<'_> {
    pub(super) fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.paint(&mut svg).map_err(|reason| Error::Picture { reason })?;
        if let Some(strips) = &self.strips {
            let end = svg.rfind("</svg>").unwrap_or(svg.len());
            svg.insert_str(end, &strips.svg(TOP, [LEFT, LEFT + WIDTH]));
        }
        Ok(svg)
    }

    fn paint(&self, svg: &mut String) -> Drawn {
        let strips = self.strips.as_ref().map_or(0, StripPicture::height);
        let height = TOP + strips + self.panels.iter().map(Panel::height).sum::<i32>();
        let root = SVGBackend::with_string(svg, ((LEFT + WIDTH + RIGHT) as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE).map_err(fail)?;
        let [p, q] = self.sides.map(|name| end_of(name, NAME));
        let title = short(&format!("{p} against {q}: {}", self.title), TITLE);
        root.draw(&Text::new(title, (LEFT, 10), text(18))).map_err(fail)?;
        let mut x = LEFT;
        for (name, colour) in [format!("P: {p}"), format!("Q: {q}")].into_iter().zip(SIDES) {
            root.draw(&Rectangle::new([(x, 40), (x + 14, 54)], colour.filled())).map_err(fail)?;
            let letters = name.chars().count() as f64;
            root.draw(&Text::new(short(&name, NAME + 3), (x + 20, 47), small(HPos::Left))).map_err(fail)?;
            x += 48 + (letters * LETTER) as i32;
        }
        root.draw(&Text::new(self.note.clone(), (x, 47), small(HPos::Left))).map_err(fail)?;
        let mut top = TOP + strips;
        for panel in &self.panels {
            panel.paint(&root, top)?;
            top += panel.height();
        }
        root.present().map_err(fail)
    }
}

impl Panel {
    fn height(&self) -> i32 {
        HEADING + SHARES + self.parts.as_ref().map_or(0, |_| CAPTION + PARTS) + LABELS + MARGIN
    }

    fn paint(&self, root: &Canvas<'_>, top: i32) -> Drawn {
        root.draw(&Text::new(short(&self.heading, WORDS), (LEFT, top), text(16))).map_err(fail)?;
        let largest = self.shares.iter().flatten().copied().fold(0.0, f64::max);
        let axis = Axis::new(top + HEADING, SHARES, 0.0, largest);
        axis.paint(root, &[largest, largest / 2.0, 0.0], |share| format!("{} %", rounded(share * 100.0)))?;
        let count = self.shares[0].len() as i32;
        for (side, (shares, colour)) in self.shares.iter().zip(SIDES).enumerate() {
            for (at, share) in (0..).zip(shares) {
                let (left, right) = bar(at, count);
                let middle = i32::midpoint(left, right);
                let (left, right) = if side == 0 { (left, middle) } else { (middle, right) };
                axis.bar(root, (left, right), *share, colour)?;
            }
        }
        let mut bottom = axis.bottom();
        if let Some(parts) = &self.parts {
            bottom = parts.paint(root, bottom)?;
        }
        let widest = self.labels.iter().map(|label| label.chars().count().min(LETTERS)).max().unwrap_or(0);
        let pixels = widest as f64 * LETTER + 10.0;
        // As many labels as fit without touching each other.
        let step = (pixels * f64::from(count) / f64::from(WIDTH)).ceil().max(1.0) as usize;
        for (at, label) in (0..).zip(&self.labels).step_by(step) {
            let (left, right) = bar(at, count);
            let place = (i32::midpoint(left, right), bottom + 12);
            root.draw(&Text::new(short(label, LETTERS), place, small(HPos::Center))).map_err(fail)?;
        }
        Ok(())
    }
}

impl Parts {
    /// Draws the caption and the bars below `top`, and returns where they end.
    fn paint(&self, root: &Canvas<'_>, top: i32) -> std::result::Result<i32, String> {
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
        let has_infinite = self.values.iter().any(|value| value.is_infinite());
        let caption = if has_infinite { format!("{} (red: infinite)", self.caption) } else { self.caption.clone() };
        root.draw(&Text::new(short(&caption, WORDS), (LEFT, top + CAPTION / 2), small(HPos::Left))).map_err(fail)?;
        // An infinite bar goes up to the top, so there must be space above zero.
        let high = match high {
            0.0 if has_infinite && low < 0.0 => -low,
            high => high,
        };
        let axis = Axis::new(top + CAPTION, PARTS, low, high);
        axis.paint(root, &[high, 0.0, low], rounded)?;
        let count = self.values.len() as i32;
        for (at, value) in (0..).zip(&self.values) {
            let (value, colour) = match *value {
                value if value.is_infinite() => (axis.high, INFINITE),
                value if value < 0.0 => (value, BELOW),
                value => (value, ABOVE),
            };
            axis.bar(root, bar(at, count), value, colour)?;
        }
        Ok(axis.bottom())
    }
}

/// From values to heights.
struct Axis {
    top: i32,
    height: i32,
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis from `low`, which is at most 0, to `high`, which is at least 0.
    fn new(top: i32, height: i32, low: f64, high: f64) -> Self {
        let high = if low == 0.0 && high == 0.0 { 1.0 } else { high };
        Self { top, height, low, high }
    }

    fn bottom(&self) -> i32 {
        self.top + self.height
    }

    fn y(&self, value: f64) -> i32 {
        self.top + ((self.high - value) / (self.high - self.low) * f64::from(self.height)).round() as i32
    }

    /// Draws a line for each value that leaves space for its number.
    fn paint(&self, root: &Canvas<'_>, values: &[f64], number: impl Fn(f64) -> String) -> Drawn {
        let mut taken: Vec<i32> = Vec::new();
        for value in values {
            let y = self.y(*value);
            if taken.iter().any(|other| (other - y).abs() < SMALL) {
                continue;
            }
            taken.push(y);
            let line = PathElement::new(vec![(LEFT, y), (LEFT + WIDTH, y)], LINE);
            root.draw(&line).map_err(fail)?;
            root.draw(&Text::new(number(*value), (LEFT - 8, y), small(HPos::Right))).map_err(fail)?;
        }
        Ok(())
    }

    /// Draws a bar from 0 to a value.
    fn bar(&self, root: &Canvas<'_>, (left, right): (i32, i32), value: f64, colour: RGBColor) -> Drawn {
        let (zero, end) = (self.y(0.0), self.y(value));
        if value == 0.0 || value.is_nan() {
            return Ok(());
        }
        // What is not nothing is seen.
        let end = if end == zero { if value > 0.0 { zero - 1 } else { zero + 1 } } else { end };
        root.draw(&Rectangle::new([(left, zero.min(end)), (right, zero.max(end))], colour.filled())).map_err(fail)
    }
}

/// The left and the right edge of a bar, one of `count`.
fn bar(at: i32, count: i32) -> (i32, i32) {
    let edge = |at: i32| LEFT + (i64::from(at) * i64::from(WIDTH) / i64::from(count.max(1))) as i32;
    let (left, next) = (edge(at), edge(at + 1));
    (left, (next - (next - left) / 4).max(left + 1))
}

/// The text of labels and numbers, centred on its height.
fn small(horizontal: HPos) -> TextStyle<'static> {
    text(SMALL).pos(Pos::new(horizontal, VPos::Center))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_side_by_side_within_the_width() {
        for count in [1, 2, 7, 138, 240] {
            let bars: Vec<(i32, i32)> = (0..count).map(|at| bar(at, count)).collect();
            assert!(bars.iter().all(|(left, right)| right - left >= 3), "{count}: {bars:?}");
            assert!(bars.windows(2).all(|pair| pair[0].1 < pair[1].0), "{count}: {bars:?}");
            assert!(bars[0].0 == LEFT && bars[bars.len() - 1].1 <= LEFT + WIDTH, "{count}: {bars:?}");
        }
    }

    #[test]
    fn an_axis_has_zero_and_both_ends() {
        let axis = Axis::new(100, 80, -1.0, 3.0);
        assert_eq!((axis.y(3.0), axis.y(0.0), axis.y(-1.0)), (100, 160, 180));
        let nothing = Axis::new(100, 80, 0.0, 0.0);
        assert_eq!(nothing.y(0.0), 180);
    }

    #[test]
    fn numbers_have_three_digits_and_groups_are_sums() {
        assert_eq!((rounded(12.3456), rounded(-0.000_123_456)), ("12.3".to_owned(), "-0.000123".to_owned()));
        assert_eq!(grouped(&[1.0, 2.0, 3.0, 4.0, 5.0], 2), [3.0, 7.0, 5.0]);
    }
}
