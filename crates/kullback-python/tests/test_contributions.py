"""What each bin adds, of weights at the ends of what a float holds."""

import numpy as np
import pytest

import kullback

# Measure, p, q and the terms, to 17 digits of a computation in 60.
TERMS = [
    ("chi2", [1.0, 1e-200], [1.0, 3e-200], [0.0, 1.3333333333333333e-200]),
    ("chi2", [1.0, 1.0], [1.0, 2e-307], [0.25, 1.2500000000000001e306]),
    ("chi2", [1e-300, 1e-307], [1e-300, 1e-290], [9999997999.0003004, 0.99999979990003]),
    ("kl", [1.0, 1.0], [1.0, 2e-307], [-0.34657359027997265, 352.75366459402607]),
    ("kl", [1e300, 1e-5], [1e-300, 1e-5], [679.26260243324348, -7.0228845336318395e-303]),
    ("reverse_kl", [1e308, 1e308, 100.0], [2e-320, 0.0, 1e-320], [0.19178804830118728, 0.0, 234.7285244493566]),
    ("jeffreys", [1.0, 1e-300], [1e-300, 1.0], [690.77552789821371, 690.77552789821371]),
    ("js", [1.0, 1e-300], [1.0, 3e-300], [0.0, 2.6162407188227396e-301]),
    ("tv", [1.0, 1e-300], [1e-300, 1.0], [0.5, 0.5]),
    ("entropy", [3.0, 1.0, 1e-300], None, [0.2157615543388357, 0.34657359027997265, 1.730404555648334e-298]),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("measure, p, q, terms", TERMS)
def test_terms_at_the_ends(measure, p, q, terms):
    np.testing.assert_allclose(kullback.contributions(p, q, measure), terms, rtol=1e-14, atol=1e-315)


@pytest.mark.parametrize("row", [[1e300, 1e-100], [1.0, 1e-310], [1.0, 5e-324], [1.0, 2.0**-1020]])
def test_a_weight_that_vanishes_beside_its_total_is_refused(row):
    rows = [[1.0, 2.0], row, [3.0, 4.0], row]
    for p, q in [(rows, [1.0, 1.0]), ([1.0, 1.0], rows)]:
        with pytest.raises(kullback.RangeError) as caught:
            kullback.contributions(p, q)
        assert (caught.value.count, caught.value.rows, caught.value.row) == (2, 4, 1)
        # As those are that the values are made of.
        with pytest.raises(kullback.RangeError):
            kullback.rowwise(rows, [1.0, 1.0])
    with pytest.raises(kullback.RangeError):
        kullback.contributions(rows, measure="entropy")


def test_a_negative_weight_far_below_its_total_is_refused():
    for weight in [-1e-100, -5e-324]:
        with pytest.raises(kullback.InvalidWeightsError) as caught:
            kullback.contributions([[1e300, weight]], [[1.0, 1.0]])
        assert (caught.value.row, caught.value.bin, caught.value.value) == (0, 1, weight)


def test_bins_and_rows_without_weight():
    np.testing.assert_array_equal(kullback.contributions([[0.0, 1.0]], [[1.0, 0.0]]), [[0.0, np.inf]])
    np.testing.assert_array_equal(kullback.contributions([[0.0, -0.0]], [[1.0, 1.0]]), [[np.nan, np.nan]])
    assert not np.signbit(kullback.contributions([[0.0, 1.0]], measure="entropy")).any()
