//! What stands in for Q.

use std::fmt;
use std::str::FromStr;

use kullback_arrow::Filter;

/// What the rows of P are compared with, where there is no Q.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// The bin-wise sum of all rows of the group that pass --where.
    Total,
    /// The weight 1 in every bin.
    Uniform,
    /// The row before in the group; the first row has no value.
    Previous,
    /// The first row of the group.
    First,
    /// The sum of all other rows of the group.
    Rest,
    /// The row of P, or of the group, that passes a filter.
    Row(Filter),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "total" => Against::Total,
            "uniform" => Against::Uniform,
            "previous" => Against::Previous,
            "first" => Against::First,
            "rest" => Against::Rest,
            other => Against::Row(other.parse().map_err(|_| {
                format!("`{other}` is nothing to compare with: total, uniform, previous, first, rest, or a row such as day=2024-01-01")
            })?),
        })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Against::Total => f.write_str("total"),
            Against::Uniform => f.write_str("uniform"),
            Against::Previous => f.write_str("previous"),
            Against::First => f.write_str("first"),
            Against::Rest => f.write_str("rest"),
            Against::Row(filter) => filter.fmt(f),
        }
    }
}
