//! Filters: which rows of a file are read.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Datum, Scalar, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_ord::cmp::eq;
use arrow_schema::{ArrowError, DataType};

use crate::error::{Error, Result};
use crate::types::{strict_cast, type_name};

/// Keeps the rows whose column equals a value. Several filters keep the rows that pass all of them.
///
/// The value is read as a value of the column's type. Text must be equal exactly; integers, floats, booleans and dates must be
/// equal in value. A null never passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The name of the column that is compared.
    pub column: String,
    /// The value asked for, as text.
    pub value: String,
}

impl FromStr for Filter {
    type Err = Error;

    /// Reads `COLUMN=VALUE`. The value may contain further `=` and may be empty.
    fn from_str(spec: &str) -> Result<Self> {
        match spec.split_once('=') {
            Some((column, value)) if !column.is_empty() => {
                Ok(Filter { column: column.to_owned(), value: value.to_owned() })
            }
            _ => Err(Error::FilterSpec { spec: spec.to_owned() }),
        }
    }
}

/// A filter bound to a column of a scan.
#[derive(Debug)]
pub(crate) struct Predicate {
    /// Position of the column in the scanned batch.
    pub(crate) position: usize,
    /// The values that pass: one value, or both zeros of a float.
    values: Vec<Scalar<ArrayRef>>,
}

impl Predicate {
    /// Reads the filter's value as a value of the column's type.
    pub(crate) fn new(filter: &Filter, position: usize, data_type: &DataType, file: &str) -> Result<Self> {
        let read = |text: &str| -> std::result::Result<Scalar<ArrayRef>, ArrowError> {
            let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
            strict_cast(&text, data_type).map(Scalar::new)
        };
        // Arrow compares floats by their bits, and the two zeros differ in their bits.
        let zero = data_type.is_floating() && filter.value.parse() == Ok(0.0);
        let texts = if zero { vec!["0", "-0"] } else { vec![filter.value.as_str()] };
        let values = texts.into_iter().map(read).collect::<std::result::Result<Vec<_>, _>>();
        match values {
            Ok(values) if !data_type.is_nested() && values.iter().all(|value| value.get().0.is_valid(0)) => {
                Ok(Self { position, values })
            }
            _ => Err(Error::FilterValue {
                file: file.to_owned(),
                column: filter.column.clone(),
                value: filter.value.clone(),
                data_type: type_name(data_type),
            }),
        }
    }

    /// Which rows pass; null where the column is null.
    pub(crate) fn mask(&self, column: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
        let mut passing: Option<BooleanArray> = None;
        for value in &self.values {
            let equal = eq(column, value)?;
            passing = Some(match passing {
                Some(others) => merged(&others, &equal, |a, b| a | b),
                None => equal,
            });
        }
        passing.ok_or_else(|| ArrowError::InvalidArgumentError("a filter without a value".to_owned()))
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
        assert!("=b".parse::<Filter>().is_err());
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
    fn a_row_that_is_null_in_one_mask_is_null_in_both_together() {
        let a = BooleanArray::from(vec![Some(true), Some(true), None, Some(false), None]);
        let b = BooleanArray::from(vec![Some(true), Some(false), Some(true), None, None]);
        let both = merged(&a, &b, |a, b| a & b);
        assert_eq!(both.iter().collect::<Vec<_>>(), [Some(true), Some(false), None, None, None]);
        assert_eq!(both.true_count(), 1);
    }
}
