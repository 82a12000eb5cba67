"""pandas: importing this module gives series and frames an accessor `kullback`.

>>> import pandas as pd
>>> import kullback.pandas
>>> df = pd.DataFrame({"p": [[1, 1], [1, 3], None], "q": [[1, 1], [1, 1], [1, 1]]})
>>> df["p"].kullback.kl(df["q"]).round(6).tolist()
[0.0, 0.130812, nan]
>>> wide = pd.DataFrame({"0-9": [60, 50], "10-19": [30, 25], "20+": [10, 25]}, index=["mon", "tue"])
>>> wide.kullback.rowwise([50, 30, 20], "psi").round(4).to_dict()
{'mon': 0.0875, 'tue': 0.0203}

A series has one list (or array) per row; a frame has one column per bin. The result has one value per row, with
the same index; NaN where there is none. Bins and rows meet by their labels where both sides have some. `by` of a frame may
name columns, which are no bins then, and levels of its index.

>>> days = pd.DataFrame({"shop": ["a", "b", "a"], "am": [1, 5, 1], "pm": [1, 5, 3]})
>>> days.kullback.tv(against="previous", by="shop").tolist()
[nan, nan, 0.25]
"""

from typing import Any

import numpy as np
import pandas as pd

import kullback
from kullback._sides import lists
from kullback._methods import Methods, check

__all__ = ["rows"]


def rows(column: "pd.Series[Any]") -> tuple[Any, Any]:
    """The lists of a series as rows, and which of them are there; a row that is not is zeros. None where no row is there."""
    _refuse_numbers(column)
    return lists(column)


def _refuse_numbers(column: "pd.Series[Any]") -> None:
    """Numbers are one row, which has no place in a column of values."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise kullback.InputError(f"the series {column.name!r} has one number per row, not a list: give a column of lists, or a frame")


def _is_nothing(side: Any) -> bool:
    """Whether no row of a column of lists is there, so that nobody knows how many bins they have."""
    return isinstance(side, pd.Series) and not pd.api.types.is_numeric_dtype(side.dtype) and not side.notna().any()


def _by(data: Any, by: Any) -> Any:
    """The labels that `by` names: columns of a frame, and levels of its index. Other labels stay as they are."""
    columns = list(data.columns) if isinstance(data, pd.DataFrame) else []
    names = [*columns, *(level for level in data.index.names if level is not None)]
    wanted = [by] if _is_name(by) and by in names else None
    if wanted is None and isinstance(by, list | tuple) and by and all(isinstance(name, str | tuple) for name in by):
        known = [name for name in by if name in names]
        if known and (len(known) < len(by) or len(set(by)) < len(by)):
            raise kullback.InputError(
                f"by has {known[0]!r}, which is a column of the frame or a level of its index, and others that are none or come twice: "
                f"give names that are there, each once, or labels as an array (`by=np.array({list(by)[:3]!r}…)`)"
            )
        wanted = list(by) if known else None
    if wanted is None:
        if isinstance(by, str):
            raise kullback.InputError(f"by is {by!r}, which is no column of the frame and no level of its index")
        return by
    twice = [name for name in wanted if columns.count(name) > 1]
    if twice:
        raise kullback.InputError(f"by is {twice[0]!r}, and {columns.count(twice[0])} columns have this name: give them different names")
    return [data[name] if name in columns else data.index.get_level_values(name) for name in wanted]


def _is_name(by: Any) -> bool:
    return isinstance(by, tuple) or bool(pd.api.types.is_scalar(by))


def _refuse_more(values: dict[str, Any], rows: int) -> None:
    """One row that meets many has many values, which have no place beside it."""
    for found in values.values():
        if np.size(found) != rows:
            error = kullback.ShapeError(
                f"the frame has {rows:,} rows and q has {np.size(found):,}: values stand beside the rows of the frame. Give q one row or as "
                "many rows, or take `kullback.rowwise(frame, q)` for an array"
            )
            error.p, error.q = rows, np.size(found)
            raise error


def _labelled(values: Any, index: Any, measure: Any) -> Any:
    if isinstance(values, dict):
        return pd.DataFrame(values, index=index)
    return pd.Series(values, index=index, name=measure)


class _Accessor(Methods):
    def __init__(self, data: Any) -> None:
        self._data = data

    def rowwise(self, q: Any = None, measure: Any = "kl", **options: Any) -> Any:
        """The divergence of each row from that of `q`, or from its one row: options as in `kullback.rowwise`."""
        for name in ("out", "return_status"):
            if name in options:
                raise kullback.InputError(f"{name} has no meaning here: the result is labelled values")
        data = self._data
        if options.get("by") is not None:
            options["by"] = _by(data, options["by"])
        if isinstance(data, pd.Series):
            _refuse_numbers(data)
        names = measure if isinstance(measure, list | tuple) else [measure]
        if len(data) == 0 or _is_nothing(data) or _is_nothing(q):
            check(names, options)
            values = {name: np.full(len(data), np.nan) for name in names}
        else:
            values = kullback.rowwise(data, q, list(names), **options)
            _refuse_more(values, len(data))
        return _labelled(values if names is measure else values[measure], data.index, measure)

    def contributions(self, q: Any = None, measure: str = "kl", **options: Any) -> Any:
        """What each bin adds to the value of each row: a frame of the same index and columns. Options as in `kullback.contributions`."""
        data = self._data
        if isinstance(data, pd.Series):
            raise kullback.InputError(
                f"the series {data.name!r} has no names of bins: `kullback.contributions(series, q)` gives an array, and a frame with a "
                "column per bin gives a frame"
            )
        parts = kullback.contributions(data, q, measure, **options)
        _refuse_more({measure: parts[..., 0]}, len(data))
        return pd.DataFrame(parts, index=data.index, columns=data.columns)


pd.api.extensions.register_series_accessor("kullback")(_Accessor)
pd.api.extensions.register_dataframe_accessor("kullback")(_Accessor)
