"""Errors in the words of the library that the rows come from."""

import numpy as np
import pytest

import kullback


def test_a_policy_is_text():
    for wrong in [0.5, 1, None, True, ["exact"]]:
        engine = kullback.Engine("cpu")
        free = [kullback.kl, kullback.rowwise, kullback.pairwise, kullback.nearest, kullback.summary, kullback.contributions]
        for call in [*free, engine.rowwise, engine.pairwise, engine.nearest]:
            with pytest.raises(kullback.InputError, match='"exact", "epsilon:X", "additive:X", "floor:X", "mix:X" or "skip"') as caught:
                call([[1, 2]], [[1, 2]], zeros=wrong)
            assert ('zeros="additive:0.5"' in str(caught.value)) == (wrong == 0.5)
    with pytest.raises(kullback.InputError, match="give a policy"):
        kullback.entropy([[1, 2]], zeros=0.5)


def test_what_is_missing_has_the_word_of_its_library(pd, pl):
    p = pd.DataFrame({"a": [1, np.nan], "b": [1, 2]})
    for side, place in [(p, "row 1 of Q, bin 0"), (p.iloc[1], "row 0 of Q, bin 0"), (p.astype("Int64"), "row 1 of Q, bin 0")]:
        with pytest.raises(kullback.InvalidWeightsError, match=rf"{place} \('a'\): NaN .* `fillna\(0\)`.*on_invalid=\"null\""):
            kullback.kl([1, 1], side)
    with pytest.raises(kullback.InvalidWeightsError, match=r"bin 1 \('a'\): null .* `fill_null\(0\)`.*on_invalid=\"null\""):
        kullback.kl(pl.DataFrame({"b": [1, 2], "a": [1, None]}), [1, 1])
    with pytest.raises(kullback.InvalidWeightsError, match=r"bin 0 \('a'\): NaN .* `fill_nan\(0\)`"):
        kullback.kl(pl.DataFrame({"a": [1.0, np.nan], "b": [None, 2]})[1:], [1, 1])
    with pytest.raises(kullback.InvalidWeightsError, match=r"Correct it, or take on_invalid=\"null\""):
        kullback.kl([[1, -1]], [1, 1])
    assert np.isnan(kullback.kl(p, [1, 1], on_invalid="null")).tolist() == [False, True]


def test_a_column_has_its_own_name(pl):
    texts = pl.DataFrame({"today": [["a"]]})
    for call in [
        lambda: kullback.kl(texts, [1.0]),
        lambda: kullback.kl(texts["today"], [1.0]),
        lambda: kullback.kl(texts.to_arrow(), [1.0]),
        lambda: kullback.Engine("cpu").rowwise(texts["today"], [1.0]),
    ]:
        with pytest.raises(kullback.WeightTypeError, match="^column `today` of p holds"):
            call()
    with pytest.raises(kullback.WeightTypeError, match="^column `today` of q holds"):
        kullback.kl(pl.Series("before", [[1.0]]), q=texts["today"])
    with pytest.raises(kullback.WeightTypeError, match="^the column of p holds"):
        kullback.kl(pl.Series([["a"]]), [1.0])
    with pytest.raises(kullback.InputError, match=r"of p \(column `today`\) is null"):
        kullback.kl(pl.Series("today", [[1.0, None]]), [1.0, 2.0])
    with pytest.raises(kullback.InputError, match="row 0 of p is null"):
        kullback.kl(pl.Series([[1.0, None]]), [1.0, 2.0])


def test_labels_in_messages_are_plain(pd):
    p = pd.DataFrame([[1, 2]], columns=pd.Index([np.int64(7), "a"], dtype=object))
    with pytest.raises(kullback.LabelError, match="only p has 7; only q has 8"):
        kullback.kl(p, p.rename(columns={7: 8}))
    rows = pd.DataFrame([[1, 2]] * 2, index=pd.Index([np.int64(7), "a"], dtype=object))
    with pytest.raises(kullback.LabelError, match="only p has, the first is 7 and"):
        kullback.kl(rows, rows.rename(index={7: 8}))
    with pytest.raises(kullback.InputError, match="no numbers, for 7:"):
        kullback.kl({np.int64(7): "a"}, {7: 1})
    with pytest.raises(kullback.InvalidWeightsError, match=r"bin 0 \(7\): -1"):
        kullback.kl({np.int64(7): -1}, {7: 1})


def test_columns_beside_the_labels_of_groups_are_named(pd, pl):
    flights = {"origin": ["EWR", "JFK"], "month": ["Jan", "Jan"], "early": [1, 2], "late": [3, 1]}
    table = pd.DataFrame(flights).assign(when=pd.Timestamp("2013-01-01"))
    with pytest.raises(kullback.InputError, match="no numbers: 'month', 'when'"):
        table.kullback.tv(against="total", by="origin")
    frame = pl.DataFrame(flights)
    with pytest.raises(kullback.InputError, match="no numbers: 'month'"):
        kullback.tv(frame, against="total", by=frame["origin"])
    assert table.drop(columns=["month", "when"]).kullback.tv(against="total", by="origin").tolist() == [0, 0]


def test_parts_of_a_frame_are_a_frame(pd):
    p = pd.DataFrame({"low": [3, 1], "high": [1, 0]}, index=["mon", "tue"])
    q = pd.DataFrame({"high": [1, 1], "low": [1, 1]}, index=["tue", "mon"])
    parts = p.kullback.contributions(q, "tv")
    assert parts.loc["mon"].to_dict() == pytest.approx({"low": 0.125, "high": 0.125})
    assert parts.index.tolist() == ["mon", "tue"] and parts.columns.tolist() == ["low", "high"]
    np.testing.assert_allclose(parts.sum(axis=1), p.kullback.tv(q))
    with pytest.raises(kullback.InputError, match="no names of bins"):
        pd.Series([[1, 2]]).kullback.contributions([1, 1])
    with pytest.raises(kullback.ShapeError, match="q has 2"):
        p[:1].kullback.contributions(q.to_numpy())
