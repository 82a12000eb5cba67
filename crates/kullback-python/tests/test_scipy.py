"""The drop-ins against scipy itself."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import kullback.scipy as ours

stats = pytest.importorskip("scipy.stats")
distance = pytest.importorskip("scipy.spatial.distance")
special = pytest.importorskip("scipy.special")


def same(got, want, tolerance=1e-12):
    assert np.shape(got) == np.shape(want)
    assert np.asarray(got).dtype == np.asarray(want).dtype
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=1e-15)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("axis", [0, 1, -1, 2, None])
@pytest.mark.parametrize("base", [None, 2, 0.5, 10])
@pytest.mark.parametrize("keepdims", [False, True])
def test_entropy(axis, base, keepdims, rng):
    p, q = rng.random((4, 5, 6)), rng.random((4, 5, 6))
    p[1, 2, 3] = 0
    for args in [(p,), (p, q), (p, q[:1]), (p[:, :1], q), (rng.integers(0, 9, (4, 5, 6)),), (p, q[0])]:
        if axis is None and len({np.size(side) for side in args}) > 1:
            with pytest.raises(ValueError):
                ours.entropy(*args, base=base, axis=axis)
            continue
        same(ours.entropy(*args, base=base, axis=axis, keepdims=keepdims), stats.entropy(*args, base=base, axis=axis, keepdims=keepdims))


@pytest.mark.filterwarnings("ignore")
def test_entropy_of_odd_rows(rng):
    p = rng.random((8, 5))
    q = rng.random((8, 5))
    p[0, 0] = np.nan
    p[1] = 0
    p[2, 3] = -0.5
    p[3, 1] = np.inf
    q[4, 1] = 0
    q[5] = 0
    q[6, 2] = np.nan
    for policy in ["propagate", "omit"]:
        same(ours.entropy(p, axis=1, nan_policy=policy), stats.entropy(p, axis=1, nan_policy=policy))
        same(ours.entropy(p, q, axis=1, nan_policy=policy), stats.entropy(p, q, axis=1, nan_policy=policy))
    with pytest.raises(ValueError, match="nan"):
        ours.entropy(p, axis=1, nan_policy="raise")
    with pytest.raises(ValueError, match="base"):
        ours.entropy(p, base=-2)
    same(ours.entropy([]), stats.entropy([]))
    same(ours.jensenshannon([], []), distance.jensenshannon([], []))
    same(ours.entropy([[np.nan]], axis=1, nan_policy="omit"), stats.entropy([[np.nan]], axis=1, nan_policy="omit"))
    masked = np.ma.masked_invalid(p)
    same(np.asarray(ours.entropy(masked[:1], axis=1)), np.asarray(stats.entropy(masked[:1], axis=1)))
    cube = rng.random((3, 4, 5))
    for axes in [(0, 1), (2, 0), (-1, 1)]:
        same(ours.entropy(cube, axis=axes), stats.entropy(cube, axis=axes))
        same(ours.entropy(cube, cube[::-1], axis=axes, keepdims=True), stats.entropy(cube, cube[::-1], axis=axes, keepdims=True))
    same(ours.entropy(np.zeros((0, 3))), stats.entropy(np.zeros((0, 3))))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4"])
def test_types_are_kept(dtype, rng):
    p, q = (rng.random((2, 6, 7)) * 100 + 1).astype(dtype)
    tolerance = {"f2": 2e-2, "f4": 1e-5}.get(dtype, 1e-12)
    same(ours.entropy(p, q), stats.entropy(p, q), tolerance)
    same(ours.entropy(p), stats.entropy(p), tolerance)
    same(ours.jensenshannon(p, q), distance.jensenshannon(p, q), {"f2": 5e-2, "f4": 1e-4}.get(dtype, 1e-12))


def test_types_meet_as_in_scipy():
    kinds = ["f2", "f4", "f8", "u1", "i1", "u2", "i2", "i4", "i8", "?"]
    for one in kinds:
        for other in kinds:
            p, q = np.array([1, 2, 3]).astype(one), np.array([1, 1, 2]).astype(other)
            tolerance = 2e-2 if "f2" in (one, other) else 1e-5 if "f4" in (one, other) else 1e-12
            same(ours.entropy(p, q), stats.entropy(p, q), tolerance)
            same(ours.jensenshannon(p, q), distance.jensenshannon(p, q), tolerance)
    same(ours.entropy([1, 2], [3.0, 4.0]), stats.entropy([1, 2], [3.0, 4.0]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_jensenshannon(axis, keepdims, rng):
    p, q = rng.random((4, 5, 6)), rng.random((4, 5, 6))
    p[0, 0] = 0
    q[1, 1, 1] = np.nan
    for args in [(p, q), (p, q[:1]), (p, q[0])]:
        for base in [None, 2.0]:
            if args[1].ndim <= axis:
                with pytest.raises(ValueError):
                    ours.jensenshannon(*args, base, axis=axis)
                continue
            same(ours.jensenshannon(*args, base, axis=axis, keepdims=keepdims), distance.jensenshannon(*args, base, axis=axis, keepdims=keepdims))
    same(ours.jensenshannon([1.0, 0.0], [0.5, 0.5]), distance.jensenshannon([1.0, 0.0], [0.5, 0.5]))


@pytest.mark.filterwarnings("ignore")
def test_sums_of_rel_entr(rng):
    x, y = rng.random((9, 5)), rng.random((9, 5))
    x[0] = 0
    x[1, 2] = y[1, 2] = 0
    y[2, 1] = 0
    x[3, 3] = -1
    y[4, 1] = np.nan
    y[5] = 0
    for axis in [0, 1]:
        same(ours.rel_entr_sum(x, y, axis), special.rel_entr(x, y).sum(axis))
    same(ours.rel_entr_sum(x, y[7]), special.rel_entr(x, y[7]).sum(-1))


def test_the_tests_of_scipy_itself():
    """Those of its releases that install them."""
    pytest.importorskip("hypothesis")
    here = pathlib.Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "as_scipy", "-W", "ignore", "--pyargs", "scipy.stats.tests.test_entropy"]
    done = subprocess.run(
        [*command, "-k", "TestEntropy"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(here)}, cwd=here.root
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0 and passed and int(passed[1]) >= 10, done.stdout + done.stderr
