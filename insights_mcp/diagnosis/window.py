"""The dates a result covers: as PostHog resolved them, else as the query says them. On the project's clocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from insights_mcp.answer.asked import Asked, after, local
from insights_mcp.diagnosis import hogql

RELATIVE = re.compile(r"-(\d{1,4})([hdwmqy])")
UNITS = {"h": "hour", "d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}
RETENTION = {"Hour": "hour", "Day": "day", "Week": "week", "Month": "month"}


@dataclass(frozen=True)
class Window:
    """From when to when; None where it is open or not known."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def inverted(self) -> bool:
        """Whether it ends before it begins."""
        return bool(self.start and self.end and self.end < self.start)

    @property
    def known(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.start or self.end)

    def holds(self) -> str:
        """SQL that holds inside it."""
        parts = [f"timestamp >= {hogql.moment(self.start)}" if self.start else ""]
        parts += [f"timestamp <= {hogql.moment(self.end)}" if self.end else ""]
        return hogql.every(parts)

    def __str__(self) -> str:
        start = f"{self.start:%Y-%m-%d}" if self.start else "the beginning"
        return f"{start} to {f'{self.end:%Y-%m-%d}' if self.end else 'now'}"


def window_of(asked: Asked, result: Any = None) -> Window:
    """The window of a result. Of a retention: from its first cohort on."""
    source = asked.source
    if asked.date_from or asked.date_to:
        return Window(_floored(local(asked.date_from, asked.zone), asked), local(asked.date_to, asked.zone))
    if source.get("kind") == "HogQLQuery":
        return Window()  # its dates stand in the text
    now = asked.now or datetime.now()
    if source.get("kind") == "EventsQuery":
        return Window(_moment(source.get("after") or "-24h", now), _moment(source.get("before"), now))
    if source.get("kind") == "RetentionQuery":
        return _of_cohorts(asked, result)
    dates = asked.part("dateRange")
    return Window(_moment(dates.get("date_from") or "-7d", now), _moment(dates.get("date_to"), now, end=True))


def _floored(start: datetime | None, asked: Asked) -> datetime | None:
    """Where the first interval begins: the dates are rounded outwards, unless they are explicit or of one number."""
    exact = asked.part("dateRange").get("explicitDate") is True
    if start is None or exact or asked.part("trendsFilter").get("display") == "BoldNumber":
        return start
    interval = asked.source.get("interval") or "day"
    start = start.replace(minute=0, second=0, microsecond=0)
    if interval in ("minute", "second", "hour"):
        return start
    # On which day a week begins is the project's own affair.
    return start.replace(hour=0, day=1) if interval == "month" else start.replace(hour=0)


def _of_cohorts(asked: Asked, result: Any) -> Window:
    starts = [local(cohort.get("date"), asked.zone) for cohort in result or () if isinstance(cohort, dict)]
    known = [start for start in starts if start]
    if not known:
        return Window()
    period = RETENTION.get(str(asked.part("retentionFilter").get("period")), "day")
    return Window(min(known), after(max(known), period) - timedelta(seconds=1))


def _moment(given: Any, now: datetime, *, end: bool = False) -> datetime | None:
    """A date as queries write it; None for what means everything, and for what is not understood."""
    if not isinstance(given, str):
        return None
    if found := RELATIVE.fullmatch(given):
        return _ago(now, int(found[1]), UNITS[found[2]])
    moment = local(given, None)
    return moment + timedelta(days=1, seconds=-1) if moment and end and len(given) == 10 else moment


def _ago(now: datetime, count: int, unit: str) -> datetime | None:
    try:
        start = after(now if unit == "hour" else now.replace(hour=0, minute=0, second=0, microsecond=0), unit, -count)
    except (ValueError, OverflowError):
        return None
    return start if start.year < 9999 else None
