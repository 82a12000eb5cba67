"""What rows are compared with where there is no second side: totals, rows before, and groups."""

import math

import numpy as np
import pytest
from conftest import exact_kl

import kullback


def test_what_rows_are_compared_with(rng):
    p = rng.integers(0, 50, (40, 7))
    np.testing.assert_allclose(kullback.kl(p, against="total"), exact_kl(p, p.sum(0)), rtol=1e-12)
    np.testing.assert_allclose(kullback.kl(p, against="uniform"), exact_kl(p, np.ones(7)), rtol=1e-12)
    previous = kullback.kl(p + 1, against="previous")
    assert np.isnan(previous[0])
    np.testing.assert_allclose(previous[1:], exact_kl(p[1:] + 1, p[:-1] + 1), rtol=1e-12)
    many = np.full((1_000_000, 2), [0.1, 0.25])
    many[0] = [1, 0]
    total = [99_999.9 + 1, 249_999.75]
    np.testing.assert_allclose(kullback.kl(many[:3], against="total"), exact_kl(many[:3], many[:3].sum(0)), rtol=1e-12)
    np.testing.assert_allclose(kullback.kl(many, against="total")[0], exact_kl(many[0], total), rtol=1e-12)
    bad = p.astype(float)
    bad[3, 2], bad[5, 1] = np.nan, -1
    values = kullback.kl(bad, against="total", on_invalid="null")
    good = np.delete(np.arange(40), [3, 5])
    assert np.isnan(values[[3, 5]]).all()
    np.testing.assert_allclose(values[good], exact_kl(bad[good], bad[good].sum(0)), rtol=1e-11)
    with pytest.raises(kullback.InvalidWeightsError) as caught:
        kullback.kl(bad, against="total")
    assert (caught.value.row, caught.value.side, caught.value.count) == (3, "P", 2)
    np.testing.assert_allclose(kullback.entropy(p + 1), -exact_kl(p + 1, np.ones(7)) + np.log(7), rtol=1e-10)


def total_of(rows):
    """What `against="total"` compares with, from the value of a row of which that is all."""
    from kullback._against import against

    return against(rows, "total")[0]


def test_a_total_of_integers_is_exact():
    # Each of these is rounded as a float, and so is every sum of some of them.
    rows = np.array([[2**53 + 1, 2**62 + 1], [2**53 + 1, 2**62 + 1], [2**53 + 3, 3]], dtype=np.int64)
    assert total_of(rows).tolist() == [float(3 * 2**53 + 5), float(2**63 + 5)]
    assert total_of(rows.astype(np.uint64)).tolist() == total_of(rows.astype(">i8")).tolist() == total_of(rows).tolist()
    most = np.full((1000, 2), 2**64 - 1, dtype=np.uint64)
    assert total_of(most).tolist() == [float((2**64 - 1) * 1000)] * 2
    # Ones that vanish beside the first when floats are added up.
    small = np.ones((5001, 1), dtype=np.int64)
    small[0] = 2**53
    assert total_of(small).tolist() == [float(2**53 + 5000)]
    for dtype in ["?", "u1", "i1", "i2", "u4", "i4"]:
        assert total_of(np.ones((300, 2), dtype)).tolist() == [300.0, 300.0], dtype
    narrow = np.full((70_000, 1), 2**32 - 1, dtype=np.uint32)
    assert total_of(narrow).tolist() == [float(70_000 * (2**32 - 1))]
    # A value: the bin whose total is lost is all that differs.
    counts = np.zeros((2**10 + 1, 2), dtype=np.int64)
    counts[:, 1], counts[0, 0], counts[1:, 0] = 2**53, 2**62, 1
    share = (2**62 + 2**10) / (2**62 + 2**10 + (2**10 + 1) * 2**53)
    assert kullback.kl(counts, against="total")[1] == pytest.approx(exact_kl(counts[1], [share, 1 - share]), rel=1e-12)


def test_a_total_of_floats_loses_nothing(rng):
    import fractions

    rows = np.concatenate([np.full((1, 3), 1e16), np.ones((9_999, 3)), 10 ** rng.uniform(-20, 16, (300, 3))])
    for rows in [rows, rows[rng.permutation(len(rows))], np.asfortranarray(rows), rows.astype(np.float32)]:
        exact = [sum(map(fractions.Fraction, column.tolist())) for column in rows.T]
        np.testing.assert_allclose(total_of(rows), [float(total) for total in exact], rtol=2.3e-16, atol=0)
    assert total_of(np.full((4, 1), 5e-324)).tolist() == [4 * 5e-324]
    # A sum that is more than a float holds is a power of two less.
    large = [1.7e308, 0.85e308]
    assert total_of(np.array([large] * 9)).tolist() == [float(fractions.Fraction(weight) * 9 / 16) for weight in large]


POLICIES = ["exact", "additive:1", "mix:0.1", "floor:0.1", "epsilon:0.1", "skip"]


@pytest.mark.parametrize("zeros", POLICIES)
def test_a_row_without_a_row_before_it_has_no_value(zeros):
    p = [[1, 2, 3], [3, 2, 1], [1, 1, 2]]
    values, status = kullback.js(p, against="previous", zeros=zeros, return_status=True)
    assert np.isnan(values[0]) and status.tolist() == [kullback.Status.EMPTY, kullback.Status.OK, kullback.Status.OK]
    np.testing.assert_allclose(values[1:], kullback.js(p[1:], p[:-1], zeros=zeros), rtol=1e-11)
    assert np.isnan(kullback.js(p[:1], against="previous", zeros=zeros)).tolist() == [True]
    # Of several axes the first one counts.
    cube = np.arange(1, 25).reshape(3, 2, 4)
    of_cube = kullback.js(cube, against="previous", zeros=zeros)
    assert np.isnan(of_cube).tolist() == [[True, True], [False, False], [False, False]]
    np.testing.assert_allclose(of_cube[1:], kullback.js(cube[1:], cube[:-1], zeros=zeros), rtol=1e-11)
    # A row of zeros is a row.
    zero = kullback.js([[0, 0], [1, 2]], against="previous", zeros="additive:1")
    assert np.isnan(zero[0]) and zero[1] == pytest.approx(float(kullback.js([2, 3], [1, 1])), rel=1e-11)


@pytest.mark.parametrize("zeros", POLICIES)
def test_a_row_after_a_null_row_has_no_value(zeros):
    pa = pytest.importorskip("pyarrow")
    p = pa.chunked_array([[[1, 2], None], [[3, 4], [2, 2]]], pa.list_(pa.int64()))
    values, status = kullback.js(p, against="previous", zeros=zeros, return_status=True)
    assert np.isnan(values).tolist() == [True, True, True, False] and status.tolist() == [2, 2, 2, 0]
    assert values[3] == pytest.approx(float(kullback.js([2, 2], [3, 4], zeros=zeros)), rel=1e-11)


@pytest.mark.parametrize("zeros", POLICIES)
def test_a_summary_counts_the_row_without_a_row_before_it(zeros):
    p = np.array([[1, 2, 3], [3, 2, 1], [1, 1, 2]])
    values = kullback.js(p[1:], p[:-1], zeros=zeros)
    found = kullback.summary(p, measure="js", against="previous", zeros=zeros, top=5)
    assert (found["rows"], found["finite"], found["empty"], found["infinite"], found["invalid"]) == (3, 2, 1, 0, 0)
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-11)
    assert sorted(found["top"]) == [(1, pytest.approx(values[0], rel=1e-11)), (2, pytest.approx(values[1], rel=1e-11))]
    alone = kullback.summary(p[:1], measure="js", against="previous", zeros=zeros, top=5)
    assert (alone["rows"], alone["finite"], alone["empty"], alone["top"]) == (1, 0, 1, []) and np.isnan(alone["mean"])


def test_an_error_of_a_summary_counts_all_rows():
    p = np.array([[1.0, 2.0], [3.0, 4.0], [-1.0, 2.0], [1.0, 1.0]])
    for zeros in ["exact", "additive:1"]:
        with pytest.raises(kullback.InvalidWeightsError) as caught:
            kullback.summary(p, against="previous", zeros=zeros)
        error = caught.value
        assert (error.row, error.rows, error.side, error.bin, error.value) == (2, 4, "P", 0, -1.0), zeros


def rest_of(rows, by=None):
    """What `against="rest"` compares with."""
    from kullback._against import against

    return against(np.asarray(rows), "rest", None, by)[0]


def exact_rest(rows, by=None):
    """By fractions, each rounded once."""
    from fractions import Fraction

    of = [[Fraction(weight) for weight in row] for row in rows.tolist()]
    by = [0] * len(of) if by is None else by
    others = [[other for j, other in enumerate(of) if j != i and by[j] == by[i]] for i in range(len(of))]
    return [[float(sum(column)) for column in zip(*rest)] if rest else [0.0] * rows.shape[1] for rest in others]


@pytest.mark.parametrize("by", [None, [0, 1, 1, 0, 1, 2, 1, 0]])
def test_the_rest_of_integers_is_exact(by, rng):
    for dtype in ["u1", "i2", "u4", "i8", "u8", ">u8"]:
        most = np.iinfo(dtype).max
        rows = rng.integers(0, most, (8, 3), np.dtype(dtype).newbyteorder("="), endpoint=True).astype(dtype)
        rows[3] = most
        assert rest_of(rows, by).tolist() == exact_rest(rows, by), dtype


@pytest.mark.parametrize("by", [None, [0, 1, 1, 0, 1, 2, 1, 0]])
def test_the_rest_of_floats_is_that_of_the_definition(by, rng):
    plain, wide = rng.random((8, 3)), 10 ** rng.uniform(-30, 30, (8, 3))
    one = np.where(np.arange(24).reshape(8, 3) % 5 == 0, 1.0, 1e-12 * rng.random((8, 3)))
    much = np.where(np.arange(8)[:, None] == 3, 1.0, 1e-25 * rng.random((8, 3)))
    zeros = np.where(rng.random((8, 3)) < 0.6, 0.0, wide)
    for rows in [plain, wide, one, much, zeros, plain.astype("f4"), plain.astype("f2"), np.asfortranarray(one)]:
        np.testing.assert_allclose(rest_of(rows, by), exact_rest(rows, by), rtol=4.5e-16, atol=0)


def test_a_row_that_is_nearly_the_total_meets_the_rest(rng):
    p = rng.random((5_000, 4)) * 1e-12
    p[1234] = rng.random(4) * 1e3
    others = np.delete(p, 1234, axis=0)
    want = [math.fsum(column) for column in others.T]
    assert kullback.kl(p, against="rest")[1234] == pytest.approx(float(exact_kl(p[1234], want)), rel=2e-12)
    whole = rng.integers(0, 3, (50, 4))
    whole[7] = 2**61, 2**60, 2**59, 1
    want = [sum(int(row[bin]) for i, row in enumerate(whole) if i != 7) for bin in range(4)]
    assert kullback.kl(whole, against="rest")[7] == pytest.approx(float(exact_kl(whole[7], want)), rel=2e-12)


@pytest.mark.parametrize("zeros", POLICIES)
def test_a_row_without_another_has_no_rest(zeros):
    got, status = kullback.js([[1, 2], [3, 4], [5, 6]], against="rest", by=["a", "b", "a"], zeros=zeros, return_status=True)
    assert np.isnan(got).tolist() == [False, True, False] and status.tolist() == [0, 2, 0]
    assert got[0] == pytest.approx(float(kullback.js([1, 2], [5, 6], zeros=zeros)), rel=1e-11)
    assert np.isnan(kullback.js([[1, 2]], against="rest", zeros=zeros)).all()
    bad = np.array([[1.0, 2.0], [-1.0, 1.0], [3.0, 4.0], [np.nan, 1.0]])
    got, status = kullback.js(bad, against="rest", by=[0, 0, 1, 1], zeros=zeros, on_invalid="null", return_status=True)
    assert np.isnan(got).all() and status[[0, 2]].tolist() == [2, 2]


def test_the_first_row_is_that_of_the_group(rng):
    p = rng.integers(1, 50, (6, 4))
    np.testing.assert_allclose(kullback.js(p, against="first"), kullback.js(p, p[0]), rtol=1e-11, atol=1e-24)
    assert kullback.js(p, against="first")[0] == 0
    got = kullback.js(p, against="first", by=list("abbaab"))
    np.testing.assert_allclose(got, kullback.js(p, p[[0, 1, 1, 0, 0, 1]]), rtol=1e-11, atol=1e-24)
    cube = p.reshape(3, 2, 4)
    np.testing.assert_allclose(kullback.js(cube, against="first"), kullback.js(cube, np.stack([cube[0]] * 3)), rtol=1e-11, atol=1e-24)
    pa = pytest.importorskip("pyarrow")
    null = pa.array([None, [1, 2], [3, 4], None], pa.list_(pa.int64()))
    for zeros in POLICIES:
        assert kullback.js(null, against="first", zeros=zeros, return_status=True)[1].tolist() == [2, 2, 2, 2]
        assert kullback.js(null, against="first", by=[0, 1, 1, 1], zeros=zeros, return_status=True)[1].tolist() == [2, 0, 0, 2]
        assert kullback.js(null, against="rest", zeros=zeros, return_status=True)[1].tolist() == [2, 0, 0, 2]


BY = ["a", "b", "a", "a", "c", "b", "a"]


def groups_of(by):
    """The rows of each label."""
    return {label: [row for row, other in enumerate(by) if other == label] for label in by}


@pytest.mark.parametrize("zeros", ["exact", "additive:1"])
def test_rows_are_compared_within_their_group(zeros, rng):
    p = rng.integers(1, 50, (7, 4))
    for what in ["total", "rest", "first", "previous", "uniform"]:
        got, status = kullback.js(p, against=what, by=BY, zeros=zeros, return_status=True)
        for rows in groups_of(BY).values():
            want, want_status = kullback.js(p[rows], against=what, zeros=zeros, return_status=True)
            np.testing.assert_allclose(got[rows], want, rtol=1e-11, atol=1e-24)
            np.testing.assert_array_equal(status[rows], want_status)
    first = [rows[0] for rows in groups_of(BY).values()]
    assert np.flatnonzero(np.isnan(kullback.js(p, against="previous", by=BY, zeros=zeros))).tolist() == sorted(first)
    found = kullback.summary(p, measure="js", against="previous", by=BY, zeros=zeros)
    assert (found["rows"], found["finite"], found["empty"]) == (7, 4, 3)
    engine = kullback.Engine("cpu")
    want = kullback.js(p, against="total", by=BY, zeros=zeros, device="cpu")
    np.testing.assert_array_equal(engine.rowwise(p, measure="js", against="total", by=BY, zeros=zeros), want)


def test_labels_of_every_kind_make_the_same_groups(rng):
    p = rng.integers(1, 50, (7, 4))
    want = kullback.js(p, against="total", by=BY)
    numbers = [ord(label) for label in BY]
    dates = np.array(numbers, "M8[D]")
    for by in [np.array(BY), tuple(BY), np.array(BY, object), numbers, np.array(numbers, "f4"), dates, list(dates), [(n, 1) for n in numbers]]:
        np.testing.assert_array_equal(kullback.js(p, against="total", by=by), want)
    # Several columns of labels are groups of their pairs.
    for by in [[BY, [0] * 7], [[0] * 7, BY, numbers], [np.array(BY), numbers]]:
        np.testing.assert_array_equal(kullback.js(p, against="total", by=by), want)
    halves = [list("aabbaab"), [1, 2, 1, 2, 1, 2, 1]]
    np.testing.assert_array_equal(kullback.js(p, against="total", by=halves), kullback.js(p, against="total", by=list(zip(*halves))))
    # A text is not the number that it shows, and what is not a number is one label.
    assert np.isnan(kullback.js(p[:2], against="previous", by=["1", 1])).all()
    for by in [[np.nan, float("nan")], np.array([np.nan, np.nan]), [None, None]]:
        assert np.isnan(kullback.js(p[:2], against="previous", by=by)).tolist() == [True, False]
    for library, make in [("pandas", "Series"), ("polars", "Series"), ("pyarrow", "array")]:
        series = getattr(pytest.importorskip(library), make)
        np.testing.assert_array_equal(kullback.js(p, against="total", by=series(BY)), want)
        np.testing.assert_array_equal(kullback.js(p, against="total", by=[series(BY), series(numbers)]), want)


def test_groups_that_are_none():
    p = np.ones((3, 2))
    for by in [["a", "b"], [["a", "b", "c"], [1, 2]], np.zeros(4)]:
        with pytest.raises(kullback.ShapeError, match="labels and p has 3 rows") as caught:
            kullback.kl(p, against="total", by=by)
        assert caught.value.rows == 3 and caught.value.labels in (2, 4)
    for by in [3, "abc", np.zeros((3, 1)), [[{}], [{}], [{}]], object(), {}, []]:
        with pytest.raises(kullback.InputError):
            kullback.kl(p, against="total", by=by)
    with pytest.raises(kullback.InputError, match="against"):
        kullback.kl(p, p, by=["a", "b", "c"])
    with pytest.raises(kullback.InputError, match="axis"):
        kullback.kl(np.ones((3, 2, 2)), against="total", by=["a", "b", "c"])
    assert kullback.kl(p[:0], against="total", by=[]).shape == (0,)


def test_groups_of_null_rows():
    pa = pytest.importorskip("pyarrow")
    p = pa.array([[1, 2], None, [3, 4], [5, 1], [2, 2]], pa.list_(pa.int64()))
    by = ["a", "a", "b", "a", "b"]
    for zeros in POLICIES:
        status = kullback.js(p, against="previous", by=by, zeros=zeros, return_status=True)[1]
        assert status.tolist() == [2, 2, 2, 2, 0], zeros
    assert kullback.tv(p, against="total", by=by).tolist() == pytest.approx([1 / 3, np.nan, 5 / 11 - 3 / 7, 5 / 6 - 6 / 9, 0.5 - 5 / 11], nan_ok=True)


@pytest.mark.parametrize("zeros", ["exact", "additive:1", "skip"])
@pytest.mark.parametrize("what", ["previous", "first", "rest"])
@pytest.mark.parametrize("bad", [0, 1, 3])
def test_a_row_beside_an_invalid_one_is_not_invalid(what, bad, zeros):
    p = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0], [2.0, 2.0]])
    p[bad, 1] = -7
    alone = {"previous": [0, bad + 1], "first": [1, 2, 3] if bad == 0 else [], "rest": []}[what]
    want = [3 if row == bad else 2 if row in alone else 0 for row in range(4)]
    options = {"against": what, "zeros": zeros}
    for by in [None, [5, 5, 5, 5]]:
        values, status = kullback.tv(p, by=by, on_invalid="null", return_status=True, **options)
        assert status.tolist() == want and np.isnan(values).tolist() == [code > 0 for code in want]
        found = kullback.summary(p, measure="tv", by=by, on_invalid="null", **options)
        assert (found["rows"], found["finite"], found["empty"], found["invalid"]) == (4, want.count(0), want.count(2), 1)
        for call in [kullback.kl, kullback.summary]:
            with pytest.raises(kullback.InvalidWeightsError) as caught:
                call(p, by=by, **options)
            error = caught.value
            assert (error.count, error.rows, error.row, error.side, error.bin, error.value) == (1, 4, bad, "P", 1, -7)


def test_a_row_beside_an_invalid_one_on_several_axes_or_null():
    pa = pytest.importorskip("pyarrow")
    cube = np.ones((2, 2, 3))
    cube[0, 1, 2] = np.nan
    for what, want in [("previous", [[2, 3], [0, 2]]), ("first", [[0, 3], [0, 2]])]:
        assert kullback.js(cube, against=what, on_invalid="null", return_status=True)[1].tolist() == want
    rows = pa.array([[1.0, np.nan], None, [1.0, 1.0], [1.0, 2.0]])
    for what, want in [("previous", [3, 2, 2, 0]), ("first", [3, 2, 2, 2]), ("rest", [3, 2, 0, 0])]:
        assert kullback.js(rows, against=what, on_invalid="null", return_status=True)[1].tolist() == want
    # A row alone in its group is invalid all the same.
    by = ["a", "b", "b", "b"]
    assert kullback.js(rows, against="rest", by=by, on_invalid="null", return_status=True)[1].tolist() == [3, 2, 0, 0]
    ml_dtypes = pytest.importorskip("ml_dtypes")
    narrow = np.array([[1, 1], [1, np.inf], [1, 3], [2, 2]], ml_dtypes.bfloat16)
    assert kullback.tv(narrow, against="previous", on_invalid="null", return_status=True)[1].tolist() == [2, 3, 2, 0]
