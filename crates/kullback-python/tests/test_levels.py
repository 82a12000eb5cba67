"""Rows of an index of several levels, against the first and the previous row."""

import warnings

import numpy as np
import pytest

import kullback

ROWS = np.array([[9, 1], [5, 5], [1, 9], [2, 8], [6, 4]])


def frame(pd, names=("shop", "day")):
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1), ("b", 2), ("a", 3)], names=names)
    return pd.DataFrame(ROWS, columns=["am", "pm"], index=index)


@pytest.mark.parametrize("what", ["first", "previous"])
def test_all_levels_but_the_last_are_groups(pd, what):
    p = frame(pd)
    want = kullback.tv(ROWS, against=what, by=list("aabba"))
    assert not np.array_equal(want, kullback.tv(ROWS, against=what), equal_nan=True)
    lists = pd.Series(ROWS.tolist(), index=p.index)
    calls = [
        lambda: kullback.tv(p, against=what),
        lambda: kullback.tv(lists, against=what),
        lambda: kullback.Engine("cpu").rowwise(p, measure="tv", against=what),
        lambda: p.kullback.tv(against=what).to_numpy(),
    ]
    for call in calls:
        with pytest.warns(kullback.GroupWarning, match=f'against="{what}" looks among the rows with the same \'shop\'') as told:
            np.testing.assert_array_equal(call(), want)
        assert len(told) == 1 and told[0].filename == __file__ and told[0].message.levels == ["shop"]
    with pytest.warns(kullback.GroupWarning):
        assert kullback.summary(p, measure="tv", against=what)["mean"] == pytest.approx(np.nanmean(want))
    with pytest.warns(kullback.GroupWarning, match="the same 0:"):
        kullback.tv(frame(pd, (None, None)), against=what)
    three = p.set_index(pd.Index([1, 1, 1, 2, 2], name="hour"), append=True)
    with pytest.warns(kullback.GroupWarning, match="'shop', 'day'") as told:
        assert kullback.tv(three, against=what).shape == (5,)
    assert told[0].message.levels == ["shop", "day"]


@pytest.mark.filterwarnings("error")
def test_groups_are_told_only_where_they_matter(pd):
    p = frame(pd)
    for what in ["total", "rest", "uniform"]:
        np.testing.assert_array_equal(kullback.tv(p, against=what), kullback.tv(ROWS, against=what))
    for by in ["shop", ["shop"]]:
        want = kullback.tv(ROWS, against="previous", by=list("aabba"))
        np.testing.assert_array_equal(p.kullback.tv(against="previous", by=by), want)
    one = np.zeros(len(p))
    for data, options in [(p.to_numpy(), {}), (p, {"by": one}), (p.droplevel("shop"), {})]:
        np.testing.assert_array_equal(kullback.tv(data, against="previous", **options), kullback.tv(ROWS, against="previous"))
    # One group is all rows.
    kullback.tv(p.loc[["b"]], against="previous")
    kullback.tv(p, p)
