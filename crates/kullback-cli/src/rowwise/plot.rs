//! `rowwise --plot`: the largest rows as a picture.

use std::num::NonZeroUsize;

use kullback::{Divergence, Engine, Options, Rows};
use kullback_arrow::{Target, WholeFile};

use super::pair::BatchPair;
use super::plot_picture::{Panel, Parts, PlotPicture, grouped};
use super::plotted::{PlottedRow, PlottedRows};
use super::results::Results;
use crate::args::{AskedMeasure, HowArgs, OutputArgs, RowwiseArgs};
use crate::error::{Error, OptionError, Result};
use crate::inputs::Inputs;
use crate::output::Destination;
use crate::report::Report;
use crate::report::table::readable;

/// Rows that a picture shows if the user asks for no number, and the most that it shows.
const SHOWN: usize = 6;
const MOST: usize = 60;
/// The most bars of a histogram. Of more bins, neighbours are one bar.
const MOST_BARS: usize = 240;

/// A picture that is being made: its file, and the rows to draw.
pub(crate) struct Plot {
    file: WholeFile,
    rows: PlottedRows,
}

impl Plot {
    /// Starts the file, if a picture is asked for. What is wrong with it shows before the work.
    pub(crate) fn begin(args: &OutputArgs, destination: &Destination) -> Result<Option<Self>> {
        let Some(path) = &args.plot else { return Ok(None) };
        if let Destination::File(table, _) = destination
            && table == path
        {
            return Err(Error::OneFileForTwo { file: path.display().to_string() });
        }
        let rows = args.top.map_or(SHOWN, NonZeroUsize::get);
        if rows > MOST {
            return Err(OptionError::PlotTooLong { rows, most: MOST }.into());
        }
        let file = WholeFile::create(&Target::Path(path.clone()))?;
        Ok(Some(Self { file, rows: PlottedRows::new(rows) }))
    }

    /// See [`PlottedRows::push`].
    pub(crate) fn push(&mut self, pair: &BatchPair, results: &Results, keys: &[usize]) -> Result<()> {
        self.rows.push(pair, results, keys)
    }

    /// Draws the rows and completes the file. Returns what the picture lacks, in words.
    pub(crate) fn finish(
        self,
        engine: &Engine,
        (asked, args): (&[AskedMeasure], &RowwiseArgs),
        inputs: &Inputs,
        report: &Report,
    ) -> Result<Option<String>> {
        let (Self { mut file, rows }, how) = (self, &args.how);
        let rows = rows.finish();
        let Some(first) = asked.first() else { return Ok(None) };
        let parts = rows.iter().map(|row| parts(engine, how, first.measure, row)).collect::<Result<Vec<_>>>()?;
        let lacks_parts = parts.iter().any(Option::is_none);
        let lacking =
            lacks_parts.then(|| format!("{first} is not a sum over the bins: the picture has no parts of it"));
        let caption = caption(first, &rows, &parts);
        let bins = rows.iter().map(|row| row.weights[0].len()).max().unwrap_or(0);
        let group = bins.div_ceil(MOST_BARS).max(1);
        let panel = |(row, parts): (&PlottedRow, Option<Vec<f64>>)| Panel {
            heading: heading(asked, how, row),
            shares: [&row.weights[0], &row.weights[1]].map(|weights| grouped(&shares(weights), group)),
            parts: parts.map(|parts| Parts { caption: caption.clone(), values: grouped(&parts, group) }),
        };
        let names = inputs.bin_labels(bins).map(<[String]>::to_vec);
        let names = names.unwrap_or_else(|| (0..bins).map(|bin| bin.to_string()).collect());
        let of_groups = (group > 1).then(|| format!("each bar is {group} bins"));
        let picture = PlotPicture {
            sides: report.sides(),
            title: title(first, how, rows.len(), report.rows),
            note: of_groups.into_iter().chain(lacking.clone()).collect::<Vec<_>>().join("; "),
            labels: names.into_iter().step_by(group).collect(),
            panels: rows.iter().zip(parts).map(panel).collect(),
        };
        file.write(picture.svg()?.as_bytes())?;
        file.finish()?;
        Ok(lacking)
    }
}

/// What the picture shows, after the names of the files.
fn title(first: &AskedMeasure, how: &HowArgs, shown: usize, rows: u64) -> String {
    let unit = if first.measure.has_unit() { format!(" in {}", how.unit) } else { String::new() };
    let which = match shown {
        0 => format!("none of {rows} rows has a value"),
        1 => format!("the largest of {rows} rows"),
        shown => format!("the {shown} largest of {rows} rows"),
    };
    format!("{which} by {first}{unit}")
}

/// The name of a row and its values.
fn heading(asked: &[AskedMeasure], how: &HowArgs, row: &PlottedRow) -> String {
    let values = asked.iter().zip(&row.values).map(|(asked, value)| {
        let unit = if asked.measure.has_unit() { format!(" {}", how.unit) } else { String::new() };
        format!("{asked} = {}{unit}", readable(*value))
    });
    format!("{}: {}", row.label, values.collect::<Vec<_>>().join(", "))
}

/// What the parts are. Those of some measures add up to another number, of which the value is the root or the logarithm.
fn caption(first: &AskedMeasure, rows: &[PlottedRow], parts: &[Option<Vec<f64>>]) -> String {
    let adds_up = |(row, parts): (&PlottedRow, &Option<Vec<f64>>)| {
        let (Some(parts), Some(value)) = (parts, row.values.first()) else { return true };
        let sum: f64 = parts.iter().sum();
        let size: f64 = parts.iter().map(|part| part.abs()).sum();
        sum == *value || (sum - value).abs() <= 1e-6 * size
    };
    let what = if rows.iter().zip(parts).all(adds_up) {
        "what each bin adds to"
    } else {
        "the terms of the sum that is behind"
    };
    format!("{what} {first}")
}

/// What each bin adds to the measure. `None` if it is not a sum over bins.
fn parts(engine: &Engine, how: &HowArgs, measure: Divergence, row: &PlottedRow) -> Result<Option<Vec<f64>>> {
    let [p, q] = &row.weights;
    // Another measure may have asked for the positions. A call that does not use them refuses them.
    let positions = how.positions.as_ref().filter(|_| measure == Divergence::W1);
    let positions = positions.and_then(crate::args::BinPositions::list);
    let options = Options { unit: how.unit, zeros: how.zeros, positions, ..Options::default() };
    match engine.contributions(measure, Rows::new(p, p.len())?, Rows::new(q, q.len())?, &options) {
        Ok(parts) => Ok(Some(parts)),
        Err(kullback::Error::NoParts { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Weights divided by their total, which may be too large for a float.
fn shares(weights: &[f64]) -> Vec<f64> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return vec![0.0; weights.len()];
    }
    let total: f64 = weights.iter().map(|weight| weight / largest).sum();
    weights.iter().map(|weight| weight / largest / total).collect()
}
