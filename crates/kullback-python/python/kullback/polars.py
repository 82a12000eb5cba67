"""Polars: importing this module gives expressions and frames a namespace `kullback`.

>>> import polars as pl
>>> import kullback.polars
>>> df = pl.DataFrame({"p": [[1, 1], [1, 3], None], "q": [[1, 1], [1, 1], [1, 1]]})
>>> df.select(pl.col("p").kullback.kl("q"))["p"].round(6).to_list()
[0.0, 0.130812, None]

Columns of lists or arrays, one value per row; null where either row is null or has no value. In eager and lazy frames and over
groups; `pl.col("p").kullback.js(against="previous", by="shop")` compares with the row before of the same shop.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

import kullback
from kullback._methods import Methods, check

__all__ = ["expression", "rowwise"]


def _refuse(options: dict[str, Any]) -> None:
    for name in ("out", "return_status"):
        if name in options:
            raise kullback.InputError(f"{name} has no meaning in an expression: it is a column of values")


def _refuse_numbers(column: pl.Series) -> None:
    """Numbers are one row, which has no place in a column of values."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        raise kullback.InputError(f"the column {column.name!r} has one number per row, not a list: give a column of lists (`pl.concat_list`)")


def _series(p: pl.Series, q: pl.Series | None, measure: str, options: dict[str, Any]) -> pl.Series:
    _refuse_numbers(p)
    if len(p) == 0 or p.null_count() == len(p) or (q is not None and q.null_count() == len(q)):
        check([measure], options)
        return pl.Series(p.name, [None] * len(p), dtype=pl.Float64)
    values = kullback.rowwise(p, q, measure, **options)
    # What has no value is null here; infinite values are values.
    return pl.Series(p.name, values).fill_nan(None)


def rowwise(p: pl.Series, q: pl.Series | None = None, measure: str = "kl", **options: Any) -> pl.Series:
    """The divergence of each row of a series from that of another: shapes and options as in `kullback.rowwise`."""
    return _series(p, q, measure, options)


def _grouped(p: pl.Expr, by: Any, measure: str, options: dict[str, Any]) -> pl.Expr:
    """Against rows of the same group."""
    names = [by] if isinstance(by, str | pl.Expr) else list(by)
    labels = [pl.col(each) if isinstance(each, str) else each for each in names]

    def values(columns: Sequence[pl.Series]) -> pl.Series:
        return _series(columns[0], None, measure, {**options, "by": list(columns[1:])})

    return pl.map_batches([p, *labels], values, return_dtype=pl.Float64, is_elementwise=False)


def expression(p: pl.Expr, q: Any = None, measure: str = "kl", *, by: Any = None, **options: Any) -> pl.Expr:
    """The same as an expression; `q` is an expression, the name of a column, or a row of numbers for all.

    With `against="total"` or `"previous"` it looks at all rows at once: at those of its group in a group, or with `by` at those
    with the same labels. `by` is the name of a column, an expression, or a list of them.
    """
    _refuse(options)
    if by is not None:
        if q is not None or options.get("against") is None:
            raise kullback.InputError("by says which rows belong together, for against: give against, and no q, or leave it out")
        return _grouped(p, by, measure, options)
    alone = options.get("against") in (None, "uniform")
    if q is None:
        return p.map_batches(
            lambda column: _series(column, None, measure, options), return_dtype=pl.Float64, is_elementwise=alone
        )
    if not isinstance(q, pl.Expr | str):
        row = q if isinstance(q, pl.Series) else pl.Series([list(q)])
        return p.map_batches(
            lambda column: _series(column, row, measure, options), return_dtype=pl.Float64, is_elementwise=alone and len(row) == 1
        )
    other = pl.col(q) if isinstance(q, str) else q

    def values(columns: Sequence[pl.Series]) -> pl.Series:
        _refuse_numbers(columns[1])
        return _series(columns[0], columns[1], measure, options)

    return pl.map_batches([p, other], values, return_dtype=pl.Float64, is_elementwise=True)


@pl.api.register_expr_namespace("kullback")
class _Expressions(Methods):
    """`pl.col("p").kullback.kl("q")`, and the other measures by their names."""

    def __init__(self, column: pl.Expr) -> None:
        self._column = column

    def rowwise(self, q: Any = None, measure: str = "kl", **options: Any) -> pl.Expr:
        return expression(self._column, q, measure, **options)


@pl.api.register_dataframe_namespace("kullback")
class _Frames:
    """`df.kullback.rowwise("p", "q", ["kl", "js"])`: the frame with one column per measure."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def rowwise(self, p: str, q: Any = None, measure: str | list[str] = "kl", **options: Any) -> pl.DataFrame:
        names = [measure] if isinstance(measure, str) else measure
        columns = [expression(pl.col(p), q, name, **options).alias(name) for name in names]
        return self._frame.with_columns(columns)
