"""All pairs and the nearest rows."""

import numpy as np
import pytest
from conftest import exact_kl

import kullback


def test_every_pair_is_that_of_rowwise(rng, device):
    p, q = rng.random((40, 9), dtype=np.float32), rng.random((30, 9), dtype=np.float32)
    got = kullback.pairwise(p, q, ["kl", "js"], device=device)
    np.testing.assert_allclose(got["kl"], exact_kl(p[:, None], q[None]), rtol=1e-6)
    for row in range(40):
        np.testing.assert_allclose(got["js"][row], kullback.js(p[row], q, device=device), rtol=1e-6)
    alone = kullback.pairwise(p, measure="js", device=device)
    assert alone.shape == (40, 40) and not np.diag(alone).any()
    np.testing.assert_array_equal(alone, alone.T)


def test_neighbours_are_by_js_and_matrices_by_kl_if_nothing_is_said():
    p = np.array([[1, 0, 3], [2, 2, 0], [0, 1, 1], [4, 1, 6]])
    for nearest in [kullback.nearest, kullback.Engine("cpu").nearest]:
        for mine, default in zip(nearest(p, p, 3), nearest(p, p, 3, "js"), strict=True):
            np.testing.assert_array_equal(mine, default)
    np.testing.assert_array_equal(kullback.pairwise(p), kullback.pairwise(p, measure="kl"))


def test_a_matrix_goes_where_it_is_wanted(rng, tmp_path):
    p = rng.random((50, 9))
    out = np.memmap(tmp_path / "matrix", np.float64, "w+", shape=(50, 50))
    assert kullback.pairwise(p, measure="tv", out=out) is out
    np.testing.assert_array_equal(out, kullback.pairwise(p, measure="tv"))
    with pytest.raises(kullback.InputError):
        kullback.pairwise(p, out=np.zeros((50, 49)))


def test_the_nearest_are_those_of_the_matrix(rng, device):
    p, q = rng.random((60, 9), dtype=np.float32), rng.random((45, 9), dtype=np.float32)
    matrix = kullback.pairwise(p, q, "kl", device=device)
    rows, values = kullback.nearest(p, q, 5, "kl", device=device)
    assert rows.shape == values.shape == (60, 5) and rows.dtype == np.int64
    np.testing.assert_array_equal(rows, np.argsort(matrix, axis=1, kind="stable")[:, :5])
    np.testing.assert_array_equal(values, np.take_along_axis(matrix, rows, 1))
    alone, _ = kullback.nearest(p, k=2, device=device)
    assert (alone != np.arange(60)[:, None]).all()
    few, nothing = kullback.nearest(p[:2], k=10, device=device)
    assert few.tolist() == [[1, -1], [0, -1]] and np.isnan(nothing[:, 1]).all()


def test_a_row_without_weight_has_no_neighbours(device):
    p = np.array([[1, 1, 0], [0, 0, 0], [1, 3, 1], [0, 0, 0], [2, 2, 1]])
    for measure in ["js", "kl", "tv", "hellinger", "renyi:2", "w1"]:
        for weights in [p, p.astype(np.float32), p.astype(float)]:
            rows, values = kullback.nearest(weights, weights, k=4, measure=measure, device=device)
            assert rows.shape == values.shape == (5, 4)
            assert (rows[[1, 3]] == -1).all() and np.isnan(values[[1, 3]]).all(), measure
            for row in [0, 2, 4]:
                assert rows[row, 0] == row and sorted(rows[row]) == [-1, 0, 2, 4], measure
                assert rows[row, 3] == -1 and np.isnan(values[row]).tolist() == [False, False, False, True]
    alone, values = kullback.nearest(p, k=3, measure="js", device=device)
    assert sorted(alone[0]) == [-1, 2, 4] and sorted(alone[2]) == [-1, 0, 4] and sorted(alone[4]) == [-1, 0, 2]
    assert (alone[[1, 3]] == -1).all() and np.isnan(values[[1, 3]]).all()
    # A policy gives it a value.
    rows, values = kullback.nearest(p, k=1, measure="js", zeros="additive:1", device=device)
    assert rows[1, 0] == 3 and abs(values[1, 0]) < 1e-12
    nothing, values = kullback.nearest(np.zeros((2, 3)), p, k=2, device=device)
    assert (nothing == -1).all() and np.isnan(values).all()
