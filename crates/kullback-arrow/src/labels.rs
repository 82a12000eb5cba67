//! Labels of rows, groups and bins: which are the same, and in which order they come.
//!
//! Text equals the same text, and a typed value equals the same value. Where one side has text and the other a type, a cell of text
//! is read as that type: the cell `0.010000` is the decimal 0.01. Labels come in the order of their values: as numbers if every
//! label is one, as times if every label is one, else as text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, Int64Array, StringArray, new_null_array};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// How the labels of two columns are compared.
#[derive(Clone, Debug, PartialEq)]
enum Meeting {
    /// As values of one type.
    Values(DataType),
    /// One column is text, and its cells are read as the type of the other. A cell that cannot be read so stays text.
    TextAndValues(DataType),
}

impl Meeting {
    /// `None` if no value of the one type can equal one of the other.
    fn of(a: &DataType, b: &DataType) -> Option<Self> {
        let text = DataType::Utf8;
        Some(match (a, b) {
            (a, b) if a == b => Meeting::Values(a.clone()),
            (a, b) if a.is_signed_integer() && b.is_signed_integer() => Meeting::Values(DataType::Int64),
            (a, b) if a.is_unsigned_integer() && b.is_unsigned_integer() => Meeting::Values(DataType::UInt64),
            // 38 digits hold every 64-bit integer, signed or not.
            (a, b) if a.is_integer() && b.is_integer() => Meeting::Values(DataType::Decimal128(38, 0)),
            (a, b) if a.is_numeric() && b.is_numeric() => Meeting::Values(DataType::Float64),
            (a, typed) if a == &text && !typed.is_nested() => Meeting::TextAndValues(typed.clone()),
            (typed, b) if b == &text && !typed.is_nested() => Meeting::TextAndValues(typed.clone()),
            _ => return None,
        })
    }

    /// The types that a column is encoded as.
    fn types(&self) -> Vec<DataType> {
        match self {
            Meeting::Values(data_type) => vec![data_type.clone()],
            Meeting::TextAndValues(data_type) => vec![data_type.clone(), DataType::Utf8],
        }
    }

    /// The column as columns that are equal where the labels are.
    fn columns(&self, column: &ArrayRef) -> Result<Vec<ArrayRef>, ArrowError> {
        match self {
            Meeting::Values(data_type) => Ok(vec![one_zero(&cast(column, data_type)?)]),
            Meeting::TextAndValues(data_type) if column.data_type() == &DataType::Utf8 => {
                let values = one_zero(&exactly(column, data_type)?);
                let left = column.as_string::<i32>().iter().enumerate();
                let left: StringArray = left.map(|(row, cell)| cell.filter(|_| values.is_null(row))).collect();
                Ok(vec![values, Arc::new(left)])
            }
            Meeting::TextAndValues(data_type) => {
                Ok(vec![one_zero(&cast(column, data_type)?), new_null_array(&DataType::Utf8, column.len())])
            }
        }
    }
}

/// Text as values of a type; null where a cell is no such value, or more than the type holds: no label is rounded or cut to another.
pub(crate) fn exactly(text: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions::default();
    let values = cast_with_options(text, data_type, &options)?;
    let finer = match data_type {
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            DataType::Decimal256(76, 30)
        }
        DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Second, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, zone) => {
            DataType::Timestamp(TimeUnit::Nanosecond, zone.clone())
        }
        DataType::Time32(_) | DataType::Time64(TimeUnit::Microsecond) => DataType::Time64(TimeUnit::Nanosecond),
        _ => return Ok(values),
    };
    let (fine, back) = (cast_with_options(text, &finer, &options)?, cast_with_options(&values, &finer, &options)?);
    let is_other = arrow_ord::cmp::neq(&fine, &back)?;
    // A value beyond the finer type cannot be asked.
    arrow_select::nullif::nullif(&values, &is_other)
}

/// The same floats with 0 in place of −0.
pub(crate) fn one_zero(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float32 => {
            let floats: Float32Array = column.as_primitive::<Float32Type>().unary(|x| x + 0.0);
            Arc::new(floats)
        }
        DataType::Float64 => {
            let floats: Float64Array = column.as_primitive::<Float64Type>().unary(|x| x + 0.0);
            Arc::new(floats)
        }
        _ => column.clone(),
    }
}

/// Labels of several columns as bytes, which are equal exactly if the labels are.
#[derive(Debug)]
pub struct LabelBytes {
    meetings: Vec<Meeting>,
    converter: RowConverter,
}

impl LabelBytes {
    /// For columns of these types, on either side. `Err` has the position of the first column whose types never meet.
    ///
    /// # Errors
    /// The position of a column whose two types have no value in common.
    pub fn new(p: &[DataType], q: &[DataType]) -> Result<Self, usize> {
        let meetings = p.iter().zip(q).enumerate().map(|(position, (p, q))| Meeting::of(p, q).ok_or(position));
        let meetings = meetings.collect::<Result<Vec<_>, _>>()?;
        let fields = meetings.iter().flat_map(Meeting::types).map(SortField::new).collect();
        // Every type that is not nested can be encoded, and nested ones only meet themselves.
        let converter = RowConverter::new(fields).map_err(|_| 0_usize)?;
        Ok(Self { meetings, converter })
    }

    /// Calls back with the bytes of every row. A row with a null has none, because null equals nothing.
    ///
    /// # Errors
    /// Columns of other types.
    pub fn each(&self, columns: &[ArrayRef], mut take: impl FnMut(usize, Option<&[u8]>)) -> Result<(), ArrowError> {
        let encoded = self.meetings.iter().zip(columns).map(|(meeting, column)| meeting.columns(column));
        let encoded: Vec<ArrayRef> = encoded.collect::<Result<Vec<_>, ArrowError>>()?.concat();
        let rows = self.converter.convert_columns(&encoded)?;
        for (row, bytes) in rows.iter().enumerate() {
            take(row, columns.iter().all(|column| column.is_valid(row)).then(|| bytes.data()));
        }
        Ok(())
    }
}

/// The distinct labels of two columns, in the order of their values, and the place of each label of either column among them.
pub(crate) struct Union {
    pub(crate) labels: ArrayRef,
    pub(crate) places: [Vec<usize>; 2],
}

/// What keeps two columns of labels apart.
pub(crate) enum Apart {
    /// Their types have no value in common.
    Types,
    /// Two labels of one side have the same value on the other.
    Twice {
        side: usize,
        first: String,
        second: String,
    },
    Arrow(ArrowError),
}

impl From<ArrowError> for Apart {
    fn from(error: ArrowError) -> Self {
        Apart::Arrow(error)
    }
}

/// Puts the distinct labels of two sides together. The labels of a side are distinct among themselves.
pub(crate) fn union(sides: [&ArrayRef; 2]) -> Result<Union, Apart> {
    let types = sides.map(|side| vec![side.data_type().clone()]);
    let bytes = LabelBytes::new(&types[0], &types[1]).map_err(|_| Apart::Types)?;
    let mut seen: HashMap<Box<[u8]>, usize> = HashMap::new();
    let mut places = [Vec::new(), Vec::new()];
    // Where each distinct label comes from.
    let mut from: Vec<(usize, usize)> = Vec::new();
    for (side, labels) in sides.iter().enumerate() {
        let mut of_side: HashMap<usize, usize> = HashMap::new();
        let mut twice = None;
        bytes.each(&[(*labels).clone()], |row, key| {
            let next = seen.len();
            let place = *seen.entry(key.unwrap_or_default().into()).or_insert(next);
            if place == next {
                from.push((side, row));
            }
            if let Some(first) = of_side.insert(place, row) {
                twice.get_or_insert((first, row));
            }
            places[side].push(place);
        })?;
        if let Some((first, second)) = twice {
            let texts = cast(labels, &DataType::Utf8)?;
            let text = |row: usize| texts.as_string::<i32>().value(row).to_owned();
            return Err(Apart::Twice { side, first: text(first), second: text(second) });
        }
    }
    let labels = taken(sides, &from)?;
    let order = order(&labels)?;
    let mut ranks = vec![0; order.len()];
    for (rank, place) in order.iter().enumerate() {
        ranks[*place] = rank;
    }
    let sorted = from_order(&labels, &order)?;
    Ok(Union { labels: sorted, places: places.map(|places| places.into_iter().map(|place| ranks[place]).collect()) })
}

/// Labels of two sides in one column: of one type if both have it, else as text.
fn taken(sides: [&ArrayRef; 2], from: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let numbers = sides.iter().all(|side| side.data_type().is_numeric());
    let data_type = match sides.map(|side| side.data_type()) {
        [a, b] if a == b => a.clone(),
        [a, b] if numbers && a.is_integer() && b.is_integer() => DataType::Int64,
        _ if numbers => DataType::Float64,
        _ => DataType::Utf8,
    };
    let sides = sides.iter().map(|side| cast(side, &data_type)).collect::<Result<Vec<_>, ArrowError>>()?;
    let arrays: Vec<&dyn Array> = sides.iter().map(AsRef::as_ref).collect();
    arrow_select::interleave::interleave(&arrays, from)
}

fn from_order(labels: &ArrayRef, order: &[usize]) -> Result<ArrayRef, ArrowError> {
    let places = arrow_array::UInt64Array::from_iter_values(order.iter().map(|place| *place as u64));
    arrow_select::take::take(labels, &places, None)
}

/// The labels of one column by their values: their rows in order. Equal values keep the order of their rows.
pub(crate) fn order(labels: &ArrayRef) -> Result<Vec<usize>, ArrowError> {
    rows_in_order(std::slice::from_ref(labels))
}

/// Rows by the values of several columns, the first column first.
///
/// # Errors
/// A column that cannot be sorted.
pub fn rows_in_order(columns: &[ArrayRef]) -> Result<Vec<usize>, ArrowError> {
    let columns = columns.iter().map(by_value).collect::<Result<Vec<_>, ArrowError>>()?;
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
    let mut order: Vec<usize> = (0..rows.num_rows()).collect();
    order.sort_by(|a, b| rows.row(*a).cmp(&rows.row(*b)));
    Ok(order)
}

/// The first cell that is no number, if cells of text come in the order of text and that may not be the order that is meant. Text
/// that differs in digits alone, such as `2024-01` and `2024-12`, comes in the order of its numbers.
#[must_use]
pub fn without_order(column: &ArrayRef) -> Option<String> {
    if column.data_type() != &DataType::Utf8 || by_value(column).ok()?.data_type() != &DataType::Utf8 {
        return None;
    }
    let shape = |cell: &str| cell.replace(|c: char| c.is_ascii_digit(), "0");
    let mut shapes = column.as_string::<i32>().iter().flatten().map(shape);
    let first = shapes.next()?;
    if first.contains('0') && shapes.all(|shape| shape == first) {
        return None;
    }
    column.as_string::<i32>().iter().flatten().find(|cell| cell.trim().parse::<f64>().is_err()).map(str::to_owned)
}

/// The first two cells of text that are one number in other words.
pub(crate) fn one_number_twice(column: &ArrayRef) -> Option<[String; 2]> {
    if column.data_type() != &DataType::Utf8 {
        return None;
    }
    // Only numbers that 64 bits hold to the last digit: two long numbers may be one float and yet differ.
    let digits = |cell: &str| cell.chars().filter(char::is_ascii_digit).count();
    let value = |cell: &str| cell.trim().parse().ok().filter(|x: &f64| x.is_finite() && digits(cell) <= 15);
    let mut seen: HashMap<u64, &str> = HashMap::new();
    column.as_string::<i32>().iter().flatten().find_map(|cell| {
        let first = seen.insert((value(cell)? + 0.0).to_bits(), cell).filter(|first| *first != cell)?;
        Some([first.to_owned(), cell.to_owned()])
    })
}

/// The column in a type that sorts by value: text as numbers or times, if every cell is one.
fn by_value(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if column.data_type() != &DataType::Utf8 {
        return Ok(one_zero(column));
    }
    let cells = column.as_string::<i32>();
    let all = |column: &dyn Array| (0..cells.len()).all(|row| cells.is_null(row) || column.is_valid(row));
    let whole: Int64Array = cells.iter().map(|cell| cell?.trim().parse().ok()).collect();
    if all(&whole) {
        return Ok(Arc::new(whole));
    }
    let floats: Float64Array =
        cells.iter().map(|cell| cell?.trim().parse().ok().filter(|x: &f64| x.is_finite()).map(|x| x + 0.0)).collect();
    if all(&floats) {
        return Ok(Arc::new(floats));
    }
    let times = cast_with_options(column, &DataType::Timestamp(TimeUnit::Nanosecond, None), &CastOptions::default());
    Ok(times.ok().filter(|times| all(times.as_ref())).unwrap_or_else(|| column.clone()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use arrow_array::{BooleanArray, Decimal128Array};

    fn texts(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    fn floats(cells: &[f64]) -> ArrayRef {
        Arc::new(Float64Array::from(cells.to_vec()))
    }

    fn united(p: &ArrayRef, q: &ArrayRef) -> (Vec<String>, [Vec<usize>; 2]) {
        let Ok(Union { labels, places }) = union([p, q]) else { panic!("labels that meet") };
        let labels = cast(&labels, &DataType::Utf8).unwrap();
        (labels.as_string::<i32>().iter().flatten().map(str::to_owned).collect(), places)
    }

    #[test]
    fn text_is_as_written_and_in_the_order_of_its_values() {
        let (labels, places) = united(&texts(&["10", "9", "1.50", "1.5"]), &texts(&["01", "10"]));
        assert_eq!(labels, ["01", "1.50", "1.5", "9", "10"]);
        assert_eq!(places, [vec![4, 3, 1, 2], vec![0, 4]]);
        let (labels, _) = united(&texts(&["2024-10-01", "2024-09-30 12:00:00"]), &texts(&["2024-09-30"]));
        assert_eq!(labels, ["2024-09-30", "2024-09-30 12:00:00", "2024-10-01"]);
        let (labels, _) = united(&texts(&["10", "9", "over"]), &texts(&[]));
        assert_eq!(labels, ["10", "9", "over"]);
    }

    #[test]
    fn text_meets_a_type_by_value() {
        let decimals: ArrayRef = Arc::new(Decimal128Array::from(vec![1, 150]).with_precision_and_scale(10, 2).unwrap());
        let (labels, places) = united(&texts(&["0.010000", "1.5", "over"]), &decimals);
        assert_eq!((labels.len(), places), (3, [vec![0, 1, 2], vec![0, 1]]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        let (labels, places) = united(&texts(&["TRUE", "False"]), &flags);
        assert_eq!(labels.len(), 2);
        assert_eq!(places[0], places[1]);
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let twice = union([&whole, &texts(&["1", "01"])]);
        assert!(matches!(twice, Err(Apart::Twice { side: 1, .. })));
    }

    #[test]
    fn both_zeros_are_one_label_and_numbers_of_two_types_meet() {
        let (labels, places) = united(&floats(&[-0.0, 2.0]), &floats(&[0.0]));
        assert_eq!((labels.len(), places), (2, [vec![0, 1], vec![0]]));
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![2, 10]));
        let (labels, places) = united(&floats(&[10.0, 0.5]), &whole);
        assert_eq!((labels, places), (vec!["0.5".into(), "2.0".into(), "10.0".into()], [vec![2, 0], vec![1, 2]]));
    }

    #[test]
    fn rows_sort_by_value_column_by_column() {
        let order = rows_in_order(&[texts(&["b", "a", "a", "b"]), texts(&["10", "9", "10", "9"])]).unwrap();
        assert_eq!(order, [1, 2, 3, 0]);
    }
}
