//! What each bin of a row adds to a measure.

use kullback::{Device, Divergence, Engine, Options, Rows};

use super::largest::LargestRow;
use crate::args::{BinPositions, HowArgs};
use crate::error::Result;

/// What the parts of a measure add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartsSum {
    /// Its value.
    Value,
    /// A sum of which the value is the root or the logarithm.
    Behind,
}

impl PartsSum {
    /// What the parts of a measure add up to. `None` if it is not a sum over the bins. Two small rows tell.
    pub(crate) fn of(measure: Divergence) -> Result<Option<Self>> {
        let (p, q) = ([1.0, 3.0], [3.0, 1.0]);
        let engine = Engine::builder().device(Device::Cpu).threads(1).build()?;
        let (p_row, q_row) = (Rows::new(&p, 2)?, Rows::new(&q, 2)?);
        let Some(parts) = found(engine.contributions(measure, p_row, q_row, &Options::default()))? else {
            return Ok(None);
        };
        let (sum, value) = (parts.iter().sum::<f64>(), kullback::divergence(measure, &p, &q)?);
        // A root or a logarithm of the sum is another number by far.
        Ok(Some(if (sum - value).abs() <= 1e-6 * value.abs() { Self::Value } else { Self::Behind }))
    }

    /// What the parts of a measure are, in words.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Value => "what each bin adds to",
            Self::Behind => "the terms of the sum that is behind",
        }
    }
}

/// What each bin adds to the measure. `None` if it is not a sum over the bins.
pub(crate) fn parts(engine: &Engine, how: &HowArgs, measure: Divergence, row: &LargestRow) -> Result<Option<Vec<f64>>> {
    let [p, q] = &row.weights;
    // Another measure may have asked for the positions. A call that does not use them refuses them.
    let positions = how.positions.as_ref().filter(|_| measure == Divergence::W1);
    let positions = positions.and_then(BinPositions::list);
    let options = Options { unit: how.unit, zeros: how.zeros, positions, ..Options::default() };
    found(engine.contributions(measure, Rows::new(p, p.len())?, Rows::new(q, q.len())?, &options))
}

fn found(parts: kullback::Result<Vec<f64>>) -> Result<Option<Vec<f64>>> {
    match parts {
        Ok(parts) => Ok(Some(parts)),
        Err(kullback::Error::NoParts { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Weights divided by their total, which may be too large for a float.
pub(crate) fn shares(weights: &[f64]) -> Vec<f64> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return vec![0.0; weights.len()];
    }
    let total: f64 = weights.iter().map(|weight| weight / largest).sum();
    weights.iter().map(|weight| weight / largest / total).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_the_value_or_of_a_sum_behind_it() {
        let of = |name: &str| PartsSum::of(name.parse().unwrap()).unwrap();
        for name in ["kl", "js", "tv", "w1", "chi2", "tsallis:2", "alpha:0.5", "entropy", "cross_entropy", "pooled_js"]
        {
            assert_eq!(of(name), Some(PartsSum::Value), "{name}");
        }
        for name in ["hellinger", "js_distance", "bhattacharyya", "renyi:0.5", "renyi:2"] {
            assert_eq!(of(name), Some(PartsSum::Behind), "{name}");
        }
        assert_eq!((of("ks"), of("renyi:inf")), (None, None));
    }
}
