"""The order of bins by their labels, and what these labels may hide."""

import datetime
import math
import numbers
import re
from typing import Any

from kullback import _notes
from kullback._errors import InputError
from kullback._names import plain
from kullback._positions import are_given
from kullback._sides import MISSING, listed

_DIGITS = 15
"""So many digits a float holds: two longer texts may be one float and yet differ."""


def number(label: Any) -> float | None:
    """The number that a label is, as a number or as text. NaN is none."""
    if not isinstance(label, str | numbers.Number):
        return None
    try:
        value = float(label)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(value) else value


def of_text(labels: list[Any]) -> str | None:
    """The first label that is no number, if text gives the order and may not be what is meant. Text that differs in digits alone,
    such as `2013-01` and `2013-12`, comes in the order of its numbers.
    """
    texts = list(dict.fromkeys(labels))
    if len(texts) < 2 or not all(isinstance(text, str) for text in texts):
        return None
    first, *others = (re.sub("[0-9]", "0", text) for text in texts)
    if "0" in first and all(other == first for other in others):
        return None
    return next((text for text in texts if number(text) is None), None)


def one_number_twice(labels: list[Any]) -> tuple[Any, Any] | None:
    """Two labels that are one number in other words, such as `6` and `06`, or 1 and `1`."""
    if not any(isinstance(label, str) for label in labels):
        return None
    seen: dict[float, Any] = {}
    for label in labels:
        value = number(label)
        if value is None or math.isinf(value) or sum(map(str.isdigit, str(label))) > _DIGITS:
            continue
        first = seen.setdefault(value, label)
        if first != label:
            return plain(first), plain(label)
    return None


def tell_twice(labels: list[Any]) -> None:
    """Says which labels are one number in other words."""
    twice = one_number_twice(labels)
    if twice is not None:
        _notes.of_labels(
            f"the labels {twice[0]!r} and {twice[1]!r} are one number but two bins: labels are the same only if each letter and the "
            "type are. Write them alike"
        )


def ranks(index: Any) -> list[Any]:
    """Of each level of an index of pandas the places of its labels in the order of an ordered categorical; None of other levels."""
    count = getattr(index, "nlevels", 1)
    levels = [index] if count == 1 else [index.get_level_values(level) for level in range(count)]
    return [level.codes.tolist() if getattr(getattr(level, "dtype", None), "ordered", False) else None for level in levels]


def places(labels: list[Any], of_levels: list[Any] | None = None) -> list[int] | None:
    """The places of labels in their order: that of ordered categoricals (`of_levels`), that of numbers or times if every label is
    one, else as they compare, and missing labels last. None if they do not compare.
    """
    levels = _levels(labels)
    known = of_levels if of_levels is not None and len(of_levels) == len(levels) else [None] * len(levels)
    keys = list(zip(*(_keys(level, rank) for level, rank in zip(levels, known, strict=True)), strict=True))
    try:
        return sorted(range(len(labels)), key=keys.__getitem__)
    except TypeError:
        return None


def of_measure(labels: list[Any], of_levels: list[Any] | None = None, by_place: bool = False) -> list[int]:
    """The same for a measure that goes by the order. It refuses labels without a place, and says where text gives the order.
    `by_place` says whether the bins have an order of their own, which is not that of the labels.
    """
    levels = _levels(labels)
    if any(label is MISSING for level in levels for label in level):
        raise InputError(
            "w1 and ks go by the order of the bins, and a missing label (NaN, None) has no place among numbers or other labels: leave "
            "its bin out, or give arrays in the order that is meant"
        )
    order = places(labels, of_levels)
    if order is None:
        odd = [label for level in levels for label in level if isinstance(label, str) and number(label) is None]
        told = f" ({listed(odd)} among others)" if odd else ""
        raise InputError(
            f"w1 and ks go by the order of the bins, and the labels of p have none{told}: give labels of one kind, or arrays"
        )
    known = of_levels if of_levels is not None and len(of_levels) == len(levels) else [None] * len(levels)
    if are_given() and not (by_place and order != list(range(len(labels)))):
        return order
    for level, rank in zip(levels, known, strict=True):
        odd_one = of_text(level) if rank is None and _times(level) is None else None
        if odd_one is not None:
            _notes.of_order(odd_one, [labels[at] for at in order], any(number(label) is not None for label in level))
            break
    return order


def _levels(labels: list[Any]) -> list[list[Any]]:
    """Labels that are tuples of one length, level by level."""
    if labels and all(isinstance(label, tuple) for label in labels) and len({len(label) for label in labels}) == 1 and labels[0]:
        return [list(level) for level in zip(*labels, strict=True)]
    return [labels]


def _keys(labels: list[Any], rank: Any) -> list[Any]:
    """What labels compare by."""
    there = [label for label in labels if label is not MISSING]
    values: list[Any] = [number(label) for label in there] if rank is None else []
    if any(value is None for value in values):
        values = _times(there) or there
    if rank is not None:
        return list(rank)
    rest = iter(values)
    return [(1,) if label is MISSING else (0, next(rest)) for label in labels]


def _times(labels: list[Any]) -> list[Any] | None:
    """Texts as times, if each is one and they compare."""
    try:
        times = [datetime.datetime.fromisoformat(label) for label in labels]
        sorted(times)
    except (TypeError, ValueError):
        return None
    return times
