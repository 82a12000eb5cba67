"""Whether the caller of the moment says where the bins lie."""

import contextlib
import contextvars
from collections.abc import Iterator

_GIVEN = contextvars.ContextVar("kullback_positions", default=False)


def are_given() -> bool:
    """Whether the call has positions."""
    return _GIVEN.get()


@contextlib.contextmanager
def known(given: bool) -> Iterator[None]:
    """Says so for a call."""
    token = _GIVEN.set(given)
    try:
        yield
    finally:
        _GIVEN.reset(token)
