"""Columns of Arrow in, columns of Arrow out: what the integrations share."""

from typing import Any

import numpy as np
import pyarrow as pa

import kullback
from kullback._methods import check

FUNCTIONS = {
    "kl_divergence": "kl",
    "js_divergence": "js",
    "js_distance": "js_distance",
    "psi": "psi",
    "hellinger_distance": "hellinger",
    "total_variation_distance": "tv",
    "chi2_divergence": "chi2",
}
"""The names in SQL, and their measures."""


def refuse(options: dict[str, Any]) -> None:
    """What has no meaning where rows come in batches that nobody chose."""
    for name in ("against", "by", "out", "return_status"):
        if options.get(name) is not None:
            raise kullback.InputError(f"{name} has no meaning here: rows come in batches. Work out what they are compared with first")


def columns(p: Any, q: Any, measures: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """A column of doubles a measure, null where a row is null or has no value. `q` is a column, one row of numbers, or None."""
    refuse(options)
    sides = [side for side in (p, q) if isinstance(side, pa.Array | pa.ChunkedArray)]
    # Of nothing but nulls nobody knows how many bins they have, and nobody needs to.
    if any(side.null_count == len(side) for side in sides):
        check(measures, options)
        return {name: pa.nulls(len(p), pa.float64()) for name in measures}
    found = kullback.rowwise(p, q, measures, **options)
    return {name: pa.array(values, mask=np.isnan(values)) for name, values in found.items()}
