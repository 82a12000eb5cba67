//! Lists written as text: `[1, 2, 3]` or `[1 2 3]`.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::builder::{LargeListBuilder, PrimitiveBuilder};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, StringArray};
use arrow_schema::{ArrowError, DataType};

/// The text between the brackets.
fn inside(text: &str) -> Option<&str> {
    text.trim().strip_prefix('[')?.strip_suffix(']').map(str::trim)
}

/// The elements of a list. They are separated by commas or, as NumPy prints them, by spaces.
fn elements(inside: &str) -> impl Iterator<Item = &str> {
    let commas = inside.contains(',');
    let split = inside.split(move |c: char| if commas { c == ',' } else { c.is_whitespace() });
    // Without commas, two spaces have nothing between them, and an empty list has no element.
    split.map(str::trim).filter(move |element| commas || !element.is_empty())
}

fn is_missing(element: &str) -> bool {
    matches!(element, "" | "null" | "None" | "NA")
}

/// The element type of a column whose cells are all lists: `Int64` if every element is a whole number. `None` if some cell is not a
/// list, or if there is no cell.
pub(crate) fn element_type(cells: &StringArray) -> Option<DataType> {
    let mut data_type = None;
    for cell in cells.iter().flatten() {
        let whole = elements(inside(cell)?).all(|element| is_missing(element) || element.parse::<i64>().is_ok());
        data_type = match (data_type, whole) {
            (None | Some(DataType::Int64), true) => Some(DataType::Int64),
            _ => Some(DataType::Float64),
        };
    }
    data_type
}

/// Parses a column of lists. `column` and `first_row` are used in messages only.
pub(crate) fn parse_lists<T>(cells: &StringArray, column: &str, first_row: u64) -> Result<ArrayRef, ArrowError>
where
    T: ArrowPrimitiveType,
    T::Native: FromStr,
{
    let mut lists = LargeListBuilder::with_capacity(PrimitiveBuilder::<T>::new(), cells.len());
    for (row, cell) in cells.iter().enumerate() {
        let Some(cell) = cell else {
            lists.append_null();
            continue;
        };
        let fail = |what: String| {
            let row = first_row + row as u64;
            ArrowError::ParseError(format!("row {row}, column `{column}`: {what}"))
        };
        let inside = inside(cell).ok_or_else(|| fail(format!("`{cell}` is not a list like [1, 2, 3]")))?;
        for element in elements(inside) {
            if is_missing(element) {
                lists.values().append_null();
            } else {
                let value = element.parse().map_err(|_| fail(format!("`{element}` is not {}", T::DATA_TYPE)))?;
                lists.values().append_value(value);
            }
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}
