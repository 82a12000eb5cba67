//! Filters: which rows of a file are read.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Datum, Scalar, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType, TimeUnit};

use crate::error::{Error, Result};
use crate::labels::exactly;
use crate::types::{strict_cast, type_name};

/// How a column is compared with the value of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Every comparison and its sign. A sign that begins with another comes first.
    const SIGNS: [(&str, Comparison); 6] = [
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("=", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];

    /// Whether a cell of this order to the value passes.
    fn takes(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Self::SIGNS.iter().find(|(_, comparison)| comparison == self).map_or("=", |(sign, _)| sign);
        f.write_str(sign)
    }
}

/// Keeps the rows whose column has a value, or lies to one side of it. Several filters keep the rows that pass all of them.
///
/// The value is read as a value of the column's type. Text is equal if it is the same; `<` and `>` compare text as numbers if the
/// value is one, as times if it is one, else as text. A cell that is no number is neither below nor above one. A null never passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The name of the column that is compared.
    pub column: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// The value it is compared with, as text.
    pub value: String,
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.column, self.comparison, self.value)
    }
}

impl FromStr for Filter {
    type Err = Error;

    /// Reads `COLUMN=VALUE`, or with `!=`, `<`, `<=`, `>`, `>=`. The value may contain further signs and may be empty.
    fn from_str(spec: &str) -> Result<Self> {
        let signs =
            Comparison::SIGNS.iter().filter_map(|(sign, comparison)| Some((spec.find(sign)?, sign, *comparison)));
        // Of two signs at one place, the longer comes first.
        match signs.min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len())) {
            Some((at, sign, comparison)) if at > 0 && is_value(comparison, &spec[at + sign.len()..]) => {
                Ok(Filter { column: spec[..at].to_owned(), comparison, value: spec[at + sign.len()..].to_owned() })
            }
            _ => Err(Error::FilterSpec { spec: spec.to_owned() }),
        }
    }
}

/// Whether a text may stand after a sign: `<>` is no sign, and nothing lies below or above an empty value.
fn is_value(comparison: Comparison, text: &str) -> bool {
    matches!(comparison, Comparison::Equal | Comparison::NotEqual)
        || !matches!(text.trim().chars().next(), None | Some('<' | '>' | '='))
}

/// A filter bound to a column of a scan.
#[derive(Debug)]
pub(crate) struct Predicate {
    /// Position of the column in the scanned batch.
    pub(crate) position: usize,
    comparison: Comparison,
    value: Value,
}

/// The value of a filter, as the column is compared with it.
#[derive(Debug)]
enum Value {
    /// Cells are read as numbers; exactly, where both are whole.
    Number(f64, Option<i128>),
    /// Cells are cast to the type of the value.
    Typed(Scalar<ArrayRef>),
}

impl Predicate {
    /// Reads the filter's value as a value of the column's type.
    pub(crate) fn new(filter: &Filter, position: usize, data_type: &DataType, file: &str) -> Result<Self> {
        let read = |data_type: &DataType| -> Option<Scalar<ArrayRef>> {
            let text: ArrayRef = Arc::new(StringArray::from(vec![filter.value.as_str()]));
            strict_cast(&text, data_type).ok()?;
            exactly(&text, data_type).ok().filter(|value| value.is_valid(0)).map(Scalar::new)
        };
        let by_order = !matches!(filter.comparison, Comparison::Equal | Comparison::NotEqual);
        let time = DataType::Timestamp(TimeUnit::Nanosecond, None);
        // As the column holds it: 0.1 is another number in 32 bits.
        let number = |data_type: &DataType| -> Option<f64> {
            let value = cast(read(data_type)?.get().0, &DataType::Float64).ok()?;
            value.as_primitive_opt::<Float64Type>().map(|value| value.value(0)).filter(|number| !number.is_nan())
        };
        let value = match data_type {
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                number(data_type).map(|number| Value::Number(number, None))
            }
            DataType::Utf8 if by_order => {
                let whole = filter.value.trim().parse().ok();
                let number = number(&DataType::Float64).map(|number| Value::Number(number, whole));
                number.or_else(|| read(&time).or_else(|| read(data_type)).map(Value::Typed))
            }
            data_type if data_type.is_nested() => None,
            data_type => read(data_type).map(Value::Typed),
        };
        let value = value.ok_or_else(|| Error::FilterValue {
            file: file.into(),
            filter: filter.to_string().into(),
            column: filter.column.as_str().into(),
            value: filter.value.as_str().into(),
            data_type: type_name(data_type).into(),
        })?;
        Ok(Self { position, comparison: filter.comparison, value })
    }

    /// Which rows pass; null where the column is null.
    pub(crate) fn mask(&self, column: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
        let takes = |order: Option<Ordering>| order.is_some_and(|order| self.comparison.takes(order));
        match &self.value {
            Value::Number(number, whole) if column.data_type() == &DataType::Utf8 => {
                let whole = whole.as_ref();
                let order = |text: &str| match (text.trim().parse::<i128>(), whole) {
                    (Ok(cell), Some(whole)) => Some(cell.cmp(whole)),
                    _ => text.trim().parse::<f64>().ok().and_then(|x| x.partial_cmp(number)),
                };
                let passes = |text: Option<&str>| text.map(|text| takes(order(text)));
                Ok(column.as_string::<i32>().iter().map(passes).collect())
            }
            Value::Number(number, _) => {
                let floats = cast(column, &DataType::Float64)?;
                // A NaN is not equal to a number, and neither below nor above it.
                let passes = |x: Option<f64>| {
                    x.map(|x| takes(x.partial_cmp(number)) || (x.is_nan() && self.comparison == Comparison::NotEqual))
                };
                Ok(floats.as_primitive::<Float64Type>().iter().map(passes).collect())
            }
            Value::Typed(value) => {
                // Text that is no time is neither before nor after one.
                let column = cast_with_options(column, value.get().0.data_type(), &CastOptions::default())?;
                match self.comparison {
                    Comparison::Equal => cmp::eq(&column, value),
                    Comparison::NotEqual => cmp::neq(&column, value),
                    Comparison::Less => cmp::lt(&column, value),
                    Comparison::LessOrEqual => cmp::lt_eq(&column, value),
                    Comparison::Greater => cmp::gt(&column, value),
                    Comparison::GreaterOrEqual => cmp::gt_eq(&column, value),
                }
            }
        }
    }
}

/// Two masks of the same rows as one. A row that is null in either is null.
pub(crate) fn merged(
    a: &BooleanArray,
    b: &BooleanArray,
    merge: impl Fn(&BooleanBuffer, &BooleanBuffer) -> BooleanBuffer,
) -> BooleanArray {
    BooleanArray::new(merge(a.values(), b.values()), NullBuffer::union(a.nulls(), b.nulls()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use arrow_array::Float64Array;

    #[test]
    fn specs() {
        let filter: Filter = "a=b=c".parse().unwrap();
        assert_eq!((filter.column.as_str(), filter.value.as_str()), ("a", "b=c"));
        for (spec, column, sign, value) in [
            ("n>=5", "n", Comparison::GreaterOrEqual, "5"),
            ("n>5=6", "n", Comparison::Greater, "5=6"),
            ("a!=b", "a", Comparison::NotEqual, "b"),
        ] {
            let filter: Filter = spec.parse().unwrap();
            assert_eq!((filter.column.as_str(), filter.comparison, filter.value.as_str()), (column, sign, value));
            assert_eq!(filter.to_string(), spec);
        }
        for wrong in ["=b", "a<", "a<>9", "a>= "] {
            assert!(wrong.parse::<Filter>().is_err(), "{wrong}");
        }
        assert!("ab".parse::<Filter>().unwrap_err().to_string().contains("COLUMN=VALUE"));
    }

    #[test]
    fn both_zeros_of_a_float() {
        let filter: Filter = "x=0".parse().unwrap();
        let predicate = Predicate::new(&filter, 0, &DataType::Float64, "f").unwrap();
        let column: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.0), Some(-0.0), Some(1.0), None]));
        let mask = predicate.mask(&column).unwrap();
        assert_eq!(mask.iter().collect::<Vec<_>>(), [Some(true), Some(true), Some(false), None]);
    }

    #[test]
    fn order_is_by_value() {
        let passing = |spec: &str, column: &ArrayRef| -> Vec<Option<bool>> {
            let filter: Filter = spec.parse().unwrap();
            Predicate::new(&filter, 0, column.data_type(), "f").unwrap().mask(column).unwrap().iter().collect()
        };
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("10"), Some("9"), Some("x"), None]));
        assert_eq!(passing("k<10", &texts), [Some(false), Some(true), Some(false), None]);
        assert_eq!(passing("k!=10", &texts), [Some(false), Some(true), Some(true), None]);
        assert_eq!(passing("k>a", &texts), [Some(false), Some(false), Some(true), None]);
        let days: ArrayRef = Arc::new(StringArray::from(vec!["2024-01-09", "2024-01-10 12:00:00", "never"]));
        assert_eq!(passing("d<=2024-01-10", &days), [Some(true), Some(false), None]);
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, 0.0, f64::NAN, 1.0]));
        assert_eq!(passing("x<0", &floats), [Some(false); 4]);
        assert_eq!(passing("x>=0", &floats), [Some(true), Some(true), Some(false), Some(true)]);
        assert_eq!(passing("x!=0", &floats), [Some(false), Some(false), Some(true), Some(true)]);
    }

    #[test]
    fn a_row_that_is_null_in_one_mask_is_null_in_both_together() {
        let a = BooleanArray::from(vec![Some(true), Some(true), None, Some(false), None]);
        let b = BooleanArray::from(vec![Some(true), Some(false), Some(true), None, None]);
        let both = merged(&a, &b, |a, b| a & b);
        assert_eq!(both.iter().collect::<Vec<_>>(), [Some(true), Some(false), None, None, None]);
        assert_eq!(both.true_count(), 1);
    }
}
