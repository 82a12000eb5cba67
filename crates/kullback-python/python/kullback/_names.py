"""What rows and bins are called, and where they lie in what the user gave: for errors, which count as the engine does."""

import dataclasses
from typing import Any

import numpy as np

from kullback._errors import InvalidWeightsError, PolicyError, RangeError


@dataclasses.dataclass
class Called:
    """One side, row by row and bin by bin as the engine has them. None where there are no names, or where all is in its place."""

    keys: Any = None
    """The index of pandas."""
    row_places: Any = None
    bins: list[Any] | None = None
    bin_places: Any = None
    frame: Any = None
    """The frame of pandas or polars with a column per bin."""

    def row_count(self) -> int:
        """How many rows have keys."""
        return 0 if self.keys is None else len(self.keys)

    def row(self, at: int) -> tuple[int, Any, str]:
        """The place of a row in what the user gave, its key, and both in words."""
        key = None if at >= self.row_count() else self.keys[at : at + 1].tolist()[0]
        return _told("row", at, self.row_places, key)

    def bin(self, at: int) -> tuple[int, Any, str]:
        """The place of a bin in what the user gave, its name, and both in words."""
        return _told("bin", at, self.bin_places, None if self.bins is None else self.bins[at])


def _told(what: str, at: int, places: Any, name: Any) -> tuple[int, Any, str]:
    place = at if places is None else int(places[at])
    # The name of what is only counted says nothing more.
    said = name is None or (isinstance(name, int) and name == place)
    name = plain(name)
    return place, name, f"{what} {place}" if said else f"{what} {place} ({name!r})"


def plain(label: Any) -> Any:
    """A label as Python writes it: 7, not np.int64(7)."""
    if isinstance(label, tuple):
        return tuple(plain(each) for each in label)
    return label.item() if isinstance(label, np.generic) and label.dtype.kind not in "mM" else label


@dataclasses.dataclass
class Names:
    """Both sides. Without a second one, rows are compared with others of the first."""

    p: Called
    q: Called
    parts: Any = None
    """Where each bin of P lies among those of the engine, if the user gave them in another order."""

    def told(self, error: BaseException) -> BaseException:
        """The error, with the places and the names of the user in place of those of the engine."""
        if isinstance(error, InvalidWeightsError):
            side = self.q if error.side == "Q" else self.p
            (row, row_key, row_told), (at, bin_name, bin_told) = side.row(error.row), side.bin(error.bin)
            was = f"row {error.row} of {error.side}, bin {error.bin}:"
            told = str(error).replace(was, f"{row_told} of {error.side}, {bin_told}:")
            error.args = (_of_missing(told, side.frame, row, bin_name) if np.isnan(error.value) else told,)
            error.row, error.row_key, error.bin, error.bin_name = row, row_key, at, bin_name
        elif isinstance(error, PolicyError | RangeError):
            # Rows are counted as those of the side that has several.
            side = self.p if self.q.row_count() < 2 or self.p.row_count() > 1 else self.q
            row, row_key, row_told = side.row(error.row)
            error.args = (str(error).replace(f"the first is row {error.row}", f"the first is {row_told}"),)
            error.row, error.row_key = row, row_key
        return error

    def in_order(self, parts: Any) -> Any:
        """Values, one per bin, in the order of the bins that the user gave."""
        return parts if self.parts is None else np.ascontiguousarray(parts[..., self.parts])


def _of_missing(message: str, frame: Any, row: int, name: Any) -> str:
    """A message about a weight that is not a number, in the words of the library that the frame is of."""
    if frame is None:
        return message
    if hasattr(frame, "iloc"):
        remedy = "fillna(0)"
    elif frame.get_column(name)[row] is None:
        message, remedy = message.replace(": NaN (", ": null ("), "fill_null(0)"
    else:
        remedy = "fill_nan(0)"
    was = "Correct it, or ask for null results instead of an error"
    return message.replace(was, f'Take `{remedy}` if the bin is empty, or on_invalid="null" for a row without a value')
