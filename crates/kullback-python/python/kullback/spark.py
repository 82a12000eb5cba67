"""Spark: a function for `DataFrame.mapInArrow` that compares the rows of each partition, some hundred thousand at a time.

```python
import kullback.spark

result = df.mapInArrow(
    kullback.spark.rowwise("p", "q", measure=["kl", "js"]),
    kullback.spark.schema(df, measure=["kl", "js"]),
)
```

`p` and `q` are columns of arrays of numbers; the result is the frame with a column of doubles a measure, null where a row is
null or has no value. The same function serves Ray, Dask, DuckDB and Daft: it takes an iterator of Arrow batches and gives one.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

import kullback
from kullback._arrow import FUNCTIONS, columns, refuse

__all__ = ["register", "rowwise", "schema", "with_columns"]


def with_columns(table: Any, p: str, q: Any = None, measure: str | list[str] = "kl", **options: Any) -> Any:
    """An Arrow table with one column per measure. `q` is the name of a column, or one row of numbers for all."""
    names = [measure] if isinstance(measure, str) else list(measure)
    taken = [name for name in names if name in table.column_names]
    if taken or len(set(names)) < len(names):
        raise kullback.InputError(f"the table has columns of these names already, or a measure is named twice: {taken or names}")
    right = table.column(q) if isinstance(q, str) else q
    for name, column in columns(table.column(p), right, names, options).items():
        table = table.append_column(name, column)
    return table


def rowwise(
    p: str, q: Any = None, measure: str | list[str] = "kl", *, batch_rows: int = 1 << 18, **options: Any
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A function from Arrow batches to Arrow batches, which adds one column per measure.

    Small batches are put together up to `batch_rows` rows, so that one call of the engine has enough to do. Options are those of
    `kullback.rowwise`; `device` is one that every worker has. A worker process has one engine a device, for all its tasks.
    """

    refuse(options)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        waiting: list[Any] = []
        rows = 0
        for batch in batches:
            waiting.append(batch)
            rows += batch.num_rows
            if rows >= batch_rows:
                yield from with_columns(pa.Table.from_batches(waiting), p, q, measure, **options).to_batches()
                waiting, rows = [], 0
        if waiting:
            yield from with_columns(pa.Table.from_batches(waiting), p, q, measure, **options).to_batches()

    return run


def schema(df: Any, measure: str | list[str] = "kl") -> Any:
    """The schema of the result: that of the frame and a column of doubles a measure."""
    from pyspark.sql.types import DoubleType, StructField, StructType

    names = [measure] if isinstance(measure, str) else list(measure)
    return StructType([*df.schema.fields, *(StructField(name, DoubleType(), True) for name in names)])


def register(spark: Any, **options: Any) -> None:
    """Adds the functions of `FUNCTIONS` to SQL: `SELECT kl_divergence(p, q) FROM t`. Their batches are those of Spark
    (`spark.sql.execution.arrow.maxRecordsPerBatch`, 10,000 rows): `rowwise` is faster for many rows.
    """
    from pyspark.sql import functions

    refuse(options)
    for name, measure in FUNCTIONS.items():
        function = _function(measure, options)
        # From Spark 4.1 on columns come as Arrow has them.
        udf = functions.arrow_udf if hasattr(functions, "arrow_udf") else functions.pandas_udf
        spark.udf.register(name, udf(function if udf is not functions.pandas_udf else _of_pandas(function), "double"))


def _function(measure: str, options: dict[str, Any]) -> Any:
    def values(p: pa.Array, q: pa.Array) -> pa.Array:
        return columns(p, q, [measure], options)[measure]

    return values


def _of_pandas(function: Any) -> Any:
    import pandas as pd

    def values(p: pd.Series, q: pd.Series) -> pd.Series:
        return function(pa.array(p), pa.array(q)).to_pandas()

    return values
