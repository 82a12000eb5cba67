"""Columns of polars, pandas and DuckDB: a column in, a column out, nulls kept."""

import numpy as np
import pytest

import kullback

P = [[1.0, 1.0, 2.0], None, [0.0, 0.0, 0.0], [3.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
Q = [[1.0, 2.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], None, [0.0, 1.0, 1.0]]
KL = [float(kullback.kl(P[0], Q[0])), None, None, None, np.inf]


def test_polars_eager_lazy_and_groups():
    pl = pytest.importorskip("polars")
    import kullback.polars

    df = pl.DataFrame({"k": ["a", "a", "b", "b", "b"], "p": P, "q": Q})
    assert df.select(pl.col("p").kullback.kl("q"))["p"].to_list() == KL
    assert df.lazy().with_columns(kl=pl.col("p").kullback.kl(pl.col("q"))).collect()["kl"].to_list() == KL
    arrays = df.with_columns(pl.col("p", "q").cast(pl.Array(pl.Float32, 3)))
    got = arrays.select(pl.col("p").kullback.kl("q"))["p"].to_list()
    assert got[0] == pytest.approx(KL[0], rel=1e-6) and got[1:] == KL[1:]
    groups = df.group_by("k", maintain_order=True).agg(pl.col("p").kullback.kl("q").max())
    assert groups["p"].to_list() == [KL[0], np.inf]
    one = df.select(pl.col("p").kullback.js([1, 1, 1], unit="bits"))["p"].to_list()
    assert one[0] == pytest.approx(float(kullback.js(P[0], [1, 1, 1], unit="bits")), rel=1e-12) and one[1:3] == [None, None]
    both = df.kullback.rowwise("p", "q", ["kl", "tv"])
    assert both["kl"].to_list() == KL and both.columns == ["k", "p", "q", "kl", "tv"]
    assert df.select(pl.col("p").kullback.entropy())["p"][0] == pytest.approx(float(kullback.entropy(P[0])))
    with pytest.raises(Exception, match="row 0"):
        df.select(pl.col("p").kullback.kl([1, -1, 1]))
    assert df.head(0).select(pl.col("p").kullback.kl("q")).height == 0
    with pytest.raises(AttributeError):
        pl.col("p").kullback.kld
    # Every measure is a method that completion finds.
    for name in kullback.measures():
        assert getattr(type(pl.col("p").kullback), name.partition(":")[0]).__doc__
    order = df.select(pl.col("p").kullback.skew_js("q", 0.25))["p"].to_list()
    assert order[0] == float(kullback.skew_js(P[0], Q[0], 0.25))
    # What is compared with all rows is compared with those of its group, and with all of them before a slice.
    counts = pl.DataFrame({"g": [1, 1, 2, 2], "p": [[1, 2], [3, 4], [9, 1], [1, 1]]})
    total = pl.col("p").kullback.rowwise(measure="kl", against="total")
    want = [*kullback.kl(counts["p"][:2], against="total"), *kullback.kl(counts["p"][2:], against="total")]
    assert counts.select(total.over("g"))["p"].to_list() == want
    assert counts.lazy().select(total).head(2).collect()["p"].to_list() == counts.select(total)["p"].to_list()[:2]
    with pytest.raises(kullback.InputError):
        pl.col("p").kullback.kl("q", return_status=True)


def test_polars_groups_by_columns():
    pl = pytest.importorskip("polars")
    import kullback.polars

    df = pl.DataFrame({"g": ["a", "b", "a", "b"], "day": [1, 1, 2, 2], "p": [[1, 2], [9, 1], [3, 4], [1, 1]]})
    for by in ["g", pl.col("g"), ["g"], [pl.col("g"), pl.col("g").str.len_chars()]]:
        got = df.select(pl.col("p").kullback.js(against="previous", by=by))["p"].to_list()
        assert got[:2] == [None, None]
        assert got[2:] == pytest.approx([float(kullback.js([3, 4], [1, 2])), float(kullback.js([1, 1], [9, 1]))], rel=1e-11)
    total = pl.col("p").kullback.rowwise(measure="kl", against="total", by="g")
    want = df.select(pl.col("p").kullback.rowwise(measure="kl", against="total").over("g"))["p"].to_list()
    assert df.lazy().with_columns(kl=total).collect()["kl"].to_list() == pytest.approx(want, rel=1e-11, abs=1e-24)
    assert df.kullback.rowwise("p", measure=["kl"], against="total", by="g")["kl"].to_list() == pytest.approx(want, rel=1e-11, abs=1e-24)
    for wrong in [{"q": "p", "by": "g"}, {"by": "g"}]:
        with pytest.raises(kullback.InputError, match="against"):
            pl.col("p").kullback.kl(**wrong)


def test_pandas_groups_by_columns():
    pd = pytest.importorskip("pandas")
    import kullback.pandas

    df = pd.DataFrame({"g": ["a", "b", "a", "b"], "x": [1, 9, 3, 1], "y": [2, 1, 4, 1]})
    want = kullback.js(df[["x", "y"]].to_numpy(), against="total", by=df["g"])
    indexed = df.set_index("g")
    for frame, by in [(df, "g"), (df, ["g"]), (indexed, "g"), (df[["x", "y"]], df["g"]), (df[["x", "y"]], list("abab")), (df.assign(h=1), ["h", "g"])]:
        got = frame.kullback.js(against="total", by=by)
        np.testing.assert_array_equal(got.to_numpy(), want)
        assert got.index.equals(frame.index)
    lists = pd.Series(df[["x", "y"]].to_numpy().tolist(), name="p")
    np.testing.assert_array_equal(lists.kullback.js(against="total", by=df["g"]).to_numpy(), want)
    with pytest.raises(kullback.InputError, match="'shop', which is no column"):
        df.kullback.js(against="total", by="shop")


def test_pandas_list_columns_and_wide_ones():
    pd = pytest.importorskip("pandas")
    import kullback.pandas

    df = pd.DataFrame({"p": P, "q": Q}, index=list("abcde"))
    got = df["p"].kullback.kl(df["q"])
    assert got.index.tolist() == list("abcde") and got.name == "kl"
    np.testing.assert_array_equal(got.to_numpy(), [np.nan if v is None else v for v in KL])
    arrow = df.astype(pd.ArrowDtype(pytest.importorskip("pyarrow").list_(pytest.importorskip("pyarrow").float64())))
    np.testing.assert_array_equal(arrow["p"].kullback.kl(arrow["q"]).to_numpy(), got.to_numpy())
    wide = pd.DataFrame(np.arange(12).reshape(4, 3) + 1)
    np.testing.assert_array_equal(wide.kullback.psi([1, 1, 1]).to_numpy(), kullback.psi(wide.to_numpy(), [1, 1, 1]))
    both = wide.kullback.rowwise(wide, ["kl", "js"])
    assert list(both.columns) == ["kl", "js"] and not both.to_numpy().any()
    with pytest.raises(kullback.InputError):
        pd.Series([[1, 2], [1]], name="p").kullback.kl([1, 1])
    with pytest.raises(AttributeError):
        wide.kullback.kld
    assert np.isnan(df["p"].kullback.kl(df["q"], zeros="additive:1").to_numpy()).tolist() == [False, True, False, True, False]
    assert df["p"][1:2].kullback.kl([1, 1, 1]).isna().all()
    # Rows and bins meet by their labels, in whatever order they are.
    named = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=["x", "y"])
    for other in [named[["b", "a"]], named[::-1], named.loc[["y", "x"], ["b", "a"]]]:
        assert named.kullback.kl(other).to_dict() == {"x": 0, "y": 0}
    assert named.kullback.kl(pd.Series({"b": 3, "a": 1}))["x"] == 0
    for other in [named.rename(columns={"a": "c"}), named.rename(index={"x": "z"}), pd.Series({"b": 3, "c": 1})]:
        with pytest.raises(kullback.LabelError):
            named.kullback.kl(other)
    np.testing.assert_array_equal(df["p"].kullback.kl(df["q"][::-1]).to_numpy(), got.to_numpy())
    # The row after a null one has none to be compared with.
    previous = df["p"].kullback.js(against="previous", zeros="additive:1")
    assert previous.isna().tolist() == [True, True, True, False, False]
    assert named.kullback.kl(pd.Series({"a": 1, "b": 3}))["x"] == 0
    for wrong in [lambda: pd.Series([1.0, 2.0]).kullback.kl([1, 1]), lambda: named.kullback.kl([1, 1], return_status=True)]:
        with pytest.raises(kullback.InputError):
            wrong()


def test_duckdb_functions():
    duckdb = pytest.importorskip("duckdb")
    import kullback.duckdb

    con = duckdb.connect()
    kullback.duckdb.register(con)
    con.execute("CREATE TABLE t (i INTEGER, p DOUBLE[], q DOUBLE[])")
    con.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, p, q) for i, (p, q) in enumerate(zip(P, Q, strict=True))])
    assert [row[0] for row in con.sql("SELECT kl_divergence(p, q) FROM t ORDER BY i").fetchall()] == KL
    for name, measure in kullback.duckdb.FUNCTIONS.items():
        q = "" if measure == "entropy" else ", [1, 1, 1]"
        got = con.sql(f"SELECT {name}([1, 2, 3]{q})").fetchall()[0][0]
        want = kullback.rowwise([1.0, 2.0, 3.0], None if measure == "entropy" else [1.0, 1.0, 1.0], measure)
        assert got == pytest.approx(float(want), rel=1e-12), name
    with pytest.raises(kullback.InputError):
        kullback.duckdb.register(duckdb.connect(), against="total")
    with pytest.raises(duckdb.Error, match="row 0"):
        con.sql("SELECT kl_divergence([-1, 2], [1, 1])").fetchall()
