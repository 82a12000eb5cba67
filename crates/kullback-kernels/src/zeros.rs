//! What happens to the zeros of a row before it is measured.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::names::nearest;

/// A zero policy, applied to each row (of each pair) before the measure. Only what the policy names is added, clamped or
/// dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Zeros {
    /// `exact`: zeros are zeros, and a divergence that is infinite is infinite.
    #[default]
    Exact,
    /// `epsilon:E`: on the union support of the pair, each missing bin of a side gets E, and the bins present on that side
    /// share the loss (Han, Kamber and Pei, *Data Mining*, on smoothing).
    Epsilon(f64),
    /// `additive:A`: A is added to every stored weight, then the row is normalised (Laplace, Dirichlet).
    Additive(f64),
    /// `floor:E`: max(p̂, E), then normalised again.
    Floor(f64),
    /// `mix:L`: (1 − L)·p̂ + L/n, the mixture with the uniform distribution.
    Mix(f64),
    /// `skip`: bins where either side is 0 are left out, and the rest is normalised.
    Skip,
}

impl Zeros {
    /// Checks the number of the policy.
    ///
    /// # Errors
    /// [`Error::ZerosValue`].
    pub fn validate(self) -> Result<Self> {
        let check = |ok: bool, policy, value: f64, expected| {
            if ok && value.is_finite() { Ok(self) } else { Err(Error::ZerosValue { policy, value, expected }) }
        };
        match self {
            Zeros::Exact | Zeros::Skip => Ok(self),
            Zeros::Epsilon(e) => check(e > 0.0 && e < 1.0, "epsilon", e, "a number above 0 and below 1"),
            Zeros::Additive(a) => check(a >= 0.0, "additive", a, "a number of at least 0"),
            Zeros::Floor(e) => check((0.0..1.0).contains(&e), "floor", e, "a number from 0 to below 1"),
            Zeros::Mix(l) => check((0.0..1.0).contains(&l), "mix", l, "a number from 0 to below 1"),
        }
    }

    /// Replaces a policy that changes nothing by `exact`.
    pub(crate) fn effective(self) -> Self {
        match self {
            Zeros::Additive(0.0) | Zeros::Floor(0.0) | Zeros::Mix(0.0) => Zeros::Exact,
            other => other,
        }
    }
}

impl fmt::Display for Zeros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zeros::Exact => f.write_str("exact"),
            Zeros::Epsilon(e) => write!(f, "epsilon:{e}"),
            Zeros::Additive(a) => write!(f, "additive:{a}"),
            Zeros::Floor(e) => write!(f, "floor:{e}"),
            Zeros::Mix(l) => write!(f, "mix:{l}"),
            Zeros::Skip => f.write_str("skip"),
        }
    }
}

impl FromStr for Zeros {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let make: Option<fn(f64) -> Zeros> = match name {
            "exact" if value.is_empty() => return Ok(Zeros::Exact),
            "skip" if value.is_empty() => return Ok(Zeros::Skip),
            "epsilon" => Some(Zeros::Epsilon),
            "additive" => Some(Zeros::Additive),
            "floor" => Some(Zeros::Floor),
            "mix" => Some(Zeros::Mix),
            _ => None,
        };
        match (make, value.parse()) {
            (Some(make), Ok(value)) => make(value).validate(),
            _ => {
                let names = ["exact", "epsilon:1e-3", "additive:0.5", "floor:1e-6", "mix:0.01", "skip"];
                // Compares the name alone: the number after it does not tell which policy was meant.
                let of = |known: &str| known.split(':').next().unwrap_or(known).to_owned();
                let family = nearest(name, names.iter().map(|known| of(known)));
                let nearest = names.iter().find(|known| of(known) == family).map_or("", |known| known).to_owned();
                Err(Error::UnknownZeros { name: text.to_owned(), nearest })
            }
        }
    }
}
