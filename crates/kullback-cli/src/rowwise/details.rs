//! What is shown of single rows beside their values: what the bins of the largest add, and a picture.

use kullback::Engine;

use super::contributions::AskedContributions;
use super::largest::LargestRows;
use super::pair::BatchPair;
use super::plot::Plot;
use super::results::Results;
use super::strip::Strips;
use crate::args::{AskedMeasure, OutputArgs, RowwiseArgs};
use crate::error::Result;
use crate::inputs::Inputs;
use crate::output::Destination;
use crate::report::Report;

/// The rows to look into, and what is made of them.
pub(crate) struct Details {
    /// `None` if nothing is asked for.
    largest: Option<LargestRows>,
    contributions: Option<AskedContributions>,
    plot: Option<Plot>,
    /// The values of all rows, if the picture shows them.
    strips: Option<Strips>,
}

impl Details {
    /// Checks what is asked for, so that what is wrong with it shows before the work.
    pub(crate) fn begin(args: &OutputArgs, asked: &[AskedMeasure], destination: &Destination) -> Result<Self> {
        let contributions = args.contributions.map(|bins| AskedContributions::new(bins, asked)).transpose()?;
        let plot = Plot::begin(args, destination)?;
        let is_asked = contributions.is_some() || plot.is_some();
        Ok(Self { largest: is_asked.then(|| LargestRows::new(args.top)), contributions, plot, strips: None })
    }

    /// Looks at the keys of the rows to come.
    pub(crate) fn open(&mut self, args: &RowwiseArgs, inputs: &Inputs) -> Result<()> {
        if self.plot.is_some() {
            self.strips = Strips::new(args, inputs)?;
        }
        Ok(())
    }

    /// Takes the rows of a batch.
    pub(crate) fn push(&mut self, pair: &BatchPair, results: &Results, inputs: &Inputs) -> Result<()> {
        if let Some(largest) = &mut self.largest {
            largest.push(pair, results, &inputs.keys)?;
        }
        if let Some(strips) = &mut self.strips {
            strips.push(pair, results)?;
        }
        Ok(())
    }

    /// Gives the report what the bins add, and completes the picture. Returns what the picture lacks, in words.
    pub(crate) fn finish(
        self,
        engine: &Engine,
        (asked, args): (&[AskedMeasure], &RowwiseArgs),
        inputs: &Inputs,
        report: &mut Report,
    ) -> Result<Vec<String>> {
        let rows = self.largest.map_or_else(Vec::new, LargestRows::finish);
        if let Some(contributions) = self.contributions {
            report.contributions = Some(contributions.of(engine, &args.how, inputs, &rows)?);
        }
        let Some(plot) = self.plot else { return Ok(Vec::new()) };
        plot.finish(engine, (asked, args), inputs, report, (&rows, self.strips))
    }
}
