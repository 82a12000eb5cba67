"""The body that Spark runs, on Ray, Dask and Daft: those that are installed."""

import numpy as np
import pyarrow as pa
import pytest

import kullback
from kullback.spark import rowwise, with_columns

BINS = 16


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    p, q = rng.random((2, 4000, BINS), dtype=np.float32)
    p[7] = 0
    lists = {name: pa.FixedSizeListArray.from_arrays(pa.array(side.ravel()), BINS) for name, side in [("p", p), ("q", q)]}
    return pa.table({"id": np.arange(4000), **{name: side.cast(pa.list_(pa.float32())) for name, side in lists.items()}})


def same(got, table):
    """A table with the columns `id` and `js`, in any order."""
    got = got.sort_by("id")
    want = kullback.js(table["p"], table["q"])
    values = got["js"].to_numpy(zero_copy_only=False)
    assert got["id"].to_pylist() == list(range(4000)) and got["js"][7].as_py() is None
    np.testing.assert_array_equal(values, want)


def test_batches_of_arrow_whatever_hands_them_over(table):
    for size in [1, 100, 5000]:
        batches = rowwise("p", "q", "js", batch_rows=700)(table.to_batches(max_chunksize=size))
        same(pa.Table.from_batches(batches), table)


def test_ray(table):
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        data = ray.data.from_arrow([table.slice(0, 1500), table.slice(1500)])
        done = data.map_batches(lambda part: with_columns(part, "p", "q", "js"), batch_format="pyarrow")
        same(pa.concat_tables(ray.get(done.to_arrow_refs())).select(["id", "js"]), table)
    finally:
        ray.shutdown()


def test_dask(table):
    dask = pytest.importorskip("dask")
    parts = [table.slice(first, 1000) for first in range(0, 4000, 1000)]
    tasks = [dask.delayed(with_columns)(part, "p", "q", "js") for part in parts]
    same(pa.concat_tables(dask.compute(*tasks, scheduler="processes", num_workers=2)), table)


def test_daft(table):
    daft = pytest.importorskip("daft")

    @daft.func.batch(return_dtype=daft.DataType.float64())
    def js(p, q):
        return with_columns(pa.table({"p": p.to_arrow(), "q": q.to_arrow()}), "p", "q", "js")["js"].combine_chunks()

    done = daft.from_arrow(table).with_column("js", js(daft.col("p"), daft.col("q")))
    same(done.select("id", "js").to_arrow(), table)
