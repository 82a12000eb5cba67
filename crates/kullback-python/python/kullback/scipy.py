"""Drop-ins for functions of scipy: the same arguments, the same results, computed by kullback.

>>> from kullback.scipy import entropy, jensenshannon
>>> float(entropy([0.5, 0.5], [0.9, 0.1]))
0.5108256237659906
>>> float(jensenshannon([1.0, 0.0], [0.0, 1.0], base=2))
1.0

In these functions `axis` is 0 unless it is given, as in scipy. 16- and 32-bit floats are computed within 1e-6, and come back in
their type; everything else within 1e-12.
"""

import math
from typing import Any

import numpy as np

from kullback._calls import rowwise
from kullback._errors import InputError
from kullback._status import Status

__all__ = ["entropy", "jensenshannon", "rel_entr_sum"]

# Below this a divergence may be nothing but rounding.
_NOTHING = 1e-24


def _log_ratio(x: Any, y: Any) -> Any:
    """ln(x/y) of positive floats, to a few units in the last place, also where x/y is near 1 or is no float."""
    (x_part, x_power), (y_part, y_power) = np.frexp(x), np.frexp(y)
    far = np.log(x_part / y_part) + (x_power - y_power) * math.log(2)
    return np.where(np.abs(x - y) < y / 2, np.log1p((x - y) / y), far)


def _by_bins(x: Any, y: Any) -> Any:
    """Σ x ln(x/y) over the last axis, term by term: infinite where a weight is negative.

    Within a few units in the last place of Σ |x ln(x/y)|, whatever the weights.
    """
    with np.errstate(all="ignore"):
        part, power = np.frexp(x)
        terms = np.where((x > 0) & (y > 0), part * _log_ratio(x, y), np.inf)
        terms = np.where((x == 0) & (y >= 0), 0.0, terms)
        terms = np.where(np.isnan(x) | np.isnan(y), np.nan, terms)
        # Powers of two apart, so that only the sum itself can leave the range of a float.
        terms, more = np.frexp(terms)
        power = np.where(terms == 0, -9999, power + more)
        largest = power.max(axis=-1, keepdims=True)
        return np.ldexp(np.ldexp(terms, power - largest).sum(axis=-1), largest[..., 0])


def _entr(x: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, -x * np.log(x), np.where(x == 0, 0.0, np.where(np.isnan(x), np.nan, -np.inf)))


def _result_type(*types: Any) -> Any:
    """Of 16- and 32-bit floats 32-bit ones, of anything else 64-bit ones."""
    narrow = all(of.kind == "f" and of.itemsize <= 4 for of in types)
    return np.dtype(np.float32 if narrow else np.float64)


def _last(array: Any, axis: int) -> Any:
    return np.moveaxis(array, axis, -1)


def _shape(p: Any, q: Any) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(p.shape, q.shape)
    except ValueError:
        message = f"Array shapes are incompatible for broadcasting. They are {p.shape} and {q.shape}"
        raise InputError(message) from None


def _broadcast(p: Any, q: Any) -> tuple[Any, Any]:
    """Both with the same axes, but for a side of which all rows are one."""
    shape = _shape(p, q)

    def fit(side: Any) -> Any:
        if side.shape[-1] == shape[-1] and side.size == shape[-1]:
            return side.reshape(-1)
        return np.broadcast_to(side, shape)

    p, q = fit(p), fit(q)
    if p.ndim == 1 and q.ndim == 1 and len(shape) > 1:
        return np.broadcast_to(p, shape), q
    return p, q


def _weights(array: Any) -> Any:
    """Floats as they are, everything else as 64-bit ones, which is what scipy computes in."""
    array = np.asarray(array)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _values(p: Any, q: Any, measure: str, plain: Any) -> Any:
    """Over the last axis; rows with weights that are negative, NaN or infinite by the plain formula, as scipy has them."""
    values, status = rowwise(p, q, measure, on_invalid="null", return_status=True)
    values = np.asarray(values)
    bad = np.asarray(status) == Status.INVALID
    if bad.any():
        shape = values.shape + p.shape[-1:]

        def rows(side: Any) -> Any:
            side = np.broadcast_to(side, shape)[bad].astype(np.float64)
            with np.errstate(divide="ignore", invalid="ignore"):
                return side / side.sum(axis=-1, keepdims=True)

        with np.errstate(invalid="ignore"):
            found = plain(rows(p)) if q is None else plain(rows(p), rows(q))
        values[bad] = found
    return values


def _finish(values: Any, dtype: Any, axis: int | None, ndim: int, keepdims: bool) -> Any:
    values = np.asarray(values, dtype=dtype)
    if keepdims:
        values = values.reshape((1,) * ndim) if axis is None else np.expand_dims(values, axis)
    return values[()]


def entropy(
    pk: Any,
    qk: Any = None,
    base: float | None = None,
    axis: int | tuple[int, ...] | None = 0,
    *,
    nan_policy: str = "propagate",
    keepdims: bool = False,
) -> Any:
    """The Shannon entropy of `pk`, or with `qk` the relative entropy (Kullback–Leibler divergence): as `scipy.stats.entropy`.

    Shapes broadcast; `axis` disappears. Both sides are normalised along it. `base` divides by its logarithm, so that a base
    below 1 gives values of at most 0. `nan_policy` is "propagate", "omit" or "raise".

    >>> from kullback.scipy import entropy
    >>> entropy([[1, 1], [3, 1]])
    array([0.56233514, 0.69314718])
    >>> round(float(entropy([1, 1, 1, 1], base=2)), 12)
    2.0
    """
    if base is not None and base <= 0:
        raise ValueError("`base` must be a positive number or `None`.")
    if nan_policy not in ("propagate", "omit", "raise"):
        raise ValueError(f"nan_policy must be one of {{'propagate', 'raise', 'omit'}}, not {nan_policy!r}")
    if isinstance(axis, tuple):
        return _over_axes(pk, qk, base, axis, nan_policy, keepdims)
    pk, qk = _without_mask(pk, qk)
    sides = [np.asarray(side) for side in (pk, qk) if side is not None]
    # As they meet before anything is computed: 32-bit floats and 16-bit integers make 32-bit floats.
    dtype = _result_type(np.result_type(*sides))
    p, q = _weights(sides[0]), None if qk is None else _weights(sides[1])
    ndim = p.ndim if q is None else max(p.ndim, q.ndim)
    if axis is None:
        p, q, along = p.ravel(), None if q is None else q.ravel(), -1
    else:
        along = axis
        if q is not None and p.ndim != q.ndim:
            p, q = (np.broadcast_to(side, _shape(p, q)) for side in (p, q))
        p, q = np.atleast_1d(p), None if q is None else np.atleast_1d(q)
    p = _last(p, along)
    if q is not None:
        p, q = _broadcast(p, _last(q, along))
    rows = p if q is None or p.ndim >= q.ndim else q
    if rows.shape[-1] == 0:
        return _finish(np.zeros(rows.shape[:-1]), dtype, axis, ndim, keepdims)
    nothing = None
    if nan_policy != "propagate":
        p, q, nothing = _without_nan(p, q, nan_policy)

    def plain(x: Any, y: Any = None) -> Any:
        return _entr(x).sum(axis=-1) if y is None else _by_bins(x, y)

    values = _values(p, q, "entropy" if q is None else "kl", plain)
    if nothing is not None:
        # As of no bins at all.
        values = np.where(nothing, 0.0, values)
    return _finish(_in_base(values, base), dtype, axis, ndim, keepdims)


def _in_base(values: Any, base: float | None) -> Any:
    # 0 is 0 in every base, and not -0 in those below 1.
    return values if base is None else values / np.log(base) + 0.0


def _over_axes(pk: Any, qk: Any, base: float | None, axes: tuple[int, ...], nan_policy: str, keepdims: bool) -> Any:
    """Over several axes: as over one that they make together."""
    sides = np.broadcast_arrays(pk, qk) if qk is not None else [np.asanyarray(pk)]
    ndim = sides[0].ndim
    last = tuple(range(ndim - len(axes), ndim))
    moved = [np.moveaxis(side, axes, last) for side in sides]
    joined = [side.reshape(*side.shape[: ndim - len(axes)], -1) for side in moved]
    values = entropy(joined[0], joined[1] if qk is not None else None, base, -1, nan_policy=nan_policy)
    return np.expand_dims(values, tuple(axis % ndim for axis in axes)) if keepdims else values


def _without_mask(pk: Any, qk: Any) -> tuple[Any, Any]:
    """Bins that a masked array leaves out on either side count for neither."""
    if not isinstance(pk, np.ma.MaskedArray) and not isinstance(qk, np.ma.MaskedArray):
        return pk, qk
    if qk is None:
        return np.ma.filled(pk, 0), None
    missing = np.ma.getmaskarray(pk) | np.ma.getmaskarray(qk)
    return np.where(missing, 0, np.ma.getdata(pk)), np.where(missing, 0, np.ma.getdata(qk))


def _without_nan(p: Any, q: Any, policy: str) -> tuple[Any, Any, Any]:
    """Bins in which either side is NaN count for neither: without weight they add nothing. And which rows have no others."""
    missing = np.isnan(p) if q is None else np.isnan(p) | np.isnan(q)
    if not missing.any():
        return p, q, None
    if policy == "raise":
        raise ValueError("The input contains nan values")
    return np.where(missing, 0.0, p), None if q is None else np.where(missing, 0.0, q), missing.all(axis=-1)


def jensenshannon(p: Any, q: Any, base: float | None = None, *, axis: int = 0, keepdims: bool = False) -> Any:
    """The Jensen–Shannon distance, the root of the divergence: as `scipy.spatial.distance.jensenshannon`.

    `base` divides the divergence by its logarithm before the root is taken, so that a base below 1 gives 0 for rows that are
    equal or proportional and NaN for all others.

    >>> from kullback.scipy import jensenshannon
    >>> jensenshannon([[1.0, 0.5], [0.0, 0.5]], [[0.0, 0.5], [1.0, 0.5]], base=2)
    array([1., 0.])
    """
    p, q = np.atleast_1d(_weights(p)), np.atleast_1d(_weights(q))
    dtype = _result_type(p.dtype, q.dtype)
    ndim = max(p.ndim, q.ndim)

    def plain(x: Any, y: Any) -> Any:
        middle = (x + y) / 2.0
        return (_by_bins(x, middle) + _by_bins(y, middle)) / 2.0

    if (p.ndim != q.ndim and axis >= 0) or p.shape[axis] != q.shape[axis]:
        # scipy divides each side by its sum along its own axis of that number, and only then lets them meet.
        with np.errstate(invalid="ignore"):
            p, q = (side.astype(np.float64) / side.sum(axis=axis, keepdims=True) for side in (p, q))
        p, q = (_last(side, axis) for side in np.broadcast_arrays(p, q))
        return _finish(_root(plain(p, q), base), dtype, axis, ndim, keepdims)
    p, q = _broadcast(_last(p, axis), _last(q, axis))
    if p.shape[-1] == 0:
        return _finish(np.zeros(max(p.shape[:-1], q.shape[:-1], key=len)), dtype, axis, ndim, keepdims)
    return _finish(_root(_values(p, q, "js", plain), base), dtype, axis, ndim, keepdims)


def _root(values: Any, base: float | None) -> Any:
    if base is not None:
        # In a base below 1 the rounding of proportional rows would become NaN.
        values = np.where(np.less(base, 1) & (np.abs(values) < _NOTHING), 0.0, values)
    with np.errstate(invalid="ignore"):
        return np.sqrt(_in_base(values, base))


def rel_entr_sum(x: Any, y: Any, axis: int | tuple[int, ...] | None = -1) -> Any:
    """`scipy.special.rel_entr(x, y).sum(axis)`, of weights as they are: Σ x ln(x/y), which is X·(KL + ln(X/Y)) of totals X and Y.

    The error is small beside Σ |x ln(x/y)|: 1e-14 of it, or 1e-6 for 16- and 32-bit floats. Infinite only where the sum is.

    >>> from kullback.scipy import rel_entr_sum
    >>> rel_entr_sum([[2.0, 2.0]], [[1.0, 3.0]])
    array([0.57536414])
    """
    x, y = _weights(x), _weights(y)
    dtype = _result_type(x.dtype, y.dtype)
    x, y = _bins_last(x, y, axis)
    shape = _shape(x, y)
    if math.prod(shape) == 0:
        return np.zeros(shape[:-1], dtype)[()]
    values = _sums(*_broadcast(x, y))
    with np.errstate(over="ignore"):
        return values.astype(dtype)[()]


def _bins_last(x: Any, y: Any, axis: int | tuple[int, ...] | None) -> tuple[Any, Any]:
    """Both with as many axes, of which the last, contiguous one takes the place of those that disappear."""
    ndim = max(x.ndim, y.ndim, 1)
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    kept = ndim - len(axes)

    def move(side: Any) -> Any:
        return np.moveaxis(side.reshape((1,) * (ndim - side.ndim) + side.shape), axes, range(kept, ndim))

    x, y = move(x), move(y)
    bins = _shape(x, y)[kept:]

    def join(side: Any) -> Any:
        rows = side.shape[:kept]
        return np.ascontiguousarray(np.broadcast_to(side, rows + bins).reshape(*rows, math.prod(bins)))

    return join(x), join(y)


def _sums(x: Any, y: Any) -> Any:
    """Σ x ln(x/y) over the last axis: by the totals where that is certain to be as good as term by term."""
    is_narrow = _result_type(x.dtype, y.dtype) == np.float32
    values, lost = _by_totals(x, y)
    # The error of KL is about 1e-15, and 4e-7 for narrow floats, which are therefore tried again as 64-bit ones.
    uncertain = ~(lost <= (2 if is_narrow else 10))
    if uncertain.any():
        rows = [np.broadcast_to(side, _shape(x, y))[uncertain].astype(np.float64) for side in (x, y)]
        values[uncertain] = _sums(*rows) if is_narrow else _by_bins(*rows)
    return values


def _by_totals(x: Any, y: Any) -> tuple[Any, Any]:
    """X·(KL + ln(X/Y)) of each row, and how much larger than that of KL its relative error can be: NaN if unknown."""
    kl = np.asarray(rowwise(x, y, "kl", on_invalid="null"))
    with np.errstate(all="ignore"):
        x_total, y_total = x.sum(axis=-1, dtype=np.float64), y.sum(axis=-1, dtype=np.float64)
        # Summed as differences: those of totals near each other would have few digits.
        excess = np.subtract(x, y, dtype=np.float64).sum(axis=-1)
        near = np.abs(excess) <= y_total / 2
        log = np.where(near, np.log1p(excess / y_total), np.log(x_total / y_total))
        relative = kl + log
        lost = np.where(relative == kl, 1.0, (kl + np.abs(log)) / np.abs(relative))
        # Here no total, and no quotient of two, is beyond a float.
        usual = (np.minimum(x_total, y_total) > 1e-150) & (np.maximum(x_total, y_total) < 1e150)
        return np.asarray(x_total * relative), np.where(usual, lost, np.nan)
