"""Spark on a cluster of two executors on this machine, in processes of their own."""

import os
import pathlib
import signal
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import LongType, StructField, StructType

import kullback
import kullback.spark

ROWS = int(os.environ.get("KULLBACK_SPARK_ROWS", "200000"))
BINS = 64
MEASURES = ["kl", "js"]


@pytest.fixture(scope="module")
def spark():
    os.environ |= {
        "SPARK_HOME": str(pathlib.Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("kullback")
    choices = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for name, value in choices.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A Parquet file of rows with zeros, empty rows and nulls, and what the engine of this process says of them."""
    rng = np.random.default_rng(11)
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    wants = []
    with pq.ParquetWriter(path, pa.schema({"id": pa.int64(), "p": pa.list_(pa.float32()), "q": pa.list_(pa.float32())})) as writer:
        step = 20_000
        for first in range(0, ROWS, step):
            p, q = rng.random((2, step, BINS), dtype=np.float32)
            p[p < 0.01] = 0
            p[7] = 0
            wants.append(np.stack([*kullback.rowwise(p, q, MEASURES, on_invalid="null", device="cpu").values()]))
            nothing = np.zeros(step, bool)
            nothing[3] = True
            wants[-1][:, 3] = np.nan
            offsets = np.arange(0, step * BINS + 1, BINS, dtype=np.int32)
            lists = [pa.ListArray.from_arrays(offsets, side.ravel()) for side in (p, q)]
            lists[0] = pa.ListArray.from_arrays(offsets, p.ravel(), mask=pa.array(nothing))
            writer.write_table(pa.table({"id": np.arange(first, first + step), "p": lists[0], "q": lists[1]}), row_group_size=step // 4)
    return str(path), np.concatenate(wants, axis=1)


def found(df):
    """The columns of a result in the order of the ids, and which executors made them."""
    table = pa.Table.from_batches(df.toArrow().to_batches()).sort_by("id")
    values = np.stack([table[name].to_numpy(zero_copy_only=False) for name in MEASURES])
    executors = set(table["executor"].to_pylist()) if "executor" in table.column_names else set()
    return table["id"].to_numpy(), values, executors


def same_bits(got, want):
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert (got[~np.isnan(got)] == want[~np.isnan(want)]).all()


def job(spark, path, pause=0.0):
    """Adds the measures, and the process that started each worker: the executor's."""
    run = kullback.spark.rowwise("p", "q", MEASURES, batch_rows=50_000, device="cpu")

    def tagged(batches):
        time.sleep(pause)
        for batch in run(batches):
            executor = pa.array(np.full(batch.num_rows, os.getppid()))
            yield batch.append_column("executor", executor).drop_columns(["p", "q"])

    df = spark.read.parquet(path).repartition(24)
    fields = [field for field in kullback.spark.schema(df, MEASURES).fields if field.name not in ("p", "q")]
    return df.mapInArrow(tagged, StructType([*fields, StructField("executor", LongType())]))


def test_two_executors_give_the_bits_of_one_process(spark, rows):
    path, want = rows
    ids, got, executors = found(job(spark, path))
    np.testing.assert_array_equal(ids, np.arange(ROWS))
    same_bits(got, want)
    assert len(executors) >= 2, executors


def executors_of(session):
    """Processes that run executors of this application."""
    name = session.sparkContext.applicationId
    pids = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and b"CoarseGrainedExecutorBackend" in command and name.encode() in command:
            pids.append(int(entry.name))
    return pids


def test_an_executor_that_is_killed_changes_nothing(spark, rows):
    path, want = rows
    before = executors_of(spark)
    assert len(before) == 2, before
    result, begun = {}, time.monotonic()

    def work():
        result["found"] = found(job(spark, path, pause=0.5))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(4)
    assert thread.is_alive(), "over before the kill"
    os.kill(before[0], signal.SIGKILL)
    thread.join(timeout=600)
    assert "found" in result, "the job failed"
    ids, got, _ = result["found"]
    np.testing.assert_array_equal(ids, np.arange(ROWS))
    same_bits(got, want)
    assert set(executors_of(spark)) != set(before), "one was started in its place"
    print(f"{ROWS} rows in {time.monotonic() - begun:.1f} s")


def test_functions_of_sql(spark, rows):
    path, want = rows
    kullback.spark.register(spark, device="cpu")
    spark.read.parquet(path).limit(5000).createOrReplaceTempView("rows")
    table = spark.sql("SELECT id, kl_divergence(p, q) AS kl, js_divergence(p, q) AS js FROM rows").toArrow().sort_by("id")
    got = np.stack([table[name].to_numpy(zero_copy_only=False) for name in MEASURES])
    same_bits(got, want[:, table["id"].to_numpy()])


def test_bad_rows_fail_the_job_with_their_numbers(spark):
    df = spark.createDataFrame([([1.0, -1.0], [1.0, 1.0])], "p array<double>, q array<double>")
    with pytest.raises(Exception, match="row 0 of P, bin 1"):
        df.mapInArrow(kullback.spark.rowwise("p", "q"), kullback.spark.schema(df)).collect()
