"""What rows are compared with where no second matrix is given."""

from typing import Any

import numpy as np

from kullback._core import matrix
from kullback._errors import InputError
from kullback._sums import Groups, totals


def _matrix(p: Any) -> Any:
    rows = matrix(p)
    if rows.ndim < 2:
        raise InputError("against needs several rows: give an array with at least two axes")
    # Objects, and floats of other sizes, count as the engine takes them.
    return rows if rows.dtype.kind in "iub" or rows.dtype.itemsize <= 8 and rows.dtype.kind != "O" else rows.astype(np.float64)


def against(p: Any, what: str, null: Any = None) -> tuple[Any, Any]:
    """The rows that every row of `p` is compared with, and which of them are not there: None, or one boolean per row.

    They are its total, the weight 1 in every bin, or the row before it. `null` says which rows of `p` are null. The total is
    that of the valid rows, rounded once. Zeros stand where no row is: before the first row, and in place of a null row.
    """
    rows = _matrix(p)
    bins = rows.shape[-1]
    if what == "total":
        flat = rows.reshape(-1, bins)
        return totals(flat, Groups(len(flat)))[0], None
    if what == "uniform":
        return np.ones(bins, dtype=np.uint8), None
    if what == "previous":
        return _previous(rows, null)
    raise InputError(f'against is "total", "uniform" or "previous", not "{what}"')


def _previous(rows: Any, null: Any) -> tuple[Any, Any]:
    previous = np.zeros_like(rows)
    previous[1:] = rows[:-1]
    absent = np.zeros(rows.shape[:-1], dtype=bool)
    absent[:1] = True
    if null is not None:
        absent[1:] |= null[:-1]
    return previous, absent.reshape(-1)
