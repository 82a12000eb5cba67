"""Which bins a value is made of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kullback._core import matrix
from kullback._errors import InputError, InvalidWeightsError, ShapeError


def _ratio(x: Any, y: Any) -> Any:
    """x ln(x/y) with 0 ln(0/y) = 0, and infinite where y alone is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, x * np.log(x / y), 0.0)


def _js(p: Any, q: Any) -> Any:
    middle = 0.5 * (p + q)
    return 0.5 * (_ratio(p, middle) + _ratio(q, middle))


def _chi2(p: Any, q: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p == q, 0.0, (p - q) ** 2 / q)


_TERMS: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    # The term of a bin, and whether it is in the unit.
    "kl": (_ratio, True),
    "reverse_kl": (lambda p, q: _ratio(q, p), True),
    "jeffreys": (lambda p, q: _ratio(p, q) + _ratio(q, p), True),
    "psi": (lambda p, q: _ratio(p, q) + _ratio(q, p), True),
    "js": (_js, True),
    "tv": (lambda p, q: 0.5 * np.abs(p - q), False),
    "chi2": (_chi2, False),
    "entropy": (lambda p, q: -_ratio(p, np.ones_like(p)), True),
}


def contributions(p: Any, q: Any = None, measure: str = "kl", *, unit: str = "nats") -> Any:
    """What each bin adds to the value of a row: an array of the shape of the rows, of which the last axis adds up to the value.

    For the few rows that one wants to look into: plain 64-bit arithmetic of the textbook terms, so that the sum is near the
    value of `rowwise` (to about 1e-15 of the largest terms), not the same to the last bit. `measure` is kl, reverse_kl,
    jeffreys (psi), js, tv, chi2 or entropy. Terms of kl can be negative.

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
        shapes = ShapeError(f"P has {first.shape[-1]} bins a row and Q has {second.shape[-1]}")
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
        of_rows = bad.reshape(-1, bad.shape[-1])
        row, column = (int(i) for i in np.argwhere(of_rows)[0])
        value = float(weights.reshape(of_rows.shape)[row, column])
        count = int(of_rows.any(axis=-1).sum())
        error = InvalidWeightsError(
            f"{count} of {len(of_rows)} rows have an invalid weight; the first is row {row} of {side}, bin {column}: {value} "
            "(weights must be finite and at least 0)"
        )
        error.count, error.rows, error.row, error.side, error.bin, error.value = count, len(of_rows), row, side, column, value
        raise error
    # By the largest first, so that no total overflows.
    with np.errstate(invalid="ignore"):
        weights = weights / weights.max(axis=-1, keepdims=True)
        return weights / weights.sum(axis=-1, keepdims=True)
