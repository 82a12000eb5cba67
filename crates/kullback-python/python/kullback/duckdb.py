"""DuckDB: functions over columns of lists, one value per row.

>>> import duckdb
>>> import kullback.duckdb
>>> con = duckdb.connect()
>>> kullback.duckdb.register(con)
>>> con.sql("SELECT round(kl_divergence([1, 3], [1, 1]), 6) AS kl").fetchall()
[(0.130812,)]

NULL where a row is NULL or has no value.
"""

from typing import Any

from kullback._arrow import FUNCTIONS, columns, refuse

__all__ = ["FUNCTIONS", "register"]

FUNCTIONS = {**FUNCTIONS, "array_entropy": "entropy"}
"""The names in SQL, and their measures."""


def register(con: Any, *, type: str = "DOUBLE[]", **options: Any) -> None:
    """Adds the functions of `FUNCTIONS` to a connection. Their arguments are of a type: lists of DOUBLE hold every number, FLOAT[] is
    half as long, and of columns of one length `type="FLOAT[64]"` is what DuckDB hands over the fastest. Options are those of
    `kullback.rowwise`. Errors count rows within the batches of DuckDB, 2,048 rows each.
    """
    refuse(options)
    for name, measure in FUNCTIONS.items():
        sides = 1 if measure == "entropy" else 2
        function = _function(measure, options, sides)
        con.create_function(name, function, [type] * sides, "DOUBLE", type="arrow", null_handling="special")


def _function(measure: str, options: dict[str, Any], sides: int) -> Any:
    if sides == 1:
        return lambda p: columns(p, None, [measure], options)[measure]
    return lambda p, q: columns(p, q, [measure], options)[measure]
