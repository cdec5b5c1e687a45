"""How times are called in results: `days` and `labels` of buckets, and ISO 8601."""

from __future__ import annotations

from datetime import datetime, timedelta

MONTHS = {"month": 1, "quarter": 3, "year": 12}
# Intervals that are told by the clock, and how precisely.
CLOCKS = {"second": "seconds", "minute": "minutes", "hour": "minutes"}
NAMES = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso(moment: datetime) -> str:
    """ISO 8601; UTC as Z."""
    return moment.isoformat().replace("+00:00", "Z")


def day(moment: datetime, interval: str) -> str:
    """A bucket as `days` names it."""
    return moment.isoformat(" ", "seconds") if interval in CLOCKS else moment.isoformat()[:10]


def label(moment: datetime, interval: str, start: datetime, end: datetime) -> str:
    """A bucket as `labels` names it: `21-Dec-2019`, `24-Dec 00:00`, `24–30 Nov`, `Sep 2019`."""
    if interval == "week":
        return _week_label(moment, start, end)
    if interval in MONTHS:
        return f"{NAMES[moment.month]} {moment.year}"
    when = moment.time().isoformat(CLOCKS[interval]) if interval in CLOCKS else moment.year
    return f"{moment.day}-{NAMES[moment.month]}{' ' if interval in CLOCKS else '-'}{when}"


def _week_label(moment: datetime, start: datetime, end: datetime) -> str:
    first = max(moment, start.replace(tzinfo=None))
    last = max(first, min(moment + timedelta(days=6), end.replace(tzinfo=None)))
    if first.date() == last.date():
        return f"{first.day}-{first:%b-%Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%b}"
    form = "%b" if first.year == last.year else "%b-%Y"
    return f"{first.day}-{first.strftime(form)} – {last.day}-{last.strftime(form)}"
