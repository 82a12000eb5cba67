"""Values, shapes and choices of `rowwise` and its short forms."""

import json
import pathlib

import numpy as np
import pytest
from conftest import exact_kl

import kullback

GOLDEN = pathlib.Path(__file__).parents[2] / "kullback-conformance" / "golden" / "golden.json"
FIRST_ORDER = {"tv", "hellinger", "js_distance", "w1", "ks"}


def test_the_example_of_the_readme():
    assert repr(kullback.kl([[0.5, 0.5]], [[0.9, 0.1]])) == "array([0.51082562])"


def test_every_golden_case(device):
    cases = json.loads(GOLDEN.read_text())
    assert {case["dtype"] for case in cases} == {"float32", "float64", "uint8", "uint16", "uint32"}
    compared = 0
    for case in cases:
        p, q = np.array([case["p"]], case["dtype"]), np.array([case["q"]], case["dtype"])
        measures = list(case["values"])
        values, status = kullback.rowwise(
            p, q, measures, zeros=case["zeros"], on_invalid="null", return_status=True, device=device
        )
        infinite = any(value is not None and float(value) == np.inf for value in case["values"].values())
        want_status = "infinite" if case["status"] == "ok" and infinite else case["status"]
        assert kullback.Status(status[0]).name.lower() == want_status, case["name"]
        wide = p.itemsize == 8 or (case["dtype"] == "uint32" and max(p.max(), q.max()) > 2**24)
        for measure, want in case["values"].items():
            got = values[measure][0]
            if want is None:
                assert np.isnan(got), (case["name"], measure)
                continue
            want = float(want)
            floor = 1e-12 if measure in FIRST_ORDER else 1e-24
            near = got == want or abs(got - want) <= max((1e-12 if wide else 1e-6) * want, floor)
            assert near and not got < 0, (case["name"], measure, got, want)
            compared += 1
    assert compared > 5_000


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "u2", "u4", "u8", "i4", "i8", "i1", "i2", "?", ">f4", ">i8", "O"])
def test_every_type_of_weights(dtype, rng):
    weights = rng.integers(1, 100, (2, 50, 9)) if dtype != "?" else rng.integers(0, 2, (2, 50, 9))
    p, q = weights.astype(dtype)
    if dtype == "?":
        p, q = p.copy(), q.copy()
        p[:, 0] = q[:, 0] = True
        with np.errstate(divide="ignore"):
            want = exact_kl(p, q)
    else:
        want = exact_kl(weights[0].astype(dtype).astype("f8"), weights[1].astype(dtype).astype("f8"))
    np.testing.assert_allclose(kullback.kl(p, q), want, rtol=1e-6, atol=1e-24)


def test_leading_axes_and_one_row_on_a_side(rng):
    p, q = rng.random((4, 5, 6)), rng.random((4, 5, 6))
    want = exact_kl(p, q)
    assert kullback.kl(p, q).shape == (4, 5)
    np.testing.assert_allclose(kullback.kl(p, q), want, rtol=1e-12)
    np.testing.assert_allclose(kullback.kl(p, q[0, 0]), exact_kl(p, q[0, 0]), rtol=1e-12)
    np.testing.assert_allclose(kullback.kl(p[0, 0], q), exact_kl(p[0, 0], q), rtol=1e-12)
    one = kullback.kl(p[0, 0], q[0, 0])
    assert isinstance(one, float) and one == pytest.approx(want[0, 0], rel=1e-12)
    assert kullback.kl(p[:0], q[:0]).shape == (0, 5)
    assert kullback.kl(p[:1, :1], q[:1, :1]).shape == (1, 1)


def test_several_measures_share_a_call(rng):
    p, q = rng.random((30, 8)), rng.random((30, 8))
    found = kullback.rowwise(p, q, ["kl", "psi", "js", "renyi:2"])
    assert list(found) == ["kl", "psi", "js", "renyi:2"]
    np.testing.assert_array_equal(found["psi"], kullback.psi(p, q))
    np.testing.assert_array_equal(found["renyi:2"], kullback.renyi(p, q, 2))
    for name in ["js", "js_distance", "hellinger", "tv", "chi2"]:
        np.testing.assert_array_equal(getattr(kullback, name)(p, q), kullback.rowwise(p, q, name))


def test_units_policies_and_statuses():
    p, q = [[1, 1], [0, 0], [1, 0]], [[1, 3], [1, 1], [0, 1]]
    values, status = kullback.kl(p, q, return_status=True)
    assert status.tolist() == [0, 2, 1] and np.isnan(values[1]) and values[2] == np.inf
    assert kullback.kl(p, q, unit="bits")[0] == pytest.approx(values[0] / np.log(2), rel=1e-15)
    assert np.isfinite(kullback.kl(p, q, zeros="additive:0.5")).all()


def test_an_engine_keeps_rows(device, rng):
    engine = kullback.Engine(device)
    p, q = rng.random((100, 12), dtype=np.float32), rng.random((100, 12), dtype=np.float32)
    kept = engine.upload(q)
    assert len(kept) == 100 and kept.bins == 12 and kept.is_on_a_device == device.startswith("gpu")
    np.testing.assert_array_equal(engine.rowwise(p, kept, "js"), engine.rowwise(p, q, "js"))
    np.testing.assert_array_equal(engine.rowwise(kept, p, ["js"])["js"], engine.rowwise(q, p, "js"))
    with pytest.raises(kullback.InputError):
        kullback.Engine(device).rowwise(p, kept)
    assert engine.device in repr(engine)
    assert engine.rowwise(p[0], engine.upload(q[:1])).shape == engine.rowwise(p[0], q[:1]).shape == (1,)
    assert engine.rowwise(p.reshape(4, 25, 12), engine.upload(q[:1])).shape == (4, 25)
    for wrong in [{"against": "total"}, {"out": np.zeros(99)}]:
        with pytest.raises(kullback.InputError):
            engine.rowwise(p, kept, **wrong)
    for function in [kullback.kl, kullback.pairwise]:
        with pytest.raises(kullback.InputError, match="engine keeps"):
            function(kept, q)


def test_a_summary_is_that_of_the_column(rng):
    p, q = rng.random((500, 8)), rng.random(8)
    values = kullback.kl(p, q)
    found = kullback.summary(p, q, top=3)
    assert found["rows"] == found["finite"] == 500
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert found["standard_deviation"] == pytest.approx(values.std(ddof=1), rel=1e-9)
    assert [row for row, _ in found["top"]] == np.argsort(-values)[:3].tolist()
    assert found["quantiles"][1.0] == values.max()
    both = kullback.summary(p, q, ["kl", "js"])
    assert both["kl"]["mean"] == found["mean"]


@pytest.mark.parametrize("measure", ["kl", "reverse_kl", "jeffreys", "psi", "js", "tv", "chi2", "lin_k", "pooled_js", "w1", "alpha:0.3"])
def test_contributions_add_up(measure, rng):
    p, q = rng.integers(1, 50, (4, 5, 9)), rng.integers(1, 50, 9)
    parts = kullback.contributions(p, q, measure, unit="bits")
    assert parts.shape == p.shape
    np.testing.assert_allclose(parts.sum(-1), kullback.rowwise(p, q, measure, unit="bits"), rtol=1e-12)


def test_contributions_take_options_and_rows_of_any_layout(rng):
    p, q = rng.integers(0, 5, (300, 4)), rng.integers(0, 5, (300, 4))
    want = kullback.contributions(p, q, "js", zeros="additive:0.5")
    np.testing.assert_array_equal(kullback.contributions(np.asfortranarray(p), q[::-1][::-1], "js", zeros="additive:0.5"), want)
    assert kullback.contributions([1, 2], [2, 1], "w1", positions=[0, 10]).tolist() == pytest.approx([10 / 3, 0])
    with pytest.raises(kullback.InputError, match="largest of its terms"):
        kullback.contributions(p, q, "ks")
    pa = pytest.importorskip("pyarrow")
    null = pa.array([[1, 2], None], pa.list_(pa.int64(), 2))
    np.testing.assert_array_equal(np.isnan(kullback.contributions(null, [1, 1], zeros="additive:1")), [[False] * 2, [True] * 2])


def test_the_contract_holds_on_every_device():
    found = kullback.verify(rows=8)
    assert len(found) >= 1
    for name, device in found.items():
        assert device["passed"] and device["values"] > 5_000 and not device["failures"], (name, device["failures"])
        assert max(device["largest_error_1e-6"].values()) < 1e-6
    assert found[next(iter(found))]["largest_error_1e-12"]


def test_positions_of_ordered_bins(rng):
    from scipy.stats import wasserstein_distance

    positions = np.cumsum(rng.random(12))
    p, q = rng.random((5, 12)), rng.random((5, 12))
    want = [wasserstein_distance(positions, positions, a, b) for a, b in zip(p, q)]
    np.testing.assert_allclose(kullback.w1(p, q, positions=positions), want, rtol=1e-12)
    np.testing.assert_allclose(kullback.Engine().rowwise(p, q, "w1", positions=list(positions)), want, rtol=1e-12)
    matrix = kullback.pairwise(p, q, "w1", positions=positions)
    np.testing.assert_allclose(np.diag(matrix), want, rtol=1e-12)
    assert kullback.summary(p, q, "w1", positions=positions)["rows"] == 5
    for given in [positions[:5], positions[::-1], "0,1"]:
        with pytest.raises((kullback.InputError, TypeError)):
            kullback.w1(p, q, positions=given)
    with pytest.raises(kullback.InputError, match="no measure"):
        kullback.kl(p, q, positions=positions)


def test_the_g_test_is_pooled_js():
    from scipy.stats import chi2_contingency

    table = np.array([[10, 10, 20], [20, 20, 20]])
    statistic = chi2_contingency(table, lambda_="log-likelihood", correction=False)[0]
    assert 2 * table.sum() * kullback.pooled_js(table[0], table[1]) == pytest.approx(statistic, rel=1e-6)


def test_a_total_without_its_invalid_rows_has_their_scale(rng):
    p = rng.integers(1, 50, (4, 3)).astype(float)
    want = kullback.pooled_js(p, p.sum(axis=0))
    np.testing.assert_allclose(kullback.pooled_js(p, against="total"), want, rtol=1e-12)
    bad = np.vstack([p, [[-1.0, 1.0, 1.0]], [[np.nan, 1.0, 1.0]]])
    found = kullback.pooled_js(bad, against="total", on_invalid="null")
    np.testing.assert_allclose(found[:4], want, rtol=1e-12)
    assert np.isnan(found[4:]).all()


def test_bins_on_any_axis(rng):
    p, q = rng.integers(1, 50, (2, 4, 5, 6))
    for axis in [0, 1, 2, -1, -2, -3]:
        moved = [np.ascontiguousarray(np.moveaxis(side, axis, -1)) for side in (p, q)]
        want = kullback.js(*moved)
        for sides in [(p, q), (p.tolist(), q.tolist()), (np.asfortranarray(p), q)]:
            got, status = kullback.js(*sides, axis=axis, return_status=True)
            assert got.shape == status.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=1e-11)
        out = np.zeros(want.shape)
        assert kullback.js(p, q, axis=axis, out=out) is out
        np.testing.assert_allclose(out, want, rtol=1e-11)
        np.testing.assert_allclose(kullback.entropy(p, axis=axis), kullback.entropy(moved[0]), rtol=1e-11)
        np.testing.assert_allclose(kullback.renyi(p, q, 2, axis=axis), kullback.renyi(*moved, 2), rtol=1e-11)
        np.testing.assert_allclose(kullback.Engine("cpu").rowwise(p, q, "js", axis=axis), want, rtol=1e-11)
        # A side of one axis is one row.
        row = q[0, 0, : moved[0].shape[-1]] if axis != 2 else np.arange(1, 7)
        row = np.resize(row, moved[0].shape[-1])
        np.testing.assert_allclose(kullback.js(p, row, axis=axis), kullback.js(moved[0], row), rtol=1e-11)
        np.testing.assert_allclose(kullback.js(row, p, axis=axis), kullback.js(row, moved[0]), rtol=1e-11)
    table = p[0]
    for what in ["total", "rest", "first", "previous", "uniform"]:
        want = kullback.js(table, against=what, by=list("ababa"[: len(table)]))
        np.testing.assert_allclose(kullback.js(table.T, against=what, by=list("ababa"[: len(table)]), axis=0), want, rtol=1e-11, atol=1e-24)
    assert kullback.js(p[0, 0], q[0, 0], axis=0) == kullback.js(p[0, 0], q[0, 0])


def test_an_axis_that_is_none():
    p = np.ones((3, 4))
    for axis in [2, -3, 17]:
        with pytest.raises(kullback.InputError, match="2 axes"):
            kullback.kl(p, p, axis=axis)
    with pytest.raises(kullback.InputError, match="q has 2 axes"):
        kullback.kl(np.ones((2, 3, 4)), p, axis=2)
    for axis in [0.5, "0", None]:
        with pytest.raises(TypeError):
            kullback.kl(p, p, axis=axis)
    with pytest.raises(kullback.ShapeError):
        kullback.kl(p, np.ones(4), axis=0)
    pa = pytest.importorskip("pyarrow")
    lists = pa.array(p.tolist(), pa.list_(pa.float64()))
    assert not kullback.kl(lists, lists, axis=1).any() and not kullback.kl(lists, p, axis=1).any()
    with pytest.raises(kullback.InputError, match="list or a column per bin"):
        kullback.kl(lists, lists, axis=0)
    engine = kullback.Engine("cpu")
    with pytest.raises(kullback.InputError):
        engine.rowwise(p, engine.upload(p), axis=0)
