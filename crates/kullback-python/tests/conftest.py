"""What the tests share."""

import os

import numpy as np
import pytest

import kullback


def software_gpu() -> str | None:
    """A software adapter of this machine, as a stand-in for a GPU."""
    return next((entry["device"] for entry in kullback.devices() if entry["device"] != "cpu"), None)


def devices() -> list[str]:
    gpu = software_gpu()
    assert gpu or os.environ.get("KULLBACK_REQUIRE_GPU") != "1", "KULLBACK_REQUIRE_GPU is set and there is no adapter"
    return ["cpu", "reference"] + ([gpu] if gpu else [])


@pytest.fixture(params=devices())
def device(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def pd():
    pandas = pytest.importorskip("pandas")
    import kullback.pandas

    return pandas


@pytest.fixture
def pl():
    polars = pytest.importorskip("polars")
    import kullback.polars

    return polars


def exact_kl(p, q):
    """The definition, in 64 bits and without a library."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0.0).sum(-1)
