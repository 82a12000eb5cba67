//! Turns a list column into a matrix. This needs no copy when the rows lie next to each other. It also finds nulls and ragged rows.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use crate::error::{Error, Result};
use crate::file_rows::FileRows;
use crate::matrix::{Matrix, gather};
use crate::types::{stored_type, strict_cast, type_name};

/// Where the lists of a column come from, for messages.
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) column: &'a str,
    pub(crate) file_rows: &'a FileRows,
}

/// The elements of a list column, and the span of elements of each list.
struct Lists<'a> {
    values: &'a ArrayRef,
    nulls: Option<&'a NullBuffer>,
    span: Box<dyn Fn(usize) -> Range<usize> + 'a>,
    /// The elements per list if all lists have the same number, null lists included.
    each: Option<usize>,
}

impl<'a> Lists<'a> {
    fn new(column: &'a ArrayRef) -> Option<Self> {
        macro_rules! variable {
            ($list:expr) => {{
                let (list, offsets) = ($list, $list.value_offsets());
                let span = move |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
                let lengths = || offsets.windows(2).map(|pair| pair[1] - pair[0]);
                let first = lengths().next();
                // The loop has no branch, so the compiler can check many lengths at once.
                let each = first.filter(|first| lengths().fold(true, |all, length| all & (length == *first)));
                let each = each.map(|each| each as usize);
                Self { values: list.values(), nulls: list.nulls(), span: Box::new(span), each }
            }};
        }
        Some(match column.data_type() {
            DataType::List(_) => variable!(column.as_list::<i32>()),
            DataType::LargeList(_) => variable!(column.as_list::<i64>()),
            DataType::FixedSizeList(_, size) => {
                let (list, size) = (column.as_fixed_size_list(), usize::try_from(*size).ok()?);
                let span = move |row: usize| row * size..(row + 1) * size;
                Self { values: list.values(), nulls: list.nulls(), span: Box::new(span), each: Some(size) }
            }
            _ => return None,
        })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}

/// Turns the lists of `column` into a matrix of `bins` bins. If the bins are not known, the first row with a list decides them.
///
/// Returns `None` while every row so far is null, because the bins are then still unknown.
pub(crate) fn matrix(column: &ArrayRef, bins: &mut Option<usize>, place: &Place<'_>) -> Result<Option<Matrix>> {
    let weight_type = || Error::WeightType {
        file: place.file.to_owned(),
        column: place.column.to_owned(),
        data_type: type_name(column.data_type()),
    };
    let lists = Lists::new(column).ok_or_else(weight_type)?;
    let stored = stored_type(lists.values.data_type()).ok_or_else(weight_type)?;
    let rows = column.len();
    let all_there = lists.nulls.is_none_or(|nulls| nulls.null_count() == 0);
    let known = lists.each.filter(|each| rows > 0 && all_there && *each == *bins.get_or_insert(*each));
    // Otherwise check row by row, because the message names the first row that differs.
    let one_by_one = if known.is_some() { 0..0 } else { 0..rows };
    for row in one_by_one.filter(|row| !lists.is_null(*row)) {
        let found = (lists.span)(row).len();
        let expected = *bins.get_or_insert(found);
        if found != expected {
            let (file, column) = (place.file.to_owned(), place.column.to_owned());
            return Err(Error::Ragged { file, column, row: place.file_rows.value(row), found, expected });
        }
    }
    let Some(bins) = *bins else { return Ok(None) };
    if bins == 0 {
        return Err(Error::ZeroBins { file: place.file.to_owned(), column: place.column.to_owned() });
    }
    check_bins(&lists, rows, place)?;

    let cast = |values: &ArrayRef| {
        strict_cast(values, &stored).map_err(|error| Error::Cast {
            file: place.file.to_owned(),
            column: place.column.to_owned(),
            data_type: type_name(&stored),
            reason: error.to_string(),
        })
    };
    let nulls = lists.nulls.filter(|nulls| nulls.null_count() > 0).cloned();
    let values = match &nulls {
        // All rows have one length and no gaps, so the elements from the first to the last are the matrix.
        None => {
            let start = if rows == 0 { 0 } else { (lists.span)(0).start };
            cast(&without_nulls(&lists.values.slice(start, rows * bins)))?
        }
        Some(nulls) => {
            let values = cast(&without_nulls(lists.values))?;
            let spans = (0..rows).map(|row| nulls.is_valid(row).then(|| (lists.span)(row)));
            gather(&values, spans, rows, bins)
        }
    };
    Ok(Some(Matrix { values, bins, nulls }))
}

/// Fails on the first missing bin of a row that is not null as a whole.
fn check_bins(lists: &Lists<'_>, rows: usize, place: &Place<'_>) -> Result<()> {
    let Some(missing) = lists.values.nulls().filter(|nulls| nulls.null_count() > 0) else { return Ok(()) };
    for row in (0..rows).filter(|row| !lists.is_null(*row)) {
        let span = (lists.span)(row);
        if let Some(bin) = span.clone().position(|at| missing.is_null(at)) {
            let (file, column) = (place.file.to_owned(), place.column.to_owned());
            return Err(Error::NullBin { file, column, row: place.file_rows.value(row), bin });
        }
    }
    Ok(())
}

/// Drops a null buffer if its nulls are known to lie outside the rows that are read.
fn without_nulls(values: &ArrayRef) -> ArrayRef {
    match values.nulls() {
        None => values.clone(),
        Some(_) => match values.to_data().into_builder().nulls(None).build() {
            Ok(data) => arrow_array::make_array(data),
            Err(_) => values.clone(),
        },
    }
}
