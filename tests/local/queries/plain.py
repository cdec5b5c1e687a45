"""Retention, stickiness and lifecycle in plain Python over lists of events: slow, and easy to believe."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

Test = Callable[["Did"], bool]


@dataclass(frozen=True)
class Did:
    """Somebody did something; `at` is the wall clock of the project, `utc` what the world's clocks said."""

    actor: str
    event: str
    at: datetime
    utc: datetime
    properties: dict[str, Any]


def floor(moment: datetime, unit: str, week_start: int = 0) -> datetime:
    """The start of the hour, day, week (of Sunday, or Monday when 1) or month that a time is in."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if unit == "hour":
        return hour
    day = hour.replace(hour=0)
    if unit == "day":
        return day
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday() if week_start else day.isoweekday() % 7)


def step(start: datetime, unit: str, count: int) -> datetime:
    """The start of the period `count` periods after one that starts then."""
    if unit != "month":
        return start + count * timedelta(**{unit + "s": 1})
    months = start.year * 12 + start.month - 1 + count
    return start.replace(year=months // 12, month=months % 12 + 1)


def last_periods(end: datetime, unit: str, count: int, week_start: int = 0) -> list[datetime]:
    """The starts of so many periods, the last of which a time is in."""
    return [step(floor(end, unit, week_start), unit, number - count + 1) for number in range(count)]


def grouped(events: Iterable[Did], key: Callable[[Did], Any]) -> dict[Any, list[Did]]:
    found: dict[Any, list[Did]] = defaultdict(list)
    for each in events:
        found[key(each)].append(each)
    return found


@dataclass(frozen=True)
class Retention:
    """What a retention table is asked for. `known` is a start whatever its properties (first ever)."""

    periods: list[datetime]
    unit: str
    columns: int
    start: Test
    back: Test
    known: Test
    week_start: int = 0
    type: str = "retention_recurring"
    least: int = 1
    brackets: tuple[int, ...] = ()
    cumulative: bool = False
    by: Callable[[Did], str] = lambda each: ""
    zone: tzinfo = UTC

    def row(self, each: Did) -> int | None:
        """The number of the period an event falls in. Hours are counted as they pass, also when the clock jumps."""
        if self.unit == "hour":
            start, end = (at.replace(tzinfo=self.zone) for at in (self.periods[0], step(self.periods[-1], "hour", 1)))
            number = (each.utc - start.astimezone(UTC)) // timedelta(hours=1)
            return number if 0 <= number < len(self.periods) and each.utc < end.astimezone(UTC) else None
        start = floor(each.at, self.unit, self.week_start)
        return self.periods.index(start) if start in self.periods else None

    def counts(self, events: list[Did]) -> Counter[tuple[str, int, int]]:
        """How many actors are in each cell, by value, row and column."""
        found: Counter[tuple[str, int, int]] = Counter()
        for value, own in self.partitions(events):
            for row in self.rows(own):
                columns = self.appearances(row, own)
                found.update((value, row, each) for each in (range(max(columns) + 1) if self.cumulative else columns))
        return found

    def partitions(self, events: list[Did]) -> Iterator[tuple[str, list[Did]]]:
        """The events that are looked at together: of an actor, under a value."""
        for own in grouped(events, lambda each: each.actor).values():
            if self.type != "retention_first_ever_occurrence":
                yield from grouped(own, self.by).items()
            elif known := [each for each in own if self.known(each)]:
                yield self.by(min(known, key=lambda each: each.utc)), own

    def began(self, own: list[Did]) -> datetime | None:
        """When an actor did it for the first time, if that time counts."""
        first = min((each.utc for each in own if self.start(each)), default=None)
        if self.type == "retention_first_ever_occurrence":
            return first if first == min((each.utc for each in own if self.known(each)), default=None) else None
        return first

    def rows(self, own: list[Did]) -> set[int]:
        """The rows in which an actor starts."""
        starts = [each for each in own if self.start(each)]
        if self.type != "retention_recurring":
            began = self.began(own)
            starts = [each for each in starts if each.utc == began]
        return {row for each in starts if (row := self.row(each)) is not None}

    def appearances(self, row: int, own: list[Did]) -> set[int]:
        """The columns of a row in which an actor is."""
        times = Counter(self.row(each) for each in own if self.back(each))
        later = {number for number, count in times.items() if number is not None and count >= self.least}
        if not self.brackets:
            return {0} | {number - row for number in later if 0 < number - row < self.columns}
        first = min(self.rows(own))
        return {0} | {self.bracket(number - first) for number in later if 0 < number - first <= sum(self.brackets)}

    def bracket(self, distance: int) -> int:
        return next(n for n in range(1, len(self.brackets) + 1) if distance <= sum(self.brackets[:n]))


def windows(asked: Retention, events: list[Did]) -> Counter[tuple[str, int, int]]:
    """The same by 24-hour windows: periods count from an actor's first start."""
    found: Counter[tuple[str, int, int]] = Counter()
    if asked.type == "retention_recurring":
        events = [each for each in events if asked.row(each) is not None]
    for own in grouped(events, lambda each: each.actor).values():
        moment = asked.began(own)
        began = next((each for each in own if moment and asked.start(each) and each.utc == moment), None)
        if not began or asked.row(began) is None:
            continue
        since = [each for each in own if each.utc >= began.utc and (asked.start(each) or asked.back(each))]
        for value, some in asked.partitions(since):
            row = spans(asked.periods[0].replace(tzinfo=asked.zone), began.utc.astimezone(asked.zone), asked.unit)
            columns = {0} | {
                spans(began.utc.astimezone(asked.zone), each.utc.astimezone(asked.zone), asked.unit)
                for each in some
                if asked.back(each)
            }
            if row < len(asked.periods):
                found.update((value, row, each) for each in columns if each < asked.columns)
    return found


def spans(start: datetime, end: datetime, unit: str) -> int:
    """So many 24-hour windows (of hours that pass, or of 7 or 30 days) lie between."""
    if unit in ("hour", "day"):
        start, end = (floor(at, "hour").astimezone(UTC) for at in (start, end))
        hours = (end - start) // timedelta(hours=1)
        return hours // (24 if unit == "day" else 1)
    return (end.date() - start.date()).days // (7 if unit == "week" else 30)


def amounts(asked: Retention, same: bool, amount: str, events: list[Did]) -> dict[tuple[str, int, int], float]:
    """What a property adds up to in each cell; in the first, returns count only after the first start."""
    found: dict[tuple[str, int, int], float] = defaultdict(float)
    for value, own in asked.partitions(events):
        for row in asked.rows(own):
            began = min(each.utc for each in own if asked.start(each) and asked.row(each) == row)
            found[value, row, 0] += 0
            for each in own:
                number = asked.row(each)
                if number is None or number - row not in range(asked.columns):
                    continue
                if number == row and same:
                    counts = asked.start(each)
                else:
                    counts = asked.back(each) and (number > row or each.utc > began)
                found[value, row, number - row] += counts * float(each.properties.get(amount) or 0)
    return found


def stickiness(events: list[Did], number: Callable[[Did], int], enough: Callable[[int], bool]) -> Counter[int]:
    """How many actors did it on one interval, on two, … where an interval counts when it happened often enough."""
    return Counter(
        sum(enough(count) for count in Counter(map(number, own)).values())
        for own in grouped(events, lambda each: each.actor).values()
    )


def lifecycle(
    events: list[Did], born: Callable[[str], datetime | None], periods: list[datetime], unit: str, week_start: int = 0
) -> Counter[tuple[datetime, str]]:
    """How many actors had each status in each period; `periods` begin with the one before the range."""
    found: Counter[tuple[datetime, str]] = Counter()
    for actor, own in grouped(events, lambda each: each.actor).items():
        seen = {floor(each.at, unit, week_start) for each in own} & set(periods)
        created = born(actor)
        for before, period in pairwise(periods):
            if period not in seen:
                found[period, "dormant"] += before in seen
            elif created and period == floor(created, unit, week_start) == min(seen):
                found[period, "new"] += 1
            else:
                found[period, "returning" if before in seen else "resurrecting"] += 1
    return +found
