"""Sums of rows by groups. Those of integers are exact, those of floats as good as exact: every value is rounded once.

A sum is kept in two numbers. Of integers they are `high * 2**32 + low`; of floats `high + low`, where `low` is what a float
has no room for.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

_MASK = 2**32 - 1
_LIMIT = 2.0**900
"""Sums of larger floats might be more than a float holds: they are scaled first."""


class Groups:
    """Which rows belong together: the group of each row, from 0. Without `codes` all rows are one group."""

    def __init__(self, rows: int, codes: Any = None) -> None:
        self.rows = rows
        self.count = 1 if codes is None else int(codes.max(initial=-1)) + 1
        self.codes = np.zeros(rows, dtype=np.intp) if codes is None else codes
        self.order = None if codes is None else np.argsort(codes, kind="stable")
        """The rows, group by group; None where they are in this order already."""
        self.sizes = np.bincount(self.codes, minlength=self.count)

    def sorted(self, values: Any) -> Any:
        """Values by rows, group by group."""
        return values if self.order is None else values[self.order]

    def first(self) -> Any:
        """The first row of each row's group."""
        first = np.full(self.count, self.rows, dtype=np.intp)
        np.minimum.at(first, self.codes, np.arange(self.rows))
        return first[self.codes]

    def previous(self) -> Any:
        """The row before each row in its group; -1 where there is none."""
        order = self.sorted(np.arange(self.rows))
        same = self.codes[order][1:] == self.codes[order][:-1]
        previous = np.full(self.rows, -1, dtype=np.intp)
        previous[order[1:][same]] = order[:-1][same]
        return previous


def valid(rows: Any) -> Any:
    """Which rows have only weights that are finite and at least 0; None if all have."""
    if rows.dtype.kind in "ub" or rows.size == 0:
        return None
    with np.errstate(invalid="ignore"):
        if rows.min() >= 0 and rows.max() < np.inf:
            return None
    step = _step(rows, 1 << 20)
    parts = [rows[first : first + step] for first in range(0, len(rows), step)]
    return np.concatenate([((part >= 0) & (part < np.inf)).all(axis=-1) for part in parts])


def totals(rows: Any, groups: Groups) -> Any:
    """The sum of the valid rows of each group, as 64-bit floats. Sums that no float holds are all less by one power of two."""
    good = valid(rows)
    if rows.dtype.kind in "iub":
        return _rounded(*_of_integers(rows, good, groups))
    down, up = _scales(rows, good)
    high, low = _of_floats(rows, good, groups, down)
    return _unscaled(high + low, up)


def rests(rows: Any, groups: Groups) -> Any:
    """For each row the sum of the other valid rows of its group, as 64-bit floats."""
    good = valid(rows)
    if rows.dtype.kind in "iub":
        return _rests_of_integers(rows, good, groups)
    down, up = _scales(rows, good)
    return _unscaled(_rests_of_floats(rows, good, groups, down), up)


def _step(rows: Any, weights: int) -> int:
    """Rows of some number of weights."""
    return max(1, weights // max(1, int(rows.shape[-1])))


def _parts(rows: Any, good: Any, groups: Groups, step: int) -> Iterator[tuple[Any, Any, Any]]:
    """Some rows at a time, group by group, with zeros in place of rows that are not valid: the rows, where their groups begin, and
    which groups these are.
    """
    for first in range(0, len(rows), step):
        numbers = slice(first, first + step) if groups.order is None else groups.order[first : first + step]
        part, codes = rows[numbers], groups.codes[numbers]
        if good is not None:
            part = np.where(good[numbers][:, None], part, part.dtype.type(0))
        begin = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        yield part, begin, codes[begin]


def _halves(part: Any) -> tuple[Any, Any]:
    """Integers as `high * 2**32 + low`."""
    part = part.astype(np.uint64 if part.dtype.kind == "u" and part.dtype.itemsize == 8 else np.int64)
    kind = part.dtype.type
    return (part >> kind(32)).astype(np.int64), (part & kind(_MASK)).astype(np.int64)


def _of_integers(rows: Any, good: Any, groups: Groups) -> tuple[Any, Any]:
    high, low = np.zeros((2, groups.count, rows.shape[-1]), dtype=np.int64)
    # So many rows that no sum of halves is more than 64 bits hold.
    for part, begin, which in _parts(rows, good, groups, min(1 << 20, _step(rows, 1 << 16))):
        for sums, halves in zip((high, low), _halves(part), strict=True):
            sums[which] += np.add.reduceat(halves, begin, axis=0)
        high += low >> 32
        low &= _MASK
    return high, low


def _rests_of_integers(rows: Any, good: Any, groups: Groups) -> Any:
    high, low = _of_integers(rows, good, groups)
    found = np.empty(rows.shape, dtype=np.float64)
    step = _step(rows, 1 << 16)
    for first in range(0, len(rows), step):
        part, codes = rows[first : first + step], groups.codes[first : first + step]
        if good is not None:
            part = np.where(good[first : first + step][:, None], part, part.dtype.type(0))
        own_high, own_low = _halves(part)
        found[first : first + step] = _rounded(high[codes] - own_high, low[codes] - own_low)
    return found


def _rounded(high: Any, low: Any) -> Any:
    """The float nearest to `high * 2**32 + low`."""
    high, low = high + (low >> 32), low & _MASK
    values = high.astype(np.float64) * 2.0**32 + low
    # Beyond this the first product is rounded too.
    for at in np.argwhere(high >= 2**53):
        values[tuple(at)] = float((int(high[tuple(at)]) << 32) + int(low[tuple(at)]))
    return values


def _scales(rows: Any, good: Any) -> tuple[float, list[float]]:
    """A power of two for the weights, and those that lead back: to their scale, or, for sums that are too large, near it."""
    largest = float(rows.max(initial=0) if good is None else rows[good].max(initial=0))
    if largest <= _LIMIT:
        return 1.0, [1.0]
    bits = float(np.ceil(np.log2(len(rows) + 1.0)))
    return 2.0 ** -(bits + 20), [2.0 ** (bits + 20), 2.0**20]


def _unscaled(values: Any, up: list[float]) -> Any:
    with np.errstate(over="ignore"):
        every = [values * scale for scale in up]
    return next((found for found in every if np.isfinite(found).all()), every[-1])


def _add(a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """The sum of two sums, in two floats."""
    total = a + b
    part = total - a
    lost = (a - (total - part)) + (b - part) + (a_low + b_low)
    high = total + lost
    return high, lost - (high - total)


def _of_floats(rows: Any, good: Any, groups: Groups, scale: float, most: Any = None) -> tuple[Any, Any]:
    """Each weight is cut in two where the large parts of 4,096 rows add up without rounding; the small parts have room enough.

    Weights above `most` (of the group and bin) are left out.
    """
    high, low = np.zeros((2, groups.count, rows.shape[-1]))
    for part, begin, which in _parts(rows, good, groups, min(1 << 12, _step(rows, 1 << 16))):
        part = part.astype(np.float64) * scale
        if most is not None:
            limits = np.repeat(most[which], np.diff(begin, append=len(part)), axis=0)
            part[part > limits] = 0.0
        # A power of two above every weight of the bin, and 13 bits more.
        cut = np.ldexp(1.0, np.frexp(part.max(axis=0))[1] + 13)
        large = (part + cut) - cut
        sums = [np.add.reduceat(each, begin, axis=0) for each in (large, part - large)]
        high[which], low[which] = _add(high[which], low[which], *sums)
    return high, low


def _rests_of_floats(rows: Any, good: Any, groups: Groups, scale: float) -> Any:
    """The total less the row, which loses no digit where the row is at most half of it. Where it is more, which in each bin of a
    group is one row at the most, the others are added up without it.
    """
    high, low = _of_floats(rows, good, groups, scale)
    others = np.add(*_of_floats(rows, good, groups, scale, high / 2))
    found = np.empty(rows.shape, dtype=np.float64)
    step = _step(rows, 1 << 16)
    for first in range(0, len(rows), step):
        at = slice(first, first + step)
        part, codes = rows[at].astype(np.float64) * scale, groups.codes[at]
        if good is not None:
            part[~good[at]] = 0.0
        found[at] = np.where(part > high[codes] / 2, others[codes], (high[codes] - part) + low[codes])
    return found
