"""pandas: importing this module gives series and frames an accessor `kullback`.

>>> import pandas as pd
>>> import kullback.pandas
>>> df = pd.DataFrame({"p": [[1, 1], [1, 3], None], "q": [[1, 1], [1, 1], [1, 1]]})
>>> df["p"].kullback.kl(df["q"]).round(6).tolist()
[0.0, 0.130812, nan]
>>> wide = pd.DataFrame({"0-9": [60, 50], "10-19": [30, 25], "20+": [10, 25]}, index=["mon", "tue"])
>>> wide.kullback.rowwise([50, 30, 20], "psi").round(4).to_dict()
{'mon': 0.0875, 'tue': 0.0203}

A series has a list (or an array) a row, a frame a column a bin. One value a row, with the same index; NaN where there is none.
"""

from typing import Any

import numpy as np
import pandas as pd

import kullback

__all__ = ["rows"]

_MEASURES = ("kl", "js", "js_distance", "hellinger", "psi", "tv", "chi2")


def rows(column: "pd.Series[Any]") -> tuple[Any, Any]:
    """The lists of a series as rows, and which of them are there; a row that is not is zeros."""
    if isinstance(column.dtype, pd.ArrowDtype):
        return column, column.notna().to_numpy()
    there = column.notna().to_numpy()
    lists = column.to_numpy(dtype=object)
    if not there.any():
        raise kullback.InputError(f"no row of the column {column.name!r} is there: nothing says how many bins there are")
    try:
        matrix = np.stack([np.asarray(row) for row in lists[there]])
    except ValueError as error:
        raise kullback.InputError(f"the rows of the column {column.name!r} are not of one length: {error}") from error
    if there.all():
        return matrix, there
    every = np.zeros((len(lists), matrix.shape[1]), dtype=matrix.dtype)
    every[there] = matrix
    return every, there


def _side(other: Any) -> Any:
    if isinstance(other, pd.Series):
        # One list a row, or one row of numbers.
        return other.to_numpy() if pd.api.types.is_numeric_dtype(other.dtype) else rows(other)[0]
    if isinstance(other, pd.DataFrame):
        return other.to_numpy()
    return other


def _labelled(values: Any, index: Any, measure: Any) -> Any:
    if isinstance(values, dict):
        return pd.DataFrame(values, index=index)
    return pd.Series(values, index=index, name=measure)


class _Accessor:
    def __init__(self, data: Any) -> None:
        self._data = data

    def rowwise(self, q: Any = None, measure: Any = "kl", **options: Any) -> Any:
        """The divergence of each row from that of `q`, or from its one row: options as in `kullback.rowwise`."""
        p = rows(self._data)[0] if isinstance(self._data, pd.Series) else self._data.to_numpy()
        return _labelled(kullback.rowwise(p, _side(q), measure, **options), self._data.index, measure)

    def entropy(self, **options: Any) -> Any:
        return self.rowwise(None, "entropy", **options)

    def renyi(self, q: Any, order: float, **options: Any) -> Any:
        return self.rowwise(q, f"renyi:{float(order)!r}", **options)

    def __getattr__(self, measure: str) -> Any:
        if measure not in _MEASURES:
            raise AttributeError(f"no measure {measure!r}: use one of {', '.join(_MEASURES)}, or rowwise(q, measure)")
        return lambda q=None, **options: self.rowwise(q, measure, **options)


pd.api.extensions.register_series_accessor("kullback")(_Accessor)
pd.api.extensions.register_dataframe_accessor("kullback")(_Accessor)
