"""Divergences between distributions, millions of rows at a time, on a GPU or on a CPU.

Every value is within 1e-6 of the exact one (1e-12 for 64-bit weights), on every device. Rows need not be normalised.

>>> import kullback
>>> kullback.kl([[0.5, 0.5]], [[0.9, 0.1]])
array([0.51082562])

The functions take numpy arrays, Arrow columns of lists (pyarrow, polars, duckdb, pandas), CPU tensors and nested lists;
the last axis are the bins. See `help(kullback.rowwise)`.
"""

from kullback._calls import contributions, nearest, pairwise, rowwise, summary
from kullback._core import Engine, Uploaded, __version__, devices, matrix, measures, verify
from kullback._errors import (
    AmountWarning,
    DeviceError,
    DeviceMemoryError,
    Error,
    GroupWarning,
    InputError,
    InvalidWeightsError,
    LabelError,
    LabelWarning,
    OrderWarning,
    PolicyError,
    RangeError,
    ShapeError,
    WeightTypeError,
)
from kullback._short import (
    alpha,
    bhattacharyya,
    chi2,
    cross_entropy,
    entropy,
    hellinger,
    jeffreys,
    js,
    js_distance,
    kl,
    ks,
    lin_k,
    neyman_chi2,
    pooled_js,
    psi,
    renyi,
    reverse_kl,
    skew_js,
    triangular,
    tsallis,
    tv,
    w1,
)
from kullback._status import Status

__all__ = [
    "AmountWarning",
    "DeviceError",
    "DeviceMemoryError",
    "Engine",
    "Error",
    "GroupWarning",
    "InputError",
    "InvalidWeightsError",
    "LabelError",
    "LabelWarning",
    "OrderWarning",
    "PolicyError",
    "RangeError",
    "ShapeError",
    "Status",
    "Uploaded",
    "WeightTypeError",
    "__version__",
    "alpha",
    "bhattacharyya",
    "chi2",
    "contributions",
    "cross_entropy",
    "devices",
    "entropy",
    "hellinger",
    "jeffreys",
    "js",
    "js_distance",
    "kl",
    "ks",
    "lin_k",
    "matrix",
    "measures",
    "nearest",
    "neyman_chi2",
    "pairwise",
    "pooled_js",
    "psi",
    "renyi",
    "reverse_kl",
    "rowwise",
    "skew_js",
    "summary",
    "triangular",
    "tsallis",
    "tv",
    "verify",
    "w1",
]
