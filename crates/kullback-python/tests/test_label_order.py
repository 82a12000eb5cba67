"""The order of bins by their labels, and what is said where labels may hide something."""

import datetime
import pickle
import warnings
from collections import Counter

import numpy as np
import pytest

import kullback

# In the order low, mid, high w1 is 0.5.
P, Q = {"low": 1, "mid": 0, "high": 1}, {"low": 0, "mid": 1, "high": 1}
SIZES = ["low", "mid", "high"]


@pytest.fixture
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def sizes(pd, labels=SIZES, ordered=True):
    return pd.CategoricalIndex(labels, categories=SIZES, ordered=ordered)


def test_ordered_categoricals_have_their_order(pd, no_warning):
    for labels in [SIZES, SIZES[::-1], ["mid", "low", "high"]]:
        p = pd.DataFrame([[P[label] for label in labels]], columns=sizes(pd, labels))
        q = pd.DataFrame([[Q[label] for label in SIZES]], columns=sizes(pd))
        plain = q.set_axis(SIZES, axis=1)
        for one, other in [(p, q), (p, plain), (plain, p)]:
            assert kullback.w1(one, other).tolist() == pytest.approx([0.5])
            assert kullback.w1(one, other, positions=[0, 2, 9]).tolist() == pytest.approx([1.0])
        assert kullback.pairwise(p, q, "w1").tolist() == [[pytest.approx(0.5)]]
        assert kullback.w1(p.iloc[0], q.iloc[0]) == pytest.approx(0.5)
    ages = pd.cut(pd.Series([1, 5, 9, 9]), [0, 3, 6, 10], labels=SIZES)
    table = pd.crosstab(pd.Series(["x", "x", "y", "y"]), ages)
    np.testing.assert_allclose(kullback.w1(table, [1, 1, 2]), [0.75, 0.75])
    assert kullback.w1(ages[:2].value_counts(), ages.value_counts()) == pytest.approx(0.75)


def test_a_side_without_names_stays_beside_the_bins_of_the_other(pd, pl, no_warning):
    p = pd.DataFrame([[1, 0, 0], [0, 4, 0]], columns=["3", "1", "2"])
    rows = p.to_numpy()
    lists = [rows, rows.tolist(), pd.DataFrame(rows), pd.Series(rows.tolist()), pl.Series(rows.tolist())]
    for q in lists:
        assert kullback.rowwise(p, q, ["w1", "kl"])["w1"].tolist() == [0.0, 0.0], type(q)
        if not isinstance(q, pd.DataFrame):
            assert kullback.rowwise(pl.DataFrame(dict(p)), q, ["w1", "kl"])["kl"].tolist() == [0.0, 0.0], type(q)
        assert kullback.pairwise(p, q, "w1").tolist() == [[0.0, 2.0], [2.0, 0.0]], type(q)
        assert not kullback.contributions(p, q, "w1").any()
    assert kullback.w1(p, [0, 0, 1]).tolist() == [1.0, 1.0]
    assert kullback.w1(p.iloc[0], pd.Series([0, 1, 0])) == 2.0
    with pytest.raises(kullback.ShapeError):
        kullback.w1(p, [0, 1])
    with pytest.raises(kullback.InvalidWeightsError, match="row 0 of Q, bin 0: -1") as caught:
        kullback.w1(p, [-1, 0, 1])
    assert caught.value.bin == 0


def test_levels_of_several_have_their_orders(pd, no_warning):
    columns = pd.MultiIndex.from_product([sizes(pd), ["10", "9"]])
    p = pd.DataFrame([[1, 0, 0, 0, 0, 0]], columns=columns)
    q = pd.DataFrame([[0, 0, 0, 1, 0, 0]], columns=columns)
    # low 9, low 10, mid 9.
    assert kullback.w1(p, q).tolist() == [1.0]


def test_two_orders_are_refused(pd):
    p = pd.DataFrame([[1, 2, 3]], columns=sizes(pd))
    q = p.set_axis(p.columns.reorder_categories(SIZES[::-1]), axis=1)
    with pytest.raises(kullback.InputError, match="reorder_categories"):
        kullback.w1(p, q)
    assert kullback.tv(p, q).tolist() == [0.0]


def test_text_that_gives_the_order_is_told(pd, pl):
    frames = [
        (pd.DataFrame([P]), pd.DataFrame([Q])),
        (pd.DataFrame([P]).set_axis(sizes(pd, ordered=False), axis=1), pd.DataFrame([Q])),
        (pl.DataFrame([P]), pl.DataFrame([Q])),
        (pd.Series(P), pd.Series(Q)),
        (P, Q),
    ]
    calls = [kullback.w1, kullback.ks, lambda p, q: kullback.pairwise(p, q, "w1"), lambda p, q: kullback.rowwise(p, q, ["kl", "w1"])]
    for p, q in frames:
        for call in calls:
            if isinstance(p, dict) and call is calls[2]:
                continue
            with pytest.warns(kullback.OrderWarning, match="'low' is no number: 'high', 'low', 'mid'") as told:
                call(p, q)
            assert len(told) == 1 and told[0].filename == __file__ and told[0].message.label == "low"
    assert issubclass(kullback.OrderWarning, kullback.LabelWarning) and issubclass(kullback.LabelWarning, UserWarning)
    # Positions go by the order of the labels too: they are told where that is not the order of the frame.
    with pytest.warns(kullback.OrderWarning):
        kullback.w1(*frames[0], positions=[0, 1, 2])


def test_one_label_that_is_no_number_is_named(pd):
    for p in [{"9": 1, "10": 1, "NA": 1}, {"9": 1, "10": 1, "nan": 1}]:
        name = list(p)[2]
        for one in [p, pd.DataFrame([p])]:
            with pytest.warns(kullback.OrderWarning, match=f"Leave '{name}' out") as told:
                kullback.w1(one, one)
            assert told[0].message.label == name
    with pytest.raises(kullback.InputError, match="have none.*'NA'"):
        kullback.w1({9: 1, 10: 1, "NA": 1}, {9: 1})


def test_labels_with_an_order_are_not_told(pd, pl, no_warning):
    months = [f"2013-{month:02}" for month in (1, 12, 2)]
    for labels in [months, ["9", "10", "1e3"], [1.5, 2, 10], ["2013-01-02", "2013-01-02T10:00", "2013-01-01"], ["a1", "a3", "a2"]]:
        counts = dict(zip(labels, [1, 2, 3]))
        kullback.w1(counts, counts)
        kullback.w1(pd.Series(counts), pd.Series(counts))
    kullback.w1(pl.DataFrame({month: [1] for month in months}), against="total")
    kullback.w1({datetime.date(2013, 1, 2): 1, datetime.date(2013, 1, 1): 2}, {datetime.date(2013, 1, 1): 1})
    # Other measures have no order, and positions are the caller's.
    kullback.tv(pd.DataFrame([P]), pd.DataFrame([Q]))
    ordered = pd.DataFrame([{"a": 1, "b": 2, "c": 1}])
    kullback.w1(ordered, ordered, positions=[0, 1, 5])
    kullback.w1({"a": 1, "b": 1}, {"a": 1}, positions=[0, 5])
    kullback.w1({("a", 1): 1, ("a", 2): 1}, {("a", 1): 1})
    kullback.Engine("cpu").rowwise(ordered, ordered, "w1", positions=[0, 1, 5])
    assert kullback.w1({"2013-01-02": 1}, {"2013-01-01T12:00": 1, "2013-01-01": 0}) == 1.0


def test_positions_of_one_call_are_not_those_of_the_next(pd):
    p = pd.DataFrame([{"a": 1, "b": 2}])
    with pytest.raises(kullback.InputError):
        kullback.w1(p, p, positions=[3, 1])
    with pytest.warns(kullback.OrderWarning):
        kullback.w1(p, p)


def test_missing_labels_of_dicts_are_one(pd):
    for nothing in [float("nan"), None, np.float64("nan"), pd.NaT, pd.NA]:
        p, q = {1: 2, float("nan"): 3}, {nothing: 3, 1: 2}
        assert kullback.tv(p, q) == 0.0
        assert kullback.contributions(p, {1: 5}, "tv").tolist() == pytest.approx([0.3, 0.3])
        for call in [kullback.w1, kullback.ks]:
            with pytest.raises(kullback.InputError, match="no place among numbers"):
                call(p, q)
    one = pd.Series([1.0, None, None]).value_counts(dropna=False)
    other = pd.Series([1.0, 1.0, None]).value_counts(dropna=False)
    assert kullback.tv(one.to_dict(), other.to_dict()) == kullback.tv(one, other) == pytest.approx(1 / 3)
    with pytest.raises(kullback.InputError, match="no place among numbers"):
        kullback.w1(one, other)
    # NaN that is several objects is counted several times by a Counter, and is one label.
    several = Counter([float("nan"), float("nan"), 1.0])
    assert len(several) == 3 and kullback.tv(several, {float("nan"): 2, 1: 1}) == 0.0
    assert kullback.tv({("a", float("nan")): 1}, {("a", None): 2}) == 0.0
    with pytest.raises(kullback.InvalidWeightsError) as caught:
        kullback.kl({1: 2, float("nan"): -3}, q)
    assert caught.value.bin == 1


def test_one_number_in_other_words_is_told(pd):
    for p, q, said in [({"6": 1, "7": 1}, {"06": 1, "7": 1}, "'6' and '06'"), ({"1": 1, "2": 1}, {1: 1, "2": 1}, "'1' and 1")]:
        with pytest.warns(kullback.LabelWarning, match=f"{said} are one number") as told:
            kullback.tv(p, q)
        assert told[0].filename == __file__
        with pytest.raises(kullback.LabelError, match=f"{said} are one number"):
            kullback.tv(pd.Series(p), pd.Series(q))
    both = pd.DataFrame([{"6": 1, "06": 1}])
    for q in [both, [1, 1]]:
        with pytest.warns(kullback.LabelWarning, match="one number"):
            kullback.tv(both, q)


def test_sides_without_a_common_label_are_told(no_warning):
    with pytest.warns(kullback.LabelWarning, match="no label in common"):
        kullback.tv({"a": 1}, {"b": 1})
    kullback.tv({"a": 1}, {"a": 1, "b": 1})
    kullback.tv({"a": 1}, {})
    kullback.tv({"12345678901234567": 1, "a": 1}, {"12345678901234568": 1, "a": 1})
    # For these, bins of one side are near or far from those of the other.
    assert kullback.w1({1: 1}, {3: 1, 2: 0}) == 2.0


def test_functions_stay_what_they_are():
    for function in [kullback.rowwise, kullback.pairwise, kullback.nearest, kullback.summary, kullback.contributions]:
        assert pickle.loads(pickle.dumps(function)) is function
