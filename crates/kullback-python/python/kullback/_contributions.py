"""Which bins a value is made of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kullback._core import matrix
from kullback._errors import InputError, InvalidWeightsError, RangeError, ShapeError

# What `rowwise` asks of a weight too. So no quotient of two shares leaves the range of a float, and no share with weight is 0.
_LEAST_SHARE = 2.0**-1019


def _ratio(x: Any, y: Any) -> Any:
    """x ln(x/y) with 0 ln(0/y) = 0, and infinite where y alone is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, x * np.log(x / y), 0.0)


def _js(p: Any, q: Any) -> Any:
    middle = 0.5 * (p + q)
    return 0.5 * (_ratio(p, middle) + _ratio(q, middle))


def _chi2(p: Any, q: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p == q, 0.0, (p - q) / q * (p - q))


_TERMS: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    # The term of a bin, and whether it is in the unit.
    "kl": (_ratio, True),
    "reverse_kl": (lambda p, q: _ratio(q, p), True),
    "jeffreys": (lambda p, q: _ratio(p, q) + _ratio(q, p), True),
    "psi": (lambda p, q: _ratio(p, q) + _ratio(q, p), True),
    "js": (_js, True),
    "tv": (lambda p, q: 0.5 * np.abs(p - q), False),
    "chi2": (_chi2, False),
    "entropy": (lambda p, q: 0.0 - _ratio(p, np.ones_like(p)), True),
}


def contributions(p: Any, q: Any = None, measure: str = "kl", *, unit: str = "nats") -> Any:
    """What each bin adds to the value of a row: an array of the shape of the rows, of which the last axis adds up to the value.

    For the few rows that one wants to look into: plain 64-bit arithmetic of the textbook terms, so that the sum is near the
    value of `rowwise` (to about 1e-15 of the largest terms, or of 1), not the same to the last bit. Rows that `rowwise` refuses
    are refused. `measure` is kl, reverse_kl, jeffreys (psi), js, tv, chi2 or entropy. Terms of kl can be negative.

    >>> import kullback
    >>> kullback.contributions([[30, 70]], [[50, 50]], "psi").round(6)
    array([[0.102165, 0.067294]])
    """
    if measure not in _TERMS:
        raise InputError(f"contributions of {measure!r} are not defined: use one of {', '.join(_TERMS)}")
    term, has_unit = _TERMS[measure]
    if q is None and measure != "entropy":
        raise InputError("there is nothing to compare p with: give q")
    first = _shares(p, "P")
    second = first if q is None else _shares(q, "Q")
    if first.shape[-1] != second.shape[-1]:
        shapes = ShapeError(f"P has {first.shape[-1]} bins per row and Q has {second.shape[-1]}")
        shapes.p, shapes.q = first.shape[-1], second.shape[-1]
        raise shapes
    try:
        first, second = np.broadcast_arrays(first, second)
    except ValueError as error:
        raise InputError(f"the axes of both sides do not meet: {error}") from None
    base = _base(unit)
    values = term(first, second)
    # An empty side has no value.
    values = np.where(np.isnan(first) | np.isnan(second), np.nan, values)
    return values / base if has_unit else values


def _base(unit: str) -> float:
    known = {"nats": 1.0, "bits": float(np.log(2.0)), "bans": float(np.log(10.0))}
    if unit in known:
        return known[unit]
    try:
        base = float(unit)
    except ValueError:
        base = 0.0
    if not 1.0 < base < np.inf:
        raise InputError(f"unknown unit `{unit}`: use nats, bits, bans, or a base above 1 such as 3")
    return float(np.log(base))


def _shares(rows: Any, side: str) -> Any:
    weights = np.asarray(matrix(rows), dtype=np.float64)
    bad = ~((weights >= 0) & np.isfinite(weights))
    if bad.any():
        raise _invalid(weights, bad, side)
    # By the largest first, so that no total overflows.
    with np.errstate(invalid="ignore", under="ignore"):
        shares = weights / weights.max(axis=-1, keepdims=True)
        shares = shares / shares.sum(axis=-1, keepdims=True)
    lost = (weights > 0) & (shares < _LEAST_SHARE)
    if lost.any():
        raise _too_wide(weights, lost, side)
    return shares


def _first(weights: Any, marked: Any) -> tuple[int, int, int, int, float]:
    """Of the rows with a marked weight: how many, of how many, the first, its first such bin, and the weight there."""
    marked = marked.reshape(-1, marked.shape[-1])
    row, column = (int(i) for i in np.argwhere(marked)[0])
    return int(marked.any(axis=-1).sum()), len(marked), row, column, float(weights.reshape(marked.shape)[row, column])


def _invalid(weights: Any, marked: Any, side: str) -> InvalidWeightsError:
    count, rows, row, column, value = _first(weights, marked)
    error = InvalidWeightsError(
        f"{count} of {rows} rows have an invalid weight; the first is row {row} of {side}, bin {column}: {value} "
        "(weights must be finite and at least 0)"
    )
    error.count, error.rows, error.row, error.side, error.bin, error.value = count, rows, row, side, column, value
    return error


def _too_wide(weights: Any, marked: Any, side: str) -> RangeError:
    count, rows, row, column, value = _first(weights, marked)
    error = RangeError(
        f"the weights of {count} of {rows} rows span more than a 64-bit float holds (a weight below 2^-1019 of its total); "
        f"the first is row {row} of {side}, bin {column}: {value}. Clear such weights to 0"
    )
    error.count, error.rows, error.row = count, rows, row
    return error
