"""The compiled functions, with what is said of their arguments in the words of Python."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kullback import _core
from kullback._errors import InputError
from kullback._positions import known

_POLICIES = '"exact", "epsilon:X", "additive:X", "floor:X", "mix:X" or "skip"'
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _checked(function: _Function, first: int = 0) -> _Function:
    """A function whose argument number `first` is p."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        zeros = options.get("zeros", "exact")
        if not isinstance(zeros, str):
            example = f', such as zeros="additive:{zeros}"' if isinstance(zeros, int | float) and not isinstance(zeros, bool) else ""
            raise InputError(f"zeros is {zeros!r}: give a policy as text, {_POLICIES}{example}")
        with known(options.get("positions") is not None):
            try:
                return function(*args, **options)
            except InputError as error:
                error.args = (_named(str(error), args[first:], options),)
                raise

    if first == 0:
        # Pickle finds it there.
        called.__module__ = "kullback"
    return called  # type: ignore[return-value]


def _named(message: str, args: tuple[Any, ...], options: dict[str, Any]) -> str:
    """A message with the column's own name, and the argument that makes a row without a value of a bad one."""
    for at, side in enumerate("pq"):
        given = args[at] if len(args) > at else options.get(side)
        name = _name(given)
        # The engine's reader knows no name of a column that is alone.
        message = message.replace(f" of {side} (column `weights`)", f" of {side}" if name is None else f" of {side} (column `{name}`)")
        message = message.replace(f"column `weights` of {side} ", f"the column of {side} " if name is None else f"column `{name}` of {side} ")
    return message.replace("ask for null results instead of an error", 'take on_invalid="null" for a row without a value')


def _name(side: Any) -> str | None:
    """The name of a series, or of the only column of a frame."""
    if hasattr(side, "column_names"):
        names = list(side.column_names)
    elif not hasattr(side, "collect") and hasattr(side, "columns"):
        names = list(side.columns)
    else:
        names = [getattr(side, "name", None)]
    return names[0] if len(names) == 1 and isinstance(names[0], str) and names[0] else None


rowwise = _checked(_core.rowwise)
pairwise = _checked(_core.pairwise)
nearest = _checked(_core.nearest)
summary = _checked(_core.summary)
contributions = _checked(_core.contributions)
for _method in ("rowwise", "pairwise", "nearest"):
    setattr(_core.Engine, _method, _checked(getattr(_core.Engine, _method), first=1))
