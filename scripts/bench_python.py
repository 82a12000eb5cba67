"""What scripts/bench-python runs: each line beside its yardstick, one after the other, the median of several rounds."""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import timeit

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
from scipy.special import rel_entr

import kullback
import kullback.duckdb
import kullback.polars

ROWS, BINS, ROUNDS = 1_000_000, 64, 9


def medians(*works):
    """Seconds of each, run in turn; the medians."""
    times = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, seconds in zip(works, times, strict=True):
            begin = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - begin)
    return [statistics.median(seconds) for seconds in times]


def from_rust(example, p, q):
    """Seconds of the same call from Rust, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        p.tofile(folder / "p")
        q.tofile(folder / "q")
        command = [example, folder / "p", folder / "q", str(BINS), "kl", str(kullback_threads()), folder / "values"]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1])


def kullback_threads():
    return int(kullback.devices()[0]["name"].split(", ")[1].split()[0])


def line(work, seconds, against, yardstick):
    print(f"| {work} | {seconds * 1e3:,.1f} ms | {against} | {yardstick * 1e3:,.1f} ms | {seconds / yardstick:.2f} × |")


def main():
    rng = np.random.default_rng(1)
    p, q = rng.random((2, ROWS, BINS), dtype=np.float32)
    lists = [pa.FixedSizeListArray.from_arrays(pa.array(side.ravel()), BINS) for side in (p, q)]
    frame = pl.DataFrame({name: pl.Series(side, dtype=pl.Array(pl.Float32, BINS)) for name, side in [("p", p), ("q", q)]})
    ragged = frame.with_columns(pl.all().cast(pl.List(pl.Float32)))
    con = duckdb.connect()
    kind = f"FLOAT[{BINS}]"
    kullback.duckdb.register(con, type=kind, device="cpu")
    con.create_function("nothing", lambda p, q: pa.array(np.zeros(len(p))), [kind, kind], "DOUBLE", type="arrow", null_handling="special")
    con.register("rows", pa.table({"p": lists[0], "q": lists[1]}))
    con.execute("CREATE TABLE t AS SELECT p, q FROM rows")

    def numpy():
        return kullback.kl(p, q, device="cpu")

    print(f"kl of {ROWS:,} × {BINS} f32, {kullback.devices()[0]['name']}; medians of {ROUNDS} in turn\n")
    print("| work | | beside | | ratio |\n|---|---|---|---|---|")
    # In turn too: a process of Rust between two of Python.
    pairs = [(medians(numpy)[0], from_rust(sys.argv[1], p, q)) for _ in range(3)]
    ours, rust = sorted(pairs, key=lambda pair: pair[0] / pair[1])[1]
    line("`kullback.kl(p, q)`, numpy", ours, "the same call from Rust", rust)
    shares = [side / side.sum(1, keepdims=True) for side in (p, q)]
    ours, scipy = medians(numpy, lambda: rel_entr(*shares).sum(1))
    line("`kullback.kl(p, q)`, numpy", ours, "scipy `rel_entr(p, q).sum(1)` of normalised rows", scipy)
    ways = {
        "pyarrow": lambda: kullback.kl(*lists, device="cpu"),
        "Polars, Array": lambda: frame.select(pl.col("p").kullback.kl("q", device="cpu")),
        "Polars, List": lambda: ragged.select(pl.col("p").kullback.kl("q", device="cpu")),
        "Polars, List, lazy": lambda: ragged.lazy().select(pl.col("p").kullback.kl("q", device="cpu")).collect(),
        f"DuckDB, {kind}": lambda: con.sql("SELECT sum(kl_divergence(p, q)) FROM t").fetchall(),
    }
    for name, work in ways.items():
        ours, yardstick = medians(work, numpy)
        line(name, ours, "numpy", yardstick)
    ours, yardstick = medians(ways[f"DuckDB, {kind}"], lambda: con.sql("SELECT sum(nothing(p, q)) FROM t").fetchall())
    line(f"DuckDB, {kind}", ours, "a function in DuckDB that does nothing", yardstick)
    one = [side[:1] for side in (p, q)]
    calls = 20_000
    seconds = statistics.median(timeit.repeat(lambda: kullback.kl(*one), number=calls, repeat=ROUNDS)) / calls
    print(f"\nOne pair of {BINS}-bin rows: {seconds * 1e6:.1f} µs a call.")


if __name__ == "__main__":
    main()
