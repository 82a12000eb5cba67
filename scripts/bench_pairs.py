"""The table of scripts/bench-pairs: all pairs beside scipy and a plain matrix product. See there."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import rel_entr

THREADS = int(sys.argv[1])
KULLBACK = sys.argv[2]
ROUNDS = 5
# In turn, so that a busy minute of the machine meets both.
TURNS = 3


def rows_of(shape, seed):
    return np.random.default_rng(seed).random(shape, dtype=np.float32) + np.float32(1e-6)


def exact(row, q, measure):
    """One row against all, in 64 bits."""
    a, b = row.astype(np.float64), q.astype(np.float64)
    a, b = a / a.sum(), b / b.sum(1, keepdims=True)
    if measure == "kl":
        return rel_entr(a, b).sum(1)
    m = (a + b) / 2
    return (rel_entr(a, m).sum(1) + rel_entr(b, m).sum(1)) / 2


def median(run):
    times = []
    run()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def kullback(p, q, measure, threads, folder):
    """Median seconds, and the values of the first row."""
    paths = [os.path.join(folder, name) for name in ("p", "q", "values")]
    p.tofile(paths[0])
    q.tofile(paths[1])
    command = [KULLBACK, paths[0], paths[1], str(p.shape[1]), measure, str(threads), paths[2]]
    seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return seconds, np.fromfile(paths[2], np.float64)


def line(name, rows, bins, measure, threads, seconds, beside, error):
    rate = rows * rows * bins / seconds / 1e9
    error = "" if error is None else f"{error:.1e}"
    print(f"| {rows:,} × {rows:,} × {bins} | {measure} | {name} | {threads} | {seconds * 1e3:,.1f} | {rate:.2f} | {beside:.2f} | {error} |", flush=True)


def compare(rows, bins, measure, name, peer, folder, squared=False):
    """kullback and a peer in turn; the medians of the turns."""
    p, q = rows_of((rows, bins), 1), rows_of((rows, bins), 2)
    ours, theirs = [], []
    for _ in range(TURNS):
        theirs.append(median(lambda: peer(p, q)))
        seconds, values = kullback(p, q, measure, THREADS, folder)
        ours.append(seconds)
    want = exact(p[0], q, measure)
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    got = peer(p[:1], q)[0]
    error = np.max(np.abs(got * got - want) / want) if squared else None
    line(name, rows, bins, measure, THREADS, theirs, 1.0, error)
    line("kullback", rows, bins, measure, THREADS, ours, theirs / ours, np.max(np.abs(values - want) / want))


def main():
    model = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "")
    print(f"{time.strftime('%Y-%m-%d')}, {model or platform.processor()}, f32 input, medians, taken in turn\n")
    print("| rows × rows × bins | measure | engine | threads | ms | 10⁹ bins/s | speed beside the peer | largest relative error |")
    print("|---|---|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        compare(1000, 64, "js", "scipy cdist", lambda p, q: cdist(p, q, "jensenshannon"), folder, squared=True)
        product = lambda p, q: p @ np.ascontiguousarray(q).T
        # The product alone, of logarithms that are there already.
        compare(4000, 256, "kl", "numpy, the product alone, f32", product, folder)
        wide = {}
        def product_64(p, q):
            key = (p.shape, q.shape)
            if key not in wide:
                wide[key] = (p.astype(np.float64), q.astype(np.float64))
            a, b = wide[key]
            return a @ b.T
        compare(4000, 256, "kl", "numpy, the product alone, f64", product_64, folder)
        for measure in ("js", "tv", "triangular", "hellinger", "jeffreys"):
            p, q = rows_of((1000, 256), 1), rows_of((1000, 256), 2)
            seconds, _ = kullback(p, q, measure, 1, folder)
            line("kullback", 1000, 256, measure, 1, seconds, 1.0, None)


main()
