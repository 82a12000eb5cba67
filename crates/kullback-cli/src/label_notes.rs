//! What the labels of the bins may hide: labels that do not meet, and labels whose order or distance is not what a measure takes.

use kullback::Divergence;

use crate::args::{BinPositions, HowArgs};
use crate::complain;
use crate::error::{Error, Result};
use crate::inputs::Inputs;

/// The labels as numbers, if each is one.
fn numbers(labels: &[String]) -> std::result::Result<Vec<f64>, &String> {
    let number = |label: &str| label.trim().parse().ok().filter(|x: &f64| x.is_finite());
    labels.iter().map(|label| number(label).ok_or(label)).collect()
}

impl Inputs {
    /// How it is computed, with the labels of the bins as their positions if the options say so. Unless `quiet`, it says what the
    /// labels may hide.
    ///
    /// # Errors
    /// [`Error::LabelPosition`] and [`Error::NoLabels`].
    pub(crate) fn with_positions(&self, how: &HowArgs, measures: &[Divergence], quiet: bool) -> Result<HowArgs> {
        let positions = match &how.positions {
            Some(BinPositions::Labels) => Some(self.labels_as_positions()?),
            positions => positions.clone(),
        };
        let how = HowArgs { positions, ..how.clone() };
        if !quiet {
            self.tell_labels(&how, measures);
        }
        Ok(how)
    }

    fn labels_as_positions(&self) -> Result<BinPositions> {
        let file = || self.p.source.name();
        let labels = self.p.source.bin_labels().ok_or_else(|| Error::NoLabels { file: file() })?;
        let list = numbers(&labels).map_err(|label| Error::LabelPosition { file: file(), label: label.clone() })?;
        Ok(BinPositions::Given { text: "labels".to_owned(), list: list.into() })
    }

    /// Says what the labels may hide from the user.
    fn tell_labels(&self, how: &HowArgs, measures: &[Divergence]) {
        if self.no_bin_is_shared {
            complain("P and Q have no label in common: every bin has weight on one side alone");
        }
        let sources = [Some(&self.p), self.q.as_ref()].into_iter().flatten().map(|file| &file.source);
        if let Some((column, [one, other])) = sources.clone().find_map(|source| source.one_number_twice()) {
            complain(&format!(
                "`{one}` and `{other}` of {column} are one number but two labels: labels of text are the same only if each \
                 letter is; write them alike"
            ));
        }
        let Some(measure) = measures.iter().find(|measure| measure.is_of_ordered_bins()) else { return };
        if let Some((column, label)) = sources.clone().find_map(|source| source.bin_without_order()) {
            complain(&format!(
                "{measure} takes the labels of {column} in the order of text, because `{label}` is no number: \
                 --where '{column}!={label}' leaves it out"
            ));
        }
        let numbers =
            self.p.source.bin_labels().and_then(|labels| numbers(&labels).ok()).filter(|_| how.positions.is_none());
        let widest = numbers.map(|numbers| numbers.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max));
        if let (true, Some(widest)) = (measures.contains(&Divergence::W1), widest.filter(|widest| *widest != 1.0)) {
            complain(&format!(
                "w1 counts 1 from each bin to the next, though the labels are numbers up to {widest} apart: \
                 --positions labels takes the labels"
            ));
        }
    }
}
