"""Names of bins and of rows. Sides that both have them meet by name; what has no names meets by its place."""

import collections
import dataclasses
import numbers
from typing import Any

import numpy as np

from kullback import _notes, _order
from kullback._core import Uploaded, matrix
from kullback._errors import InputError, LabelError
from kullback._groups import Levels, columns
from kullback._names import Called, Names, plain
from kullback._sides import NOTHING, Side, labels_of, listed, one_label, read


def paired(p: Any, q: Any, by: Any = None, ordered: bool = False) -> tuple[Any, Any, Any, Any, Any, Names]:
    """Rows of both sides, bin by bin and row by row, and the labels of their groups; then which rows of p and of q are not there,
    and what all of them are called.

    `q` may be None. Where a measure goes by the order of the bins (`ordered`), bins with names come in the order of these.
    """
    if isinstance(p, dict) or isinstance(q, dict):
        rows, names = _of_counts(p, q, ordered)
        return *rows, by, None, None, names
    by = _by_in_order(p, by)
    left, right = _read_without_labels(p, by), read(q, "q")
    if by is None and getattr(left.keys, "nlevels", 1) > 1:
        by = Levels(left.keys)
    left, right = _by_value(left, right) if ordered else (left, right)
    right = _rows_in_order(left, _bins_in_order(left, right))
    names = _names(left, left if q is None else right)
    return _known(left, "p"), _known(right, "q"), by, left.absent, right.absent, names


def _names(left: Side, right: Side) -> Names:
    return Names(left.called(), right.called(), None if left.bin_places is None else np.argsort(left.bin_places))


def bins_last(p: Any, q: Any, axis: int) -> tuple[Any, Any]:
    """Both sides with their bins on the last axis. A side of one axis is one row. `q` may be None."""
    if axis == -1:
        return p, q
    sides = [side if side is None or _has_rows(side) else np.asanyarray(matrix(side)) for side in (p, q)]
    axes = max((np.ndim(side) for side in sides if isinstance(side, np.ndarray)), default=2)
    if not -axes <= axis < axes:
        raise InputError(f"axis is {axis}, and there are {axes} axes: give one from {-axes} to {axes - 1}")
    return _bins_last(sides[0], axis, "p"), _bins_last(sides[1], axis, "q")


def _bins_last(side: Any, axis: int, name: str) -> Any:
    if side is None or (isinstance(side, np.ndarray) and side.ndim < 2):
        return side
    if not isinstance(side, np.ndarray):
        if axis == 1:
            return side
        raise InputError(f"{name} has a list or a column per bin, and axis is {axis}: the axis of the bins is for arrays (`to_numpy()`)")
    if not -side.ndim <= axis < side.ndim:
        raise InputError(f"axis is {axis}, and {name} has {side.ndim} axes")
    return np.moveaxis(side, axis, -1)


def _has_rows(side: Any) -> bool:
    """Whether a side is a column of lists, a frame, a series or a dict: its bins are where they are."""
    return isinstance(side, dict | Uploaded) or hasattr(side, "__arrow_c_stream__") or hasattr(side, "__arrow_c_array__") or hasattr(side, "iloc")


def same_bins(p: Any, q: Any, ordered: bool = False) -> tuple[Any, Any, Any, Any, Names]:
    """Rows of both sides, bin by bin, where every row of one meets every row of the other; then which rows are not there, and what
    all of them are called.
    """
    left, right = read(p, "p"), read(q, "q")
    left, right = _by_value(left, right) if ordered else (left, right)
    right = _bins_in_order(left, right)
    names = _names(left, left if q is None else right)
    return _known(left, "p"), _known(right, "q"), left.absent, right.absent, names


def _known(side: Side, name: str) -> Any:
    if side.rows is NOTHING:
        raise InputError(f"{name} has no row that says how many bins there are")
    return side.rows


def _error(message: str, what: str, only_p: int = 0, only_q: int = 0, twice: int = 0) -> LabelError:
    error = LabelError(message)
    error.what, error.only_p, error.only_q, error.twice = what, only_p, only_q, twice
    return error


def _bins_in_order(left: Side, right: Side) -> Side:
    """The right side with its bins in the order of the left one, if both have names."""
    if left.bins is not None and (right.bins is None or set(left.bins) == set(right.bins)):
        _order.tell_twice(left.bins)
    if left.bins is None or right.bins is None or _by_place(left.index, right.index):
        return right
    right = _levels_in_order(left, right)
    assert right.bins is not None
    for bins, name in [(left.bins, "p"), (right.bins, "q")]:
        if len(set(bins)) < len(bins):
            twice = sorted((label for label, count in collections.Counter(bins).items() if count > 1), key=repr)
            raise _error(f"{name} has bins of the same name: {listed(twice)}", "bins", twice=len(twice))
    if left.bins == right.bins:
        return right
    place = {label: at for at, label in enumerate(right.bins)}
    mine = set(left.bins)
    only = [label for label in left.bins if label not in place], [label for label in right.bins if label not in mine]
    if only[0] or only[1]:
        told = "; ".join(f"only {name} has {listed(labels)}" for name, labels in zip("pq", only, strict=True) if labels)
        twice_told = _order.one_number_twice([*only[0], *only[1]])
        if twice_told is not None:
            told = f"{told}; {twice_told[0]!r} and {twice_told[1]!r} are one number in other words"
        remedy = "give both sides the same bins (`reindex` with `fill_value=0` of pandas), or `to_numpy()` to compare by place"
        raise _error(f"the bins of both sides differ: {told}. To compare them, {remedy}", "bins", len(only[0]), len(only[1]))
    order = [place[label] for label in left.bins]
    return dataclasses.replace(right, rows=right.rows[..., order], bins=left.bins, bin_places=order)


def _by_value(side: Side, other: Side) -> tuple[Side, Side]:
    """The side with its bins in the order of their names, if they have names; then the other one, with its bins beside them still if
    they meet by their places.
    """
    if side.bins is None or side.index is not None and _counts(side.index):
        return side, other
    order = _order.of_measure(side.bins, _ranks(side, other), by_place=True)
    index = None if side.index is None else side.index[order]
    places = order if side.bin_places is None else side.bin_places[order]
    bins = [side.bins[at] for at in order]
    if other.bins is None or _by_place(side.index, other.index):
        other = _beside(other, order)
    return dataclasses.replace(side, rows=side.rows[..., order], bins=bins, index=index, bin_places=places), other


def _beside(other: Side, order: list[int]) -> Side:
    """A side with its bins in an order of places, as those of the side that it meets."""
    if other.rows is None or other.rows is NOTHING or order == list(range(len(order))):
        return other
    rows = matrix(other.rows)
    if rows.shape[-1:] != (len(order),):
        # The engine says how many bins both have.
        return other
    return dataclasses.replace(other, rows=rows[..., order], bins=None, index=None, bin_places=order)


def _ranks(side: Side, other: Side) -> list[Any]:
    """The order of ordered categoricals, level by level: those of the side, else those of the other."""
    mine, theirs = _order.ranks(side.index), _order.ranks(other.index)
    assert side.bins is not None
    if len(mine) > 1 or len(theirs) > 1 or theirs[0] is None or other.bins is None:
        return mine
    place = dict(zip(other.bins, theirs[0], strict=True))
    if not all(label in place for label in side.bins):
        return mine
    asked = [place[label] for label in side.bins]
    if mine[0] is not None and _in_order(mine[0]) != _in_order(asked):
        raise InputError(
            "w1 and ks go by the order of the bins, and the ordered categoricals of p and q have different ones: give both the same "
            "(`reorder_categories` of pandas)"
        )
    return [asked]


def _in_order(ranks: list[Any]) -> list[int]:
    return sorted(range(len(ranks)), key=ranks.__getitem__)


def _reordered(mine: Any, theirs: Any) -> Any:
    """An index of several levels with these in the order of the other's, if both name the same levels."""
    names = [list(getattr(index, "names", [])) for index in (mine, theirs)]
    distinct = len(set(names[0])) == len(names[0]) > 1 and None not in names[0]
    same = distinct and sorted(map(repr, names[0])) == sorted(map(repr, names[1]))
    return theirs.reorder_levels(names[0]) if same and names[0] != names[1] else theirs


def _levels_in_order(left: Side, right: Side) -> Side:
    index = right.index if left.index is None or right.index is None else _reordered(left.index, right.index)
    return right if index is right.index else dataclasses.replace(right, index=index, bins=labels_of(index))


def _read_without_labels(p: Any, by: Any) -> Side:
    """What is known of p. Columns of a frame that say which rows belong together are no bins."""
    if by is None or not hasattr(p, "columns") or not (hasattr(p, "iloc") or hasattr(p, "get_columns")):
        return read(p, "p")
    names = list(p.columns)
    named = [each for each in columns(by) if names.count(getattr(each, "name", None)) == 1]
    taken = [each.name for each in named if _has_labels(p[each.name], each)]
    if not taken:
        return read(p, "p")
    side = read(p.drop(columns=taken) if hasattr(p, "iloc") else p.drop(taken), "p")
    return dataclasses.replace(side, bin_places=np.array([at for at, name in enumerate(names) if name not in taken]))


def _has_labels(column: Any, labels: Any) -> bool:
    """Whether a column has these labels, of whatever types both are."""
    if not hasattr(column, "isna") and type(column) is type(labels):
        return bool(column.equals(labels))
    both = [labels_of(each) if hasattr(each, "isna") else list(each) for each in (column, labels)]
    return both[0] == both[1]


def unlabelled(positions: Any) -> Any:
    """Positions that go by their places. A series whose labels say something is refused."""
    if hasattr(positions, "iloc") and not _counts(positions.index):
        raise InputError("positions go by place, one per bin in order, and a series has labels: give `to_numpy()` in the order of the bins")
    return positions


def _rows_in_order(left: Side, right: Side) -> Side:
    """The right side with its rows in the order of the left one, if both have names and several rows."""
    if left.keys is None or right.keys is None or min(len(left.keys), len(right.keys)) < 2:
        return right
    take = _places(left.keys, right.keys, "q")
    if take is None:
        return right
    absent = None if right.absent is None else right.absent[take]
    if right.rows is NOTHING:
        return right
    # A column of Arrow is read as it is first: errors count its rows.
    rows = matrix(right.rows)[take]
    return dataclasses.replace(right, rows=rows, keys=left.keys, absent=absent, row_places=take)


def _places(mine: Any, theirs: Any, name: str) -> Any:
    """Where the other side has each of these keys; None where rows meet by their place."""
    theirs = _reordered(mine, theirs)
    if mine.equals(theirs) or _by_place(mine, theirs):
        return None
    if not theirs.is_unique:
        twice = theirs[theirs.duplicated()].unique()
        message = f"{name} has {len(twice):,} keys more than once, the first is {_first(twice)!r}: rows meet by their index"
        raise _error(f"{message}. Add them up, or `reset_index(drop=True)` on both sides to compare by place", "rows", twice=len(twice))
    take = _flat(theirs, mine).get_indexer(_flat(mine, theirs))
    # Labels of groups may be there for other rows too.
    only_theirs = np.full(len(theirs), name == "q")
    only_theirs[take[take >= 0]] = False
    if (take < 0).any() or only_theirs.any():
        raise _of_keys(mine[take < 0], theirs[only_theirs], name)
    return take


def _flat(index: Any, other: Any) -> Any:
    """An index that can be looked up in another, of whatever types both are."""
    if index.dtype == other.dtype and index.nlevels == other.nlevels and not str(index.dtype).startswith("interval"):
        return index
    return index.to_flat_index().astype(object)


def _first(keys: Any) -> Any:
    return plain(keys[:1].tolist()[0])


def _of_keys(only_p: Any, only_q: Any, name: str) -> LabelError:
    told = [f"{len(keys):,} keys that only {side} has, the first is {_first(keys)!r}" for side, keys in (("p", only_p), (name, only_q)) if len(keys)]
    remedy = "take the rows that both have, or `reset_index(drop=True)` on both sides to compare by place"
    return _error(f"rows meet by their index, and there are {' and '.join(told)}: {remedy}", "rows", len(only_p), len(only_q))


def _by_place(mine: Any, theirs: Any) -> bool:
    """Whether two indexes say nothing of what belongs together: one of them only counts, and the other has other labels."""
    if mine is None or theirs is None or not (_counts(mine) or _counts(theirs)):
        return False
    if not (_counts(mine) and _counts(theirs) or _is_named(mine) or _is_named(theirs)):
        # Numbers without a name on both sides, as those of a table and of a part of one.
        return False
    # The same labels in another order are names all the same.
    return not (len(mine) == len(theirs) and set(labels_of(mine)) == set(labels_of(theirs)))


def _counts(index: Any) -> bool:
    """Whether an index of pandas is that of a new table: 0, 1, 2, …, without a name."""
    return index is not None and not _is_named(index) and bool((index == np.arange(len(index))).all())


def _is_named(index: Any) -> bool:
    """Whether an index has a name, or labels that are no whole numbers."""
    return index is None or any(name is not None for name in index.names) or getattr(index.dtype, "kind", "O") not in "iu"


def _by_in_order(p: Any, by: Any) -> Any:
    """Labels that are series of pandas, in the order of the rows of p."""
    if by is None or not hasattr(p, "iloc"):
        return by

    def ordered(column: Any) -> Any:
        take = _places(p.index, column.index, "by") if hasattr(column, "iloc") else None
        return column if take is None else column.iloc[take]

    return [ordered(column) for column in columns(by)]


def _of_counts(p: Any, q: Any, ordered: bool) -> tuple[tuple[Any, Any], Names]:
    """Dictionaries from label to count, as one row each: what a side does not have it has 0 times."""
    if q is not None and not (isinstance(p, dict) and isinstance(q, dict)):
        name, other = ("p", "q") if isinstance(p, dict) else ("q", "p")
        raise InputError(f"{name} is a dict of counts, and {other} is none: give two dicts, or the counts as arrays of the same bins")
    mine, theirs = _added_up(p, "p"), None if q is None else _added_up(q, "q")
    bins = list(dict.fromkeys([*mine, *(theirs or {})]))
    _order.tell_twice(bins)
    # Where the order counts, bins that only one side has are near or far.
    if mine and theirs and not ordered and not any(label in theirs for label in mine):
        _notes.of_labels("p and q have no label in common: every bin has weight on one side alone")
    order = _order.of_measure(bins) if ordered else _order.places(bins)
    bins = bins if order is None else [bins[at] for at in order]
    names = Names(_called(p, bins), _called(p if q is None else q, bins))
    return (_row(mine, bins), None if theirs is None else _row(theirs, bins)), names


def _called(counts: Any, bins: list[Any]) -> Called:
    place = {one_label(label): at for at, label in reversed(list(enumerate(counts)))}
    return Called(bins=bins, bin_places=[place.get(label, 0) for label in bins])


def _added_up(counts: Any, name: str) -> dict[Any, Any]:
    """The counts by their labels. Those of several missing labels, which NaN of several makes, are one."""
    wrong = [label for label, count in counts.items() if not isinstance(count, numbers.Number | np.generic)]
    if wrong:
        raise InputError(f"{name} is a dict whose values are no numbers, for {listed(wrong)}: give one from label to count")
    found: dict[Any, Any] = {}
    for label, count in counts.items():
        one = one_label(label)
        found[one] = found[one] + count if one in found else count
    return found


def _row(counts: dict[Any, Any], bins: list[Any]) -> Any:
    return np.array([counts.get(label, 0) for label in bins])
