"""How far a call is, for `progress=True`."""

import sys
import time
from typing import Any


class Bar:
    """A bar of tqdm where that is installed (in a notebook the one for notebooks), else a line on a terminal.

    Called with what is done and the total; shows nothing of calls that are over within a fifth of a second.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bar: Any = None
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None and time.monotonic() - self._started < 0.2:
            return
        if self._bar is None:
            self._bar = _tqdm(total)
        if self._bar is False:
            self._line(done, total)
            return
        self._bar.update(done - self._bar.n)
        if done >= total:
            self._bar.close()

    def _line(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            print(f"\rkullback: {done:,} of {total:,} ({done / max(total, 1):.0%})", end=end, file=sys.stderr, flush=True)


def _tqdm(total: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return False
    return tqdm(total=total, unit=" rows", unit_scale=True, desc="kullback")
