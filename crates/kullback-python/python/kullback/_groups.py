"""Labels of rows, which say what rows belong together."""

from typing import Any

import numpy as np

from kullback._errors import InputError, ShapeError
from kullback._sides import labels_of
from kullback._sums import Groups

_NAN = object()
"""All labels that are not a number are one label."""


class Levels:
    """The index of rows, of several levels, whose rows nobody has put into groups."""

    def __init__(self, index: Any) -> None:
        self._index = index
        count = index.nlevels - 1
        self.names = [level if name is None else name for level, name in enumerate(index.names[:count])]

    def labels(self) -> list[Any]:
        """Labels of groups: rows that differ in the last level alone are one."""
        return [self._index.get_level_values(level) for level in range(len(self.names))]


def groups(by: Any, rows: int) -> Groups:
    """The groups of so many rows. `by` has one label per row, or is a list of several such; None is one group."""
    if by is None:
        return Groups(rows)
    codes = [_codes(column, rows) for column in columns(by)]
    if not codes:
        raise InputError("by is a table without columns: give one label per row, or a column of labels")
    joined = codes[0]
    for more in codes[1:]:
        # Numbered anew each time, so that no product of two counts is large.
        joined = np.unique(joined * (int(more.max(initial=0)) + 1) + more, return_inverse=True)[1]
    return Groups(rows, joined)


def columns(by: Any) -> list[Any]:
    """The columns of labels. A frame, or a list whose entries are lists, arrays or series, has several; tuples are labels."""
    if isinstance(by, str | bytes | dict | set):
        raise InputError(f"by is {by!r}: give one label per row (names of columns are for kullback.pandas and kullback.polars)")
    if hasattr(by, "get_columns"):
        return list(by.get_columns())
    if hasattr(by, "iloc") and by.ndim == 2:
        return [by.iloc[:, column] for column in range(by.shape[1])]
    if hasattr(by, "column_names") and hasattr(by, "columns"):
        return list(by.columns)
    if isinstance(by, list | tuple) and by and all(_is_column(each) for each in by):
        return list(by)
    return [by]


def _is_column(each: Any) -> bool:
    return not isinstance(each, str | bytes | tuple | dict | set) and hasattr(each, "__len__")


def _codes(column: Any, rows: int) -> Any:
    """The group of each row, from 0."""
    labels = _labels(column)
    if len(labels) != rows:
        error = ShapeError(f"by has {len(labels):,} labels and p has {rows:,} rows: give one label per row")
        error.labels, error.rows = len(labels), rows
        raise error
    if isinstance(labels, np.ndarray):
        return np.unique(labels, return_inverse=True)[1]
    known: dict[Any, int] = {}
    try:
        return np.array([known.setdefault(_key(label), len(known)) for label in labels], dtype=np.intp)
    except TypeError as error:
        raise InputError(f"the labels of by are no labels ({error}): give texts, numbers, dates or tuples") from error


def _key(label: Any) -> Any:
    try:
        return _NAN if label != label else label
    except TypeError:
        # Of what is missing nobody knows what it equals.
        return _NAN


def _labels(column: Any) -> Any:
    """Labels as an array of numbers, times or texts, or as a list of anything. Numbers and texts in one list stay what they are."""
    if not isinstance(column, np.ndarray):
        if hasattr(column, "isna"):
            return labels_of(column)
        for name in ("to_list", "tolist", "to_pylist"):
            if hasattr(column, name):
                return list(getattr(column, name)())
        if not _is_column(column) and not isinstance(column, tuple):
            raise InputError(f"by is {column!r}: give one label per row")
        return list(column)
    if column.ndim != 1:
        raise InputError(f"by has {column.ndim} axes: give one label per row, or a list of several such")
    return column if column.dtype.kind in "biufMmUS" else column.tolist()
