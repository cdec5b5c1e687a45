"""Which buckets of a time axis are labelled, and how: few, evenly, at the begins of days, weeks, months, years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from insights_mcp.answer.asked import moment
from insights_mcp.charts.look import short

MOST = 9
CLOCK, DAY, MONTH = ("{at:%H:%M}", "{at:%b} {at.day}"), ("{at:%b} {at.day}", "{at:%Y}"), ("{at:%b}", "{at:%Y}")
Key = Callable[[datetime], Any]


def _hours(count: int) -> Key:
    return lambda at: (at.date(), at.hour // count)


def _days(count: int) -> Key:
    return lambda at: (at.toordinal() - 1) // count  # multiples of seven begin on Mondays


def _months(count: int) -> Key:
    return lambda at: (at.year, (at.month - 1) // count)


def _years(count: int) -> Key:
    return lambda at: at.year // count


# From fine to coarse: buckets with the same key share a label; how it is written; what stands below where that changes.
RUNGS: tuple[tuple[Key, tuple[str, str]], ...] = (
    (lambda at: at, CLOCK),
    (lambda at: (at.date(), at.hour, at.minute // 15), CLOCK),
    *((_hours(count), CLOCK) for count in (1, 3, 6, 12)),
    *((_days(count), DAY) for count in (1, 2, 7, 14)),
    *((_months(count), MONTH) for count in (1, 2, 3, 6)),
    *((_years(count), ("{at:%Y}", "")) for count in (1, 2, 5, 10, 25, 100)),
)
# Buckets so far apart are not labelled finer than that: a month has no day.
FINEST = ((timedelta(minutes=59), 0), (timedelta(hours=23), 2), (timedelta(days=27), 6), (timedelta(days=88), 10),
          (timedelta(days=360), 12), (timedelta.max, 14))  # fmt: skip


def ticks(buckets: Sequence[str]) -> tuple[list[int], list[str]]:
    """Places of the buckets that are labelled, and their labels; what stands below is behind a line break."""
    starts = [moment(bucket) for bucket in buckets]
    known = [start for start in starts if start is not None]
    if len(known) < len(starts) or sorted(known) != known:
        return _evenly(buckets)
    for key, (text, below) in RUNGS[_finest(known) :]:
        places = _begins([key(start) for start in known])
        if len(places) <= MOST:
            return places, _labels([known[place] for place in places], text, below)
    return _evenly(buckets)


def _finest(starts: Sequence[datetime]) -> int:
    apart = min((after - before for before, after in pairwise(starts)), default=timedelta(days=1))
    return next(rung for most, rung in FINEST if apart <= most)


def _begins(keys: Sequence[Any]) -> list[int]:
    """Where a new key begins; a first one that is cut short by the axis only if there is room for it."""
    places = [place for place, key in enumerate(keys) if not place or key != keys[place - 1]]
    gaps = [after - before for before, after in pairwise(places)]
    return places[1:] if len(gaps) > 1 and gaps[0] < 0.7 * gaps[1] else places


def _labels(starts: Sequence[datetime], text: str, below: str) -> list[str]:
    """What is below is told where it changes."""
    lower = [below.format(at=start) for start in starts]
    return [
        text.format(at=start) + (f"\n{line}" if line and (not place or line != lower[place - 1]) else "")
        for place, (start, line) in enumerate(zip(starts, lower, strict=True))
    ]


def _evenly(buckets: Sequence[str]) -> tuple[list[int], list[str]]:
    every = -(-len(buckets) // MOST) if len(buckets) > 2 * MOST else 1
    places = list(range(0, len(buckets), every))
    return places, [short(buckets[place], 14) for place in places]
