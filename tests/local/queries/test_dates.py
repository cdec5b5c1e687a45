"""Relative dates, buckets, offsets and labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.local.queries import QueryError, dates, zones

NOW = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "US/Pacific", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-7d", "2026-03-03T00:00:00+00:00"),
        ("-24h", "2026-03-09T12:00:00+00:00"),
        ("-2w", "2026-02-24T00:00:00+00:00"),
        ("-1mStart", "2026-02-01T00:00:00+00:00"),
        ("dStart", "2026-03-10T00:00:00+00:00"),
        ("yStart", "2026-01-01T00:00:00+00:00"),
        ("-1q", "2025-12-09T00:00:00+00:00"),
        ("2026-1-5", "2026-01-05T00:00:00+00:00"),
        ("2026-02", "2026-02-01T00:00:00+00:00"),
        ("2025", "2025-01-01T00:00:00+00:00"),
        ("2026-01-05T10:00:00+02:00", "2026-01-05T08:00:00+00:00"),
    ],
)
def test_parsed(text: str, expected: str) -> None:
    """Every form of a date."""
    assert expected == dates.parsed(text, NOW, cut="day")[0].isoformat()


@pytest.mark.parametrize("text", ["", "soon", "-7x", "2026-13-01", "-999999y", "x" * 1000])
def test_what_is_no_date(text: str) -> None:
    """Nonsense is refused by name."""
    with pytest.raises(QueryError):
        dates.parsed(text, NOW)


def test_month_end_of_the_month_before() -> None:
    """-1mEnd is the last instant of that month."""
    assert datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC) == dates.parsed("-1mEnd", NOW)[0]


@pytest.mark.parametrize(("start", "expected"), [(0, 8), (1, 9)])
def test_week_start(start: int, expected: int) -> None:
    """Weeks begin on Sunday or Monday, as the project says (10 March 2026 is a Tuesday)."""
    assert expected == dates.floor(NOW, "week", start).day


@pytest.mark.parametrize(
    ("moment", "interval", "expected"),
    [
        (datetime(2026, 3, 1), "day", "1-Mar-2026"),
        (datetime(2026, 3, 1, 5), "hour", "1-Mar 05:00"),
        (datetime(2026, 3, 1), "month", "Mar 2026"),
        (datetime(2026, 3, 1), "week", "1–7 Mar"),
        (datetime(2026, 3, 29), "week", "29-Mar – 4-Apr"),
        (datetime(2025, 12, 28), "week", "28-Dec-2025 – 3-Jan-2026"),
    ],
)
def test_label(moment: datetime, interval: str, expected: str) -> None:
    """Buckets are named as PostHog names them."""
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    assert expected == dates.label(moment, interval, start, end)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(ZONES), st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)), st.integers(0, 800))
def test_offset_segments_equal_the_zone(name: str, start: datetime, days: int) -> None:
    """The constant offsets give the wall clock that the zone itself gives, through every change."""
    first = start.replace(tzinfo=UTC).astimezone(ZoneInfo(name))
    last = first + timedelta(days=days)
    found = zones.segments(first, last)
    for hours in range(0, days * 24, 97):
        moment = (first.astimezone(UTC) + timedelta(hours=hours)).replace(tzinfo=None)
        offset = next(value for begins, value in reversed(found) if begins <= moment)
        assert moment.replace(tzinfo=UTC).astimezone(ZoneInfo(name)).utcoffset() == offset


@pytest.mark.parametrize(
    ("asked", "interval", "exact", "expected"),
    [
        (("-2d", None), "day", False, "2026-03-08 00:00:00 2026-03-10 23:59:59.999999"),
        (("-2d", None), "day", True, "2026-03-08 12:34:56 2026-03-10 12:34:56"),
        ((None, None), "day", True, "2026-03-03 00:00:00 2026-03-10 12:34:56"),
        (("-120s", "-60s"), "second", False, "2026-03-10 12:32:56 2026-03-10 12:33:55.999999"),
        (("-2M", "-1M"), "minute", False, "2026-03-10 12:32:56 2026-03-10 12:33:59.999999"),
        (("-48h", None), "hour", False, "2026-03-08 12:00:00 2026-03-10 12:59:59.999999"),
    ],
)
def test_period(asked: tuple[str | None, str | None], interval: str, exact: bool, expected: str) -> None:
    """Outwards to whole days, hours and minutes, unless it is meant exactly; a second counts when it is over."""
    found = dates.period(*asked, interval=interval, now=NOW, week_start=0, exact=exact, first=None)
    assert expected == " ".join(str(moment.replace(tzinfo=None)) for moment in (found.start, found.end))


@pytest.mark.parametrize(("asked", "expected"), [("-7d", "2026-02-24"), (None, "2026-02-24"), ("-2d", "2026-03-05")])
def test_the_period_before(asked: str | None, expected: str) -> None:
    """Of the last 7 days, which are 8 with today, the week before; so of no dates; of others, as many days before."""
    current = dates.period(asked, None, interval="day", now=NOW, week_start=0, exact=False, first=None)
    assert expected == dates.previous(current, asked, None, "day").start.date().isoformat()
