"""One series over time in one line: where it is, whence it came, its extremes, silences and jumps."""

from __future__ import annotations

from insights_mcp.answer.asked import PARTIAL
from insights_mcp.answer.numbers import change, points, rough, told
from insights_mcp.answer.series import Series
from insights_mcp.text import quoted

NAME = 60


def course(series: Series, suffix: str = "") -> str:
    """The line of a series."""
    facts = [_last(series, suffix), _total(series), *_extremes(series, suffix), _zeros(series), _shift(series, suffix)]
    return f"{quoted(series.label, NAME)}: {'; '.join(fact for fact in facts if fact)}"


def _last(series: Series, suffix: str) -> str:
    last = series.last
    if last is None:
        return "no complete bucket"
    against = [
        _against(series, place, name, suffix)
        for place, name in ((series.before, ""), (series.week_before, " (week before)"))
    ]
    compared = ", ".join(part for part in against if part)
    word = "last complete " if series.unfinished else "last "
    return f"{word}{series.buckets[last]} {told(series.values[last])}{suffix}" + (f" ({compared})" if compared else "")


def _against(series: Series, place: int | None, name: str, suffix: str) -> str:
    if place is None or series.last is None:
        return ""
    differs = points if suffix == "%" else change
    return f"{differs(series.values[place], series.values[series.last])} on {series.buckets[place]}{name}"


def _total(series: Series) -> str:
    if series.total is not None:
        return f"total {told(series.total)}"
    return f"average {rough(series.average)}" if series.last is not None else ""


def _extremes(series: Series, suffix: str) -> list[str]:
    low, high = series.low, series.high
    if low is None or high is None or len(series.values) < 3:
        return []
    if series.values[low] == series.values[high]:
        return [f"always {told(series.values[low])}{suffix}"]
    return [
        f"{word} {told(series.values[at])}{suffix} on {place_name(series, at)}"
        for word, at in (("low", low), ("high", high))
    ]


def place_name(series: Series, place: int) -> str:
    """The bucket's name, marked when it was not over."""
    return series.buckets[place] + (PARTIAL if place >= series.over else "")


def _zeros(series: Series) -> str:
    run = series.zeros
    if run is None:
        return ""
    count = run[1] - run[0] + 1
    if run[1] == len(series.complete) - 1:
        return f"0 since {series.buckets[run[0]]} ({count} buckets)"
    return f"0 from {series.buckets[run[0]]} to {series.buckets[run[1]]} ({count} buckets)"


def _shift(series: Series, suffix: str) -> str:
    shift = series.shift
    if shift is None:
        return ""
    at, before, after = shift
    return f"level {rough(before)} before {series.buckets[at]}, {rough(after)}{suffix} since"
