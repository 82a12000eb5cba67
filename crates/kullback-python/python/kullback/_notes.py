"""What is said beside a result."""

import os
import pathlib
import sys
import warnings
from typing import Any

from kullback._errors import AmountWarning, GroupWarning, LabelWarning, OrderWarning

_HERE = str(pathlib.Path(__file__).parent) + os.sep
_NAMED = 6
"""So many labels are named."""


def of_amount(amount: float, bins: int, p: float, q: float) -> None:
    """An additive amount that is large beside the total of a row, where the totals of both sides are far apart."""
    added = amount * bins
    of_q = "" if q != q else f" and {added / q:.2%} of that of q ({q:,.4g})"
    remedy = "If these are shares, take a smaller amount" if q != q else "If these are counts and shares, bring both sides to one scale"
    message = (
        f'zeros="additive:{amount:g}" adds {added:,.4g} to each row ({amount:g} to each of {bins:,} bins): {added / p:.2%} of the total '
        f'of a row of p ({p:,.4g}){of_q}. {remedy}, or take zeros="mix:X", which does not depend on it'
    )
    warning = AmountWarning(message)
    warning.amount, warning.bins, warning.p, warning.q = amount, bins, p, q
    warnings.warn(warning, stacklevel=_level())


def of_order(label: str, order: list[Any], among_numbers: bool) -> None:
    """Text that gives the order of bins."""
    some = ", ".join(map(repr, order[:_NAMED])) + (", …" if len(order) > _NAMED else "")
    where = "" if not among_numbers else f" Leave {label!r} out if it is no bin of the scale."
    warning = OrderWarning(
        f"w1 and ks take the labels in the order of text, because {label!r} is no number: {some}.{where} Name the bins by numbers, make "
        "the labels an ordered categorical of pandas, or give arrays (`to_numpy()`) with the bins in their order"
    )
    warning.label = label
    warnings.warn(warning, stacklevel=_level())


def of_groups(what: str, levels: list[str | int]) -> None:
    """Groups that nobody named."""
    told = ", ".join(map(repr, levels))
    warning = GroupWarning(
        f'against="{what}" looks among the rows with the same {told}: the index has several levels, and all but the last say which rows '
        "belong together. Give by= to say so yourself, or `to_numpy()` for one group of all rows"
    )
    warning.levels = levels
    warnings.warn(warning, stacklevel=_level())


def of_labels(message: str) -> None:
    """Labels that may hide something."""
    warnings.warn(LabelWarning(message), stacklevel=_level())


def _level() -> int:
    """How far up the call of the user is."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    return level
