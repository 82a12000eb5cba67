//! A matrix as a picture: one colour per entry, labels, and a scale with its unit.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::png::data_url;
use crate::drawing::{Canvas, INFINITE, NOTHING, colour, fail, short, text};
use crate::error::{Error, Result};

/// The most rows or columns of entries.
pub(super) const MOST: usize = 2000;
/// The least pixels of a side of the matrix, and the pixels of a label.
const SIDE: usize = 720;
const LABEL: i32 = 12;
/// The approximate pixels of a letter, and the most letters of a label that are shown.
const LETTER: f64 = 6.5;
const LETTERS: usize = 24;
/// The same for the title.
const TITLE_LETTER: f64 = 7.0;
const TITLE_LETTERS: usize = 160;
/// Up to this number of rows or columns, all labels are shown.
const FEW: usize = 60;

/// A matrix to draw.
pub(super) struct Picture<'a> {
    /// The values, row after row.
    pub(super) values: &'a [f64],
    pub(super) labels: [&'a [String]; 2],
    /// The files and their rows.
    pub(super) about: &'a str,
    /// The rows and columns that an entry is the mean of.
    pub(super) group: [usize; 2],
    /// The measure, by the name it was asked for.
    pub(super) measure: &'a str,
    /// The unit of the values. It is empty if they have none.
    pub(super) unit: &'a str,
}

impl Picture<'_> {
    /// Draws the picture. With `order`, near rows stand side by side.
    pub(super) fn svg(&self, order: bool) -> Result<String> {
        let (rows, columns) = (self.labels[0].len(), self.labels[1].len());
        let rows_order: Vec<usize> = if order { seriation(self.values, rows) } else { (0..rows).collect() };
        let columns_order: Vec<usize> = if order { rows_order.clone() } else { (0..columns).collect() };
        let mut svg = String::new();
        let image = self.paint(&mut svg, &rows_order, &columns_order).map_err(|reason| Error::Picture { reason })?;
        let end = svg.rfind("</svg>").unwrap_or(svg.len());
        svg.insert_str(end, &image);
        Ok(svg)
    }

    /// Draws all but the entries and the colours of the scale, which it returns as elements of the picture.
    fn paint(&self, svg: &mut String, rows: &[usize], columns: &[usize]) -> std::result::Result<String, String> {
        let square = SIDE.div_ceil(rows.len().max(columns.len())).max(1);
        // If rows or columns are few, all their labels fit.
        let side = |count: usize| if count <= FEW { square.max(LABEL as usize + 2) } else { square };
        let (cell_width, cell_height) = (side(columns.len()), side(rows.len()));
        let (width, height) = (columns.len() * cell_width, rows.len() * cell_height);
        let margin = |labels: &[String]| {
            let longest = labels.iter().map(|label| short(label, LETTERS).chars().count()).max().unwrap_or(0);
            (longest as f64 * LETTER) as i32 + 14
        };
        let (left, top) = (margin(self.labels[0]).max(40), 36 + margin(self.labels[1]));
        let size = (left + width as i32 + 130, top + (height as i32).max(200) + 20);
        let title = self.title();
        let title_end = left + (title.chars().count() as f64 * TITLE_LETTER) as i32 + 10;
        let root = SVGBackend::with_string(svg, (size.0.max(title_end) as u32, size.1 as u32)).into_drawing_area();
        root.fill(&WHITE).map_err(fail)?;
        let largest = self.values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        root.draw(&Text::new(title, (left, 8), text(15))).map_err(fail)?;

        // The entries become one image of pixels, however many there are.
        let mut pixels = vec![255; width * height * 3];
        for (y, line) in pixels.chunks_exact_mut(width * 3).enumerate() {
            for (x, pixel) in line.chunks_exact_mut(3).enumerate() {
                let value = self.values[rows[y / cell_height] * self.labels[1].len() + columns[x / cell_width]];
                let RGBColor(r, g, b) = colour(value, largest);
                pixel.copy_from_slice(&[r, g, b]);
            }
        }
        let url = data_url(&pixels, [width as u32, height as u32]).map_err(fail)?;
        let image = format!("<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" href=\"{url}\"/>\n");

        let step = |cell: usize| (LABEL as usize).div_ceil(cell).max(1);
        for (at, row) in rows.iter().enumerate().step_by(step(cell_height)) {
            let y = top + (at * cell_height + cell_height / 2) as i32;
            let label =
                Text::new(short(&self.labels[0][*row], LETTERS), (left - 6, y), small(HPos::Right, VPos::Center));
            root.draw(&label).map_err(fail)?;
        }
        let turned = text(LABEL - 1).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Left, VPos::Center));
        for (at, column) in columns.iter().enumerate().step_by(step(cell_width)) {
            let x = left + (at * cell_width + cell_width / 2) as i32;
            let label = Text::new(short(&self.labels[1][*column], LETTERS), (x, top - 6), turned.clone());
            root.draw(&label).map_err(fail)?;
        }

        let scale = self.legend(&root, (left + width as i32 + 24, top), largest)?;
        root.present().map_err(fail)?;
        Ok(image + &scale)
    }

    /// What the picture shows: of which files, how many rows, in which unit.
    fn title(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" in {}", self.unit) };
        let mean = match self.group {
            [1, 1] => String::new(),
            [rows, columns] => format!(", each entry the mean of {rows} x {columns}"),
        };
        short(&format!("{}: {}{unit}{mean}", self.about, self.measure), TITLE_LETTERS)
    }

    /// Draws the numbers of the scale, and below it the colours that it does not have. `x` and `top` are its upper left corner.
    /// Returns its colours as an element: one image, because between many bars there would be stripes.
    fn legend(&self, root: &Canvas<'_>, (x, top): (i32, i32), largest: f64) -> std::result::Result<String, String> {
        let steps = 140;
        let of = |step: i32| f64::from(steps - 1 - step) / f64::from(steps - 1);
        let colours = (0..steps).map(|step| colour(of(step) * largest, largest));
        let pixels: Vec<u8> = colours.flat_map(|RGBColor(r, g, b)| [r, g, b].repeat(18)).collect();
        let url = data_url(&pixels, [18, steps as u32]).map_err(fail)?;
        let scale = format!("<image x=\"{x}\" y=\"{top}\" width=\"18\" height=\"{steps}\" href=\"{url}\"/>\n");
        let parts: &[f64] = if largest > 0.0 { &[0.0, 0.25, 0.5, 0.75, 1.0] } else { &[0.0] };
        for part in parts {
            let y = top + ((1.0 - part) * f64::from(steps)) as i32;
            let tick = Text::new(tick(part * largest, largest), (x + 24, y), small(HPos::Left, VPos::Center));
            root.draw(&tick).map_err(fail)?;
        }
        let is_seen = |is: fn(f64) -> bool| self.values.iter().any(|value| is(*value));
        let special = [("infinite", INFINITE, is_seen(f64::is_infinite)), ("no value", NOTHING, is_seen(f64::is_nan))];
        let seen = special.iter().filter(|(_, _, is_seen)| *is_seen);
        for ((word, colour, _), y) in seen.zip((top + steps + 12..).step_by(18)) {
            let square = Rectangle::new([(x, y), (x + 18, y + 12)], colour.filled());
            root.draw(&square).map_err(fail)?;
            let word = Text::new(*word, (x + 24, y + 6), small(HPos::Left, VPos::Center));
            root.draw(&word).map_err(fail)?;
        }
        Ok(scale)
    }
}

/// The text of labels and of numbers of the scale.
fn small(horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    text(LABEL - 1).pos(Pos::new(horizontal, vertical))
}

/// A number of the scale, with three digits after the point if they are significant.
fn tick(value: f64, largest: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if (0.01..10_000.0).contains(&largest) {
        format!("{value:.3}")
    } else {
        format!("{value:.2e}")
    }
}

/// An order in which near rows stand side by side. It starts with the row that is farthest from all others, and always goes on to
/// the nearest row left. The time is quadratic in the number of rows.
fn seriation(values: &[f64], rows: usize) -> Vec<usize> {
    // Both directions count. An entry without a value counts as far.
    let far = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    let distance = |a: usize, b: usize| far(values[a * rows + b]) + far(values[b * rows + a]);
    let finite = |sum: f64| if sum.is_finite() { sum } else { f64::MAX / 1e6 };
    let remote = |row: &usize| (0..rows).map(|other| finite(distance(*row, other))).sum::<f64>();
    let mut left: Vec<usize> = (0..rows).collect();
    let start = left.iter().copied().max_by(|a, b| remote(a).total_cmp(&remote(b)).then(b.cmp(a)));
    let mut order: Vec<usize> = Vec::with_capacity(rows);
    let mut next = start;
    while let Some(row) = next {
        left.retain(|other| *other != row);
        order.push(row);
        next = left.iter().copied().min_by(|a, b| distance(row, *a).total_cmp(&distance(row, *b)).then(a.cmp(b)));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_on_a_line_are_put_in_its_order() {
        let places: [f64; 6] = [3.0, 0.0, 5.0, 1.0, 4.0, 2.0];
        let values: Vec<f64> = places.iter().flat_map(|a| places.map(|b| (a - b).abs())).collect();
        let order: Vec<f64> = seriation(&values, 6).into_iter().map(|row| places[row]).collect();
        assert!(order == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0] || order == [5.0, 4.0, 3.0, 2.0, 1.0, 0.0], "{order:?}");
    }

    #[test]
    fn every_row_is_in_the_order_whatever_the_values() {
        let values = [f64::NAN, f64::INFINITY, 0.0, 1.0, f64::NAN, f64::INFINITY, f64::NAN, 0.5, 2.0];
        let mut order = seriation(&values, 3);
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2]);
    }
}
