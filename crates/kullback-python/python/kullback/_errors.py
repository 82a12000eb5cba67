"""What can go wrong. Every exception carries the numbers of its message as attributes."""

from typing import Any


class Error(Exception):
    """Every failure of kullback is one of these, or a TypeError for objects that are no weights."""


class InputError(Error, ValueError):
    """An argument, or a set of them, that has no meaning."""


class WeightTypeError(InputError, TypeError):
    """A column of a type that is none of weights."""


class ShapeError(InputError):
    """Shapes that do not meet: `p` and `q` where both sides have a number, `labels` and `rows` of groups."""

    p: int
    q: int
    labels: int
    rows: int


class LabelError(InputError):
    """Names of bins or of rows (`what`) that only one side has, or that a side has twice: how many."""

    what: str
    only_p: int
    only_q: int
    twice: int


class InvalidWeightsError(InputError):
    """Rows with a weight that is negative, NaN or infinite: how many, and the first.

    `row` and `bin` are places in what the caller gave; `row_key` and `bin_name` are the names there, if there are some.
    """

    count: int
    rows: int
    row: int
    row_key: Any = None
    side: str
    bin: int
    bin_name: Any = None
    value: float


class PolicyError(InputError):
    """Rows to which the zero policy cannot be applied: how many, and the first."""

    policy: str
    count: int
    rows: int
    row: int
    row_key: Any = None


class RangeError(InputError):
    """Rows whose weights span more than a 64-bit float can compare: how many, and the first."""

    count: int
    rows: int
    row: int
    row_key: Any = None


class AmountWarning(UserWarning):
    """An additive amount that is large beside a typical row of one side: counts against shares?

    `p` and `q` are the totals; that of the uniform distribution, which has no scale, is NaN.
    """

    amount: float
    bins: int
    p: float
    q: float


class LabelWarning(UserWarning):
    """Labels that may hide something: two that are one number in other words, or sides without a common label."""


class OrderWarning(LabelWarning):
    """w1 and ks take labels in the order of text, and `label` is no number: Apr comes before Jan."""

    label: str


class GroupWarning(LabelWarning):
    """Rows look for the first or the previous one within groups that nobody named: those of all levels of the index but the last.

    `levels` has the names of these levels, or their numbers.
    """

    levels: list[str | int]


class DeviceError(Error, RuntimeError):
    """A device that is not there, has no memory left, or failed."""


class DeviceMemoryError(DeviceError, MemoryError):
    """A device without memory for a buffer of `bytes` bytes."""

    device: str
    bytes: int
