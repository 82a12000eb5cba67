"""Sides whose bins and rows have names meet by them."""

import fractions
from collections import Counter

import numpy as np
import pytest

import kullback

COUNTS = np.array([[5, 1, 2], [3, 3, 3], [1, 9, 4]])
OTHERS = np.array([[4, 2, 2], [1, 2, 6], [2, 2, 9]])


def frames(pd, keys=None, name=None):
    index = None if keys is None else pd.Index(keys, name=name)
    return [pd.DataFrame(values, columns=["a", "b", "c"], index=index) for values in (COUNTS, OTHERS)]


def test_bins_of_frames_meet_by_name(pd):
    p, q = frames(pd)
    want = kullback.rowwise(COUNTS, OTHERS, ["kl", "js"])
    mixed = q[["c", "a", "b"]]
    for other in [q, mixed, mixed.astype("Int64"), mixed.astype({"a": "f4"})]:
        got = kullback.rowwise(p, other, ["kl", "js"])
        np.testing.assert_allclose(got["kl"], want["kl"], rtol=1e-11)
        np.testing.assert_allclose(got["js"], want["js"], rtol=1e-11)
    np.testing.assert_allclose(kullback.pairwise(p, mixed, "tv"), kullback.pairwise(COUNTS, OTHERS, "tv"), rtol=1e-11)
    np.testing.assert_array_equal(kullback.nearest(p, mixed, 2, "tv")[0], kullback.nearest(COUNTS, OTHERS, 2, "tv")[0])
    np.testing.assert_allclose(kullback.contributions(p, mixed), kullback.contributions(COUNTS, OTHERS), rtol=1e-11)
    assert kullback.summary(p, mixed)["mean"] == pytest.approx(want["kl"].mean(), rel=1e-11)
    np.testing.assert_allclose(kullback.Engine("cpu").rowwise(p, mixed), want["kl"], rtol=1e-11)
    # What has no names meets by its place: arrays, and labels that only count.
    for other in [OTHERS, OTHERS.tolist(), pd.DataFrame(OTHERS)]:
        np.testing.assert_allclose(kullback.kl(p, other), want["kl"], rtol=1e-11)
    np.testing.assert_allclose(kullback.kl(p, against="total"), kullback.kl(COUNTS, against="total"), rtol=1e-11)
    np.testing.assert_allclose(kullback.entropy(p), kullback.entropy(COUNTS), rtol=1e-11)


def test_bins_of_polars_frames_meet_by_name():
    pl = pytest.importorskip("polars")
    p, q = (pl.DataFrame(values, schema=["a", "b", "c"], orient="row") for values in (COUNTS, OTHERS))
    np.testing.assert_allclose(kullback.kl(p, q.select("c", "a", "b")), kullback.kl(COUNTS, OTHERS), rtol=1e-11)
    with pytest.raises(kullback.LabelError, match="only p has 'a'; only q has 'd'") as caught:
        kullback.kl(p, q.rename({"a": "d"}))
    assert (caught.value.what, caught.value.only_p, caught.value.only_q) == ("bins", 1, 1)
    with pytest.raises(kullback.InputError, match="no numbers: 'shop'"):
        kullback.kl(p.with_columns(shop=pl.lit("x")), q)
    assert kullback.kl(pl.Series([12, 30, 58]), pl.Series([15, 30, 55])) == pytest.approx(0.004026472524384912, rel=1e-12)
    # A column of lists is one, alone in a frame too.
    np.testing.assert_allclose(kullback.kl(pl.DataFrame({"p": COUNTS.tolist()}), OTHERS), kullback.kl(COUNTS, OTHERS), rtol=1e-11)


def test_bins_that_only_one_side_has_are_an_error(pd):
    p, q = frames(pd)
    for call in [kullback.kl, kullback.pairwise, kullback.nearest, kullback.contributions, kullback.summary]:
        with pytest.raises(kullback.LabelError, match="only p has 'a'; only q has 'd'") as caught:
            call(p, q.rename(columns={"a": "d"}))
        assert (caught.value.what, caught.value.only_p, caught.value.only_q) == ("bins", 1, 1)
    with pytest.raises(kullback.LabelError, match="only q has 'd'") as caught:
        kullback.kl(p, q.assign(d=1))
    assert (caught.value.only_p, caught.value.only_q) == (0, 1) and "only p" not in str(caught.value)
    many = pd.DataFrame(np.ones((2, 9)), columns=list("defghijkl"))
    with pytest.raises(kullback.LabelError, match="only p has 'a', 'b', 'c'; only q has 'd', 'e', 'f', 'g', 'h' and 4 more"):
        kullback.kl(p, many)
    with pytest.raises(kullback.LabelError, match="same name: 'a'") as caught:
        kullback.kl(p, q.set_axis(["a", "a", "b"], axis=1))
    assert caught.value.twice == 1
    # A number is not the text that shows it.
    for numbers, texts in [([1, 2, 4], ["1", "2", "4"]), ([2, 1, 0], ["2", "1", "0"])]:
        with pytest.raises(kullback.LabelError):
            kullback.kl(p.set_axis(numbers, axis=1), q.set_axis(texts, axis=1))
    with pytest.raises(kullback.InputError, match="no numbers: 'shop', 'day'"):
        kullback.kl(p.assign(shop="x", day="y"), q)


def test_rows_of_frames_meet_by_their_index(pd):
    want = kullback.kl(COUNTS, OTHERS)
    for keys, name in [(["x", "y", "z"], "shop"), (["x", "y", "z"], None), ([7, 3, 5], "shop"), ([7, 3, 5], None)]:
        p, q = frames(pd, keys, name)
        for order in [[0, 1, 2], [2, 0, 1], [1, 0, 2]]:
            np.testing.assert_allclose(kullback.kl(p, q.iloc[order, [1, 2, 0]]), want, rtol=1e-11)
            np.testing.assert_allclose(kullback.kl(p.iloc[order], q), want[order], rtol=1e-11)
    pairs = pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)], names=["shop", "day"])
    p, q = (frame.set_axis(pairs) for frame in frames(pd))
    np.testing.assert_allclose(kullback.kl(p, q[::-1]), want, rtol=1e-11)
    # Many rows of p may have one of q; one row is that of all, whatever its key.
    p, q = frames(pd, ["x", "y", "z"], "shop")
    np.testing.assert_allclose(kullback.kl(p.iloc[[0, 1, 0, 2]], q[::-1]), want[[0, 1, 0, 2]], rtol=1e-11)
    np.testing.assert_allclose(kullback.kl(p, q[2:]), kullback.kl(COUNTS, OTHERS[2]), rtol=1e-11)
    # All pairs have no order of rows.
    np.testing.assert_allclose(kullback.pairwise(p, q[::-1]), kullback.pairwise(COUNTS, OTHERS[::-1]), rtol=1e-11)
    # A name on one side only does not matter.
    unnamed = q[::-1].rename_axis(None)
    np.testing.assert_allclose(kullback.kl(p, unnamed), want, rtol=1e-11)
    numbered = [frame.set_axis(pd.Index([3, 1, 2], name=name)) for frame, name in zip((p, q), ("day", None))]
    np.testing.assert_allclose(kullback.kl(numbered[0], numbered[1][::-1]), want, rtol=1e-11)
    # An index on one side only is none.
    np.testing.assert_allclose(kullback.kl(p[::-1], q.reset_index(drop=True)), kullback.kl(COUNTS[::-1], OTHERS), rtol=1e-11)
    np.testing.assert_allclose(kullback.kl(p[::-1], OTHERS), kullback.kl(COUNTS[::-1], OTHERS), rtol=1e-11)


def test_keys_that_do_not_meet_are_an_error(pd):
    p, q = frames(pd, ["x", "y", "z"], "shop")
    with pytest.raises(kullback.LabelError, match="1 keys that only p has, the first is 'y' and 1 keys that only q has, the first is 'w'") as caught:
        kullback.kl(p, q.rename(index={"y": "w"}))
    error = caught.value
    assert (error.what, error.only_p, error.only_q, error.twice) == ("rows", 1, 1, 0) and "reset_index" in str(error)
    with pytest.raises(kullback.LabelError) as caught:
        kullback.kl(p[:2], q)
    assert (caught.value.only_p, caught.value.only_q) == (0, 1)
    with pytest.raises(kullback.LabelError, match="1 keys more than once, the first is 'x'") as caught:
        kullback.kl(p, q.iloc[[0, 0, 1, 2]])
    assert caught.value.twice == 1
    # Two parts of one table have other numbers.
    table = pd.DataFrame(np.ones((6, 3)))
    with pytest.raises(kullback.LabelError, match="reset_index"):
        kullback.kl(table[:3], table[3:])
    assert not kullback.kl(table[:3].reset_index(drop=True), table[3:].reset_index(drop=True)).any()
    with pytest.raises(kullback.ShapeError):
        kullback.kl(pd.DataFrame(np.ones((3, 2))), pd.DataFrame(np.ones((4, 2))))


def test_series_of_numbers_are_one_row(pd):
    df = pd.DataFrame({"p": [12, 30, 58], "q": [15, 30, 55]})
    got = kullback.kl(df["p"], df["q"])
    assert isinstance(got, float) and got == pytest.approx(0.004026472524384912, rel=1e-12)
    named = df.set_index(pd.Index(["a", "b", "c"], name="bin"))
    assert kullback.kl(named["p"], named["q"][::-1]) == pytest.approx(got, rel=1e-12)
    assert kullback.kl(df["p"], df["q"][::-1]) == pytest.approx(got, rel=1e-12)
    counted = [pd.Series(list(text)).value_counts() for text in ("aaabbc", "abbccc")]
    assert kullback.kl(*counted) == pytest.approx(float(kullback.kl([3, 2, 1], [1, 2, 3])), rel=1e-12)
    missing = [pd.Series([1.0, 2.0, np.nan] + [last] * 3).value_counts(dropna=False) for last in (2.0, np.nan)]
    assert kullback.kl(*missing) == pytest.approx(float(kullback.kl([1, 4, 1], [1, 1, 4])), rel=1e-12)
    with pytest.raises(kullback.LabelError, match="only p has 'c'"):
        kullback.kl(named["p"], named["q"][:2])
    wide = pd.DataFrame(COUNTS, columns=["a", "b", "c"])
    np.testing.assert_allclose(kullback.kl(wide, named["q"][::-1]), kullback.kl(COUNTS, [15, 30, 55]), rtol=1e-11)
    with pytest.raises(kullback.InvalidWeightsError) as caught:
        kullback.kl(pd.Series([1, None, 3], dtype="Int64"), df["q"])
    assert caught.value.bin == 1


def test_series_of_lists_are_rows(pd):
    p = pd.Series([[5, 1, 2], None, [1, 9, 4]], index=pd.Index(["x", "y", "z"], name="shop"))
    q = pd.Series(OTHERS.tolist(), index=p.index)
    want = kullback.kl(COUNTS, OTHERS)
    for zeros in ["exact", "additive:1", "mix:0.1"]:
        want = kullback.kl(COUNTS, OTHERS, zeros=zeros)
        got, status = kullback.kl(p, q[::-1], zeros=zeros, return_status=True)
        assert np.isnan(got).tolist() == [False, True, False] and status.tolist() == [0, 2, 0]
        np.testing.assert_allclose(got[[0, 2]], want[[0, 2]], rtol=1e-11)
        assert np.isnan(kullback.kl(q, p[::-1], zeros=zeros)).tolist() == [False, True, False]
        assert np.isnan(kullback.js(p, against="previous", zeros=zeros)).tolist() == [True, True, True]
    np.testing.assert_allclose(kullback.kl(q.to_frame(), OTHERS[::-1]), kullback.kl(OTHERS, OTHERS[::-1]), rtol=1e-11)
    with pytest.raises(kullback.InputError, match="how many bins"):
        kullback.kl(p[1:2], q)
    with pytest.raises(TypeError):
        kullback.kl(pd.Series(["a", "b"]), [1, 1])


def test_labels_of_groups_meet_by_the_index(pd):
    p, _ = frames(pd, ["x", "y", "z"], "shop")
    by = pd.Series([1, 2, 1], index=p.index)
    want = kullback.js(COUNTS, against="total", by=[1, 2, 1])
    for labels in [by, by[::-1], [by[::-1]], [1, 2, 1], pd.concat([by, pd.Series([9], index=["w"])])]:
        np.testing.assert_allclose(kullback.js(p, against="total", by=labels), want, rtol=1e-11, atol=1e-24)
    with pytest.raises(kullback.LabelError, match="only p has, the first is 'z'"):
        kullback.js(p, against="total", by=by[:2])


def test_dictionaries_of_counts_are_one_row():
    p, q = Counter(a=12, b=30, c=58), Counter(c=55, a=15, b=30)
    assert kullback.kl(p, q) == pytest.approx(0.004026472524384912, rel=1e-12)
    # A label that a side does not have, it has 0 times.
    assert kullback.kl({"a": 1, "b": 1}, {"a": 1}) == np.inf
    assert kullback.kl({"a": 1}, {"b": 1.5, "a": 0.5}) == pytest.approx(np.log(4), rel=1e-12)
    got = kullback.contributions(Counter("aab"), Counter("bc"), "tv")
    assert got.tolist() == pytest.approx([1 / 3, 1 / 12, 1 / 4], rel=1e-12)
    assert kullback.entropy(Counter("ab")) == pytest.approx(np.log(2), rel=1e-12)
    assert kullback.tv({1: 2**70, 2: 2**70}, {1: fractions.Fraction(1, 2), 2: 1.5}) == pytest.approx(0.25, rel=1e-12)
    assert np.isnan(kullback.kl({}, {"a": 1}))
    for wrong in [({"a": 1}, [1.0]), ([1.0], {"a": 1}), ({}, {}), ({"a": "1"}, {"a": 1}), ({"a": [1]}, {"a": [1]})]:
        with pytest.raises(kullback.InputError):
            kullback.kl(*wrong)
    with pytest.raises(kullback.InputError, match="no numbers, for 'b'"):
        kullback.kl({"a": 1, "b": None}, {"a": 1})
    with pytest.raises(kullback.InvalidWeightsError) as caught:
        kullback.kl(Counter(a=1, b=-2), Counter(a=1))
    assert (caught.value.bin, caught.value.value) == (1, -2)
    with pytest.raises(kullback.InputError):
        kullback.kl({"a": 1}, against="total")


def test_ordered_measures_go_by_the_order_of_the_labels():
    from collections import Counter

    pd = pytest.importorskip("pandas")
    assert kullback.w1(Counter({3: 1, 1: 1}), Counter({2: 2})) == 1.0
    assert kullback.ks(Counter({3: 1, 1: 1}), Counter({2: 2})) == 0.5
    p = pd.DataFrame([[1, 1, 0]], columns=[1, 3, 2])
    assert kullback.w1(p, pd.DataFrame([[0, 2, 0]], columns=[1, 2, 3])).tolist() == [1.0]
    a, b = pd.Series([0, 0, 0, 0, 1, 10, 10]).value_counts(), pd.Series([1, 1, 1, 10, 10, 0]).value_counts()
    assert kullback.w1(a, b, positions=[0, 1, 10]) == pytest.approx(0.8333333333333333)
    # Other measures keep the order of p, and so do their parts.
    assert kullback.contributions(p, p[[3, 2, 1]], "tv").shape == (1, 3)
    with pytest.raises(kullback.InputError, match="have none"):
        kullback.w1(Counter({"a": 1, 2: 1}), Counter({2: 1}))
    with pytest.raises(kullback.InputError, match="positions go by place"):
        kullback.w1(p, p, positions=pd.Series({1: 0, 2: 1, 3: 5}))


def test_the_same_labels_in_another_order_are_names():
    pd = pytest.importorskip("pandas")
    assert kullback.tv(pd.Series([0, 1, 1, 2, 2, 2], name="hour").value_counts(), pd.Series([1, 2, 3])) == 0.0
    one, other = [pd.DataFrame({"a": [9, 1], "b": [1, 9]}, index=index) for index in (pd.Index([1, 0], name="id"), [0, 1])]
    np.testing.assert_allclose(kullback.tv(one, other), [0.8, 0.8])
    np.testing.assert_allclose(kullback.tv(other, one), [0.8, 0.8])
    levels = pd.MultiIndex.from_tuples([("m", "f"), ("f", "m")], names=["from", "to"])
    p = pd.DataFrame({"a": [9, 1], "b": [1, 9]}, index=levels)
    np.testing.assert_array_equal(kullback.tv(p, p.set_axis(levels.swaplevel())), [0, 0])


def test_a_column_of_labels_is_no_bin():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"shop": [7, 8, 7, 8], "am": [1, 5, 1, 5], "pm": [1, 5, 3, 5]})
    np.testing.assert_array_equal(kullback.tv(frame, against="previous", by=frame["shop"]), [np.nan, np.nan, 0.25, 0])
