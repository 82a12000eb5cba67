"""What rows are compared with where no second matrix is given."""

from typing import Any

import numpy as np

from kullback._core import matrix
from kullback._errors import InputError
from kullback._groups import groups
from kullback._sums import Groups, rests, totals, valid


def _matrix(p: Any) -> Any:
    rows = matrix(p)
    if rows.ndim < 2:
        raise InputError("against needs several rows: give an array with at least two axes")
    # Objects, and floats of other sizes, count as the engine takes them.
    return rows if rows.dtype.kind in "iub" or rows.dtype.itemsize <= 8 and rows.dtype.kind != "O" else rows.astype(np.float64)


def against(p: Any, what: str, null: Any = None, by: Any = None) -> tuple[Any, Any]:
    """The rows that every row of `p` is compared with, and which of them are not there: None, or one boolean per row.

    They are the total of its group, the total without the row itself, the first row of the group, the row before it there, or the
    weight 1 in every bin. `null` says which rows of `p` are null, and `by` which rows are a group. Totals are those of the valid
    rows, rounded once. Zeros stand where no row is: before the first row, and in place of a null row.
    """
    rows = _matrix(p)
    bins = rows.shape[-1]
    if by is not None and rows.ndim > 2:
        raise InputError(f"by needs rows along one axis, and p has {rows.ndim - 1} before the bins: p.reshape(-1, {bins})")
    flat = rows.reshape(-1, bins)
    of_all = groups(by, len(flat))
    if what == "total":
        sums = totals(flat, of_all)
        return (sums[0] if by is None else sums[of_all.codes]), None
    if what == "uniform":
        return np.ones(bins, dtype=np.uint8), None
    if what == "rest":
        return rests(flat, of_all).reshape(rows.shape), _alone(flat, of_all, null)
    if what == "first":
        return _first(rows, null) if by is None else _taken(rows, of_all.first(), null)
    if what == "previous":
        return _previous(rows, null) if by is None else _taken(rows, of_all.previous(), null)
    raise InputError(f'against is "total", "rest", "first", "previous" or "uniform", not "{what}"')


def _alone(rows: Any, of_all: Groups, null: Any) -> Any:
    """Which rows have no other in their group."""
    there = np.ones(len(rows), dtype=bool) if null is None else ~null
    good = valid(rows)
    if good is not None:
        there &= good
    return np.bincount(of_all.codes, weights=there, minlength=of_all.count)[of_all.codes] - there == 0


def _first(rows: Any, null: Any) -> tuple[Any, Any]:
    """The first row; of several axes, the first along the first axis."""
    absent = None if null is None or not null[:1].any() else np.ones(len(rows), dtype=bool)
    return rows[:1] if rows.ndim == 2 and absent is None else np.broadcast_to(rows[:1], rows.shape), absent


def _taken(rows: Any, numbers: Any, null: Any) -> tuple[Any, Any]:
    """The rows of these numbers. Where one is negative there is none."""
    absent = numbers < 0
    taken = rows[np.where(absent, 0, numbers)]
    taken[absent] = 0
    return taken, absent if null is None else absent | null[numbers]


def _previous(rows: Any, null: Any) -> tuple[Any, Any]:
    previous = np.zeros_like(rows)
    previous[1:] = rows[:-1]
    absent = np.zeros(rows.shape[:-1], dtype=bool)
    absent[:1] = True
    if null is not None:
        absent[1:] |= null[:-1]
    return previous, absent.reshape(-1)
