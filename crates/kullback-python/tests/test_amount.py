"""What is said of an additive amount that is large beside the rows."""

import numpy as np
import pytest

import kullback


def test_an_amount_that_is_large_beside_one_side_is_noted(rng):
    counts = rng.integers(50, 150, (3_000, 4))
    shares = counts / counts.sum(axis=1, keepdims=True)
    typical = sorted([*counts[:500].sum(axis=1), *counts[-500:].sum(axis=1)])[500]
    for call in [kullback.psi, kullback.pairwise, kullback.contributions, kullback.summary, lambda p, q, **o: kullback.nearest(p, q, 1, **o)]:
        with pytest.warns(kullback.AmountWarning, match="mix:X") as noted:
            call(counts[:40], shares[:40], zeros="additive:0.5")
        assert len(noted) == 1 and noted[0].filename == __file__, call
    with pytest.warns(kullback.AmountWarning, match=r"200\.00% of that of q \(1\)") as noted:
        kullback.psi(counts, shares, zeros="additive:0.5")
    warning = noted[0].message
    assert (warning.amount, warning.bins, warning.p) == (0.5, 4, typical) and warning.q == pytest.approx(1)
    # One row of a side is its typical row, and the sides change places.
    with pytest.warns(kullback.AmountWarning):
        kullback.psi(shares[0], counts, zeros="additive:0.5")
    with pytest.warns(kullback.AmountWarning):
        kullback.psi(np.asfortranarray(counts)[::-1], shares[:1], zeros="additive:0.5")


@pytest.mark.filterwarnings("error")
def test_an_amount_is_not_noted_where_it_says_nothing(rng):
    counts = rng.integers(50, 150, (30, 4))
    shares = counts / counts.sum(axis=1, keepdims=True)
    # Other policies, a small amount, sides of one scale, one side alone, the uniform distribution, and nothing at all.
    kullback.psi(counts, shares, zeros="mix:0.1")
    kullback.psi(counts, shares, zeros="additive:0.002")
    kullback.psi(counts, counts[::-1], zeros="additive:50")
    kullback.psi(shares, shares[::-1], zeros="additive:0.5")
    kullback.entropy(shares, zeros="additive:0.5")
    kullback.pairwise(shares, zeros="additive:0.5")
    kullback.psi(counts, against="uniform", zeros="additive:0.5")
    kullback.psi(counts, counts * 0, zeros="additive:0.5")
    kullback.psi(counts[:0], counts[:0], zeros="additive:0.5")
    with pytest.raises(kullback.AmountWarning):
        kullback.psi(counts, shares, zeros="additive:0.5")
    kullback.psi(counts[:0], against="uniform", zeros="additive:0.5")
    kullback.psi(counts, against="uniform", zeros="additive:12")
    engine = kullback.Engine("cpu")
    engine.rowwise(engine.upload(counts), engine.upload(counts[::-1].copy()), "psi", zeros="additive:50")
    engine.rowwise(engine.upload(counts), shares, "psi", zeros="mix:0.1")


def test_an_amount_is_noted_for_rows_that_an_engine_keeps(rng):
    counts = rng.integers(50, 150, (3_000, 4))
    shares = counts / counts.sum(axis=1, keepdims=True)
    with pytest.warns(kullback.AmountWarning) as noted:
        kullback.psi(counts, shares, zeros="additive:0.5")
    wanted = noted[0].message
    engine = kullback.Engine("cpu")
    kept_counts, kept_shares = engine.upload(counts), engine.upload(shares)
    for p, q in [(kept_counts, kept_shares), (kept_counts, shares), (counts, kept_shares)]:
        with pytest.warns(kullback.AmountWarning) as noted:
            engine.rowwise(p, q, "psi", zeros="additive:0.5")
        assert len(noted) == 1 and noted[0].filename == __file__ and str(noted[0].message) == str(wanted)
        assert (noted[0].message.p, noted[0].message.q) == (wanted.p, wanted.q)
    with pytest.warns(kullback.AmountWarning):
        engine.rowwise(kept_shares, engine.upload(counts[:1]), "psi", zeros="additive:0.5")


def test_an_amount_that_outweighs_rows_beside_the_uniform_one_is_noted(rng):
    counts = rng.integers(50, 150, (30, 4))
    shares = counts / counts.sum(axis=1, keepdims=True)
    for call in [kullback.psi, kullback.summary, kullback.Engine("cpu").rowwise]:
        with pytest.warns(kullback.AmountWarning, match=r"200\.00% of the total of a row of p \(1\)\. If these are shares") as noted:
            call(shares, against="uniform", zeros="additive:0.5")
        warning = noted[0].message
        assert len(noted) == 1 and (warning.amount, warning.bins) == (0.5, 4)
        assert warning.p == pytest.approx(1) and np.isnan(warning.q)
