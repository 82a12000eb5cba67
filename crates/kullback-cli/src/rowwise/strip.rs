//! The strips of a picture: the value of each row by its group and by its other keys. Memory holds a number and two places per row.

use arrow_array::{ArrayRef, UInt64Array};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_select::concat::concat;
use arrow_select::take::take;
use kullback_arrow::{Batch, rows_in_order};

use super::groups::{self, Groups};
use super::pair::BatchPair;
use super::results::Results;
use super::strip_picture::{StripLabel, StripPicture};
use crate::args::{Against, AskedMeasure, HowArgs, RowwiseArgs};
use crate::error::Result;
use crate::inputs::{InputFile, Inputs};

/// The most rows whose values are held.
const MOST_ROWS: u64 = 4_000_000;
/// The most strips of a picture, and the most cells of a strip.
const MOST_STRIPS: usize = 60;
const MOST_CELLS: usize = 480;

/// The values of the first measure, so far.
pub(crate) struct Strips {
    groups: KeyAxis,
    along: KeyAxis,
    /// The group, the place among the other keys, and the value; NaN for a row without a value.
    values: Vec<(u32, u32, f64)>,
    rows: u64,
}

impl Strips {
    /// Strips for the groups of the rows, if there are groups and other keys.
    pub(crate) fn new(args: &RowwiseArgs, inputs: &Inputs) -> Result<Option<Self>> {
        let by = match args.pairing.against {
            Some(Against::Previous) => groups::of_previous(inputs),
            _ => inputs.by.clone(),
        };
        let schema = inputs.p.source.key_schema();
        let names = inputs.keys.iter().map(|key| schema.field(*key).name().clone());
        let along: Vec<String> = names.filter(|name| !by.contains(name)).collect();
        if by.is_empty() || along.is_empty() {
            return Ok(None);
        }
        let (groups, along) = (KeyAxis::new(&inputs.p, by)?, KeyAxis::new(&inputs.p, along)?);
        Ok(Some(Self { groups, along, values: Vec::new(), rows: 0 }))
    }

    /// Takes the rows of a batch.
    pub(crate) fn push(&mut self, pair: &BatchPair, results: &Results) -> Result<()> {
        self.rows += pair.p.len() as u64;
        if self.rows > MOST_ROWS {
            self.values = Vec::new();
            return Ok(());
        }
        let (groups, along) = (self.groups.of(&pair.p)?, self.along.of(&pair.p)?);
        let values = results.columns.first().map_or(&[][..], Vec::as_slice);
        let places = groups.into_iter().zip(along);
        self.values.extend(places.zip(values).map(|((group, place), value)| (group, place, *value)));
        Ok(())
    }

    /// The strips, and what they lack, in words.
    pub(crate) fn finish(self, first: &AskedMeasure, how: &HowArgs) -> Result<(Option<StripPicture>, Vec<String>)> {
        if self.rows > MOST_ROWS {
            let lacking = format!(
                "the picture has no strips: {} rows are more than {MOST_ROWS}; keep fewer with --where or --min-total",
                self.rows
            );
            return Ok((None, vec![lacking]));
        }
        let (groups, along) = (self.groups.labels()?, self.along.labels()?);
        let largest = self.largest(groups.labels.len());
        let shown = worst(&groups.order, &largest, MOST_STRIPS);
        let bundle = along.labels.len().div_ceil(MOST_CELLS).max(1);
        let width = along.labels.len().div_ceil(bundle);
        let (strip_of, place_of) = (ranks(&shown, groups.labels.len()), ranks(&along.order, along.labels.len()));
        let mut cells = vec![StripCell::default(); shown.len() * width];
        for (group, place, value) in &self.values {
            if let (Some(strip), Some(place)) = (strip_of[*group as usize], place_of[*place as usize]) {
                cells[strip * width + place / bundle].add(*value);
            }
        }
        let mut lacking = Vec::new();
        let (by, over) = (self.groups.names.join(", "), self.along.names.join(", "));
        if shown.len() < groups.labels.len() {
            lacking.push(format!(
                "{} of {} strips are shown, those with the largest values",
                shown.len(),
                largest.len()
            ));
        }
        let rows = cells.iter().map(|cell| cell.rows).max().unwrap_or(0);
        if bundle > 1 {
            lacking.push(format!("a cell is the mean of {bundle} neighbours by {over}"));
        } else if rows > 1 {
            lacking.push(format!("a cell is the mean of up to {rows} rows with the same {over}"));
        }
        let unit = if first.measure.has_unit() { format!(" {}", how.unit) } else { String::new() };
        let in_unit = if first.measure.has_unit() { format!(" in {}", how.unit) } else { String::new() };
        let picture = StripPicture {
            caption: format!("{first}{in_unit} of {} rows: a strip per {by}, a cell per {over}", self.rows),
            lacking: lacking.join("; "),
            strips: shown.iter().map(|group| groups.labels[*group].clone()).collect(),
            along: along.order.chunks(bundle).map(|places| along.bundled(places)).collect(),
            values: cells.iter().map(StripCell::shown).collect(),
            measure: first.name.clone(),
            unit,
        };
        Ok((Some(picture), lacking.iter().map(|lacks| format!("in the picture, {lacks}")).collect()))
    }

    /// The largest value of each group; NaN for a group without one.
    fn largest(&self, groups: usize) -> Vec<f64> {
        let mut largest = vec![f64::NAN; groups];
        for (group, _, value) in &self.values {
            let held = &mut largest[*group as usize];
            *held = held.max(*value);
        }
        largest
    }
}

/// The groups with the largest values, in their order.
fn worst(order: &[usize], largest: &[f64], most: usize) -> Vec<usize> {
    let value = |group: &usize| if largest[*group].is_nan() { f64::NEG_INFINITY } else { largest[*group] };
    let mut places: Vec<usize> = (0..order.len()).collect();
    places.sort_by(|a, b| value(&order[*b]).total_cmp(&value(&order[*a])));
    places.truncate(most);
    places.sort_unstable();
    places.into_iter().map(|place| order[place]).collect()
}

/// The place of each number in an order. Some numbers may not be in it.
fn ranks(order: &[usize], count: usize) -> Vec<Option<usize>> {
    let mut ranks = vec![None; count];
    for (rank, number) in order.iter().enumerate() {
        ranks[*number] = Some(rank);
    }
    ranks
}

/// The values of a cell so far.
#[derive(Clone, Debug, Default)]
struct StripCell {
    rows: u32,
    finite: u32,
    mean: f64,
    is_infinite: bool,
}

impl StripCell {
    fn add(&mut self, value: f64) {
        self.rows += 1;
        self.is_infinite |= value.is_infinite();
        if value.is_finite() {
            self.finite += 1;
            self.mean += (value - self.mean) / f64::from(self.finite);
        }
    }

    /// The mean of the values; infinite if one of them is, and NaN if there is none. `None` without rows.
    fn shown(&self) -> Option<f64> {
        match self {
            Self { rows: 0, .. } => None,
            Self { is_infinite: true, .. } => Some(f64::INFINITY),
            Self { finite: 0, .. } => Some(f64::NAN),
            Self { mean, .. } => Some(*mean),
        }
    }
}

/// The distinct values of some key columns, numbered as they come.
struct KeyAxis {
    names: Vec<String>,
    numbers: Groups,
    count: usize,
    /// The columns of the rows with a new value, batch by batch.
    parts: Vec<Vec<ArrayRef>>,
}

/// The distinct values as text, and their numbers in the order of the values.
struct AxisLabels {
    labels: Vec<StripLabel>,
    order: Vec<usize>,
}

impl KeyAxis {
    fn new(p: &InputFile, names: Vec<String>) -> Result<Self> {
        Ok(Self { numbers: Groups::new(p, &names)?, names, count: 0, parts: Vec::new() })
    }

    /// The number of the value of each row.
    fn of(&mut self, batch: &Batch) -> Result<Vec<u32>> {
        let numbers = self.numbers.of(batch)?;
        let mut new: Vec<u64> = Vec::new();
        for (row, number) in (0..).zip(&numbers) {
            if *number == self.count {
                self.count += 1;
                new.push(row);
            }
        }
        if !new.is_empty() {
            let (schema, rows) = (batch.keys.schema(), UInt64Array::from(new));
            let column = |name: &String| Ok(take(batch.keys.column(schema.index_of(name)?).as_ref(), &rows, None)?);
            self.parts.push(self.names.iter().map(column).collect::<Result<_>>()?);
        }
        Ok(numbers.into_iter().map(|number| number as u32).collect())
    }

    fn labels(&self) -> Result<AxisLabels> {
        let column = |place: usize| -> Result<ArrayRef> {
            Ok(concat(&self.parts.iter().map(|part| part[place].as_ref()).collect::<Vec<_>>())?)
        };
        let columns = (0..self.names.len()).map(column).collect::<Result<Vec<_>>>()?;
        let options = FormatOptions::default();
        let texts = columns.iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
        let texts = texts.collect::<std::result::Result<Vec<_>, _>>()?;
        let label = |number: usize| {
            let cells: Vec<String> = texts.iter().map(|column| column.value(number).to_string()).collect();
            let named = self.names.iter().zip(&cells).map(|(name, cell)| format!("{name}={cell}"));
            StripLabel { full: named.collect::<Vec<_>>().join(", "), text: cells.join(" ") }
        };
        Ok(AxisLabels { labels: (0..self.count).map(label).collect(), order: rows_in_order(&columns)? })
    }
}

impl AxisLabels {
    /// The label of neighbours that are one cell.
    fn bundled(&self, places: &[usize]) -> StripLabel {
        match places {
            [one] => self.labels[*one].clone(),
            [first, .., last] => {
                let (first, last) = (&self.labels[*first], &self.labels[*last]);
                StripLabel { text: first.text.clone(), full: format!("{} to {}", first.full, last.text) }
            }
            [] => StripLabel::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_groups_are_shown_in_their_order() {
        let largest = [0.5, f64::NAN, f64::INFINITY, 0.0, 0.5];
        assert_eq!(worst(&[4, 3, 2, 1, 0], &largest, 9), [4, 3, 2, 1, 0]);
        assert_eq!(worst(&[4, 3, 2, 1, 0], &largest, 4), [4, 3, 2, 0]);
        assert_eq!(worst(&[4, 3, 2, 1, 0], &largest, 2), [4, 2]);
    }

    #[test]
    fn a_cell_is_the_mean_of_its_finite_rows_unless_one_is_infinite() {
        let of = |values: &[f64]| {
            let mut cell = StripCell::default();
            values.iter().for_each(|value| cell.add(*value));
            cell.shown()
        };
        assert_eq!((of(&[]), of(&[1.0, f64::NAN, 4.0])), (None, Some(2.5)));
        assert_eq!(of(&[1.0, f64::INFINITY, f64::NAN]), Some(f64::INFINITY));
        assert!(of(&[f64::NAN]).is_some_and(f64::is_nan));
        // A sum of these would be infinite.
        assert_eq!(of(&[1e308, 1e308, 1e308]), Some(1e308));
    }
}
