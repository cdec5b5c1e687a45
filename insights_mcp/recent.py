"""What was fetched a moment ago: a few results, by the key of their handle, for a few minutes, within a size.

It spares calls and is never needed: whatever is gone is fetched again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 300.0
MOST_BYTES = 128_000_000
MOST_ENTRIES = 32
LONG = 24  # items of a list; of a longer one SAMPLE or a few more are weighed, and the others weigh as much
SAMPLE = 6
CELL = 40  # bytes of a small value in its list
KEY = 100  # bytes of an entry in its object
SMALL = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True)
class Kept:
    """A value, what it weighs, and until when it is kept."""

    value: Any
    weight: int
    until: float


class Recent:
    """A small memory. What is older or more than it may hold is forgotten, the longest unused first."""

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    @property
    def weight(self) -> int:
        """The bytes that everything kept takes, about."""
        return sum(kept.weight for kept in self._kept.values())

    def keep(self, key: str, value: Any, weight: int) -> None:
        """Remember a value of this weight, unless it is too large; what stood there before is forgotten."""
        self._kept.pop(key, None)
        if weight <= self._most_bytes:
            self._kept[key] = Kept(value, weight, self._clock() + SECONDS)
        self._tidy()

    def get(self, key: str) -> Any:
        """The value, if it is still known."""
        self._tidy()
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key].value

    def clear(self) -> None:
        """Forget everything: something was changed."""
        self._kept.clear()

    def _tidy(self) -> None:
        now = self._clock()
        for key in [key for key, kept in self._kept.items() if kept.until <= now]:
            del self._kept[key]
        while self._kept and (len(self._kept) > MOST_ENTRIES or self.weight > self._most_bytes):
            self._kept.popitem(last=False)


def weight_of(value: Any) -> int:
    """About how many bytes a JSON value takes. Long lists are judged by items spread over them."""
    if isinstance(value, str):
        return 2 * CELL + len(value) * (1 if value.isascii() else 4)
    if isinstance(value, dict):
        return CELL + _of_all(list(value.values())) + KEY * len(value)
    if not isinstance(value, list):
        return CELL
    chosen = value if len(value) < LONG else value[:: len(value) // SAMPLE]
    return CELL + _of_all(chosen) * len(value) // max(1, len(chosen))


def _of_all(items: list[Any]) -> int:
    """Most are numbers or plain texts, whose weight is a matter of counting."""
    texts = "".join(item for item in items if type(item) is str)
    large = [item for item in items if type(item) not in SMALL]
    small = 2 * CELL * (len(items) - len(large)) + len(texts) * (1 if texts.isascii() else 4)
    return small + sum(map(weight_of, large))
