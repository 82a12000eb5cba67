"""The compiled half of the package."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, final, overload

import numpy as np
import numpy.typing as npt

__version__: str

Values: TypeAlias = npt.NDArray[np.float64]
Statuses: TypeAlias = npt.NDArray[np.uint8]
# Arrays, Arrow columns, tensors, nested lists.
Weights: TypeAlias = Any
Progress: TypeAlias = bool | Callable[[int, int], object] | None
OnInvalid: TypeAlias = Literal["error", "null"]
Against: TypeAlias = Literal["total", "uniform", "previous"] | None

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
        unit: str = "nats",
        zeros: str = "exact",
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
        unit: str = "nats",
        zeros: str = "exact",
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
        unit: str = "nats",
        zeros: str = "exact",
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
        unit: str = "nats",
        zeros: str = "exact",
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
        measure: str = "js",
        *,
        unit: str = "nats",
        zeros: str = "exact",
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
    unit: str = "nats",
    zeros: str = "exact",
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
    unit: str = "nats",
    zeros: str = "exact",
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
    unit: str = "nats",
    zeros: str = "exact",
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
    unit: str = "nats",
    zeros: str = "exact",
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
    measure: str = "js",
    *,
    unit: str = "nats",
    zeros: str = "exact",
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
    top: int = 0,
    unit: str = "nats",
    zeros: str = "exact",
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
    top: int = 0,
    unit: str = "nats",
    zeros: str = "exact",
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    progress: Progress = None,
) -> dict[str, dict[str, Any]]: ...
def devices() -> list[dict[str, Any]]: ...
def matrix(rows: Weights) -> npt.NDArray[Any]: ...
