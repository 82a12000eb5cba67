"""What is said beside a result."""

import os
import pathlib
import sys
import warnings

from kullback._errors import AmountWarning

_HERE = str(pathlib.Path(__file__).parent) + os.sep


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


def _level() -> int:
    """How far up the call of the user is."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    return level
