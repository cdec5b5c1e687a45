"""Dates as people write them, in the forms PostHog reads: `-30d`, `-1mStart`, `2026-01-05`.

PostHog takes what it cannot read for now, or for something else, without a word: so nothing else gets through.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

RELATIVE = re.compile(r"(-\d{0,6})?[hdwmqysHDWMQYS](Start|End)?")
ISO = re.compile(
    r"\d{4}(-\d{1,2}(-\d{1,2}([T ]\d{1,2}(:\d{2}(:\d{2}(\.\d+)?)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?)?)?|\d{8}(T\d{4,6}Z?)?"
)
UNITS = {
    "second": "s", "sec": "s", "minute": "M", "min": "M", "hour": "h", "hr": "h", "h": "h", "day": "d", "d": "d",
    "week": "w", "wk": "w", "w": "w", "month": "m", "mon": "m", "mo": "m", "m": "m", "quarter": "q", "q": "q",
    "year": "y", "yr": "y", "y": "y",
}  # fmt: skip
UNIT = r"(?P<unit>" + "|".join(sorted((f"{u}s?" for u in UNITS), key=len, reverse=True)) + ")"
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
NUMBER = r"(?P<number>\d{1,5}|(?:" + "|".join(NUMBERS) + r")(?=[ _-]))"
AGO = re.compile(
    rf"(?:(?:in |over |for )?(?:the )?(?:last|past|previous|trailing|prev)[ _-]?|(?:(?:now|today)(?:\(\))?\s*)?-\s*)?"
    rf"{NUMBER}[ _-]?{UNIT}(?: ago)?"
)
PERIOD = re.compile(r"-?p(?P<number>\d{1,5})(?P<unit>[dwmy])")  # ISO 8601
EPOCH = re.compile(r"[12]\d{9}(?:\d{3})?")  # seconds, or thousandths of them
TO_DATE = UNIT.replace("unit", "unit2")
THIS = re.compile(
    rf"(?:this|current)[ _-]?{UNIT}(?:[ _-]?to[ _-]?date)?|(?P<to_date>[wmqy])td|{TO_DATE}[ _-]to[ _-]date"
)
BEGIN = re.compile(rf"(?:the )?(?:start|beginning) of (?:the |this )?(?P<last>last |previous )?(?:current )?{UNIT}")
FINISH = re.compile(rf"(?:the )?end of (?:the |this )?(?P<last>last |previous )?(?:current )?{UNIT}")
LAST = re.compile(rf"(?:the )?(?:last|previous|prior|prev)[ _-]?{UNIT}")
EVER = re.compile(r"all(?:[ _-]?time)?|ever|everything|since the (?:beginning|start)")
DAYS: dict[str, tuple[str, str | None]] = {
    "now": ("dStart", None),
    "today": ("dStart", None),
    "yesterday": ("-1dStart", "-1dEnd"),
}
SINCE = re.compile(r"(?:since|from|between|starting(?: from)?)\s+")
UNTIL = re.compile(r"\s*(?:\bto\b|\band\b|\bthrough\b|\s-\s|\buntil\b|\.\.\.?|–|—|/)\s*")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = r"(?P<month>" + "|".join(MONTHS) + r")[a-z]*\.?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?P<year>\d{4})"
WRITTEN = tuple(
    re.compile(form)
    for form in (
        rf"{YEAR}[./](?P<month>\d{{1,2}})[./]{DAY}",
        rf"{DAY}\.(?P<month>\d{{1,2}})\.{YEAR}",
        rf"{MONTH} {DAY},? {YEAR}",
        rf"{DAY}\.? {MONTH},? {YEAR}",
        rf"(?P<month>\d{{1,2}})/{DAY}/{YEAR}",
    )
)
PARTS = tuple(  # months and quarters of a year
    re.compile(form)
    for form in (
        rf"{MONTH},? {YEAR}", r"(?P<year>\d{4})-(?P<month>\d{1,2})", r"(?P<year>\d{4})",
        r"q(?P<quarter>[1-4])[ /-]?(?P<year>\d{4})", r"(?P<year>\d{4})[ /-]?q(?P<quarter>[1-4])",
    )
)  # fmt: skip
LONGEST = 200  # characters of a date in words
FORMS = "a date is -30d, -1mStart, all or 2026-01-31"
Ends = tuple[str, str | None]


def is_date(text: str) -> bool:
    """Whether PostHog reads it as it is meant."""
    return text in ("", "all") or RELATIVE.fullmatch(text) is not None or _is_iso(text)


def start(text: str) -> Ends | None:
    """From when, and until when where the words mean a time that has ended: `last month`. None: not understood."""
    if is_date(text):
        return text, None
    if len(text) > LONGEST:
        return None
    word = " ".join(text.lower().split())
    return next((found for read in READ if (found := read(word))), None)


def end(text: str) -> str | None:
    """Until when."""
    if is_date(text):
        return text
    if len(text) > LONGEST:
        return None
    if finish := FINISH.fullmatch(" ".join(text.lower().split())):
        return f"{'-1' if finish['last'] else ''}{_unit(finish['unit'])}End"
    found = start(text)
    if found is None:
        return None
    first, last = found
    return last or re.sub(r"^([dwmqy])Start$", r"\1End", first)


def span(text: str) -> Ends | None:
    """Both ends, written as one text: `last 30 days`, `2026-01-01 to 2026-01-31`, `2026-11`."""
    if len(text) > LONGEST:
        return None
    text = SINCE.sub("", text.strip(), count=1) if SINCE.match(text.strip()) else text.strip()
    if found := _part(text.lower()) or start(text):
        return found
    ends = UNTIL.split(text, maxsplit=1)
    if len(ends) == 2 and (first := since(ends[0])) and (last := whole(ends[1])):
        return first[0], last
    return None


def since(text: str) -> Ends | None:
    """From when, to the day: `2026-11` begins with its first one."""
    part = _part(text)
    return (part[0], None) if part and is_date(text) else start(text)


def whole(text: str) -> str | None:
    """Until when, with all of a month or year that is named: `2026-11` ends with its last day."""
    part = _part(text.strip().lower())
    return part[1] if part else end(text)


def _is_iso(text: str) -> bool:
    """Whether it is a date of the calendar in ISO 8601, day first or last left out."""
    if not ISO.fullmatch(text):
        return False
    year, month, day = ([int(n) for n in re.findall(r"\d+", text[:10])[:3]] + [1, 1])[:3] if "-" in text else (
        int(text[:4]), int(text[4:6] or 1), int(text[6:8] or 1))  # fmt: skip
    return _calendar(year, month, day) is not None


def _ago(word: str) -> Ends | None:
    found = AGO.fullmatch(word)
    if not found:
        return None
    number = NUMBERS.get(found["number"]) or int(found["number"])
    return f"-{number}{_unit(found['unit'])}", None


def _this(word: str) -> Ends | None:
    if found := BEGIN.fullmatch(word):
        return f"{'-1' if found['last'] else ''}{_unit(found['unit'])}Start", None
    found = THIS.fullmatch(word)
    if not found:
        return None
    return f"{found['to_date'] or _unit(found['unit'] or found['unit2'])}Start", None


def _last(word: str) -> Ends | None:
    found = LAST.fullmatch(word)
    return (f"-1{_unit(found['unit'])}Start", f"-1{_unit(found['unit'])}End") if found else None


def _ever(word: str) -> Ends | None:
    return ("all", None) if EVER.fullmatch(word) else None


def _written(word: str) -> Ends | None:
    """A date of the calendar, written in another way."""
    found = next((m for form in WRITTEN if (m := form.fullmatch(word))), None)
    if not found:
        return None
    month = found["month"]
    number = int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1
    day = int(found["day"])
    if "/" in word and not word[:4].isdigit() and day <= 12 and number <= 12 and day != number:
        return None  # 01/02/2026 is two different days, depending on who wrote it
    read = _calendar(int(found["year"]), number, day) or _calendar(int(found["year"]), day, number)
    return (read.isoformat(), None) if read else None


def _part(word: str) -> Ends | None:
    """A year, a quarter or a month of the calendar: its first day and its last."""
    found = next((m for form in PARTS if (m := form.fullmatch(word))), None)
    if not found:
        return None
    given, year = found.groupdict(), int(found["year"])
    first, months = 1, 12
    if quarter := given.get("quarter"):
        first, months = 3 * int(quarter) - 2, 3
    elif month := given.get("month"):
        first, months = int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1, 1
    if not (1900 <= year < 2100 and 1 <= first <= 12):
        return None
    after = date(year + (first + months - 1) // 12, (first + months - 1) % 12 + 1, 1)
    return date(year, first, 1).isoformat(), (after - timedelta(days=1)).isoformat()


def _period(word: str) -> Ends | None:
    found = PERIOD.fullmatch(word)
    return (f"-{int(found['number'])}{found['unit']}", None) if found else None


def _epoch(word: str) -> Ends | None:
    """Seconds since 1970."""
    if not EPOCH.fullmatch(word):
        return None
    return datetime.fromtimestamp(int(word[:10]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), None


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _unit(name: str) -> str:
    return UNITS.get(name) or UNITS[name.removesuffix("s")]


def _moment(word: str) -> Ends | None:
    try:
        return datetime.fromisoformat(word.upper()).isoformat(), None
    except ValueError:
        return None


READ: tuple[Callable[[str], Ends | None], ...] = (
    lambda word: DAYS.get(word), _ever, _ago, _this, _last, _period, _epoch, _written, _part, _moment
)  # fmt: skip


def length(value: Any) -> tuple[int, str] | None:
    """A length of time as a number and PostHog's name of the unit: `14 days`, `2h`, 7 (days)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value, "day"
    found = (
        re.fullmatch(rf"-?{NUMBER}[ _-]?{UNIT}?", " ".join(value.lower().split())) if isinstance(value, str) else None
    )
    if not found:
        return None
    number = NUMBERS.get(found["number"]) or int(found["number"])
    unit = {"s": "second", "M": "minute", "h": "hour", "d": "day", "w": "week", "m": "month"}.get(
        _unit(found["unit"]) if found["unit"] else "d"
    )
    return (number, unit) if unit else None
