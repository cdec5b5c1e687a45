"""Time zones: by name, which offsets they have when, and a UTC time as wall clock in SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone(name: str) -> tzinfo:
    """The time zone by name; UTC when the name is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def local(column: str, start: datetime, end: datetime) -> str:
    """SQL: a UTC column as wall-clock time, by the offsets the zone has between two times."""
    offsets = segments(start, end)
    last = _seconds(offsets[-1][1])
    if len(offsets) == 1:
        return column if last == "to_seconds(0)" else f"({column} + {last})"
    arms = " ".join(
        f"when {column} < timestamp '{until:%Y-%m-%d %H:%M:%S}' then {_seconds(offset)}"
        for (_, offset), (until, _) in pairwise(offsets)
    )
    return f"({column} + case {arms} else {last} end)"


def repeated(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when (UTC, without zone) the clock shows what it has shown already."""
    return [
        (since, since + (before - after))
        for (_, before), (since, after) in pairwise(segments(start, end))
        if after < before
    ]


def _seconds(offset: timedelta) -> str:
    return f"to_seconds({int(offset.total_seconds())})"


def segments(start: datetime, end: datetime) -> list[tuple[datetime, timedelta]]:
    """When (UTC, without zone) each offset of the start's zone begins, between two times."""
    where = start.tzinfo or UTC
    moment, last = start.astimezone(UTC), end.astimezone(UTC)
    found = [(moment.replace(tzinfo=None), _offset(moment, where))]
    while moment < last:
        later = min(moment + timedelta(days=7), last)
        if _offset(later, where) != found[-1][1]:
            change = _change(moment, later, where)
            found.append((change.replace(tzinfo=None), _offset(change, where)))
        moment = later
    return found


def _offset(moment: datetime, where: tzinfo) -> timedelta:
    return moment.astimezone(where).utcoffset() or timedelta()


def _change(low: datetime, high: datetime, where: tzinfo) -> datetime:
    before = _offset(low, where)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, where) == before else (low, middle)
    return high.replace(microsecond=0)
