//! The unit of the measures that are logarithms.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The base of the logarithm. Results of the measures with a unit are divided by its `ln`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Unit {
    /// Natural logarithm.
    #[default]
    Nats,
    /// Base 2.
    Bits,
    /// Base 10.
    Bans,
    /// Any base above 1.
    Base(f64),
}

impl Unit {
    /// Checks the base.
    ///
    /// # Errors
    /// [`Error::UnknownUnit`] for a base that is not a finite number above 1.
    pub fn validate(self) -> Result<Self> {
        match self {
            Unit::Base(base) if !(base.is_finite() && base > 1.0) => Err(Error::UnknownUnit { name: base.to_string() }),
            unit => Ok(unit),
        }
    }

    /// The divisor of a value in nats.
    #[must_use]
    pub fn ln_base(self) -> f64 {
        match self {
            Unit::Nats => 1.0,
            Unit::Bits => std::f64::consts::LN_2,
            Unit::Bans => std::f64::consts::LN_10,
            Unit::Base(base) => base.ln(),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Nats => f.write_str("nats"),
            Unit::Bits => f.write_str("bits"),
            Unit::Bans => f.write_str("bans"),
            Unit::Base(base) => write!(f, "{base}"),
        }
    }
}

impl FromStr for Unit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "nats" => Ok(Unit::Nats),
            "bits" => Ok(Unit::Bits),
            "bans" => Ok(Unit::Bans),
            other => match other.parse() {
                Ok(base) => Unit::Base(base).validate(),
                Err(_) => Err(Error::UnknownUnit { name: other.to_owned() }),
            },
        }
    }
}
