"""The measures as methods of a namespace of a frame library."""

from typing import Any

from kullback import _short
from kullback._core import measures


def with_measures(namespace: Any) -> Any:
    """Gives a class one method per measure, which calls its method `rowwise(q, measure, **options)`."""
    for name in (*measures(), "psi"):
        setattr(namespace, name.partition(":")[0], _method(name))
    return namespace


def _method(name: str) -> Any:
    name, family, _ = name.partition(":")
    if name == "entropy":

        def entropy(self: Any, **options: Any) -> Any:
            return self.rowwise(None, name, **options)

        method: Any = entropy
    elif family:

        def of_order(self: Any, q: Any, order: float, **options: Any) -> Any:
            return self.rowwise(q, f"{name}:{float(order)!r}", **options)

        method = of_order
    else:

        def of_two(self: Any, q: Any = None, **options: Any) -> Any:
            return self.rowwise(q, name, **options)

        method = of_two
    method.__name__ = method.__qualname__ = name
    # The first line says what it is; the example is of the plain function.
    method.__doc__ = (getattr(_short, name).__doc__ or "").partition("\n")[0]
    return method
