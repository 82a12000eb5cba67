"""The compiled half of the package."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, final, overload

import numpy as np
import numpy.typing as npt

__all__ = ["__version__", "Engine", "Uploaded", "contributions", "devices", "matrix", "measures", "rowwise", "summary", "nearest", "pairwise", "verify"]

__version__: str

_Values: TypeAlias = npt.NDArray[np.float64]
_Statuses: TypeAlias = npt.NDArray[np.uint8]
# Arrays, Arrow columns, tensors, nested lists.
_Weights: TypeAlias = Any
_Positions: TypeAlias = Sequence[float] | npt.NDArray[np.float64] | None
_Progress: TypeAlias = bool | Callable[[int, int], object] | None
_OnInvalid: TypeAlias = Literal["error", "null"]
_Against: TypeAlias = Literal["total", "rest", "first", "previous", "uniform"] | None
# Labels of rows, or a list of several such.
_By: TypeAlias = Any

@final
class Uploaded:
    @property
    def bins(self) -> int: ...
    @property
    def is_on_a_device(self) -> bool: ...
    def __len__(self) -> int: ...

@final
class Engine:
    def __new__(cls, device: str = "auto", *, threads: int | None = None, memory: int | None = None) -> Engine: ...
    @property
    def device(self) -> str: ...
    @overload
    def rowwise(
        self,
        p: _Weights,
        q: _Weights = None,
        measure: str = "kl",
        *,
        against: _Against = None,
        by: _By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        out: _Values | None = None,
        return_status: Literal[False] = False,
        progress: _Progress = None,
    ) -> _Values: ...
    @overload
    def rowwise(
        self,
        p: _Weights,
        q: _Weights = None,
        measure: str = "kl",
        *,
        against: _Against = None,
        by: _By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        out: _Values | None = None,
        return_status: Literal[True],
        progress: _Progress = None,
    ) -> tuple[_Values, _Statuses]: ...
    @overload
    def rowwise(
        self,
        p: _Weights,
        q: _Weights = None,
        measure: list[str] | tuple[str, ...] = ...,
        *,
        against: _Against = None,
        by: _By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        out: dict[str, _Values] | None = None,
        return_status: Literal[False] = False,
        progress: _Progress = None,
    ) -> dict[str, _Values]: ...
    @overload
    def rowwise(
        self,
        p: _Weights,
        q: _Weights = None,
        measure: list[str] | tuple[str, ...] = ...,
        *,
        against: _Against = None,
        by: _By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        out: dict[str, _Values] | None = None,
        return_status: Literal[True],
        progress: _Progress = None,
    ) -> tuple[dict[str, _Values], _Statuses]: ...
    @overload
    def pairwise(
        self,
        p: _Weights,
        q: _Weights = None,
        measure: str = "kl",
        *,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        out: _Values | None = None,
        progress: _Progress = None,
    ) -> _Values: ...
    @overload
    def pairwise(
        self,
        p: _Weights,
        q: _Weights = None,
        measure: list[str] | tuple[str, ...] = ...,
        *,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        out: None = None,
        progress: _Progress = None,
    ) -> dict[str, _Values]: ...
    def nearest(
        self,
        p: _Weights,
        q: _Weights = None,
        k: int = 10,
        measure: str = "kl",
        *,
        unit: str = "nats",
        zeros: str = "exact",
        positions: _Positions = None,
        on_invalid: _OnInvalid = "error",
        progress: _Progress = None,
    ) -> tuple[npt.NDArray[np.int64], _Values]: ...
    def upload(self, rows: _Weights) -> Uploaded: ...

@overload
def rowwise(
    p: _Weights,
    q: _Weights = None,
    measure: str = "kl",
    *,
    against: _Against = None,
    by: _By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    out: _Values | None = None,
    return_status: Literal[False] = False,
    progress: _Progress = None,
) -> _Values: ...
@overload
def rowwise(
    p: _Weights,
    q: _Weights = None,
    measure: str = "kl",
    *,
    against: _Against = None,
    by: _By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    out: _Values | None = None,
    return_status: Literal[True],
    progress: _Progress = None,
) -> tuple[_Values, _Statuses]: ...
@overload
def rowwise(
    p: _Weights,
    q: _Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    against: _Against = None,
    by: _By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    out: dict[str, _Values] | None = None,
    return_status: Literal[False] = False,
    progress: _Progress = None,
) -> dict[str, _Values]: ...
@overload
def rowwise(
    p: _Weights,
    q: _Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    against: _Against = None,
    by: _By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    out: dict[str, _Values] | None = None,
    return_status: Literal[True],
    progress: _Progress = None,
) -> tuple[dict[str, _Values], _Statuses]: ...
@overload
def pairwise(
    p: _Weights,
    q: _Weights = None,
    measure: str = "kl",
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    out: _Values | None = None,
    progress: _Progress = None,
) -> _Values: ...
@overload
def pairwise(
    p: _Weights,
    q: _Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    out: None = None,
    progress: _Progress = None,
) -> dict[str, _Values]: ...
def nearest(
    p: _Weights,
    q: _Weights = None,
    k: int = 10,
    measure: str = "kl",
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    progress: _Progress = None,
) -> tuple[npt.NDArray[np.int64], _Values]: ...
@overload
def summary(
    p: _Weights,
    q: _Weights = None,
    measure: str = "kl",
    *,
    against: _Against = None,
    by: _By = None,
    top: int = 0,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    progress: _Progress = None,
) -> dict[str, Any]: ...
@overload
def summary(
    p: _Weights,
    q: _Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    against: _Against = None,
    by: _By = None,
    top: int = 0,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
    device: str = "auto",
    progress: _Progress = None,
) -> dict[str, dict[str, Any]]: ...
def contributions(
    p: _Weights,
    q: _Weights = None,
    measure: str = "kl",
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: _Positions = None,
    on_invalid: _OnInvalid = "error",
) -> _Values: ...
def devices() -> list[dict[str, Any]]: ...
def measures() -> list[str]: ...
def matrix(rows: _Weights) -> npt.NDArray[Any]: ...
def verify(device: str | None = None, *, rows: int = 32, seed: int = 1) -> dict[str, dict[str, Any]]: ...
