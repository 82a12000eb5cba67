"""The drop-ins against scipy itself."""

import math
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


# x, y, Σ x ln(x/y) and Σ |x ln(x/y)|, to 17 digits of a computation in 60.
SUMS = [
    # Quotients, terms and sums beyond a float.
    ([4.0], [2.22e-308], 2839.1399832296071, 2839.1399832296071),
    ([1e-200], [1e200], -9.2103403719761826e-198, 9.2103403719761826e-198),
    ([1e308, 1e308], [1e308, 2e307], 1.6094379124341004e308, 1.6094379124341004e308),
    ([1e308, 1e308], [1e307, 1.79e308], 1.7203694731413821e308, np.inf),
    ([1e308] * 2, [1e300] * 2, np.inf, np.inf),
    ([6.5e307] * 3, [1.79e308] * 3, -np.inf, np.inf),
    ([1e160, 2e160], [2e160, 1e160], 6.9314718055994531e159, 2.0794415416798359e160),
    ([1e-160, 2e-160], [3e-160, 1e-160], 2.8768207245178092e-161, 2.4849066497880003e-160),
    # Weights beside far larger ones.
    ([1e300, 1e-100], [1e300, 1e-50], -1.1512925464970229e-98, 1.1512925464970229e-98),
    ([1e300, 1e-100], [1e299, 1e-50], 2.3025850929940458e300, 2.3025850929940458e300),
    ([1.0, 1.0], [1.0, 1e-310], 713.80137882815417, 713.80137882815417),
    ([1e-310, 1.0], [1e-5, 1.0], -7.0228845336318179e-308, 7.0228845336318179e-308),
    # Subnormal ones.
    ([5e-324, 1.5e-323], [1e300, 1e-300], -7.8700378528125727e-321, 7.8700378528125727e-321),
    ([1e-323] * 3, [1.5e-323] * 3, -1.2019582830213065e-323, 1.2019582830213065e-323),
    ([3e-310, 4e-310], [4e-310, 2e-310], 1.9095425048844326e-310, 3.6356349395951129e-310),
    # The divergence is nearly what the totals take away.
    ([1.0, 0.0], [1.0, 1e6], 0.0, 0.0),
    ([1.0, 1e-30], [1.0, 1e6], -8.2893063347785651e-29, 8.2893063347785651e-29),
    # Rows or totals that are nearly equal.
    ([0.3, 0.7], [0.3, 0.7000000001], -1.0000000826689424e-10, 1.0000000826689424e-10),
    ([0.3, 0.7], [0.30000000000001, 0.69999999999999], 2.3771478170722153e-28, 1.9984014443252723e-14),
    ([0.1, 0.2, 0.7], [0.1000000001, 0.2000000001, 0.6999999997], 9.9999939024383723e-11, 4.9999988870380531e-10),
    ([1e8, 3.0], [100000001.0, 2.0], 0.21639532932449311, 2.2163953193244932),
    ([7.0, 1.0], [9.0, 1.5], -2.1646661060745069, 2.1646661060745069),
]
NARROW_SUMS = [
    ([3e38, 1e38], [1e38, 3e38], 2.1972246861083624e38, 4.3944492608041993e38),
    ([1e-45, 3e38], [3e38, 1e38], 3.2958369734562808e38, 3.2958369734562808e38),
    ([3e38, 3e38], [1e30, 1e30], np.inf, np.inf),
    ([0.3, 0.7], [0.3, 0.7000001], -1.1920927940017172e-07, 1.1920927940017172e-07),
    ([1e-30], [1e30], -1.3815510602961959e-28, 1.3815510602961959e-28),
    ([7.0, 1.0], [9.0, 1.5], -2.1646661060745069, 2.1646661060745069),
    ([1.0, 0.0], [1.0, 1e6], 0.0, 0.0),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype, x, y, value, size", [("f8", *row) for row in SUMS] + [("f4", *row) for row in NARROW_SUMS])
def test_sums_of_rel_entr_at_the_ends(dtype, x, y, value, size):
    got = ours.rel_entr_sum(np.array(x, dtype), np.array(y, dtype))
    assert got.dtype == dtype and got.shape == ()
    tolerance = {"f8": 1e-14, "f4": 1e-6}[dtype]
    if np.isinf(value):
        assert got == value
    else:
        # Or the last place of a subnormal.
        assert abs(float(got) - value) <= max(min(size, 1.8e308) * tolerance, 5e-324)


def random_rows(rng, kind, reach):
    x, y = rng.random((2, 2000, 6))
    if kind == "totals":
        y *= x.sum(-1, keepdims=True) / y.sum(-1, keepdims=True) * (1 + 10.0 ** -rng.uniform(1, 16, (2000, 1)))
    if kind == "bins":
        y = x * (1 + 10.0 ** -rng.uniform(1, 16, (2000, 1)) * rng.standard_normal(x.shape))
    if kind == "scales":
        x, y = (np.ldexp(side, rng.integers(-reach, reach, (2000, 1))) for side in (x, y))
    if kind == "weights":
        x, y = (np.ldexp(side, rng.integers(-reach, reach, x.shape)) for side in (x, y))
    if kind == "zeros":
        x[rng.random(x.shape) < 0.5] = 0
        y[(rng.random(x.shape) < 0.5) & (x == 0)] = 0
    return x, y


@pytest.mark.parametrize("kind", ["any", "totals", "bins", "scales", "weights", "zeros"])
def test_sums_of_rel_entr_of_random_rows(kind, rng):
    for dtype, reach, tolerance in [("f8", 900, 1e-14), ("f4", 110, 1e-6)]:
        x, y = (side.astype(dtype) for side in random_rows(rng, kind, reach))
        terms = special.rel_entr(x.astype("f8"), y.astype("f8"))
        want, size = (np.array([math.fsum(row) for row in of]) for of in (terms, np.abs(terms)))
        got = ours.rel_entr_sum(x, y)
        assert got.dtype == dtype and (np.abs(got - want) <= tolerance * size).all()


def test_usual_rows_are_not_summed_bin_by_bin(rng, monkeypatch):
    monkeypatch.setattr(ours, "_by_bins", None)
    x, y = rng.random((2, 100, 8))
    x, y = x / x.sum(-1, keepdims=True), y / y.sum(-1, keepdims=True)
    for dtype in ["f4", "f8"]:
        ours.rel_entr_sum(x.astype(dtype), y.astype(dtype))


def test_axes_of_sums_of_rel_entr(rng):
    x, y = rng.random((4, 5, 6)), rng.random((4, 5, 6))
    for axis in [0, 1, 2, -1, -3, None, (0,), (1, 2), (2, 0), (-1, 0), (0, 1, 2), ()]:
        for other in [y, y[:1], y[:, :1], y[..., :1], y[0], y[0, 0], y[0, :, :1], y[0, 0, 0]]:
            same(ours.rel_entr_sum(x, other, axis), special.rel_entr(x, other).sum(axis))
            same(ours.rel_entr_sum(other, x, axis), special.rel_entr(other, x).sum(axis))
    for shape in [(0,), (3, 0), (0, 3), (2, 0, 3)]:
        for axis in [0, -1, None, tuple(range(len(shape))), ()]:
            same(ours.rel_entr_sum(np.ones(shape), np.ones(shape), axis), special.rel_entr(np.ones(shape), np.ones(shape)).sum(axis))
    same(ours.rel_entr_sum([], []), special.rel_entr([], []).sum(-1))
    same(ours.rel_entr_sum(2.0, 3.0), special.rel_entr(2.0, 3.0).sum(-1))
    same(ours.rel_entr_sum(x.T, y.T, 0), special.rel_entr(x.T, y.T).sum(0))
    for axis in [3, -4, (0, 3), (1, 1)]:
        with pytest.raises(ValueError):
            ours.rel_entr_sum(x, y, axis)
    with pytest.raises(ValueError, match="broadcast"):
        ours.rel_entr_sum(x, y[:3])


@pytest.mark.filterwarnings("ignore")
def test_odd_weights_of_sums_of_rel_entr():
    odd = np.array([0.0, -0.0, 5e-324, 1.0, 1.7e308, -1.0, -1e-320, np.inf, -np.inf, np.nan])
    x, y = (side.ravel() for side in np.meshgrid(odd, odd))
    same(ours.rel_entr_sum(x, y, ()), special.rel_entr(x, y))
    for beside in [(1.0, 2.0), (0.0, 1.0), (1.0, 0.0)]:
        rows = [np.stack([side, np.full_like(side, one)], -1) for side, one in zip((x, y), beside)]
        same(ours.rel_entr_sum(*rows), special.rel_entr(*rows).sum(-1))


def is_zero(value):
    return np.all(value == 0) and not np.any(np.signbit(value))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("base", [0.5, 0.999, 2, 10])
def test_a_base_below_1(base, rng):
    p = rng.integers(1, 100, (500, 5)).astype(float)
    for other in [p, 2 * p]:
        assert is_zero(ours.entropy(p, other, base, axis=1)) and is_zero(ours.jensenshannon(p, other, base, axis=1))
        assert (stats.entropy(p, other, base, axis=1) == 0).all() and (distance.jensenshannon(p, other, base, axis=1) == 0).all()
    assert is_zero(ours.entropy([1.0, 0.0], base=base)) and stats.entropy([1.0, 0.0], base=base) == 0
    # Proportional but for rounding: scipy has 0, or a root of some 1e-17 of either sign.
    near = ours.jensenshannon(p, p * 0.1, base, axis=1)
    assert is_zero(near) if base < 1 else (near < 1e-12).all()
    q = p[::-1]
    same(ours.entropy(p, base=base, axis=1), stats.entropy(p, base=base, axis=1))
    same(ours.entropy(p, q, base, axis=1), stats.entropy(p, q, base, axis=1))
    same(ours.jensenshannon(p, q, base, axis=1), distance.jensenshannon(p, q, base, axis=1))
    same(ours.jensenshannon(p, q[:1], base, axis=1), distance.jensenshannon(p, q[:1], base, axis=1))
    same(ours.jensenshannon([1.0, 0.0], [0.0, 1.0], base), distance.jensenshannon([1.0, 0.0], [0.0, 1.0], base))


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
