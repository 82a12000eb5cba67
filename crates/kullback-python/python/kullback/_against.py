"""What rows are compared with where no second matrix is given."""

from typing import Any

import numpy as np

from kullback import _notes
from kullback._core import matrix
from kullback._errors import InputError
from kullback._groups import Levels, groups
from kullback._sums import Groups, rests, totals, valid

_OTHERS = ("rest", "first", "previous")
"""What a row may not have: another row."""


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
    rows, rounded once. Zeros stand where no row is: before the first row, and in place of a null or invalid row.
    """
    rows = _matrix(p)
    bins = rows.shape[-1]
    levels = by if isinstance(by, Levels) else None
    if levels is not None:
        # A row has one before it along the last level; totals are those of all rows.
        by = levels.labels() if what in ("first", "previous") and rows.ndim == 2 else None
    if by is not None and rows.ndim > 2:
        raise InputError(f"by needs rows along one axis, and p has {rows.ndim - 1} before the bins: p.reshape(-1, {bins})")
    flat = rows.reshape(-1, bins)
    of_all = groups(by, len(flat))
    if levels is not None and of_all.count > 1:
        _notes.of_groups(what, levels.names)
    if what == "total":
        sums = totals(flat, of_all)
        return (sums[0] if by is None else sums[of_all.codes]), None
    if what == "uniform":
        return np.ones(bins, dtype=np.uint8), None
    if what not in _OTHERS:
        raise InputError(f'against is "total", "rest", "first", "previous" or "uniform", not "{what}"')
    good = valid(flat)
    null = np.zeros(len(flat), dtype=bool) if null is None else null
    there = ~null if good is None else good & ~null
    if what == "rest":
        found, absent = rests(flat, of_all).reshape(rows.shape), _alone(of_all, there)
    elif by is not None:
        found, absent = _taken(rows, of_all.first() if what == "first" else of_all.previous(), there)
    else:
        found, absent = (_first if what == "first" else _previous)(rows, there.reshape(rows.shape[:-1]))
    # An invalid row is invalid, whatever it would be compared with.
    return found, absent if good is None or absent is None else absent & (good | null)


def _alone(of_all: Groups, there: Any) -> Any:
    """Which rows have no other in their group."""
    return np.bincount(of_all.codes, weights=there, minlength=of_all.count)[of_all.codes] - there == 0


def _first(rows: Any, there: Any) -> tuple[Any, Any]:
    """The first row; of several axes, the first along the first axis."""
    if there[:1].all():
        return rows[:1] if rows.ndim == 2 else np.broadcast_to(rows[:1], rows.shape), None
    first = np.where(there[:1, ..., None], rows[:1], rows.dtype.type(0))
    return np.broadcast_to(first, rows.shape), np.broadcast_to(~there[:1], there.shape).reshape(-1)


def _taken(rows: Any, numbers: Any, there: Any) -> tuple[Any, Any]:
    """The rows of these numbers. Where one is negative there is none."""
    absent = (numbers < 0) | ~there[numbers]
    taken = rows[np.where(absent, 0, numbers)]
    taken[absent] = 0
    return taken, absent


def _previous(rows: Any, there: Any) -> tuple[Any, Any]:
    previous = np.zeros_like(rows)
    previous[1:] = rows[:-1]
    absent = np.ones(there.shape, dtype=bool)
    absent[1:] = ~there[:-1]
    previous[absent] = 0
    return previous, absent.reshape(-1)
