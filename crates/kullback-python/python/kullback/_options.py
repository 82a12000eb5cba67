"""The types of arguments and results, for type checkers: those of the compiled half and of the short forms."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float64]
Statuses: TypeAlias = npt.NDArray[np.uint8]
# Arrays, Arrow columns, tensors, nested lists.
Weights: TypeAlias = Any
Positions: TypeAlias = Sequence[float] | npt.NDArray[np.float64] | None
Progress: TypeAlias = bool | Callable[[int, int], object] | None
# Type checkers see a union here, and so does who looks at run time.
OnInvalid: TypeAlias = Literal["error"] | Literal["null"]
Against: TypeAlias = Literal["total", "rest", "first", "previous", "uniform"] | None
# Labels of rows, or a list of several such.
By: TypeAlias = Any


class RowwiseOptions(TypedDict, total=False):
    """The keywords of `rowwise` that are the same in all its forms."""

    against: Against
    by: By
    axis: int
    unit: str
    zeros: str
    positions: Positions
    on_invalid: OnInvalid
    device: str
    progress: Progress
