//! `rowwise --plot`: strips of groups, and the largest rows, as a picture.

use kullback::Engine;
use kullback_arrow::{Target, WholeFile};

use super::largest::{LargestRow, LargestRows};
use super::parts::{PartsSum, parts, shares};
use super::plot_picture::{Panel, Parts, PlotPicture, grouped};
use super::strip::Strips;
use crate::args::{AskedMeasure, HowArgs, OutputArgs, RowwiseArgs};
use crate::error::{Error, OptionError, Result};
use crate::inputs::Inputs;
use crate::output::Destination;
use crate::report::Report;
use crate::report::table::readable;

/// The most rows that a picture shows.
const MOST: usize = 60;
/// The most bars of a histogram. Of more bins, neighbours are one bar.
const MOST_BARS: usize = 240;

/// A picture that is being made.
pub(crate) struct Plot {
    file: WholeFile,
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
        let rows = LargestRows::count(args.top);
        if rows > MOST {
            return Err(OptionError::PlotTooLong { rows, most: MOST }.into());
        }
        Ok(Some(Self { file: WholeFile::create(&Target::Path(path.clone()))? }))
    }

    /// Draws the rows and completes the file. Returns what the picture lacks, in words.
    pub(crate) fn finish(
        self,
        engine: &Engine,
        (asked, args): (&[AskedMeasure], &RowwiseArgs),
        inputs: &Inputs,
        report: &Report,
        (rows, strips): (&[LargestRow], Option<Strips>),
    ) -> Result<Vec<String>> {
        let (Self { mut file }, how) = (self, &args.how);
        let Some(first) = asked.first() else { return Ok(Vec::new()) };
        let sum = PartsSum::of(first.measure)?;
        let bins = rows.iter().map(|row| row.weights[0].len()).max().unwrap_or(0);
        let group = bins.div_ceil(MOST_BARS).max(1);
        let mut panels = Vec::with_capacity(rows.len());
        for row in rows {
            let labels = inputs.bin_labels(row.row, row.weights[0].len());
            let labels = labels.unwrap_or_else(|| (0..row.weights[0].len()).map(|bin| bin.to_string()).collect());
            let parts = parts(engine, how, first.measure, row)?.zip(sum).map(|(parts, sum)| Parts {
                caption: format!("{} {first}", sum.meaning()),
                values: grouped(&parts, group),
            });
            panels.push(Panel {
                heading: heading(asked, how, row),
                shares: [&row.weights[0], &row.weights[1]].map(|weights| grouped(&shares(weights), group)),
                parts,
                labels: labels.into_iter().step_by(group).collect(),
            });
        }
        let lacking = (sum.is_none() && !rows.is_empty())
            .then(|| format!("{first} is not a sum over the bins: the picture has no parts of it"));
        let of_groups = (group > 1).then(|| format!("each bar is {group} bins"));
        let (strips, mut notes) = match strips {
            Some(strips) => strips.finish(first, how)?,
            None => (None, Vec::new()),
        };
        let picture = PlotPicture {
            sides: report.sides(),
            title: title(first, how, rows.len(), report.rows),
            note: of_groups.into_iter().chain(lacking.clone()).collect::<Vec<_>>().join("; "),
            strips,
            panels,
        };
        file.write(picture.svg()?.as_bytes())?;
        file.finish()?;
        notes.extend(lacking);
        Ok(notes)
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
fn heading(asked: &[AskedMeasure], how: &HowArgs, row: &LargestRow) -> String {
    let values = asked.iter().zip(&row.values).map(|(asked, value)| {
        let unit = if asked.measure.has_unit() { format!(" {}", how.unit) } else { String::new() };
        format!("{asked} = {}{unit}", readable(*value))
    });
    format!("{}: {}", row.label(), values.collect::<Vec<_>>().join(", "))
}
