"""What is known of a result besides its numbers: the query, the window, the moment it was computed, the zone.

From these follows which buckets had not ended when the result was computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

PARTIAL = " (partial)"
NEVER = datetime.max
BY_DAY = ("TrendsQuery", "LifecycleQuery")  # what has buckets of a day where it says no interval


@dataclass(frozen=True)
class Asked:
    """A query and the circumstances of its result. `at`: when it was computed; None when that is not known."""

    source: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    zone: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    has_more: bool = False

    @property
    def until(self) -> datetime:
        """When the data ends, on the project's clocks: now, or the window's end."""
        return min(local(self.date_to, self.zone) or NEVER, self.now or NEVER)

    @property
    def now(self) -> datetime | None:
        """When it was computed, on the project's clocks."""
        return _turned(self.at, self.zone) if self.at else None

    def unfinished(self, buckets: Sequence[Any]) -> int:
        """How many of the last buckets end after the data does."""
        return self._after(self.until, buckets)

    def cut_off(self, buckets: Sequence[Any]) -> int:
        """How many of the last buckets of the period before end after it does: where this one begins."""
        compared = self.part("compareFilter")
        begins = local(self.date_from, self.zone) if compared and not compared.get("compare_to") else None
        return self._after(begins or NEVER, buckets)

    def _after(self, until: datetime, buckets: Sequence[Any]) -> int:
        length = self._length(buckets)
        if until is NEVER or length is None:
            return 0
        count = 0
        for bucket in reversed(buckets):
            start = moment(bucket)
            # A window ends with a second's last part: 23:59:59, not 24:00.
            if start is None or after(start, length) - timedelta(seconds=1) <= until:
                break
            count += 1
        return count

    def _length(self, buckets: Sequence[Any]) -> str | None:
        given = self.source.get("interval")
        known = given if isinstance(given, str) and given in LENGTHS else spacing(buckets)
        return known or ("day" if self.source.get("kind") in BY_DAY else None)  # a single bucket tells no length

    def part(self, name: str) -> dict[str, Any]:
        """A part of the query, such as its breakdownFilter."""
        found = self.source.get(name)
        return found if isinstance(found, dict) else {}


def moment(text: Any) -> datetime | None:
    """A bucket's start as its own clock shows it."""
    if not isinstance(text, str) or not text[:4].isdigit():
        return None
    try:
        return datetime.fromisoformat(text[:19])
    except ValueError:
        return None


def instant(text: Any) -> datetime | None:
    """A moment in time; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def local(text: Any, zone: str | None) -> datetime | None:
    """A moment as the project's clocks show it: with an offset it is turned, without it stays."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return _turned(found, zone) if found.tzinfo else found


def _turned(found: datetime, zone: str | None) -> datetime | None:
    try:
        return found.astimezone(_zone(zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):  # at the end of all calendars
        return None


@lru_cache(64)
def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (OSError, ValueError, KeyError):  # KeyError: this system does not know the zone
        return UTC


def _months(start: datetime, count: int) -> datetime:
    years, month = divmod(start.month - 1 + count, 12)
    return start.replace(year=start.year + years, month=month + 1, day=1)


LENGTHS: dict[str, Callable[[datetime, int], datetime]] = {
    "second": lambda start, count: start + timedelta(seconds=count),
    "minute": lambda start, count: start + timedelta(minutes=count),
    "hour": lambda start, count: start + timedelta(hours=count),
    "day": lambda start, count: start + timedelta(days=count),
    "week": lambda start, count: start + timedelta(weeks=count),
    "month": _months,
    "quarter": lambda start, count: _months(start, 3 * count),
    "year": lambda start, count: _months(start, 12 * count),
}
SPACINGS = ((1, "second"), (60, "minute"), (3_600, "hour"), (86_400, "day"), (7 * 86_400, "week"),
            (31 * 86_400, "month"), (92 * 86_400, "quarter"), (366 * 86_400, "year"))  # fmt: skip


def after(start: datetime, length: str, count: int = 1) -> datetime:
    """The end of so many intervals; of what lies beyond all calendars, their end."""
    try:
        return LENGTHS[length](start, count)
    except (ValueError, OverflowError):
        return NEVER


def spacing(buckets: Sequence[Any]) -> str | None:
    """The interval that the first two buckets are apart."""
    starts = [moment(bucket) for bucket in buckets[:2]]
    if len(starts) < 2 or starts[0] is None or starts[1] is None:
        return None
    apart = (starts[1] - starts[0]).total_seconds()
    return next((name for most, name in SPACINGS if 0 < apart <= most), None)
