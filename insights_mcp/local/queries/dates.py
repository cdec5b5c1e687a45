"""When: relative dates, periods, and the buckets of an interval."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

from insights_mcp.local.queries import zones
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.labels import CLOCKS, MONTHS, day, iso, label

__all__ = ["Period", "day", "iso", "label"]

RELATIVE = re.compile(r"^-?(?P<number>\d{1,6})?(?P<unit>[a-zA-Z])(?P<position>Start|End)?$")
ROUGH = re.compile(r"^(\d{4})(?:-(\d{2}))?$")  # a year or a month begins with its first day
ABSOLUTE = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})")
DAY_START: dict[str, Any] = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
DAY_END: dict[str, Any] = {"hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}
# Up to when an hour or a minute that is not over yet counts. A second counts when it is over.
ENDS: dict[str, dict[str, Any]] = {
    "hour": {"minute": 59, "second": 59, "microsecond": 999_999},
    "minute": {"second": 59, "microsecond": 999_999},
}
SPANS = {"s": "second", "M": "minute", "h": "hour", "d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
BUCKET_LIMIT = 50_000
DEFAULT_DAYS = 7
# Before what is left of this month comes the whole month before.
WHOLE = {"wStart": "week", "mStart": "month", "qStart": "quarter", "yStart": "year"}


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, both included, in the project's zone, cut into buckets of an interval.

    Labels of weeks are cut at the ends of the period that this one is shown `beside`, as PostHog does. `passing`: hours
    and less are those that pass, also where the clock jumps; what it shows again is a microsecond later.
    """

    start: datetime
    end: datetime
    interval: str
    week_start: int = 0
    exact: bool = False
    beside: Period | None = None
    passing: bool = False

    @property
    def zone(self) -> tzinfo:
        return self.start.tzinfo or UTC

    @property
    def read_from(self) -> datetime:
        """From when events count: the start of the first bucket, unless the dates are meant exactly."""
        return self.start if self.exact else floor(self.start, self.interval, self.week_start)

    @property
    def read_to(self) -> datetime:
        """Up to when events count: in whole seconds, so that of a day's last second its beginning counts."""
        return self.end.replace(microsecond=0)

    def buckets(self) -> list[datetime]:
        """The start of each bucket, without zone."""
        return list(self._buckets)

    @cached_property
    def days(self) -> list[str]:
        """The buckets as `days` names them."""
        return [day(bucket, self.interval) for bucket in self._buckets]

    @cached_property
    def labels(self) -> list[str]:
        """The buckets as `labels` names them."""
        ends = self.beside or self
        return [label(bucket, self.interval, ends.start, ends.end) for bucket in self._buckets]

    @cached_property
    def moments(self) -> list[str]:
        """The buckets with the zone, in ISO 8601."""
        return [iso(bucket.replace(tzinfo=self.zone)) for bucket in self._shown]

    @cached_property
    def _buckets(self) -> list[datetime]:
        """Found out once: each series of an answer asks for them."""
        if not (self.passing and self.interval in CLOCKS):
            return self._shown
        first = floor(self.start, self.interval).astimezone(UTC)
        count = (self.end.astimezone(UTC) - first) // timedelta(seconds=SECONDS[self.interval])
        clocks = [plus(first, self.interval, number).astimezone(self.zone) for number in range(count + 1)]
        return [clock.replace(tzinfo=None, microsecond=clock.fold, fold=0) for clock in clocks]

    @cached_property
    def _shown(self) -> list[datetime]:
        """The start of each bucket that the clock shows, once."""
        first = floor(self.start, self.interval, self.week_start).replace(tzinfo=None)
        last = self.end.replace(tzinfo=None)
        found: list[datetime] = []
        while (start := plus(first, self.interval, len(found))) <= last:
            found.append(start)
            if len(found) > BUCKET_LIMIT:
                raise QueryError(
                    f"The date range has more than {BUCKET_LIMIT:,} {self.interval}s."
                    " Use a larger interval or a shorter range.",
                    attr="interval",
                )
        return found

    def resolved(self) -> dict[str, str]:
        """As PostHog reports it: `resolved_date_range`."""
        return {"date_from": iso(self.start), "date_to": iso(self.end)}

    def local(self, column: str) -> str:
        """SQL: a UTC time as the project's wall clock. Constant offsets cost a fifth of a zone conversion."""
        return zones.local(column, self.start - timedelta(days=40), self.end)

    def bucket(self, column: str) -> str:
        """SQL: the start of the bucket a UTC time falls in."""
        start = truncated(self.local(column), self.interval, self.week_start)
        if not (self.passing and self.interval in CLOCKS):
            return start
        again = [
            f" + to_microseconds(({column} >= timestamp '{since}' and {column} < timestamp '{until}')::integer)"
            for since, until in zones.repeated(self.start - timedelta(days=1), self.end)
        ]
        return f"({start}{''.join(again)})" if again else start

    def grouped(self, column: str) -> str:
        """SQL: the same to group by; `::timestamp` makes it the bucket. A date is the quickest."""
        return f"{self.local(column)}::date" if self.interval == "day" else self.bucket(column)

    def moved(self, start: datetime, end: datetime) -> Period:
        """The same cut of another time."""
        return replace(self, start=start, end=end)


def truncated(text: str, interval: str, week_start: int) -> str:
    """SQL: the start of the interval that a wall-clock time falls in."""
    if interval == "week" and week_start == 0:
        return f"(date_trunc('week', {text} + interval 1 day)::timestamp - interval 1 day)"
    return f"date_trunc('{interval}', {text})::timestamp"


def plus(moment: datetime, interval: str, count: int = 1) -> datetime:
    """A time `count` intervals later; the day is cut to the month's length."""
    if interval in SECONDS:
        return moment + timedelta(seconds=SECONDS[interval] * count)
    months = moment.year * 12 + moment.month - 1 + MONTHS[interval] * count
    year, month = divmod(months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError("date value out of range")
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def floor(moment: datetime, interval: str, week_start: int = 0) -> datetime:
    """The start of the interval a time falls in, in its own zone."""
    if interval in ("second", "minute", "hour"):
        return moment.replace(**dict(list(DAY_START.items())[("hour", "minute", "second").index(interval) + 1 :]))
    day = moment.replace(**DAY_START)
    if interval == "week":
        return day - timedelta(days=(day.weekday() + (week_start == 0)) % 7)
    months = MONTHS.get(interval)
    return day.replace(day=1, month=(day.month - 1) // months * months + 1) if months else day


def parsed(text: str, now: datetime, *, cut: str | None = None) -> tuple[datetime, re.Match[str] | None]:
    """A date of a query, in the zone of `now`, and how it was relative (None: it was absolute).

    With `cut`, the interval of the query, a relative date goes back to the start of its day, or of its hour when it
    counts hours; with minutes and less it stays what it is.
    """
    match = RELATIVE.match(text)
    try:
        if match and match["unit"] in SPANS:
            return _relative(match, now, cut), match
        return _absolute(text, now), None
    except (ValueError, OverflowError):
        raise QueryError(
            f"'{text}' is no date. Use -7d, -1mStart, dStart, 2026-01-31 or 2026-01-31T10:00:00Z.", attr="dateRange"
        ) from None


def is_date(value: Any) -> bool:
    """Whether a filter's value names a time, absolute or relative."""
    try:
        parsed(str(value), datetime(2000, 1, 1, tzinfo=UTC))
    except QueryError:
        return False
    return True


def _relative(match: re.Match[str], now: datetime, cut: str | None) -> datetime:
    unit, position = match["unit"], match["position"]
    number = int(match["number"] or 0)
    # A quarter ago is 13 weeks ago.
    moment = plus(now, "week", -13 * number) if unit == "q" else plus(now, SPANS[unit], -number)
    if position == "Start":
        moment = floor(moment, SPANS[unit])
    elif position == "End":
        moment = plus(floor(moment, SPANS[unit]), SPANS[unit]) - timedelta(microseconds=1)
    return floor(moment, "hour" if unit == "h" else "day") if cut and cut not in ("second", "minute") else moment


def _absolute(text: str, now: datetime) -> datetime:
    whole = ROUGH.sub(lambda m: f"{m[1]}-{m[2] or '01'}-01", text.strip())
    padded = ABSOLUTE.sub(lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", whole)
    moment = datetime.fromisoformat(padded)
    return moment.astimezone(now.tzinfo) if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def period(
    date_from: str | None, date_to: str | None, *, interval: str, now: datetime, week_start: int, exact: bool,
    first: datetime | None,
) -> Period:  # fmt: skip
    """The period of a date range. `first` is when the data begin (for `all`); `now` is in the project's zone.

    A start that is so many hours ago is meant exactly, even where buckets are days.
    """
    end = _end(date_to, now, interval, exact)
    if date_from == "all":
        return Period((first or now).astimezone(now.tzinfo), end, interval, week_start, exact)
    # What is meant exactly is not cut to its day; but without a start it is a matter of days.
    start, relative = parsed(date_from or f"-{DEFAULT_DAYS}d", now, cut=None if exact and date_from else interval)
    to_the_hour = relative and (interval in CLOCKS or (interval == "day" and relative["unit"] == "h"))
    return Period(start, end, interval, week_start, exact or bool(to_the_hour))


def to_the_moment(
    date_from: str | None, date_to: str | None, *, interval: str, now: datetime, week_start: int, exact: bool,
    first: datetime | None,
) -> Period:  # fmt: skip
    """The period of a single number: the last seven days are those up to this very moment."""
    end = _end(date_to, now, interval, exact) if date_to else now
    if date_from == "all":
        start = (first or now).astimezone(now.tzinfo)
    else:
        start = parsed(date_from, now)[0] if date_from else parsed(f"-{DEFAULT_DAYS}d", now, cut="day")[0]
    return Period(start, end, interval, week_start, exact=True)


def _end(date_to: str | None, now: datetime, interval: str, exact: bool) -> datetime:
    end, relative = parsed(date_to, now) if date_to else (now, None)
    if exact:
        return end
    if interval not in ("second", "minute", "hour"):
        return end.replace(**DAY_END)
    if date_to and not relative:
        return end
    return end.replace(**ENDS[interval]) if interval in ENDS else end.replace(microsecond=0) - timedelta(microseconds=1)


def previous(current: Period, date_from: str | None, date_to: str | None, interval: str) -> Period:
    """The period of equal length before, from the same time of day to the same time of day."""
    length, time = current.end - current.start, current.start.time()
    before = current.start - timedelta(microseconds=1)
    if date_from == "all":
        return current.moved(before - length, before)
    if date_from in WHOLE and not date_to:
        return current.moved(plus(current.start, WHOLE[date_from], -1), before)
    start = current.start - length
    if interval in ("second", "minute"):
        return current.moved(start, current.start)
    if (aligned := datetime.combine(start, time, start.tzinfo)) < current.start:
        start = aligned
    if interval == "day":
        # The last 7 days are 8 with today.
        start += timedelta(days=_whole_weeks(date_from, date_to))
    end = start + length
    if interval == "hour":
        kept = current.end.time().replace(hour=end.hour)
        return current.moved(start, datetime.combine(end, kept, end.tzinfo))
    return current.moved(start, datetime.combine(end, current.end.time(), end.tzinfo))


def _whole_weeks(date_from: str | None, date_to: str | None) -> bool:
    """Whether a range is of so many weeks, as the one is that is meant without any word."""
    relative = RELATIVE.match(date_from or f"-{DEFAULT_DAYS}d")
    days = int(relative["number"] or 0) if relative and relative["unit"] == "d" else 0
    return days > 0 and days % 7 == 0 and not RELATIVE.match(date_to or "")


def shifted(current: Period, by: str) -> Period:
    """The period of the same length that begins `by` (such as `-1w`) from the current one."""
    start = parsed(by, current.start)[0]
    return current.moved(start, start + (current.end - current.start))
