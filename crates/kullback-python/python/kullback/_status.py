"""What the value of a row means."""

import enum


class Status(enum.IntEnum):
    """What `return_status=True` gives for each row.

    >>> import kullback
    >>> values, status = kullback.kl([[1, 1], [0, 0], [1, 1]], [[1, 3], [1, 1], [1, 0]], return_status=True)
    >>> values
    array([0.14384104,        nan,        inf])
    >>> [kullback.Status(code).name for code in status]
    ['OK', 'EMPTY', 'INFINITE']
    """

    OK = 0
    """Every value is finite."""
    INFINITE = 1
    """A value is infinite, and that is the answer."""
    EMPTY = 2
    """A side has no weight: no value."""
    INVALID = 3
    """A negative, NaN or infinite weight, or a policy that cannot be applied: no value."""
