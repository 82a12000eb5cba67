"""Labels that are missing, come twice or are of odd types, in frames, series and groups."""

import numpy as np
import pytest

import kullback

ROWS = np.array([[9, 1], [1, 9], [5, 5], [2, 8]])
IN_PAIRS = kullback.tv(ROWS, against="total", by=["a", "b", "a", "b"])


def frame(pd, **columns):
    return pd.DataFrame(ROWS, columns=["am", "pm"], index=list("wxyz")).assign(**columns)


def test_rows_meet_by_labels_of_every_kind(pd):
    days = pd.date_range("2026-01-01", periods=4, tz="UTC")
    keys = [
        (pd.CategoricalIndex(list("abcd")), list("abcd")),
        (days, days.tz_convert("Asia/Tokyo")),
        (days.tz_localize(None), days.tz_localize(None).as_unit("s")),
        (days.tz_localize(None).to_period("D"),) * 2,
        ([1.0, np.nan, 2.0, 3.0],) * 2,
        (pd.DatetimeIndex(["2026-01-01", None, "2026-01-03", "2026-01-04"]),) * 2,
        (pd.Index([1, pd.NA, 2, 3], dtype="Int64"),) * 2,
        (pd.Index([1, "1", (1,), 2.5], dtype=object, tupleize_cols=False),) * 2,
        (pd.interval_range(0, 4),) * 2,
        (pd.MultiIndex.from_tuples([("a", 1), ("a", np.nan), ("b", 1), ("b", np.nan)]),) * 2,
        (pd.MultiIndex.from_tuples([("a", "b"), ("b", "a"), ("c", "c"), ("d", "a")], names=["x", "x"]),) * 2,
    ]
    for mine, theirs in keys:
        p = pd.DataFrame(ROWS, index=mine)
        q = pd.DataFrame(ROWS, index=theirs)[::-1]
        np.testing.assert_allclose(kullback.tv(p, q), 0, atol=1e-15, err_msg=repr(mine))
    for theirs in [days.tz_localize(None), days.strftime("%Y-%m-%d")]:
        with pytest.raises(kullback.LabelError):
            kullback.tv(pd.DataFrame(ROWS, index=days), pd.DataFrame(ROWS, index=theirs))


def test_bins_that_have_no_label_are_one(pd):
    for labels in [
        pd.Index([1, pd.NA], dtype="Int64"),
        pd.DatetimeIndex(["2026-01-01", None]),
        pd.Index(["a", None], dtype=object),
        pd.MultiIndex.from_tuples([("a", 1.0), ("a", np.nan)]),
    ]:
        p, q = pd.DataFrame(ROWS, columns=labels), pd.DataFrame(ROWS[:, ::-1], columns=labels[::-1])
        np.testing.assert_allclose(kullback.tv(p, q), 0, atol=1e-15, err_msg=repr(labels))
    with pytest.raises(kullback.LabelError, match="same name"):
        kullback.tv(pd.DataFrame(ROWS, columns=pd.Index([None, np.nan], dtype=object)), pd.DataFrame(ROWS, columns=["a", "b"]))


def test_keys_in_messages_are_plain(pd):
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["shop", "day"])
    p, q = pd.DataFrame(ROWS[:2], index=index), pd.DataFrame(ROWS[:2], index=index[[1, 1]])
    with pytest.raises(kullback.LabelError, match=r"the first is \('a', 2\):"):
        kullback.tv(p, q)


def test_rows_without_a_label_are_one_group(pd, pl):
    pa = pytest.importorskip("pyarrow")
    for by in [
        [None, "b", None, "b"],
        [pd.NA, "b", pd.NA, "b"],
        [np.nan, 1.0, float("nan"), 1.0],
        [pd.NaT, 1, pd.NaT, 1],
        pd.Series([None, "b", np.nan, "b"], dtype=object),
        pd.Series([None, 1, None, 1], dtype="Int64"),
        pd.Series([None, "b", None, "b"], dtype="string"),
        pd.Series(pd.Categorical([None, "b", None, "b"])),
        pd.DatetimeIndex([None, "2026-01-01"] * 2, tz="UTC"),
        pd.MultiIndex.from_tuples([("a", np.nan), ("a", 1.0)] * 2),
        pl.Series([None, "b", None, "b"]),
        pa.table({"x": [1, 1, 1, 1], "y": [None, 2, None, 2]}),
        np.array(["NaT", "2026-01-01"] * 2, "M8[s]"),
    ]:
        np.testing.assert_array_equal(kullback.tv(ROWS, against="total", by=by), IN_PAIRS, err_msg=repr(by))
    for nothing in [pd.DataFrame(index=range(4)), pl.DataFrame()]:
        with pytest.raises(kullback.InputError, match="without columns"):
            kullback.tv(ROWS, against="total", by=nothing)


def test_a_column_of_labels_in_another_order_or_type_is_no_bin(pd):
    p = frame(pd, g=[1, 2, 1, 2])
    for by in [p["g"], p["g"][::-1], p["g"].astype("category"), p["g"].astype("Int64"), p["g"].reset_index(drop=True)]:
        np.testing.assert_allclose(kullback.tv(p, against="total", by=by), IN_PAIRS, rtol=1e-11)
    # Other labels of that name leave the bin where it is.
    np.testing.assert_allclose(
        kullback.tv(p, against="total", by=p["g"] > 1), kullback.tv(p.to_numpy(), against="total", by=[1, 2, 1, 2]), rtol=1e-11
    )


def test_names_of_columns_in_by_are_all_there_and_once(pd):
    p = frame(pd, g=[1, 2, 1, 2], h=[7, 8, 7, 8])
    want = IN_PAIRS.tolist()
    for by in ["g", ["g"], ["g", "h"], ("g", "h")]:
        data = p if by != "g" and by != ["g"] else p.drop(columns="h")
        assert data.kullback.tv(against="total", by=by).tolist() == pytest.approx(want)
    for by in [["g", "nope"], ["g", "g"], ["am", "x", "am", "x"], ["am", "pm", "am", "pm"], ("g", "nope")]:
        with pytest.raises(kullback.InputError, match="labels as an array"):
            p[:2].kullback.tv(against="total", by=by)
    with pytest.raises(kullback.InputError, match="no column of the frame"):
        p.kullback.tv(against="total", by="nope")
    p.columns = ["am", "pm", "g", "g"]
    with pytest.raises(kullback.InputError, match="2 columns have this name"):
        p[:2].kullback.tv(against="total", by="g")
    numbered = frame(pd).set_axis([0, 1], axis=1).assign(**{"7": [1, 2, 1, 2]}).rename(columns={"7": 7})
    assert numbered.kullback.tv(against="total", by=7).tolist() == pytest.approx(want)
    column = pd.Series(ROWS.tolist(), index=pd.Index(list("abab"), name="shop"))
    assert column.kullback.tv(against="total", by="shop").tolist() == pytest.approx(want)
    assert frame(pd).kullback.tv(against="total", by=list("abab")).tolist() == pytest.approx(want)


def test_a_method_has_a_value_per_row_of_its_frame(pd):
    p = frame(pd)
    with pytest.raises(kullback.ShapeError, match="1 rows and q has 4") as caught:
        p[:1].kullback.tv(p)
    assert (caught.value.p, caught.value.q) == (1, 4)
    assert p.kullback.tv(p[:1]).shape == (4,)


def test_choices_are_checked_without_a_row(pd, pl):
    pa = pytest.importorskip("pyarrow")
    from kullback._arrow import columns

    nothing = pl.DataFrame({"p": [[1, 1]], "q": [[1, 1]]}).clear()
    nulls = pa.nulls(2, pa.list_(pa.float64()))
    for wrong in [{"measure": "nope"}, {"unit": "nope"}, {"zeros": "nope"}, {"on_invalid": "nope"}, {"device": "nope"}, {"nope": 1}]:
        options = {"measure": "kl", **wrong}
        measure = options.pop("measure")
        for call in [
            lambda: frame(pd)[:0].kullback.rowwise([1, 1], measure, **options),
            lambda: pd.Series([None, None]).kullback.rowwise([1, 1], [measure], **options),
            lambda: nothing.select(pl.col("p").kullback.rowwise("q", measure, **options)),
            lambda: columns(nulls, nulls, [measure], options),
        ]:
            with pytest.raises((kullback.Error, TypeError, pl.exceptions.ComputeError)):
                call()
    assert nothing.select(pl.col("p").kullback.kl("q", zeros="epsilon:0.9", against=None))["p"].to_list() == []
    assert frame(pd)[:0].kullback.rowwise([1, 1], ["kl", "w1"], positions=[0, 1]).shape == (0, 2)


def test_columns_of_numbers_are_no_rows_in_polars(pl):
    table = pl.DataFrame({"p": [[1, 2], [3, 4]], "x": [1, 2], "flag": [True, False]})
    for p, q in [("x", "x"), ("p", "x"), ("x", "p"), ("p", "flag"), ("x", [1, 2])]:
        with pytest.raises((kullback.InputError, pl.exceptions.ComputeError), match="has one number per row"):
            table.select(pl.col(p).kullback.kl(q))
    with pytest.raises(kullback.InputError, match="collect"):
        kullback.kl(table.lazy(), [1, 2])
