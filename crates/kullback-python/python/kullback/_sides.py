"""Rows of one side, read by their type, and what their bins and rows are called."""

import dataclasses
import sys
from typing import Any

import numpy as np

from kullback._errors import InputError
from kullback._names import Called, plain


class _Missing:
    def __repr__(self) -> str:
        return "NaN"


MISSING = _Missing()
"""Every label that is missing or not a number: NaN, None, NaT and NA are one label."""
NOTHING = object()
"""In place of rows of which none is there."""
_NAMED = 5
"""So many labels are named in a message."""


@dataclasses.dataclass
class Side:
    """Rows as the engine takes them (None where nobody knows how many bins they have), and what they are called."""

    rows: Any
    bins: list[Any] | None = None
    index: Any = None
    """The index of pandas that has these names."""
    keys: Any = None
    """The index of pandas, of several rows."""
    absent: Any = None
    """Which rows are not there; zeros stand in their place."""
    row_places: Any = None
    bin_places: Any = None
    """Where the rows and the bins were, if they are elsewhere now."""
    frame: Any = None
    """The frame or series of a library that has a word for what is missing."""

    def called(self) -> Called:
        return Called(self.keys, self.row_places, self.bins, self.bin_places, self.frame)


def read(side: Any, name: str) -> Side:
    """What is known of a side by its type. `name` is that of messages."""
    pd, pl = sys.modules.get("pandas"), sys.modules.get("polars")
    if pd is not None and isinstance(side, pd.DataFrame):
        return _of_frame(pd, side, name)
    if pd is not None and isinstance(side, pd.Series):
        return _of_series(pd, side)
    if pl is not None and isinstance(side, pl.DataFrame):
        return _of_polars(pl, side, name)
    if pl is not None and isinstance(side, pl.LazyFrame):
        raise InputError(f"{name} is a lazy frame, which has no rows yet: give `collect()` of it")
    if pl is not None and isinstance(side, pl.Series) and _is_number(pl, side.dtype):
        return Side(side.to_numpy())
    return Side(side)


def _of_frame(pd: Any, frame: Any, name: str) -> Side:
    if frame.shape[1] == 1 and _is_of_lists(frame.iloc[:, 0]):
        return _of_series(pd, frame.iloc[:, 0])
    _refuse([label for label, dtype in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)], name)
    return Side(_numbers(frame), labels_of(frame.columns), frame.columns, frame.index, frame=frame)


def _of_series(pd: Any, series: Any) -> Side:
    if _is_of_numbers(pd, series):
        return Side(_numbers(series), labels_of(series.index), series.index, frame=series)
    rows, there = lists(series)
    if rows is None:
        return Side(NOTHING, keys=series.index)
    return Side(rows, keys=series.index, absent=None if there.all() else ~there)


def _of_polars(pl: Any, frame: Any, name: str) -> Side:
    if frame.width == 1 and isinstance(frame.dtypes[0], pl.List | pl.Array):
        return Side(frame)
    _refuse([label for label, dtype in frame.schema.items() if not _is_number(pl, dtype)], name)
    return Side(frame.with_columns(pl.col(pl.Boolean).cast(pl.UInt8)).to_numpy(), list(frame.columns), frame=frame)


def _is_number(pl: Any, dtype: Any) -> bool:
    return bool(dtype.is_numeric() or dtype == pl.Boolean)


def _is_of_numbers(pd: Any, series: Any) -> bool:
    """Whether a series is one row of numbers, and not a column of lists."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        return True
    there = series.dropna()
    return series.dtype == object and len(there) > 0 and np.ndim(there.iloc[0]) == 0 and not isinstance(there.iloc[0], str | bytes)


def _is_of_lists(series: Any) -> bool:
    if hasattr(series.dtype, "pyarrow_dtype"):
        return "list" in str(series.dtype.pyarrow_dtype)
    there = series.dropna()
    return series.dtype == object and (len(there) == 0 or np.ndim(there.iloc[0]) > 0)


def _numbers(data: Any) -> Any:
    """The numbers of a frame or series; what is missing is not a number."""
    return data.to_numpy(dtype=np.float64, na_value=np.nan) if data.isna().to_numpy().any() else data.to_numpy()


def _refuse(labels: list[Any], name: str) -> None:
    if labels:
        raise InputError(
            f"{name} has columns that are no numbers: {listed(labels)}. Every column is a bin: leave others out, make them the index, "
            "or give by= those that say which rows belong together"
        )


def lists(series: Any) -> tuple[Any, Any]:
    """The lists of a series of pandas as rows, and which of them are there; a row that is not is zeros. None where no row is there."""
    there = series.notna().to_numpy()
    if not there.any():
        return None, there
    if hasattr(series.dtype, "pyarrow_dtype"):
        # Series of older pandas give no stream themselves.
        return series.array.__arrow_array__(), there
    every = series.to_numpy(dtype=object)
    try:
        matrix = np.stack([np.asarray(row) for row in every[there]])
    except ValueError as error:
        raise InputError(f"the rows of the column {series.name!r} are not of one length: {error}") from error
    if there.all():
        return matrix, there
    rows = np.zeros((len(every), *matrix.shape[1:]), dtype=matrix.dtype)
    rows[there] = matrix
    return rows, there


def labels_of(index: Any) -> list[Any]:
    """The labels of an index or a series of pandas. Those that are missing are one label, whatever stands for them."""
    if getattr(index, "nlevels", 1) == 1:
        return [MISSING if missing else label for label, missing in zip(index.tolist(), index.isna(), strict=True)]
    levels = [labels_of(index.get_level_values(level)) for level in range(index.nlevels)]
    return list(zip(*levels, strict=True))


def one_label(label: Any) -> Any:
    """A label of a dict, where all that are missing are one label."""
    if isinstance(label, tuple):
        return tuple(one_label(each) for each in label)
    try:
        return MISSING if label is None or label != label else label
    except TypeError:
        # Of what is missing nobody knows what it equals.
        return MISSING


def listed(labels: list[Any]) -> str:
    some = ", ".join(repr(plain(label)) for label in labels[:_NAMED])
    return some if len(labels) <= _NAMED else f"{some} and {len(labels) - _NAMED:,} more"
