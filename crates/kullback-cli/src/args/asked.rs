//! What is asked of measures: which, by which name, and up to which value.

use std::fmt;
use std::str::FromStr;

use kullback::Divergence;

use super::parse::number;
use crate::error::{Error, OptionError, Result};

/// A measure with the name that the user gave it, which may be another than its own: `psi` is `jeffreys`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AskedMeasure {
    pub(crate) name: String,
    pub(crate) measure: Divergence,
}

impl FromStr for AskedMeasure {
    type Err = kullback::Error;

    fn from_str(text: &str) -> std::result::Result<Self, kullback::Error> {
        Ok(Self { measure: text.parse()?, name: text.trim().to_owned() })
    }
}

impl fmt::Display for AskedMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl AskedMeasure {
    /// Each measure once, in the order asked for. One that has two names keeps the first.
    pub(crate) fn once(asked: &[AskedMeasure]) -> Vec<AskedMeasure> {
        let mut measures: Vec<AskedMeasure> = Vec::new();
        for asked in asked {
            if !measures.iter().any(|known| known.measure == asked.measure) {
                measures.push(asked.clone());
            }
        }
        measures
    }

    /// The measures without their names.
    pub(crate) fn measures(asked: &[AskedMeasure]) -> Vec<Divergence> {
        asked.iter().map(|asked| asked.measure).collect()
    }
}

/// The limits of `--fail-above`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FailAbove {
    /// One limit for every measure.
    Every(f64),
    /// Limits of some measures, by their names.
    Named(Vec<(String, f64)>),
}

impl FromStr for FailAbove {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if !text.contains('=') {
            return number(text.trim()).map(FailAbove::Every);
        }
        let limit = |part: &str| match part.rsplit_once('=') {
            Some((name, limit)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), number(limit.trim())?)),
            _ => Err(OptionError::NoLimit { text: part.to_owned() }.into()),
        };
        text.split(',').map(limit).collect::<Result<_>>().map(FailAbove::Named)
    }
}

impl FailAbove {
    /// The limit of each measure, and nothing for a measure without one.
    ///
    /// A name stands for its measure: `jeffreys=0.2` limits what was asked for as `psi`.
    pub(crate) fn of(&self, measures: &[AskedMeasure]) -> Result<Vec<Option<f64>>> {
        let named = match self {
            FailAbove::Every(limit) => return Ok(vec![Some(*limit); measures.len()]),
            FailAbove::Named(named) => named,
        };
        let mut limits = vec![None; measures.len()];
        for (name, limit) in named {
            let meant = name.parse().ok();
            let is_meant = |asked: &AskedMeasure| asked.name == *name || Some(asked.measure) == meant;
            let Some(at) = measures.iter().position(is_meant) else {
                let asked = measures.iter().map(|asked| asked.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(OptionError::LimitOfNothing { name: name.clone(), asked }.into());
            };
            if limits[at].replace(*limit).is_some() {
                return Err(OptionError::LimitTwice { name: measures[at].name.clone() }.into());
            }
        }
        Ok(limits)
    }
}
