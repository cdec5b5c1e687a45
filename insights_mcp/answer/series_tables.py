"""Tables of series over time: every value, bucket by bucket; or where there are many, a line for each series."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from insights_mcp.answer.answer import Rows, Table
from insights_mcp.answer.digest.course import place_name
from insights_mcp.answer.numbers import number, sparkline
from insights_mcp.answer.series import Series
from insights_mcp.text import counted

MOST_COLUMNS = 12
MOST_SERIES = 4  # in a table of chosen buckets
FEW_CELLS = 120
RECENT = 7
ENOUGH_BUCKETS = 24
ENOUGH_SERIES = 25
BARS = 16


def whole(found: Sequence[Series], first: str = "bucket") -> Table:
    """Every value: a column for each series, or where they are too many, a row for each value."""
    if len(found) <= MOST_COLUMNS:
        return _wide(found, first)
    ends = list(accumulate(len(series.values) for series in found))

    def row(place: int) -> list[Any]:
        series = found[bisect_right(ends, place)]
        at = place - (ends[bisect_right(ends, place)] - len(series.values))
        return [series.label, place_name(series, at), series.values[at]]

    return Table(["series", first, "value"], Rows(range(ends[-1]), row))


def picked(found: Sequence[Series], first: str = "bucket") -> Table:
    """Every value if they are few; the buckets that say most of few series; or what each series is like."""
    longest = max(len(series.values) for series in found)
    if len(found) <= MOST_COLUMNS and len(found) * longest <= FEW_CELLS:
        return _wide(found, first)
    if len(found) <= MOST_SERIES:
        table = _wide(found, first)
        return Table(table.columns, table.rows, ranked=_ranking(found, longest), enough=ENOUGH_BUCKETS)
    return _summary(found, longest)


def _wide(found: Sequence[Series], first: str) -> Table:
    longest = max(found, key=lambda series: len(series.values))

    def row(place: int) -> list[Any]:
        return [place_name(longest, place), *(_at(series.values, place) for series in found)]

    columns = [first, *(series.status or series.label for series in found)]
    return Table(columns, Rows(range(len(longest.values)), row))


def _at(values: list[float | None], place: int) -> float | None:
    return values[place] if place < len(values) else None


def _ranking(found: Sequence[Series], count: int) -> list[int]:
    """First, last, extremes, the last days, then the buckets where most changed."""
    ends = [place for s in found for place in (s.high, s.low, s.last) if place is not None]
    jumps = [0.0] * count
    for series in found:
        for place, jump in _jumps(series):
            jumps[place] = max(jumps[place], jump)
    changed = sorted(range(count), key=lambda place: -jumps[place])
    recent = range(count - 1, max(count - 1 - RECENT, -1), -1)
    return list(dict.fromkeys((0, count - 1, *ends, *recent, *changed)))


def _jumps(series: Series) -> Iterator[tuple[int, float]]:
    """How far each value is from the one before, for one unit of the series' average."""
    unit = series.average or 1.0
    for place in range(1, len(series.values)):
        before, value = series.values[place - 1], series.values[place]
        if before is not None and value is not None:
            yield place, abs(value - before) / unit


def _summary(found: Sequence[Series], longest: int) -> Table:
    """A line for each series, the largest most important."""
    adds_up = all(series.total is not None for series in found)
    sums = [series.total or 0.0 for series in found]
    amount = ["total", "share, %"] if adds_up else ["average"]
    columns = ["series", *amount, "last", "change, %", "low", "low on", "high", "high on", "course"]
    everything = sum(sums)

    def row(place: int) -> list[Any]:
        series = found[place]
        return [series.label, *_amounts(series, everything, adds_up), *_ends(series), sparkline(series.values, BARS)]

    ranked = sorted(range(len(found)), key=lambda place: -(sums[place] if adds_up else found[place].average))
    what = f"{counted(longest, 'bucket')} of {len(found)} series"
    return Table(columns, Rows(range(len(found)), row), ranked=ranked, enough=ENOUGH_SERIES, sums_up=what)


def _amounts(series: Series, whole_sum: float, adds_up: bool) -> list[Any]:
    if not adds_up:
        return [_short(series.average)]
    return [series.total, round(100 * (series.total or 0.0) / whole_sum, 1) if whole_sum else None]


def _short(value: float) -> float:
    return round(value, 1) if value >= 10 else round(value, 3)


def _ends(series: Series) -> list[Any]:
    """The last complete value, its change against the one before, low and high with their buckets."""
    last, before = (None if place is None else series.values[place] for place in (series.last, series.before))
    change = round(100 * (last - before) / abs(before), 1) if last is not None and before else None
    return [last, change, *_extreme(series, series.low), *_extreme(series, series.high)]


def _extreme(series: Series, place: int | None) -> list[Any]:
    return [None, None] if place is None else [number(series.values[place]), place_name(series, place)]
