"""Errors name rows and bins as the user does, wherever the names have put them."""

from collections import Counter

import numpy as np
import pytest

import kullback

SHOPS = ["Oslo", "Rome", "Lima"]


def sides(pd):
    index = pd.Index(SHOPS, name="shop")
    p = pd.DataFrame(np.ones((3, 3)), columns=["a", "b", "c"], index=index)
    q = pd.DataFrame(np.ones((3, 3)), columns=["c", "a", "b"], index=index[::-1])
    return p, q


CALLS = [
    kullback.kl,
    kullback.summary,
    kullback.contributions,
    kullback.Engine("cpu").rowwise,
    kullback.pairwise,
    lambda p, q: kullback.nearest(p, q, 2),
    lambda p, q: kullback.rowwise(p, q, ["kl", "w1"]),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_invalid_weight_is_where_the_user_has_it(pd, call):
    p, q = sides(pd)
    for side, name in [(p, "P"), (q, "Q")]:
        for shop in SHOPS:
            for column in "abc":
                side.loc[shop, column] = -5
                with pytest.raises(kullback.InvalidWeightsError) as caught:
                    call(p, q)
                error = caught.value
                assert side.iloc[error.row, error.bin] == -5 == error.value and error.side == name
                assert (error.row_key, error.bin_name) == (shop, column)
                assert f"the first is row {error.row} ({shop!r}) of {name}, bin {error.bin} ({column!r}): -5" in str(error)
                side.loc[shop, column] = 1


def test_an_invalid_weight_of_one_row_for_all(pd):
    p, q = sides(pd)
    one = pd.Series([1.0, np.inf, 1.0], index=["b", "c", "a"])
    with pytest.raises(kullback.InvalidWeightsError, match=r"row 0 of Q, bin 1 \('c'\): inf") as caught:
        kullback.kl(p, one)
    assert (caught.value.row_key, caught.value.bin_name) == (None, "c")
    row = q[1:2].copy()
    row["a"] = np.nan
    with pytest.raises(kullback.InvalidWeightsError, match=r"row 0 \('Rome'\) of Q, bin 1 \('a'\)"):
        kullback.kl(p, row)


def test_places_are_enough_where_nothing_has_a_name(pd):
    p, _ = sides(pd)
    bad = np.ones((3, 3))
    bad[1, 2] = np.nan
    for call in [kullback.kl, kullback.pairwise]:
        with pytest.raises(kullback.InvalidWeightsError, match="row 1 of Q, bin 2: NaN") as caught:
            call(p, bad)
        assert (caught.value.row_key, caught.value.bin_name) == (None, None)
        with pytest.raises(kullback.InvalidWeightsError, match="row 1 of Q, bin 2: NaN") as caught:
            call(np.ones((3, 3)), pd.DataFrame(bad))
        assert (caught.value.row_key, caught.value.bin_name) == (1, 2)


def test_an_invalid_weight_of_counts_or_lists(pd):
    with pytest.raises(kullback.InvalidWeightsError, match=r"row 0 of Q, bin 0 \('z'\): -2") as caught:
        kullback.kl(Counter(a=1, b=2), Counter(z=-2, a=1))
    assert (caught.value.bin, caught.value.bin_name) == (0, "z")
    lists = pd.Series([[1.0, 1.0], [1.0, 1.0], [1.0, -1.0]], index=pd.Index(SHOPS, name="shop"))
    for dtype in [object, "arrow"]:
        if dtype == "arrow":
            pa = pytest.importorskip("pyarrow")
            lists = lists.astype(pd.ArrowDtype(pa.list_(pa.float64())))
        with pytest.raises(kullback.InvalidWeightsError, match=r"row 2 \('Lima'\) of Q, bin 1: -1"):
            kullback.kl(pd.Series([[1.0, 1.0]] * 3, index=lists.index[::-1]), lists)
    uneven = pd.Series([[1, 1], [1, 1], [1, 2, 3]], index=lists.index, dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    with pytest.raises(kullback.InputError, match="row 2"):
        kullback.kl(pd.Series([[1.0, 1.0]] * 3, index=lists.index[::-1]), uneven)


def test_an_invalid_weight_beside_labels_of_groups(pd):
    p = pd.DataFrame({"b": [1, 1, 1], "shop": ["x", "y", "x"], "a": [1, -1, 1]}, index=["r", "s", "t"])
    import kullback.pandas

    for call in [
        lambda: kullback.kl(p, against="total", by=p["shop"]),
        lambda: kullback.w1(p, against="total", by=p["shop"]),
        lambda: p.kullback.kl(against="total", by="shop"),
    ]:
        with pytest.raises(kullback.InvalidWeightsError, match=r"row 1 \('s'\) of P, bin 2 \('a'\): -1") as caught:
            call()
        assert p.iloc[caught.value.row, caught.value.bin] == -1


def test_rows_that_a_policy_cannot_take_have_their_keys(pd):
    p, q = sides(pd)
    p.loc["Rome"] = [0, 0, 1]
    with pytest.raises(kullback.PolicyError, match=r"first is row 1 \('Rome'\)") as caught:
        kullback.kl(p, q, zeros="epsilon:0.6")
    assert (caught.value.row, caught.value.row_key) == (1, "Rome")
    p.loc["Rome"] = [1, 1e-320, 1]
    with pytest.raises(kullback.RangeError, match=r"first is row 1 \('Rome'\)") as caught:
        kullback.kl(p, q)
    assert caught.value.row_key == "Rome"
    # One row of p meets all of q.
    with pytest.raises(kullback.RangeError, match=r"first is row 1 \('Rome'\)"):
        kullback.kl(q[:1], p)


def test_polars_columns_have_names():
    pl = pytest.importorskip("polars")
    p = pl.DataFrame({"a": [1, 1], "b": [1, 1]})
    with pytest.raises(kullback.InvalidWeightsError, match=r"row 1 of Q, bin 1 \('a'\): -3") as caught:
        kullback.kl(p, pl.DataFrame({"b": [1, 1], "a": [1, -3]}))
    assert (caught.value.row, caught.value.bin, caught.value.bin_name) == (1, 1, "a")


def test_parts_are_in_the_order_of_the_bins_of_p(pd):
    p = pd.DataFrame([[1, 5, 2], [3, 3, 1]], columns=[3, 1, 2])
    q = pd.DataFrame([[2, 2, 4], [1, 6, 2]], columns=[1, 2, 3])
    parts = kullback.contributions(p, q, "w1")
    in_order = kullback.contributions(p[[1, 2, 3]].to_numpy(), q[[1, 2, 3]].to_numpy(), "w1")
    np.testing.assert_array_equal(parts, in_order[:, [2, 0, 1]])
    np.testing.assert_allclose(parts.sum(axis=1), kullback.w1(p, q), rtol=1e-11)
