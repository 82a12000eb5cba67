"""The table of scripts/bench-peers: engines side by side on the same rows. See there."""

import concurrent.futures
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.special import rel_entr

THREADS = int(sys.argv[1])
KULLBACK = sys.argv[2]
SHAPES = [(4_000_000, 16), (1_000_000, 64), (8_000, 8_192), (500, 131_072)]
ROUNDS = 3
# The slow ones run on the first rows only; their time is for those rows.
SLOW_ROWS = 4


def rows_of(shape, seed):
    """Random rows, normalised in 32 bits: what most libraries ask for."""
    rng = np.random.default_rng(seed)
    weights = rng.random(shape, dtype=np.float32) + np.float32(1e-6)
    return weights / weights.sum(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)


def exact(p, q, measure, block=4096):
    """In 64 bits, normalised as kullback does. Good to some 1e-13 on such rows."""
    out = np.empty(len(p))
    step = max(1, block * 64 // p.shape[1])
    for i in range(0, len(p), step):
        a, b = p[i : i + step].astype(np.float64), q[i : i + step].astype(np.float64)
        a, b = a / a.sum(1, keepdims=True), b / b.sum(1, keepdims=True)
        if measure == "kl":
            out[i : i + step] = rel_entr(a, b).sum(1)
        else:
            m = (a + b) / 2
            out[i : i + step] = (rel_entr(a, m).sum(1) + rel_entr(b, m).sum(1)) / 2
    return out


def numpy_engine(p, q, measure):
    if measure == "kl":
        return (p * np.log(p / q)).sum(1)
    m = (p + q) / 2
    return ((p * np.log(p / m)).sum(1) + (q * np.log(q / m)).sum(1)) / 2


def scipy_engine(p, q, measure):
    if measure == "kl":
        return rel_entr(p, q).sum(1)
    m = (p + q) / 2
    return (rel_entr(p, m).sum(1) + rel_entr(q, m).sum(1)) / 2


def numexpr_engine():
    import numexpr

    numexpr.set_num_threads(THREADS)

    def run(p, q, measure):
        if measure == "kl":
            return numexpr.evaluate("sum(p * log(p / q), axis=1)")
        return numexpr.evaluate("sum(p * log(2 * p / (p + q)) + q * log(2 * q / (p + q)), axis=1)") / 2

    return run


def numba_engine():
    import numba

    @numba.njit(parallel=True, fastmath=True)
    def kl(p, q):
        out = np.empty(len(p))
        for i in numba.prange(len(p)):
            total = 0.0
            for j in range(p.shape[1]):
                total += p[i, j] * np.log(p[i, j] / q[i, j])
            out[i] = total
        return out

    @numba.njit(parallel=True, fastmath=True)
    def js(p, q):
        out = np.empty(len(p))
        for i in numba.prange(len(p)):
            total = 0.0
            for j in range(p.shape[1]):
                s = p[i, j] + q[i, j]
                total += p[i, j] * np.log(2 * p[i, j] / s) + q[i, j] * np.log(2 * q[i, j] / s)
            out[i] = total / 2
        return out

    return lambda p, q, measure: (kl if measure == "kl" else js)(p, q)


def pairwise_in_threads(name):
    """SimSIMD and NumKong take one pair of rows, or of matrices, per call; here matrices, one per thread."""
    library = __import__(name)
    function = {"kl": library.kullbackleibler, "js": library.jensenshannon}

    def run(p, q, measure):
        out = np.empty(len(p))
        bounds = np.linspace(0, len(p), THREADS + 1).astype(int)

        def part(i):
            a, b = bounds[i], bounds[i + 1]
            if b > a:
                values = np.asarray(function[measure](p[a:b], q[a:b]), dtype=np.float64)
                out[a:b] = values

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(part, range(THREADS)))
        # Theirs is the distance.
        return out * out if measure == "js" else out

    # Answers one value per row, or this is no engine for rows.
    probe = np.full((3, 16), 1 / 16, np.float32)
    run(probe, probe, "kl")
    return run


def torch_engine():
    import torch

    torch.set_num_threads(THREADS)

    def run(p, q, measure):
        p, q = torch.from_numpy(p), torch.from_numpy(q)
        if measure == "kl":
            return torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(1).numpy()
        m = ((p + q) / 2).log()
        kl = lambda a: torch.nn.functional.kl_div(m, a, reduction="none").sum(1)
        return ((kl(p) + kl(q)) / 2).numpy()

    return run


def engines():
    yield "numpy, f32", numpy_engine
    yield "scipy rel_entr, f32", scipy_engine
    yield "scipy rel_entr, f64", lambda p, q, m: scipy_engine(p.astype(np.float64), q.astype(np.float64), m)
    for name, make in [
        ("numexpr, f32", numexpr_engine),
        ("numba, f32, fastmath", numba_engine),
        ("simsimd", lambda: pairwise_in_threads("simsimd")),
        ("numkong", lambda: pairwise_in_threads("numkong")),
        ("torch CPU kl_div, f32", torch_engine),
    ]:
        try:
            yield name, make()
        except Exception as error:  # a peer that is not there, or not for rows
            print(f"left out: {name}: {type(error).__name__}: {error}", file=sys.stderr)


def kullback(p, q, measure, folder):
    """Median seconds of a plain read and of kullback, taken in turn in one process; and the values."""
    paths = [os.path.join(folder, name) for name in ("p", "q", "values")]
    p.tofile(paths[0])
    q.tofile(paths[1])
    command = [KULLBACK, paths[0], paths[1], str(p.shape[1]), measure, str(THREADS), paths[2]]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    read, call = map(float, printed.split())
    return read, call, np.fromfile(paths[2], np.float64)


def line(name, shape, measure, seconds, read, values, want):
    rows, bins = shape
    error = np.max(np.abs(values - want) / want)
    size = 2 * 4 * rows * bins
    print(
        f"| {rows:,} × {bins:,} | {measure} | {name} | {rows / seconds:,.0f} | {size / seconds / 1e9:.2f} "
        f"| {read / seconds:.2f} | {error:.1e} | {np.count_nonzero(values < 0):,} |",
        flush=True,
    )


def main():
    model = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), "")
    print(f"{time.strftime('%Y-%m-%d')}, {model or platform.processor()}, {THREADS} threads, f32 input, medians\n")
    print("| rows × bins | measure | engine | rows/s | GB/s | of a plain read | largest relative error | negative |")
    print("|---|---|---|---:|---:|---:|---:|---:|")
    peers = list(engines())
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            p, q = rows_of(shape, 1), rows_of(shape, 2)
            for measure in ("kl", "js"):
                want = exact(p, q, measure)
                read, call, values = kullback(p, q, measure, folder)
                line("plain read", shape, measure, read, read, want, want)
                line("kullback", shape, measure, call, read, values, want)
                for name, run in peers:
                    values = np.asarray(run(p, q, measure), np.float64)
                    times = []
                    for _ in range(ROUNDS):
                        start = time.perf_counter()
                        run(p, q, measure)
                        times.append(time.perf_counter() - start)
                    line(name, shape, measure, statistics.median(times), read, values, want)


main()
