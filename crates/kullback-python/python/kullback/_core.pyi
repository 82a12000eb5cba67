"""The compiled half of the package."""

from typing import Any, Literal, final, overload

import numpy as np
import numpy.typing as npt

from kullback._options import Against, By, OnInvalid, Positions, Progress, Statuses, Values, Weights

__all__ = ["__version__", "Engine", "Uploaded", "contributions", "devices", "matrix", "measures", "rowwise", "summary", "nearest", "pairwise", "verify"]

__version__: str

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
        p: Weights,
        q: Weights = None,
        measure: str = "kl",
        *,
        against: Against = None,
        by: By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        out: Values | None = None,
        return_status: Literal[False] = False,
        progress: Progress = None,
    ) -> Values: ...
    @overload
    def rowwise(
        self,
        p: Weights,
        q: Weights = None,
        measure: str = "kl",
        *,
        against: Against = None,
        by: By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        out: Values | None = None,
        return_status: Literal[True],
        progress: Progress = None,
    ) -> tuple[Values, Statuses]: ...
    @overload
    def rowwise(
        self,
        p: Weights,
        q: Weights = None,
        measure: list[str] | tuple[str, ...] = ...,
        *,
        against: Against = None,
        by: By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        out: dict[str, Values] | None = None,
        return_status: Literal[False] = False,
        progress: Progress = None,
    ) -> dict[str, Values]: ...
    @overload
    def rowwise(
        self,
        p: Weights,
        q: Weights = None,
        measure: list[str] | tuple[str, ...] = ...,
        *,
        against: Against = None,
        by: By = None,
        axis: int = -1,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        out: dict[str, Values] | None = None,
        return_status: Literal[True],
        progress: Progress = None,
    ) -> tuple[dict[str, Values], Statuses]: ...
    @overload
    def pairwise(
        self,
        p: Weights,
        q: Weights = None,
        measure: str = "kl",
        *,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        out: Values | None = None,
        progress: Progress = None,
    ) -> Values: ...
    @overload
    def pairwise(
        self,
        p: Weights,
        q: Weights = None,
        measure: list[str] | tuple[str, ...] = ...,
        *,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        out: None = None,
        progress: Progress = None,
    ) -> dict[str, Values]: ...
    def nearest(
        self,
        p: Weights,
        q: Weights = None,
        k: int = 10,
        measure: str = "js",
        *,
        unit: str = "nats",
        zeros: str = "exact",
        positions: Positions = None,
        on_invalid: OnInvalid = "error",
        progress: Progress = None,
    ) -> tuple[npt.NDArray[np.int64], Values]: ...
    def upload(self, rows: Weights) -> Uploaded: ...

@overload
def rowwise(
    p: Weights,
    q: Weights = None,
    measure: str = "kl",
    *,
    against: Against = None,
    by: By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: Values | None = None,
    return_status: Literal[False] = False,
    progress: Progress = None,
) -> Values: ...
@overload
def rowwise(
    p: Weights,
    q: Weights = None,
    measure: str = "kl",
    *,
    against: Against = None,
    by: By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: Values | None = None,
    return_status: Literal[True],
    progress: Progress = None,
) -> tuple[Values, Statuses]: ...
@overload
def rowwise(
    p: Weights,
    q: Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    against: Against = None,
    by: By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: dict[str, Values] | None = None,
    return_status: Literal[False] = False,
    progress: Progress = None,
) -> dict[str, Values]: ...
@overload
def rowwise(
    p: Weights,
    q: Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    against: Against = None,
    by: By = None,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: dict[str, Values] | None = None,
    return_status: Literal[True],
    progress: Progress = None,
) -> tuple[dict[str, Values], Statuses]: ...
@overload
def pairwise(
    p: Weights,
    q: Weights = None,
    measure: str = "kl",
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: Values | None = None,
    progress: Progress = None,
) -> Values: ...
@overload
def pairwise(
    p: Weights,
    q: Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: None = None,
    progress: Progress = None,
) -> dict[str, Values]: ...
def nearest(
    p: Weights,
    q: Weights = None,
    k: int = 10,
    measure: str = "js",
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    progress: Progress = None,
) -> tuple[npt.NDArray[np.int64], Values]: ...
@overload
def summary(
    p: Weights,
    q: Weights = None,
    measure: str = "kl",
    *,
    against: Against = None,
    by: By = None,
    top: int = 0,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    progress: Progress = None,
) -> dict[str, Any]: ...
@overload
def summary(
    p: Weights,
    q: Weights = None,
    measure: list[str] | tuple[str, ...] = ...,
    *,
    against: Against = None,
    by: By = None,
    top: int = 0,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    progress: Progress = None,
) -> dict[str, dict[str, Any]]: ...
def contributions(
    p: Weights,
    q: Weights = None,
    measure: str = "kl",
    *,
    unit: str = "nats",
    zeros: str = "exact",
    positions: Positions = None,
    on_invalid: OnInvalid = "error",
) -> Values: ...
def devices() -> list[dict[str, Any]]: ...
def measures() -> list[str]: ...
def matrix(rows: Weights) -> npt.NDArray[Any]: ...
def verify(device: str | None = None, *, rows: int = 32, seed: int = 1) -> dict[str, dict[str, Any]]: ...
