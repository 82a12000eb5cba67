"""What rows are compared with where no second matrix is given."""

from typing import Any

import numpy as np

from kullback._core import matrix
from kullback._errors import InputError


def _matrix(p: Any) -> Any:
    rows = matrix(p)
    if rows.ndim < 2:
        raise InputError("against needs several rows: give an array with at least two axes")
    return rows


def against(p: Any, what: str, null: Any = None) -> tuple[Any, Any]:
    """The rows that every row of `p` is compared with, and which of them are not there: None, or one boolean per row.

    They are its total, the weight 1 in every bin, or the row before it. `null` says which rows of `p` are null. The total is
    added up in 64-bit floats. Zeros stand where no row is: before the first row, and in place of a null row.
    """
    rows = _matrix(p)
    bins = rows.shape[-1]
    if what == "total":
        return _total(rows.reshape(-1, bins)), None
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


def _total(rows: Any) -> Any:
    """The sum of the rows that are valid, in 64-bit floats and in parts, so that it keeps its digits.

    If it is more than a float holds, it is a power of two less.
    """
    step = 4096
    parts = [rows[first : first + step].sum(axis=0, dtype=np.float64) for first in range(0, len(rows), step)]
    total = np.sum(parts, axis=0) if parts else np.zeros(rows.shape[-1])
    if np.isfinite(total).all() and (rows.dtype.kind in "ub" or not (rows < 0).any()):
        return total
    # The call itself says which rows are not, if that is an error.
    weights = rows.astype(np.float64)
    weights = weights[((weights >= 0) & np.isfinite(weights)).all(axis=-1)]
    total = weights.sum(axis=0)
    if np.isfinite(total).all():
        return total
    # Of rows whose sum is more than a float holds, a power of two less. Only `pooled_js` depends on the scale.
    return (weights * 2.0 ** -np.ceil(np.log2(len(weights) + 1.0))).sum(axis=0)
